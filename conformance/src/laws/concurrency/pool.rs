//! Many callers: all of them make progress.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::case::{Blame, Case, Session};
use crate::finding::expect::{Checked, Failure, broken, row, rows};
use crate::harness::BoxFuture;
use crate::runtime::{Workers, start};

/// More callers than a pool of connections in a test would have.
const CALLERS: usize = 256;

pub(crate) fn con_07_more_callers_than_connections_make_progress(case: &Case) -> Checked {
    let runtime = start(Workers::Pool(2))?;
    let checked = runtime.block_on(async {
        let store = case.open().await?;
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let work: BoxFuture<'static, Checked> = Box::pin(call(store.clone(), caller));
                tokio::spawn(work)
            })
            .collect();
        for caller in callers {
            let joined = caller.await;
            joined.map_err(|error| broken(format!("a caller failed: {error}")))??;
        }
        Ok(())
    });
    case.close_inside(runtime.handle());
    checked
}

async fn call(store: Session, caller: usize) -> Checked {
    let id = format!("of caller {caller} among {CALLERS} at once");
    store.append_all(&id, &rows(0..2)).await?;
    store.holds(&id, &rows(0..2), "beside the others'").await?;
    store.clear(&id).await
}

/// The number of callers that load all the time.
const READERS: usize = 8;
/// How many loads may end while an append waits.
const LOADS_MAX: u64 = 200 * READERS as u64;
/// After so many of them a reader lets other threads run: an append that is on another thread, as in a
/// store that blocks, does not starve because of a busy machine.
const LOADS_TO_YIELD: u64 = 100;
/// The number of appends. More than half must starve for a failure.
const APPENDS: u64 = 20;

pub(crate) fn con_08_readers_do_not_starve_writers(case: &Case) -> Checked {
    // On one worker tasks take turns, however busy the machine is.
    let runtime = start(Workers::Pool(1))?;
    let store = runtime.block_on(case.open())?;
    let work: BoxFuture<'static, Result<Vec<u64>, Failure>> =
        Box::pin(append_beside_readers(store));
    let waited = runtime.block_on(runtime.spawn(work));
    let waited = waited.map_err(|error| broken(format!("a caller failed: {error}")))??;
    case.close_inside(runtime.handle());
    let starved = waited.iter().filter(|&&loads| loads > LOADS_MAX).count();
    if starved * 2 <= waited.len() {
        return Ok(());
    }
    let count = waited.len();
    Err(broken(format!(
        "appends beside {READERS} callers that load all the time: expected an append to wait for at \
         most {LOADS_MAX} loads, got more in {starved} of {count} appends"
    )))
}

/// What the readers and the writer of CON-08 share.
#[derive(Default)]
struct Shared {
    loads: AtomicU64,
    /// The number of loads when the current append began.
    since: AtomicU64,
    done: AtomicBool,
}

impl Shared {
    /// How many loads have ended since the append began.
    fn waited(&self) -> u64 {
        self.loads.load(Ordering::SeqCst) - self.since.load(Ordering::SeqCst)
    }
}

/// Appends beside readers. Returns how many loads ended while each append waited.
async fn append_beside_readers(store: Session) -> Result<Vec<u64>, Failure> {
    store.append_all("run", &rows(0..4)).await?;
    store.step(
        Blame::Store,
        "appends beside callers that load all the time",
    );
    let shared = Arc::new(Shared::default());
    let readers: Vec<_> = (0..READERS)
        .map(|_| {
            let read: BoxFuture<'static, ()> =
                Box::pin(load_until_done(store.clone(), Arc::clone(&shared)));
            tokio::spawn(read)
        })
        .collect();
    let mut waited = Vec::new();
    for sequence in 4..4 + APPENDS {
        let begun = shared.loads.load(Ordering::SeqCst);
        shared.since.store(begun, Ordering::SeqCst);
        let _ = store.store().append("run", row(sequence)).await;
        store.progress().beat();
        waited.push(shared.waited());
        tokio::task::yield_now().await;
    }
    shared.done.store(true, Ordering::SeqCst);
    for reader in readers {
        let joined = reader.await;
        joined.map_err(|error| broken(format!("a reader failed: {error}")))?;
    }
    Ok(waited)
}

/// Loads until the law is done. It pauses while an append is known to starve, so that the append gets
/// through and the law ends by its count, not by its deadline.
async fn load_until_done(store: Session, shared: Arc<Shared>) {
    while !shared.done.load(Ordering::SeqCst) {
        if shared.waited() <= LOADS_MAX {
            // Other laws check the result.
            let _ = store.store().load_run("run").await;
            shared.loads.fetch_add(1, Ordering::SeqCst);
            store.progress().beat();
            if shared.waited().is_multiple_of(LOADS_TO_YIELD) {
                std::thread::yield_now();
            }
        }
        tokio::task::yield_now().await;
    }
}
