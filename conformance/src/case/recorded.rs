//! Records operations with their beginnings and ends, and marks rows with their writer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crashpoint::{CheckpointRow, Error, StoreError, StoreErrorKind};

use crate::case::{Progress, Session};
use crate::finding::expect::marked;
use crate::harness::DynStore;
use crate::linearize::{Answer, Call, History, MARK_FOREIGN, Operation};

/// A store whose operations are recorded. Clones share the clock.
#[derive(Clone)]
pub(crate) struct Recorded {
    store: DynStore,
    clock: Arc<AtomicU64>,
    progress: Arc<Progress>,
}

/// An operation on the run `id`.
pub(crate) struct OnRun {
    pub(crate) id: String,
    pub(crate) operation: Operation,
}

impl Recorded {
    pub(crate) fn new(session: &Session) -> Self {
        Self {
            store: Arc::clone(session.store()),
            clock: Arc::default(),
            progress: Arc::clone(session.progress()),
        }
    }

    /// A tick of the clock that all callers share.
    pub(crate) fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    /// Counts an operation that ended.
    pub(crate) fn beat(&self) {
        self.progress.beat();
    }

    fn tock(&self) -> u64 {
        self.beat();
        self.tick()
    }

    pub(crate) async fn append(&self, caller: usize, id: &str, sequence: u64, mark: u32) -> OnRun {
        // The marks of a law are numbers of callers and steps, far below.
        assert!(mark < MARK_FOREIGN, "a row of the kit is not foreign");
        // Begun before the future is created: a store need not wait for the first poll.
        let begun = self.tick();
        let appended = self.store.append(id, row_of(sequence, mark)).await;
        let ended = self.tock();
        let answer = answer(&appended);
        let call = Call::Append {
            sequence,
            mark,
            answer,
        };
        on_run(id, caller, (begun, ended), call)
    }

    pub(crate) async fn load(&self, caller: usize, id: &str) -> OnRun {
        let begun = self.tick();
        let loaded = self.store.load_run(id).await;
        let ended = self.tock();
        let rows = loaded.ok().map(|rows| rows.iter().map(named).collect());
        on_run(id, caller, (begun, ended), Call::Load { rows })
    }

    pub(crate) async fn clear(&self, caller: usize, id: &str) -> OnRun {
        let begun = self.tick();
        let cleared = self.store.clear(id).await;
        let ended = self.tock();
        let done = cleared.is_ok();
        on_run(id, caller, (begun, ended), Call::Clear { done })
    }
}

fn on_run(id: &str, caller: usize, (begun, ended): (u64, u64), call: Call) -> OnRun {
    // One counter gives out both, and an operation draws its beginning first.
    assert!(begun < ended, "an operation begins before it ends");
    let operation = Operation {
        caller,
        begun,
        ended: Some(ended),
        call,
    };
    let id = id.to_owned();
    OnRun { id, operation }
}

/// What the answer of an append says about its row.
pub(crate) fn answer(appended: &Result<(), Error>) -> Answer {
    match appended {
        Ok(()) => Answer::Stored,
        Err(error) if is_conflict(error) => Answer::Taken,
        Err(_) => Answer::Unknown,
    }
}

/// Whether an error says that the sequence is taken.
pub(crate) fn is_conflict(error: &Error) -> bool {
    error.store_error().map(StoreError::kind) == Some(StoreErrorKind::Conflict)
}

/// The row with the mark `mark` at `sequence`.
fn row_of(sequence: u64, mark: u32) -> CheckpointRow {
    marked(sequence, &format!("r{mark}"))
}

/// The sequence and the mark of a loaded row. The mark is foreign if a field differs from the appended
/// row.
fn named(row: &CheckpointRow) -> (u64, u32) {
    let mark = row.task_id.strip_prefix("task r");
    let mark = mark.and_then(|mark| mark.parse().ok());
    let mark = mark.filter(|&mark| row_of(row.sequence, mark) == *row);
    (row.sequence, mark.unwrap_or(MARK_FOREIGN))
}

/// Groups recorded operations by run.
pub(crate) fn by_run(operations: impl IntoIterator<Item = OnRun>) -> BTreeMap<String, History> {
    let mut runs: BTreeMap<String, History> = BTreeMap::new();
    for OnRun { id, operation } in operations {
        runs.entry(id).or_default().push(operation);
    }
    runs
}
