//! Every event of a history on a line, for `grep` and `diff`.
//!
//! A line has the event's place, its life (0 for an event of no life), a word for its kind, and
//! fields as `key=value`. Texts are in double quotes, with all invisible characters escaped, so
//! that a user's text cannot forge a field or a line. Bytes that are not text are hexadecimal.

use crashpoint::{CheckpointRow, Direction};

use crate::choices::Draw;
use crate::history::{Effect, Entry, History, Opening, Reception, What};
use crate::operations;
use crate::oracle::Verdict;
use crate::report::render::escaped_full;

/// The lines of a history.
pub fn lines(history: &History) -> Vec<String> {
    let entries = history.0.iter().enumerate();
    entries.map(|(place, entry)| line(place, entry)).collect()
}

/// The line of an event of a simulation of operations. The number is its caller's.
pub fn operations_line(place: usize, entry: &operations::Entry) -> String {
    let (caller, what) = (entry.caller, escaped_full(&entry.what.to_string()));
    format!("{place:04} caller={caller} {what}")
}

/// The line at a place of a history, without the bytes of a row. `None` if the history is shorter.
pub fn line_without_bytes(history: &History, place: usize) -> Option<String> {
    let entry = history.0.get(place)?;
    let (word, mut fields) = word(&entry.what);
    fields.retain(|(key, _)| *key != BLOB);
    Some(written(place, entry, word, &fields))
}

/// The field of a row's bytes.
const BLOB: &str = "blob";

/// The line of a broken promise, without a place.
pub fn violation(verdict: &Verdict) -> String {
    let (oracle, message) = (verdict.oracle, quoted(&verdict.message));
    format!("violation oracle={oracle} message={message}")
}

/// The line of a draw. Its place is its index among the draws.
pub(crate) fn draw(place: usize, draw: &Draw) -> String {
    let Draw { label, n, chosen } = draw;
    format!(
        "draw {place} label={} of={n} chosen={chosen}",
        quoted(label)
    )
}

/// The line of a row of the final log.
pub(crate) fn row(row: &CheckpointRow) -> String {
    let fields = row_fields(row).into_iter();
    let fields: String = fields
        .map(|(key, value)| format!(" {key}={value}"))
        .collect();
    format!("log{fields}")
}

pub(crate) fn line(place: usize, entry: &Entry) -> String {
    let (word, fields) = word(&entry.what);
    written(place, entry, word, &fields)
}

fn written(place: usize, entry: &Entry, word: &str, fields: &Fields) -> String {
    let fields: String = fields
        .iter()
        .map(|(key, value)| format!(" {key}={value}"))
        .collect();
    format!("{place:04} life={} {word}{fields}", entry.life)
}

