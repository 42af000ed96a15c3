//! Faults that show only with several callers: each releases the lock in the middle, like a store between
//! two round trips.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crashpoint::{CheckpointRow, CheckpointStore, Error, ScopeId, checkpoint_store};
use crashpoint_conformance::{Options, Place};
use tokio::sync::Semaphore;

use super::gap::{Count, Crossing, give_way};
use super::{Loaded, Mutant, Run, Shelf, quick};

/// An operation of several round trips. The defaults have no fault.
pub(crate) trait Trips: Default + Send + Sync + 'static {
    /// Whether the store is caught by a deadline, which is then short.
    const HANGS: bool = false;

    fn opened(&mut self, shelf: &Shelf) {
        let _ = shelf;
    }

    fn append(
        &self,
        shelf: &Shelf,
        id: &str,
        row: CheckpointRow,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        std::future::ready(shelf.runs().append(id, row))
    }

    fn load(&self, shelf: &Shelf, id: &str) -> impl Future<Output = Loaded> + Send {
        std::future::ready(Ok(shelf.runs().load(id)))
    }

    fn clear(&self, shelf: &Shelf, id: &str) -> impl Future<Output = Result<(), Error>> + Send {
        shelf.runs().clear(id);
        std::future::ready(Ok(()))
    }
}

/// A store of several round trips.
pub(crate) struct Remote<T> {
    shelf: Shelf,
    trips: T,
}

#[checkpoint_store]
impl<T: Trips> CheckpointStore for Remote<T> {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.trips.append(&self.shelf, workflow_id, row).await
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.trips.load(&self.shelf, workflow_id).await
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.trips.clear(&self.shelf, workflow_id).await
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        Some(self.shelf.scope())
    }
}

impl<T: Trips> Mutant for Remote<T> {
    // Each round of one that hangs waits for the deadline.
    const ROUNDS: u32 = if T::HANGS { 1 } else { 20 };

    fn open(shelf: Shelf, _place: &Place) -> Self {
        let mut trips = T::default();
        trips.opened(&shelf);
        Self { shelf, trips }
    }

    fn options() -> Options {
        let mut options = quick();
        if T::HANGS {
            options.operation_max = Duration::from_secs(2);
        }
        options
    }
}

/// Appends to a run wait for each other, and write the run back whole; a clear takes no part in that,
/// and is undone by an append that had read the run before.
#[derive(Default)]
pub(crate) struct ClearBesideTheLock {
    one_at_a_time: tokio::sync::Mutex<()>,
    /// Clears that had something to clear.
    clears: Count,
}

impl Trips for ClearBesideTheLock {
    async fn append(&self, shelf: &Shelf, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let _one_at_a_time = self.one_at_a_time.lock().await;
        let Some(mut run) = read(shelf, id) else {
            return shelf.runs().append(id, row);
        };
        let before = self.clears.now();
        let met = || run.rows.is_empty() || self.clears.now() > before;
        shelf.gap().pass(met).await;
        write(shelf, id, row, &mut run)
    }

    async fn clear(&self, shelf: &Shelf, id: &str) -> Result<(), Error> {
        shelf.runs().clear(id);
        self.clears.up();
        Ok(())
    }
}

/// The rows go first, then the index that knows which sequences are taken.
#[derive(Default)]
pub(crate) struct IndexClearedLater {
    taken: Mutex<BTreeMap<String, Vec<u64>>>,
    conflicts: Count,
}

impl Trips for IndexClearedLater {
    async fn append(&self, shelf: &Shelf, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let mut runs = shelf.runs();
        let mut taken = self.taken.lock().unwrap();
        let taken = taken.entry(id.to_owned()).or_default();
        if taken.contains(&row.sequence) {
            self.conflicts.up();
            return Err(Error::conflict(id, row.sequence));
        }
        taken.push(row.sequence);
        runs.append(id, row)
    }

