//! Writers and readers during a failover, which try again as the engine does.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crashpoint::{CheckpointRow, Error, StoreErrorKind};
use tokio::task::JoinHandle;

use crate::case::{Case, Session};
use crate::finding::expect::{Failure, broken, failed, marked, quote, task_error};
use crate::harness::BoxFuture;
use crate::runtime::clock::Stopwatch;

/// The callers that append, each to its own run, and the callers that load these runs.
pub(super) const WRITERS: usize = 4;
const READERS: usize = 2;
/// The time between two tries of an operation.
const PAUSE: Duration = Duration::from_millis(5);
/// The time between two loads of a reader.
const LOAD_EVERY: Duration = Duration::from_millis(1);

pub(super) fn row(sequence: u64) -> CheckpointRow {
    marked(sequence, "failover")
}

/// What a writer knows of its run.
pub(super) struct Run {
    pub(super) id: String,
    /// The rows that were acknowledged: their sequences begin at 0.
    pub(super) acknowledged: u64,
    /// Whether the row after these may have been written.
    pub(super) doubt: bool,
}

/// A load, between the ticks at which it began and ended.
pub(super) struct Seen {
    pub(super) run: String,
    pub(super) begun: u64,
    pub(super) ended: u64,
    /// The rows that were acknowledged when it began.
    pub(super) acknowledged: u64,
    pub(super) rows: u64,
}

#[derive(Default)]
struct Shared {
    acknowledged: [AtomicU64; WRITERS],
    clock: AtomicU64,
    /// Operations that answered an error.
    errors: AtomicU64,
    stop: AtomicBool,
}

impl Shared {
    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

/// Writers and readers at work, which end when this is dropped.
pub(super) struct Load {
    shared: Arc<Shared>,
    writers: Vec<JoinHandle<Result<Run, Failure>>>,
    readers: Vec<JoinHandle<Result<Vec<Seen>, Failure>>>,
}

fn id_of(failover: u64, writer: usize) -> String {
    format!("failover {failover}, writer {writer}")
}

impl Load {
    pub(super) fn start(store: &Session, failover: u64) -> Self {
        let shared: Arc<Shared> = Arc::default();
        let writers = (0..WRITERS).map(|writer| {
            let work: BoxFuture<'static, Result<Run, Failure>> = Box::pin(write(
                store.clone(),
                Arc::clone(&shared),
                id_of(failover, writer),
                writer,
            ));
            tokio::spawn(work)
        });
        let readers = (0..READERS).map(|reader| {
            let (store, shared) = (store.clone(), Arc::clone(&shared));
            let work: BoxFuture<'static, Result<Vec<Seen>, Failure>> =
                Box::pin(read(store, shared, failover, reader));
            tokio::spawn(work)
        });
        Self {
            writers: writers.collect(),
            readers: readers.collect(),
            shared,
        }
    }

    /// How many rows of each writer are acknowledged.
    pub(super) fn acknowledged(&self) -> Vec<u64> {
        let acknowledged = self.shared.acknowledged.iter();
        acknowledged
            .map(|rows| rows.load(Ordering::SeqCst))
            .collect()
    }

    /// How many operations have answered an error.
    pub(super) fn errors(&self) -> u64 {
        self.shared.errors.load(Ordering::SeqCst)
    }

    /// Whether a caller has ended, which it does only after a failure.
    pub(super) fn has_ended(&self) -> bool {
        self.writers.iter().any(JoinHandle::is_finished)
            || self.readers.iter().any(JoinHandle::is_finished)
    }

    pub(super) async fn end(mut self) -> Result<(Vec<Run>, Vec<Seen>), Failure> {
        self.shared.stop.store(true, Ordering::SeqCst);
        let (mut runs, mut seen) = (Vec::new(), Vec::new());
        for writer in std::mem::take(&mut self.writers) {
            runs.push(writer.await.map_err(panicked)??);
        }
        for reader in std::mem::take(&mut self.readers) {
            seen.extend(reader.await.map_err(panicked)??);
        }
        Ok((runs, seen))
    }
}

fn panicked(error: tokio::task::JoinError) -> Failure {
    let message = task_error(error);
    broken(format!(
        "an operation during a failover: expected Ok or an error, got a panic: {message}"
    ))
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
    }
}

