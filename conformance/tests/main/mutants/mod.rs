//! Deliberately broken stores. The fault of each is in one `impl`.
//!
//! They keep their rows on a [`Shelf`], which outlives the store like a disk.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crashpoint::{CheckpointRow, CheckpointStore, Error, ListRuns, ScopeId, checkpoint_store};
use crashpoint_conformance::{BoxError, Harness, Options, Place};

use self::gap::Gap;

pub(crate) mod bas;
pub(crate) mod between;
pub(crate) mod can;
pub(crate) mod clr;
pub(crate) mod concurrency;
pub(crate) mod damaged;
pub(crate) mod disk;
pub(crate) mod drafts;
pub(crate) mod dup;
pub(crate) mod dur;
pub(crate) mod eng;
pub(crate) mod err;
pub(crate) mod gap;
pub(crate) mod indexed;
pub(crate) mod iso;
pub(crate) mod lst;
pub(crate) mod ord;
pub(crate) mod outage;
pub(crate) mod pay;
pub(crate) mod prf;
pub(crate) mod racing;
pub(crate) mod replicated;
pub(crate) mod run;
pub(crate) mod segments;
pub(crate) mod server;
pub(crate) mod shown;
pub(crate) mod trees;

/// One run: its rows, and the order of their arrival.
#[derive(Debug, Clone, Default)]
pub(crate) struct Run {
    pub(crate) rows: BTreeMap<u64, CheckpointRow>,
    pub(crate) arrival: Vec<u64>,
}

/// Rows that keep the contract. Mutants call this and add their fault.
#[derive(Debug, Clone, Default)]
pub(crate) struct Runs(pub(crate) BTreeMap<String, Run>);

pub(crate) type Loaded = Result<Vec<CheckpointRow>, Error>;

impl Runs {
    pub(crate) fn append(&mut self, id: &str, row: CheckpointRow) -> Result<(), Error> {
        if self.has(id, row.sequence) {
            return Err(Error::conflict(id, row.sequence));
        }
        self.put(id, row);
        Ok(())
    }

    /// Writes without checking the sequence.
    pub(crate) fn put(&mut self, id: &str, row: CheckpointRow) {
        let run = self.0.entry(id.to_owned()).or_default();
        run.arrival.push(row.sequence);
        run.rows.insert(row.sequence, row);
    }

    pub(crate) fn has(&self, id: &str, sequence: u64) -> bool {
        let run = self.0.get(id);
        run.is_some_and(|run| run.rows.contains_key(&sequence))
    }

    pub(crate) fn load(&self, id: &str) -> Vec<CheckpointRow> {
        let run = self.0.get(id);
        run.map_or_else(Vec::new, |run| run.rows.values().cloned().collect())
    }

    /// How many rows a run has.
    pub(crate) fn rows_of(&self, id: &str) -> usize {
        self.0.get(id).map_or(0, |run| run.rows.len())
    }

    pub(crate) fn clear(&mut self, id: &str) {
        self.0.remove(id);
    }

    /// Clears a run if its first row is `first`, and returns whether it did.
    pub(crate) fn clear_if_begun_with(&mut self, id: &str, first: &CheckpointRow) -> bool {
        let run = self.0.get(id);
        let begins = run.and_then(|run| run.rows.values().next()) == Some(first);
        if begins {
            self.clear(id);
        }
        begins
    }
}

/// The state that survives dropping a store.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shelf {
    runs: Arc<Mutex<Runs>>,
    scope: ScopeId,
    gap: Gap,
}

impl Shelf {
    pub(crate) fn runs(&self) -> MutexGuard<'_, Runs> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The scope of a store that is the only one to use the shelf.
    pub(crate) fn scope(&self) -> ScopeId {
        self.scope.clone()
    }

    /// The shelf of a place, the same for each store that is opened there.
    fn of(place: &Place) -> Self {
        shelves()
            .entry(place.name().to_owned())
            .or_default()
            .clone()
    }

    /// A separate shelf with the same rows.
    pub(crate) fn copy(&self) -> Self {
        let copy = self.runs().clone();
        Self {
            runs: Arc::new(Mutex::new(copy)),
            scope: self.scope(),
            gap: self.gap,
        }
    }

    /// How long operations stay between two round trips.
    pub(crate) fn gap(&self) -> Gap {
        self.gap
    }
}

fn shelves() -> MutexGuard<'static, BTreeMap<String, Shelf>> {
    static SHELVES: Mutex<BTreeMap<String, Shelf>> = Mutex::new(BTreeMap::new());
    SHELVES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A fault of an operation under the lock. The defaults have none.