    async fn clear(&self, shelf: &Shelf, id: &str) -> Result<(), Error> {
        shelf.runs().clear(id);
        let before = self.conflicts.now();
        shelf.gap().pass(|| self.conflicts.now() > before).await;
        let mut runs = shelf.runs();
        runs.clear(id);
        self.taken.lock().unwrap().remove(id);
        Ok(())
    }
}

/// The even rows are in one shard and the odd ones in another, and a load asks one after the other.
#[derive(Default)]
pub(crate) struct TwoShards;

impl Trips for TwoShards {
    async fn load(&self, shelf: &Shelf, id: &str) -> Loaded {
        let mut rows = shelf.runs().load(id);
        let seen = rows.len();
        rows.retain(|row| row.sequence % 2 == 0);
        // With two rows more, one of them is in the shard that was asked before.
        let met = || shelf.runs().rows_of(id) >= seen + 3;
        shelf.gap().pass(met).await;
        let odd = shelf.runs().load(id).into_iter();
        rows.extend(odd.filter(|row| row.sequence % 2 == 1));
        rows.sort_by_key(|row| row.sequence);
        Ok(rows)
    }
}

/// A row is written without its blob, and the blob of a long one comes after it.
#[derive(Default)]
pub(crate) struct TornAppend {
    loads: Count,
}

impl Trips for TornAppend {
    async fn append(&self, shelf: &Shelf, id: &str, mut row: CheckpointRow) -> Result<(), Error> {
        const PAGE: usize = 4096;
        let long = row
            .output_blob
            .as_ref()
            .is_some_and(|blob| blob.len() > PAGE);
        if !long {
            return shelf.runs().append(id, row);
        }
        let blob = row.output_blob.replace(Vec::new());
        let sequence = row.sequence;
        shelf.runs().append(id, row)?;
        let before = self.loads.now();
        shelf.gap().pass(|| self.loads.now() > before).await;
        if let Some(run) = shelf.runs().0.get_mut(id)
            && let Some(row) = run.rows.get_mut(&sequence)
        {
            row.output_blob = blob;
        }
        Ok(())
    }

    async fn load(&self, shelf: &Shelf, id: &str) -> Loaded {
        let runs = shelf.runs();
        self.loads.up();
        Ok(runs.load(id))
    }
}

/// Loads ask two replicas in turn, and an append writes to one after the other.
#[derive(Default)]
pub(crate) struct TwoReplicas {
    second: Shelf,
    loads: AtomicUsize,
}

impl Trips for TwoReplicas {
    fn opened(&mut self, shelf: &Shelf) {
        self.second = shelf.copy();
    }

    async fn append(&self, shelf: &Shelf, id: &str, row: CheckpointRow) -> Result<(), Error> {
        // The first replica decides.
        shelf.runs().append(id, row.clone())?;
        let before = self.loads.load(Ordering::SeqCst);
        // Of two loads of one caller in a row each replica answers one, if nobody else loads.
        let met = || self.loads.load(Ordering::SeqCst) >= before + 6;
        shelf.gap().pass(met).await;
        self.second.runs().put(id, row);
        Ok(())
    }

    async fn load(&self, shelf: &Shelf, id: &str) -> Loaded {
        let first = self.loads.fetch_add(1, Ordering::SeqCst).is_multiple_of(2);
        Ok(if first { shelf } else { &self.second }.runs().load(id))
    }

    async fn clear(&self, shelf: &Shelf, id: &str) -> Result<(), Error> {
        let mut first = shelf.runs();
        first.clear(id);
        self.second.runs().clear(id);
        Ok(())
    }
}

/// Rows that a statement loads or removes at most.
const PAGE_ROWS: usize = 1_000;

/// A clear removes a page of rows at a time, and a load can come in between.
#[derive(Default)]
pub(crate) struct ClearInPages {
    loads: Count,
}

impl Trips for ClearInPages {
    async fn load(&self, shelf: &Shelf, id: &str) -> Loaded {
        let runs = shelf.runs();
        self.loads.up();
        Ok(runs.load(id))
    }

