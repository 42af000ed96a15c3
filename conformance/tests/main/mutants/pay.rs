//! Faults in the stored form of a row.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crashpoint::{CheckpointRow, CheckpointStore, Error, RowKind, ScopeId, checkpoint_store};
use crashpoint_conformance::{Options, Place};

use super::{Fault, Mutant, Runs, Shelf, quick};

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