type Fields = Vec<(&'static str, String)>;

fn word(what: &What) -> (&'static str, Fields) {
    let sequence = |sequence: &u64| vec![("sequence", sequence.to_string())];
    let message = |message: &str| vec![("message", quoted(message))];
    match what {
        What::Began(opening) => ("began", vec![("as", opening_name(*opening).to_owned())]),
        What::Sent(row) => ("sent", row_fields(row)),
        What::Landed(row) => ("durable", row_fields(row)),
        What::AppendFailed { sequence: at } => ("append-failed", sequence(at)),
        What::Acknowledged { sequence: at } => ("acknowledged", sequence(at)),
        What::Loaded(rows) => ("loaded", vec![("rows", rows.len().to_string())]),
        What::LoadFailed => ("load-failed", Vec::new()),
        What::Applied {
            sequence: at,
            mismatch,
        } => {
            let mut fields = sequence(at);
            let mismatch = mismatch.as_deref();
            fields.extend(mismatch.map(|mismatch| ("mismatch", quoted(mismatch))));
            ("applied", fields)
        }
        What::Started(attempt) => {
            let mut fields = vec![
                ("task", quoted(&attempt.task)),
                ("direction", direction(attempt.direction).to_owned()),
                ("visit", attempt.visit.to_string()),
                ("step", attempt.step.to_string()),
                ("attempt", attempt.attempt.to_string()),
            ];
            if attempt.round > 0 {
                fields.push(("round", attempt.round.to_string()));
            }
            ("started", fields)
        }
        What::Finished {
            task,
            direction: towards,
            succeeded,
        } => (
            "finished",
            vec![
                ("task", quoted(task)),
                ("direction", direction(*towards).to_owned()),
                ("succeeded", succeeded.to_string()),
            ],
        ),
        What::Waits {
            task,
            visit,
            until_unix_ms,
        } => (
            "waits",
            vec![
                ("task", quoted(task)),
                ("visit", visit.to_string()),
                ("until", until_unix_ms.to_string()),
            ],
        ),
        What::TimerEnded {
            task,
            visit,
            unix_ms,
        } => (
            "timer-ended",
            vec![
                ("task", quoted(task)),
                ("visit", visit.to_string()),
                ("at", unix_ms.to_string()),
            ],
        ),
        What::PollTimedOut {
            task,
            visit,
            unix_ms,
        } => (
            "poll-timed-out",
            vec![
                ("task", quoted(task)),
                ("visit", visit.to_string()),
                ("at", unix_ms.to_string()),
            ],
        ),
        What::Effect(effect) => ("effect", effect_fields(effect)),
        What::Noted(text) => ("noted", vec![("text", quoted(text))]),
        What::Broken {
            name,
            message: text,
        } => (
            "broken",
            vec![("name", quoted(name)), ("message", quoted(text))],
        ),
        What::Cleared => ("cleared", Vec::new()),
        What::StoreFailed(text) => ("store-failed", message(text)),
        What::Fault(fired) => (
            "fault",
            vec![
                ("point", quoted(&fired.point)),
                ("fault", quoted(&fired.fault.to_string())),
            ],
        ),
        What::Returned(end) => ("told", vec![("end", quoted(&end.to_string()))]),
        What::Panicked(text) => ("panicked", message(text)),
        What::Unserializable(text) => ("unserializable", message(text)),
        What::Stopped(why) => ("stopped", message(&why.to_string())),
        What::Stalled => ("stalled", Vec::new()),
    }
}

fn row_fields(row: &CheckpointRow) -> Fields {
    let mut fields = vec![
        ("sequence", row.sequence.to_string()),
        ("kind", row.kind.to_string()),
        ("state", quoted(&row.state)),
        ("task", quoted(&row.task_id)),
    ];
    let bytes = row.output_blob.as_deref();
    fields.extend(bytes.map(|bytes| (BLOB, blob(bytes))));
    fields
}

fn effect_fields(effect: &Effect) -> Fields {
    let reception = match effect.reception {
        Reception::Performed => "performed",
        Reception::Repeated => "repeated",
        Reception::Voided => "voided",
    };
    let mut fields = vec![
        ("name", quoted(&effect.name)),
        ("payload", quoted(&effect.payload)),
        ("task", quoted(&effect.task)),
        ("direction", direction(effect.direction).to_owned()),
        ("visit", effect.visit.to_string()),
        ("step", effect.step.to_string()),
        ("key", quoted(&effect.key)),
        ("fencing-token", effect.fencing_token.to_string()),
        ("reception", reception.to_owned()),
    ];
    let service = effect.receiver.service();
    fields.extend(service.map(|service| ("service", quoted(service))));
    fields
}

fn opening_name(opening: Opening) -> &'static str {
    match opening {
        Opening::Start => "start",
        Opening::Resume => "resume",
        Opening::RetryStuck => "retry-stuck",
        Opening::Rival => "rival",
        Opening::Verify => "verify",
    }
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Do => "do",
        Direction::Undo => "undo",
    }
}

/// A blob as text if it is text, or in hexadecimal.
fn blob(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => quoted(text),
        _ => {
            let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
            format!("0x{}", digits.collect::<String>())
        }
    }
}

pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped_full(text).replace('"', "\\\""))
}