    async fn clear(&self, shelf: &Shelf, id: &str) -> Result<(), Error> {
        while shelf.runs().rows_of(id) > PAGE_ROWS {
            let before = {
                let mut runs = shelf.runs();
                if let Some(run) = runs.0.get_mut(id) {
                    (0..PAGE_ROWS).for_each(|_| _ = run.rows.pop_first());
                }
                self.loads.now()
            };
            shelf.gap().pass(|| self.loads.now() > before).await;
        }
        shelf.runs().clear(id);
        Ok(())
    }
}

/// A load asks for a page of rows at a time, without a snapshot.
#[derive(Default)]
pub(crate) struct LoadInPages {
    clears: Count,
}

impl Trips for LoadInPages {
    async fn load(&self, shelf: &Shelf, id: &str) -> Loaded {
        let mut loaded: Vec<CheckpointRow> = Vec::new();
        loop {
            let mut page = shelf.runs().load(id);
            if let Some(last) = loaded.last().map(|row| row.sequence) {
                page.retain(|row| row.sequence > last);
            }
            page.truncate(PAGE_ROWS);
            let is_last = page.len() < PAGE_ROWS;
            loaded.extend(page);
            if is_last {
                return Ok(loaded);
            }
            let before = self.clears.now();
            shelf.gap().pass(|| self.clears.now() > before).await;
        }
    }

    async fn clear(&self, shelf: &Shelf, id: &str) -> Result<(), Error> {
        shelf.runs().clear(id);
        self.clears.up();
        Ok(())
    }
}

/// Each handle keeps what it has loaded, until it writes itself.
#[derive(Default)]
pub(crate) struct HandleCache(Mutex<BTreeMap<String, Vec<CheckpointRow>>>);

impl Trips for HandleCache {
    async fn append(&self, shelf: &Shelf, id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.0.lock().unwrap().remove(id);
        shelf.runs().append(id, row)
    }

    async fn load(&self, shelf: &Shelf, id: &str) -> Loaded {
        let mut cache = self.0.lock().unwrap();
        let rows = cache.entry(id.to_owned());
        Ok(rows.or_insert_with(|| shelf.runs().load(id)).clone())
    }

    async fn clear(&self, shelf: &Shelf, id: &str) -> Result<(), Error> {
        self.0.lock().unwrap().remove(id);
        shelf.runs().clear(id);
        Ok(())
    }
}

/// Each second handle reads from a second replica, and an append writes to one after the other.
#[derive(Default)]
pub(crate) struct ReplicaByHandle {
    reads_second: bool,
}

/// The handles that were opened, and an id on the second replica: both are on the shelf.
const HANDLES: &str = "\u{1}handles";
const SECOND: &str = "\u{1}second ";

impl Trips for ReplicaByHandle {
    fn opened(&mut self, shelf: &Shelf) {
        let mut runs = shelf.runs();
        let before = runs.rows_of(HANDLES);
        runs.put(HANDLES, CheckpointRow::new(before as u64, "", ""));
        self.reads_second = before % 2 == 1;
    }

    async fn append(&self, shelf: &Shelf, id: &str, row: CheckpointRow) -> Result<(), Error> {
        shelf.runs().append(id, row.clone())?;
        shelf.gap().pass(|| false).await;
        shelf.runs().put(&format!("{SECOND}{id}"), row);
        Ok(())
    }

    async fn load(&self, shelf: &Shelf, id: &str) -> Loaded {
        let runs = shelf.runs();
        Ok(match self.reads_second {
            true => runs.load(&format!("{SECOND}{id}")),
            false => runs.load(id),
        })
    }

    async fn clear(&self, shelf: &Shelf, id: &str) -> Result<(), Error> {
        let mut runs = shelf.runs();
        runs.clear(id);
        runs.clear(&format!("{SECOND}{id}"));
        Ok(())
    }
}

/// An append reads the run and writes it back with one row more.
#[derive(Default)]
pub(crate) struct LostUpdate {
    reads: Crossing,
}

impl Trips for LostUpdate {
    async fn append(&self, shelf: &Shelf, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let Some(mut run) = read(shelf, id) else {
            return shelf.runs().append(id, row);
        };
        let entered = self.reads.enter();
        shelf.gap().pass(|| entered.met()).await;
        write(shelf, id, row, &mut run)
    }
}