/// What an error says about the row that was to be appended.
enum Answer {
    /// The sequence is taken.
    Taken,
    /// Nothing was written.
    Nothing,
    /// The row may be there.
    Unknown,
}

/// What an error during a failover says.
fn read_error(operation: &str, error: &Error) -> Result<Answer, Failure> {
    match error.store_error().map(crashpoint::StoreError::kind) {
        Some(StoreErrorKind::Conflict) => Ok(Answer::Taken),
        Some(StoreErrorKind::Unavailable) => Ok(Answer::Nothing),
        Some(StoreErrorKind::UnknownOutcome) => Ok(Answer::Unknown),
        kind => Err(broken(format!(
            "{operation} during a failover: expected Ok, `Unavailable` or `UnknownOutcome`, got {kind:?} \
             ({error})"
        ))),
    }
}

async fn write(
    store: Session,
    shared: Arc<Shared>,
    id: String,
    writer: usize,
) -> Result<Run, Failure> {
    let mut run = Run {
        id,
        acknowledged: 0,
        doubt: false,
    };
    while !shared.is_over() {
        if run.append(&store).await? {
            shared.acknowledged[writer].store(run.acknowledged, Ordering::SeqCst);
            tokio::task::yield_now().await;
        } else {
            shared.errors.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(run)
}

impl Run {
    /// Appends the next row once, and returns whether it is acknowledged now.
    async fn append(&mut self, store: &Session) -> Result<bool, Failure> {
        let (sequence, id) = (self.acknowledged, quote(&self.id));
        let append = format!("append of sequence {sequence} to run {id}");
        let Err(error) = store.try_append(&self.id, row(sequence)).await else {
            self.acknowledged += 1;
            self.doubt = false;
            return Ok(true);
        };
        match read_error(&append, &error)? {
            Answer::Nothing => Ok(false),
            Answer::Unknown => {
                self.doubt = true;
                Ok(false)
            }
            Answer::Taken if self.doubt => self.is_own(store, sequence).await,
            Answer::Taken => Err(broken(format!(
                "{append}, which nobody else appends and of which no answer was `UnknownOutcome`: expected Ok \
                 or an error of the backend, got a conflict ({error})"
            ))),
        }
    }

    /// Whether the row in doubt has landed, after a conflict. The engine looks in the same way.
    async fn is_own(&mut self, store: &Session, sequence: u64) -> Result<bool, Failure> {
        let loaded = match store.try_load(&self.id).await {
            Ok(loaded) => loaded,
            Err(error) => {
                read_error(&format!("load of run {}", quote(&self.id)), &error)?;
                return Ok(false);
            }
        };
        if loaded.contains(&row(sequence)) {
            self.acknowledged += 1;
            self.doubt = false;
            return Ok(true);
        }
        Err(broken(format!(
            "run {} after a conflict at sequence {sequence}: expected the row there, got {} rows without it",
            quote(&self.id),
            loaded.len()
        )))
    }
}

async fn read(
    store: Session,
    shared: Arc<Shared>,
    failover: u64,
    reader: usize,
) -> Result<Vec<Seen>, Failure> {
    let mut seen: Vec<Seen> = Vec::new();
    for number in reader.. {
        if shared.is_over() {
            break;
        }
        let writer = number % WRITERS;
        let run = id_of(failover, writer);
        let acknowledged = shared.acknowledged[writer].load(Ordering::SeqCst);
        let begun = shared.tick();
        match store.try_load(&run).await {
            Ok(rows) => {
                seen.push(Seen {
                    run,
                    begun,
                    ended: shared.tick(),
                    acknowledged,
                    rows: rows.len() as u64,
                });
                tokio::time::sleep(LOAD_EVERY).await;
            }
            Err(error) => {
                read_error(&format!("load of run {}", quote(&run)), &error)?;
                shared.errors.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    Ok(seen)
}

/// Repeats an operation until it succeeds, within the bound of a failover.
pub(super) async fn patiently<T, F>(case: &Case, operation: impl Fn() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Error>>,
{
    let watch = Stopwatch::start();
    loop {
        match operation().await {
            Ok(done) => return Ok(done),
            Err(error) if watch.elapsed() >= case.options().failover_max => {
                return Err(failed("a load once every node was back", &error));
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
