//! The sentences that named faults in schedules before version 1.
//!
//! Tests that users kept contain them, so they are read for ever. They are never written, and this
//! table never changes: a fault that is newer than it has a name only.

use crate::disk::Loss;
use crate::fault::{
    AttemptFault, Breach, ClockFault, Crash, DiskFault, Fault, SWITCH_SUFFIX, StoreFault,
};

/// Sentences without an argument.
const PLAIN: &[(&str, Fault)] = &[
    ("the process crashes", Fault::Crash(Crash::Process)),
    ("the power fails", Fault::Crash(Crash::PowerLoss)),
    ("the disk fails a write", Fault::Disk(DiskFault::WriteError)),
    (
        "the disk fails a write, and every one after it",
        Fault::Disk(DiskFault::WriteErrorLasting),
    ),
    ("the disk fails a sync", Fault::Disk(DiskFault::SyncError)),
    (
        "the disk fails a sync, and every one after it",
        Fault::Disk(DiskFault::SyncErrorLasting),
    ),
    ("the disk is full", Fault::Disk(DiskFault::Full)),
    ("another process takes the run over", Fault::Takeover),
    ("the run is cancelled", Fault::Cancel),
    (
        "the store fails, without effect",
        Fault::Store(StoreFault::Refused),
    ),
    (
        "the store fails, after the effect",
        Fault::Store(StoreFault::InDoubtApplied),
    ),
    (
        "the store fails, without effect, and does not say so",
        Fault::Store(StoreFault::InDoubtLost),
    ),
    (
        "the append arrives twice, the second answer counts",
        Fault::Store(StoreFault::Duplicated),
    ),
    (
        "the answer comes a minute late",
        Fault::Store(StoreFault::SlowAnswer),
    ),
    (
        "the request arrives a minute late",
        Fault::Store(StoreFault::SlowRequest),
    ),
    (
        "the load misses the last row",
        Fault::Store(StoreFault::StaleLoad),
    ),
    (
        "the attempt fails before it has begun",
        Fault::Attempt(AttemptFault::Error),
    ),
    (
        "the attempt does its work and reports an error",
        Fault::Attempt(AttemptFault::ErrorAfter),
    ),
    (
        "the attempt does its work and reports a final error",
        Fault::Attempt(AttemptFault::FatalAfter),
    ),
    (
        "the attempt does its work twice",
        Fault::Attempt(AttemptFault::Twice),
    ),
    ("the attempt panics", Fault::Attempt(AttemptFault::Panic)),
    ("the attempt never ends", Fault::Attempt(AttemptFault::Hang)),
    (
        "the store fails, and shows a row that is not durable",
        Fault::Breach(Breach::PhantomRow),
    ),
    (
        "the wall clock jumps an hour ahead",
        Fault::Clock(ClockFault::Ahead),
    ),
    (
        "the wall clock jumps an hour back",
        Fault::Clock(ClockFault::Back),
    ),
    ("an hour passes at once", Fault::Clock(ClockFault::Sleep)),
];

/// The fault of a sentence, at an instant as it was named then. Also gives the instant's present name.
pub(super) fn read<'a>(point: &'a str, sentence: &str) -> Option<(&'a str, Fault)> {
    if let Some(fault) = plain(sentence).or_else(|| with_argument(sentence)) {
        return Some((point, fault));
    }
    let life = between(sentence, "life ", " goes on")?.parse().ok()?;
    let point = point.strip_suffix(SWITCH_SUFFIX).unwrap_or(point);
    Some((point, Fault::Switch(life)))
}

fn plain(sentence: &str) -> Option<Fault> {
    let found = PLAIN.iter().find(|(words, _)| *words == sentence);
    found.map(|(_, fault)| *fault)
}

fn with_argument(sentence: &str) -> Option<Fault> {
    const OPERATIONS: &str = " operations later";
    if let Some(number) = between(
        sentence,
        "the store fails, and the effect comes ",
        OPERATIONS,
    ) {
        return Some(Fault::Store(StoreFault::InDoubtLate(number.parse().ok()?)));
    }
    if let Some(number) = between(sentence, "a copy of the request arrives ", OPERATIONS) {
        return Some(Fault::Store(StoreFault::Echoed(number.parse().ok()?)));
    }
    if let Some(row) = between(sentence, "the store loses row ", "") {
        return Some(Fault::Breach(Breach::LostRow(row.parse().ok()?)));
    }
    let kept = "the power fails, and of what was not synced is kept: ";
    let loss: Loss = between(sentence, kept, "")?.parse().ok()?;
    Some(Fault::Disk(DiskFault::PowerLoss(loss)))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.strip_prefix(before)?.strip_suffix(after)
}