/// A run that is written back whole; none where it is long, which has a better way.
fn read(shelf: &Shelf, id: &str) -> Option<Run> {
    const LONG: usize = 100;
    let runs = shelf.runs();
    match runs.0.get(id) {
        Some(run) if run.rows.len() >= LONG => None,
        run => Some(run.cloned().unwrap_or_default()),
    }
}

fn write(shelf: &Shelf, id: &str, row: CheckpointRow, run: &mut Run) -> Result<(), Error> {
    if run.rows.contains_key(&row.sequence) {
        return Err(Error::conflict(id, row.sequence));
    }
    run.arrival.push(row.sequence);
    run.rows.insert(row.sequence, row);
    shelf.runs().0.insert(id.to_owned(), std::mem::take(run));
    Ok(())
}

/// Rows wait for the next round trip in a map by sequence.
#[derive(Default)]
pub(crate) struct StagedBySequence {
    staged: Mutex<BTreeMap<u64, (String, CheckpointRow)>>,
    stagings: Count,
}

impl Trips for StagedBySequence {
    async fn append(&self, shelf: &Shelf, id: &str, row: CheckpointRow) -> Result<(), Error> {
        if shelf.runs().has(id, row.sequence) {
            return Err(Error::conflict(id, row.sequence));
        }
        let sequence = row.sequence;
        // Two rows of one run at one sequence are told apart.
        let own = {
            let mut staged = self.staged.lock().unwrap();
            if staged
                .get(&sequence)
                .is_some_and(|(waiting, _)| waiting == id)
            {
                return Err(Error::conflict(id, sequence));
            }
            staged.insert(sequence, (id.to_owned(), row));
            self.stagings.up()
        };
        let is_taken = || !self.staged.lock().unwrap().contains_key(&sequence);
        let met = || self.stagings.now() > own || is_taken();
        shelf.gap().pass(met).await;
        let staged = self.staged.lock().unwrap().remove(&sequence);
        match staged {
            Some((owner, row)) => shelf.runs().append(&owner, row),
            None => Ok(()),
        }
    }
}

/// Each append takes one connection of the pool, and a second one for its transaction.
pub(crate) struct TwoConnections(Semaphore);

impl Default for TwoConnections {
    fn default() -> Self {
        Self(Semaphore::new(40))
    }
}

impl Trips for TwoConnections {
    const HANGS: bool = true;

    async fn append(&self, shelf: &Shelf, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let _first = self.0.acquire().await;
        shelf.gap().pass(|| self.0.available_permits() == 0).await;
        let _second = self.0.acquire().await;
        shelf.runs().append(id, row)
    }
}

/// An append waits until few have loaded for a while, and loads take their time.
#[derive(Default)]
pub(crate) struct ReadersFirst {
    loading: AtomicUsize,
}

/// The readers of other laws are fewer.
const CROWD: usize = 4;
/// Looks in a row that have to find no crowd.
const QUIET_LOOKS: u32 = 4;

impl Trips for ReadersFirst {
    async fn append(&self, shelf: &Shelf, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let mut quiet = 0;
        while quiet < QUIET_LOOKS {
            let crowd = self.loading.load(Ordering::SeqCst) >= CROWD;
            quiet = if crowd { 0 } else { quiet + 1 };
            give_way().await;
        }
        shelf.runs().append(id, row)
    }

    async fn load(&self, shelf: &Shelf, id: &str) -> Loaded {
        let _counted = Loading::begin(&self.loading);
        give_way().await;
        give_way().await;
        Ok(shelf.runs().load(id))
    }
}

/// A load that is counted until it ends, or is dropped.
struct Loading<'a>(&'a AtomicUsize);

impl<'a> Loading<'a> {
    fn begin(loading: &'a AtomicUsize) -> Self {
        loading.fetch_add(1, Ordering::SeqCst);
        Self(loading)
    }
}

impl Drop for Loading<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
