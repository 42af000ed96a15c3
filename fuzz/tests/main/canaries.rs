//! Each target finds a deliberate fault, from the inputs of its corpus, damaged as a fuzzer would.

use std::panic::{AssertUnwindSafe, catch_unwind};

use async_trait::async_trait;
use crashpoint::disk::row_format::{self, Damage};
use crashpoint::{
    CheckpointRow, CheckpointStore, Error, Event, ExportError, RedbCheckpointStore, RedbReader,
};
use crashpoint_conformance::merge;
use crashpoint_fuzz::{
    check_codec, check_damaged_file, check_export, check_journal_lines, check_kept_text,
    check_power_loss, check_store_ops, crash_schedule_without, embedded, export,
};
use crashpoint_simulator::disk::Lie;
use crashpoint_simulator::images::Embedded;
use crashpoint_simulator::workload::Rule;
use crashpoint_simulator::{BadTape, TapeFile};

use crate::corpus::corpus;
use crate::damage::{SplitMix, damaged};

/// The most damaged inputs.
const TRIED_MAX: u64 = 2_000;

/// Checks the message of the first input that fails.
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
fn a_rollback_that_is_not_journaled_is_found_and_can_be_replayed() {
    check("crash_schedule", "replay it: crashpoint replay ", |input| {
        crash_schedule_without(Rule::RollbackIsJournaled, input);
    });
}

#[test]
fn a_decoder_that_drops_a_cursor_is_found() {
    let drops_cursors = |row: &CheckpointRow| match Event::from_row(row)? {
        Event::StepAdvanced { state, task, .. } => Ok(Event::StepAdvanced {
            state,
            task,
            cursor: [].into(),
        }),
        event => Ok(event),
    };
    check("row_codec", "encodes to the same bytes", |input| {
        check_codec(input, drops_cursors, row_format::decode);
    });
}

#[test]
fn a_lenient_decoder_of_values_is_found() {
    // It accepts any flag in the place of a blob.
    let lenient = |run: &str, sequence, value: &[u8]| {
        let read = row_format::decode(run, sequence, value);
        match (read, value) {
            (Err(Damage::BlobFlag(_)), _) => Ok(CheckpointRow::new(sequence, "Ship", "charge")),
            (read, _) => read,
        }
    };
    check("row_codec", "encodes to the same bytes", |input| {
        check_codec(input, Event::from_row, lenient);
    });
}

#[test]
fn a_decoder_without_a_checksum_is_found() {
    let without_checksum =
        |run: &str, sequence, value: &[u8]| match row_format::decode(run, sequence, value) {
            Err(Damage::Checksum { .. }) => Ok(CheckpointRow::new(sequence, "", "")),
            read => read,
        };
    check("row_codec", "a moved value is refused", |input| {
        check_codec(input, Event::from_row, without_checksum);
    });
}

#[test]
fn a_disk_that_lies_about_a_sync_is_found() {
    check("redb_power_loss", "again: .replay(", |input| {
        check_power_loss(input, &Embedded, Lie::Writes);
    });
}

/// A store with one fault.
struct Broken {
    inner: Box<dyn CheckpointStore>,
    how: How,
}

#[derive(Clone, Copy)]
enum How {
    /// It accepts a row at a taken sequence as a repeated send.
    ForgivesDuplicates,
    /// It stores an empty blob as none.
    DropsEmptyBlobs,
    /// Its clear does nothing.
    IgnoresClears,
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
            How::IgnoresClears => Ok(()),
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
    check_broken(How::ForgivesDuplicates, "right: Some(Conflict)");
}

#[test]
fn a_store_that_drops_empty_blobs_is_found() {
    check_broken(How::DropsEmptyBlobs, "expected");
}

#[test]
fn a_store_that_ignores_clears_is_found() {
    check_broken(How::IgnoresClears, "left: Some(Conflict)");
}

#[test]
fn a_reader_that_shows_a_changed_row_is_found() {
    check("damaged_file", "a row that was not written", |input| {
        check_damaged_file(input, |path, run| {
            let mut rows = RedbReader::open(path)?.load_run(run)?;
            if let Some(last) = rows.last_mut() {
                last.sequence += 1;
            }
            Ok(rows)
        });
    });
}

#[test]
fn a_reader_that_repairs_the_file_is_found() {
    check("damaged_file", "a reader changes no byte", |input| {
        check_damaged_file(input, |path, run| {
            drop(RedbCheckpointStore::new(path)?);
            RedbReader::open(path)?.load_run(run)
        });
    });
}

#[test]
fn a_tape_that_loses_a_draw_is_found() {
    check("kept_text", "a tape is read as it was written", |input| {
        check_kept_text(input, |bytes| {
            let mut tape = TapeFile::from_bytes(bytes)?;
            tape.tape.0.pop();
            Ok::<_, BadTape>(tape)
        });
    });
}

#[test]
fn an_export_that_loses_a_row_is_found() {
    check(
        "kept_text",
        "an export is read as it was written",
        |input| {
            check_export(input, |bytes| {
                let mut logs = export(bytes)?;
                for log in &mut logs {
                    log.rows.pop();
                }
                Ok::<_, ExportError>(logs)
            });
        },
    );
}

#[test]
fn a_merge_that_forgets_a_file_is_found() {
    check(
        "journal_lines",
        "lines in two files are the same lines",
        |input| {
            check_journal_lines(input, |files| merge(files.iter().copied().take(1)));
        },
    );
}