pub(crate) trait Fault: Default + Send + Sync + 'static {
    fn opened(&mut self, runs: &mut Runs, place: &Place) {
        let _ = (runs, place);
    }

    /// The key under which an id is kept.
    fn key(id: &str) -> String {
        id.to_owned()
    }

    /// What is kept of a row.
    fn kept(row: CheckpointRow) -> CheckpointRow {
        row
    }

    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        runs.append(id, row)
    }

    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        Ok(runs.load(id))
    }

    fn clear(&self, runs: &mut Runs, id: &str) -> Result<(), Error> {
        runs.clear(id);
        Ok(())
    }

    /// The default of the contract.
    fn clear_if(&self, runs: &mut Runs, id: &str, first: &CheckpointRow) -> Result<bool, Error> {
        let _ = first;
        self.clear(runs, id)?;
        Ok(true)
    }

    fn scope(shelf: &Shelf) -> Option<ScopeId> {
        Some(shelf.scope())
    }

    fn run_ids(&self, runs: &Runs, after: Option<&str>, limit: usize) -> Vec<String> {
        let later = runs.0.keys();
        let later = later.filter(|id| after.is_none_or(|after| id.as_str() > after));
        later.take(limit).cloned().collect()
    }
}

/// No fault at all: the control.
#[derive(Default)]
pub(crate) struct Faithful;

impl Fault for Faithful {}

/// A store with the fault `F`.
pub(crate) struct Broken<F> {
    shelf: Shelf,
    fault: F,
}

#[checkpoint_store]
impl<F: Fault> CheckpointStore for Broken<F> {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let key = F::key(workflow_id);
        self.fault
            .append(&mut self.shelf.runs(), &key, F::kept(row))
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.fault
            .load(&mut self.shelf.runs(), &F::key(workflow_id))
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.fault
            .clear(&mut self.shelf.runs(), &F::key(workflow_id))
    }

    async fn clear_if_begun_with(
        &self,
        workflow_id: &str,
        first: &CheckpointRow,
    ) -> Result<bool, Error> {
        let key = F::key(workflow_id);
        self.fault.clear_if(&mut self.shelf.runs(), &key, first)
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        F::scope(&self.shelf)
    }

    fn as_listing(&self) -> Option<&dyn ListRuns> {
        Some(self)
    }
}

#[checkpoint_store]
impl<F: Fault> ListRuns for Broken<F> {
    async fn run_ids(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, Error> {
        Ok(self.fault.run_ids(&self.shelf.runs(), after, limit))
    }
}

/// A store that the kill matrix can open.
pub(crate) trait Mutant: CheckpointStore + Sized {
    /// How many rounds the law runs that catches it by a race.
    const ROUNDS: u32 = 20;

    fn open(shelf: Shelf, place: &Place) -> Self;

    fn duplicate(&self) -> Option<Self> {
        None
    }

    fn options() -> Options {
        quick()
    }
}

impl<F: Fault> Mutant for Broken<F> {
    fn open(shelf: Shelf, place: &Place) -> Self {
        let mut fault = F::default();
        fault.opened(&mut shelf.runs(), place);
        Self { shelf, fault }
    }
}

/// One round of each race, however long it takes: findings are counted by rounds, not by time.
pub(crate) fn quick() -> Options {
    let mut options = Options::default();
    options.race_budget = Duration::ZERO;
    options.race_rounds_min = 1;
    // What is measured are the laws, and not a disk.
    let in_memory = PathBuf::from("/dev/shm");
    options.folder = in_memory.is_dir().then_some(in_memory);
    options
}

/// The harness of a mutant.
pub(crate) struct Mutated<S>(PhantomData<fn() -> S>);

impl<S: Mutant> Harness for Mutated<S> {
    type Store = S;

    async fn open(place: &Place) -> Result<S, BoxError> {
        Ok(S::open(Shelf::of(place), place))
    }

    async fn destroy(place: &Place) -> Result<(), BoxError> {
        shelves().remove(place.name());
        Ok(())
    }

    fn duplicate(store: &S) -> Option<S> {
        store.duplicate()
    }

    fn options() -> Options {
        S::options()
    }
}

/// A mutant whose gap is held open.
pub(crate) struct Held<S>(PhantomData<fn() -> S>);

impl<S: Mutant> Harness for Held<S> {
    type Store = S;

    async fn open(place: &Place) -> Result<S, BoxError> {
        let mut shelf = Shelf::of(place);
        shelf.gap = Gap::Held;
        Ok(S::open(shelf, place))
    }

    async fn destroy(place: &Place) -> Result<(), BoxError> {
        Mutated::<S>::destroy(place).await
    }

    fn options() -> Options {
        S::options()
    }
}
