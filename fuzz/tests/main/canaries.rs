//! A target that finds nothing may be blind: each finds what is broken on purpose, from the inputs
//! of its corpus, damaged as a fuzzer would.

use std::panic::{AssertUnwindSafe, catch_unwind};

use async_trait::async_trait;
use crashpoint::disk::row_format::{self, Damage};
use crashpoint::{CheckpointRow, CheckpointStore, Error, Event};
use crashpoint_fuzz::{
    check_codec, check_power_loss, check_store_ops, crash_schedule_without, embedded,
};
use crashpoint_simulator::disk::Lie;
use crashpoint_simulator::images::Embedded;
use crashpoint_simulator::workload::Rule;

use crate::corpus::corpus;
use crate::damage::{SplitMix, damaged};

/// Damaged inputs are tried up to so many.
const TRIED_MAX: u64 = 2_000;

/// What the first input that fails says.
#[track_caller]
fn check(target: &str, fails: &str, run: impl Fn(&[u8])) {
    let corpus = corpus(target);
    let mut draw = SplitMix(0);
    let whole = corpus.iter().map(|(_, input)| input.clone());
    let inputs = whole.chain((0..TRIED_MAX).map(|_| {
        let (_, input) = &corpus[draw.below(corpus.len())];
        damaged(input, &mut draw)
    }));
    for input in inputs {
        let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(&input))) else {
            continue;
        };
        let message = panic.downcast_ref::<String>().expect("a message");
        assert!(message.contains(fails), "{message}");
        return;
    }
    panic!("no input found it");
}

#[test]
fn a_rollback_that_is_not_journaled_is_found_with_what_replays_it() {
    check("crash_schedule", "again: crashpoint replay ", |input| {
        crash_schedule_without(Rule::RollbackIsJournaled, input);
    });
}

#[test]
fn an_event_that_forgets_what_it_read_is_found() {
    let forgets = |row: &CheckpointRow| match Event::from_row(row)? {
        Event::StepAdvanced { state, task, .. } => Ok(Event::StepAdvanced {
            state,
            task,
            cursor: [].into(),
        }),
        event => Ok(event),
    };
    check("row_codec", "what is read is written again", |input| {
        check_codec(input, forgets, row_format::decode);
    });
}

#[test]
fn a_value_that_is_read_leniently_is_found() {
    // Where there is no blob, whatever stands in its place is passed over.
    let lenient = |run: &str, sequence, value: &[u8]| {
        let read = row_format::decode(run, sequence, value);
        match (read, value) {
            (Err(Damage::BlobFlag(_)), _) => Ok(CheckpointRow::new(sequence, "Ship", "charge")),
            (read, _) => read,
        }
    };
    check("row_codec", "what is read is written again", |input| {
        check_codec(input, Event::from_row, lenient);
    });
}

#[test]
fn a_value_whose_checksum_is_not_looked_at_is_found() {
    let trusting =
        |run: &str, sequence, value: &[u8]| match row_format::decode(run, sequence, value) {
            Err(Damage::Checksum { .. }) => Ok(CheckpointRow::new(sequence, "", "")),
            read => read,
        };
    check("row_codec", "a value that was moved is noticed", |input| {
        check_codec(input, Event::from_row, trusting);
    });
}

#[test]
fn a_disk_that_lies_about_a_sync_is_found() {
    check("redb_power_loss", "again: .replay(", |input| {
        check_power_loss(input, &Embedded, Lie::Writes);
    });
}

/// A store that is wrong in one thing.
struct Broken {
    inner: Box<dyn CheckpointStore>,
    how: How,
}

#[derive(Clone, Copy)]
enum How {
    /// A row at a taken sequence is taken for one that was sent again.
    ForgivesDuplicates,
    /// An empty blob is none.
    DropsEmptyBlobs,
    /// A clear does nothing.
    KeepsWhatIsCleared,
}

#[async_trait]
impl CheckpointStore for Broken {
    async fn append(&self, run: &str, mut row: CheckpointRow) -> Result<(), Error> {
        if matches!(self.how, How::DropsEmptyBlobs) {
            row.output_blob = row.output_blob.filter(|blob| !blob.is_empty());
        }
        match self.inner.append(run, row).await {
            Err(_) if matches!(self.how, How::ForgivesDuplicates) => Ok(()),
            answer => answer,
        }
    }

    async fn load_run(&self, run: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.inner.load_run(run).await
    }

    async fn clear(&self, run: &str) -> Result<(), Error> {
        match self.how {
            How::KeepsWhatIsCleared => Ok(()),
            _ => self.inner.clear(run).await,
        }
    }
}

#[track_caller]
fn check_broken(how: How, fails: &str) {
    check("store_ops", fails, |input| {
        check_store_ops(input, &|disk| {
            let inner = embedded(disk)?;
            Ok(Box::new(Broken { inner, how }))
        });
    });
}

#[test]
fn a_store_that_forgives_duplicates_is_found() {
    check_broken(How::ForgivesDuplicates, "is taken");
}

#[test]
fn a_store_that_drops_empty_blobs_is_found() {
    check_broken(How::DropsEmptyBlobs, "expected");
}

#[test]
fn a_store_that_keeps_what_is_cleared_is_found() {
    check_broken(How::KeepsWhatIsCleared, "sequence 0 is free");
}
