//! Faults in the stored form of a row.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use crashpoint::{CheckpointRow, CheckpointStore, Error, RowKind, ScopeId, checkpoint_store};
use crashpoint_conformance::{Options, Place};

use super::{Fault, Loaded, Mutant, Runs, Shelf, quick};

/// Faults that map a row to another row.
macro_rules! kept {
    ($($(#[$doc:meta])* $name:ident = $change:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Default)]
        pub(crate) struct $name;

        impl Fault for $name {
            fn kept(mut row: CheckpointRow) -> CheckpointRow {
                let change: fn(&mut CheckpointRow) = $change;
                change(&mut row);
                row
            }
        }
    )*};
}

kept! {
    /// NULL and '' are the same.
    EmptyToNone = |row| row.output_blob = row.output_blob.take().filter(|blob| !blob.is_empty());
    /// Blobs are text.
    Utf8Lossy = |row| {
        let text = row.output_blob.take();
        row.output_blob = text.map(|blob| String::from_utf8_lossy(&blob).into_owned().into_bytes());
    };
    /// The kind is derived from the blob.
    KindFromBlob = |row| {
        row.kind = match row.output_blob {
            _ if row.kind == RowKind::StepCursor => RowKind::StepCursor,
            Some(_) => RowKind::CompensationCompletion,
            None => RowKind::StateEntry,
        };
    };
    /// Names are C strings.
    NameCutAtNul = |row| row.state = row.state.split('\0').next().unwrap_or_default().to_owned();
    /// A blob column of 64 KiB.
    Truncate64K = |row| {
        if let Some(blob) = &mut row.output_blob {
            blob.truncate(65_535);
        }
    };
    /// Half of a name's column is an index, and the rest is cut.
    NameCutAt255 = |row| {
        if row.state.is_char_boundary(255) {
            row.state.truncate(255);
        }
    };
    /// Runs of one byte are written as a byte and a length of 16 bits.
    RunLength16 = |row| {
        if let Some(blob) = &mut row.output_blob
            && blob.iter().all(|&byte| byte == blob[0])
        {
            blob.truncate(blob.len() % 65_536);
        }
    };
    /// Beyond 512 KiB a blob is left out.
    DropsLargeBlobs = |row| row.output_blob = row.output_blob.take().filter(|b| b.len() <= 1 << 19);
}

type LengthAndBegin = (usize, Vec<u8>);

/// A blob is kept once, under its length and its first bytes.
#[derive(Default)]
pub(crate) struct SharesBlobs(Mutex<BTreeMap<LengthAndBegin, Vec<u8>>>);

impl Fault for SharesBlobs {
    fn append(&self, runs: &mut Runs, id: &str, mut row: CheckpointRow) -> Result<(), Error> {
        row.output_blob = row.output_blob.map(|blob| {
            let begin = blob.iter().take(32).copied().collect();
            let mut kept = self.0.lock().unwrap();
            kept.entry((blob.len(), begin)).or_insert(blob).clone()
        });
        runs.append(id, row)
    }
}

const LIMIT: usize = 2 << 20;

fn with_limit() -> Options {
    let mut options = quick();
    options.blob_bytes_max = Some(LIMIT);
    options
}

/// What a store does with rows beyond its limit.
macro_rules! limited {
    ($($(#[$doc:meta])* $name:ident = $beyond:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name(Shelf);

        #[checkpoint_store]
        impl CheckpointStore for $name {
            async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
                if row.output_blob.as_ref().is_none_or(|blob| blob.len() <= LIMIT) {
                    return self.0.runs().append(workflow_id, row);
                }
                let beyond: fn(&mut Runs, &str, CheckpointRow) -> Result<(), Error> = $beyond;
                beyond(&mut self.0.runs(), workflow_id, row)
            }

            async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
                Ok(self.0.runs().load(workflow_id))
            }

            async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
                self.0.runs().clear(workflow_id);
                Ok(())
            }

            fn exclusive_scope(&self) -> Option<ScopeId> {
                Some(self.0.scope())
            }
        }

        impl Mutant for $name {
            fn open(shelf: Shelf, _place: &Place) -> Self {
                Self(shelf)
            }

            fn options() -> Options {
                with_limit()
            }
        }
    )*};
}

limited! {
    /// Rejects them, as declared: the control, not a mutant.
    HonestLimit = |_, _, _| Err(Error::checkpoint_store("blob beyond the limit"));
    /// Returns Ok and writes nothing.
    DropsSilently = |_, _, _| Ok(());
    /// Rejects them, and leaves half of the row.
    RefusesHalfway = |runs, id, mut row| {
        row.output_blob = None;
        runs.put(id, row);
        Err(Error::checkpoint_store("blob beyond the limit"))
    };
}

/// Blobs are kept by their content, and a clear removes those of its run.
#[derive(Default)]
pub(crate) struct BlobsByContent(Mutex<BTreeSet<Vec<u8>>>);

impl Fault for BlobsByContent {
    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        let removed = self.0.lock().unwrap();
        let mut rows = runs.load(id);
        for row in &mut rows {
            row.output_blob.take_if(|blob| removed.contains(blob));
        }
        Ok(rows)
    }

    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        if let Some(blob) = &row.output_blob {
            self.0.lock().unwrap().remove(blob);
        }
        runs.append(id, row)
    }

    fn clear(&self, runs: &mut Runs, id: &str) -> Result<(), Error> {
        // Short blobs are kept in their rows.
        const LONG: usize = 1_000;
        let blobs = runs.load(id).into_iter().filter_map(|row| row.output_blob);
        let long = blobs.filter(|blob| blob.len() >= LONG);
        self.0.lock().unwrap().extend(long);
        runs.clear(id);
        Ok(())
    }
}

/// A row whose fields are those of the row before it is taken for its repetition.
#[derive(Default)]
pub(crate) struct SkipsEqualRows;

impl Fault for SkipsEqualRows {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        if runs.has(id, row.sequence) {
            return Err(Error::conflict(id, row.sequence));
        }
        let last = runs.0.get(id).and_then(|run| run.rows.last_key_value());
        let is_same = last.is_some_and(|(sequence, last)| {
            let mut same = row.clone();
            same.sequence = *sequence;
            *last == same
        });
        // Rows of the engine are short.
        let is_long = row
            .output_blob
            .as_ref()
            .is_some_and(|blob| blob.len() >= 1_000);
        if is_long && is_same {
            return Ok(());
        }
        runs.append(id, row)
    }
}

/// States are numbered without regard to case.
#[derive(Default)]
pub(crate) struct NumbersLabels(Mutex<BTreeMap<String, String>>);

impl Fault for NumbersLabels {
    fn append(&self, runs: &mut Runs, id: &str, mut row: CheckpointRow) -> Result<(), Error> {
        let mut labels = self.0.lock().unwrap();
        let known = labels
            .entry(row.state.to_ascii_lowercase())
            .or_insert_with(|| row.state.clone());
        row.state.clone_from(known);
        runs.append(id, row)
    }
}

/// States are lines of a text, and reading takes the carriage return of a line for a part of its end.
#[derive(Default)]
pub(crate) struct TakesReturns;

impl Fault for TakesReturns {
    fn kept(mut row: CheckpointRow) -> CheckpointRow {
        if let Some(line) = row.state.strip_suffix('\r') {
            row.state = line.to_owned();
        }
        row
    }
}
