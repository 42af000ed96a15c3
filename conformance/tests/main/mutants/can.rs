//! Faults that show when a future is dropped. All but the eager mutant hold a lock over several round trips,
//! so that callers who await their answers do not see them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crashpoint::{CheckpointRow, CheckpointStore, Error, ScopeId};
use crashpoint_conformance::Place;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex as AsyncMutex, oneshot};

use super::concurrency::Trips;
use super::gap::give_way;
use super::{Loaded, Mutant, Shelf};

/// A long row is written without its blob, and the blob comes after it.
#[derive(Default)]
pub(crate) struct HalfAppend(AsyncMutex<()>);

impl Trips for HalfAppend {
    async fn append(&self, shelf: &Shelf, id: &str, mut row: CheckpointRow) -> Result<(), Error> {
        const PAGE: usize = 4096;
        let _one_at_a_time = self.0.lock().await;
        let sequence = row.sequence;
        let long = row.output_blob.take_if(|blob| blob.len() > PAGE);
        shelf.runs().append(id, row)?;
        if long.is_some() {
            give_way().await;
            if let Some(run) = shelf.runs().0.get_mut(id)
                && let Some(row) = run.rows.get_mut(&sequence)
            {
                row.output_blob = long;
            }
        }
        Ok(())
    }

    async fn load(&self, shelf: &Shelf, id: &str) -> Loaded {
        let _one_at_a_time = self.0.lock().await;
        Ok(shelf.runs().load(id))
    }
}

/// Writes when it is called; its future only returns the result.
pub(crate) struct EagerAppend(Shelf);

impl CheckpointStore for EagerAppend {
    fn append<'a: 'c, 'b: 'c, 'c>(
        &'a self,
        workflow_id: &'b str,
        row: CheckpointRow,
    ) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'c>> {
        let appended = self.0.runs().append(workflow_id, row);
        Box::pin(std::future::ready(appended))
    }

    fn load_run<'a: 'c, 'b: 'c, 'c>(
        &'a self,
        workflow_id: &'b str,
    ) -> Pin<Box<dyn Future<Output = Loaded> + Send + 'c>> {
        Box::pin(async { Ok(self.0.runs().load(workflow_id)) })
    }

    fn clear<'a: 'c, 'b: 'c, 'c>(
        &'a self,
        workflow_id: &'b str,
    ) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'c>> {
        Box::pin(async {
            self.0.runs().clear(workflow_id);
            Ok(())
        })
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        Some(self.0.scope())
    }
}

impl Mutant for EagerAppend {
    fn open(shelf: Shelf, _place: &Place) -> Self {
        Self(shelf)
    }
}

/// A sequence is reserved before its row is written, and the reservation stays where the row does not
/// come.
#[derive(Default)]
pub(crate) struct ReservesFirst(Mutex<BTreeSet<(String, u64)>>);

impl Trips for ReservesFirst {
    async fn append(&self, shelf: &Shelf, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let key = (id.to_owned(), row.sequence);
        let is_new = self.0.lock().unwrap().insert(key.clone());
        if !is_new || shelf.runs().has(id, row.sequence) {
            return Err(Error::conflict(id, row.sequence));
        }
        give_way().await;
        let appended = shelf.runs().append(id, row);
        self.0.lock().unwrap().remove(&key);
        appended
    }
}

/// A connection returns to the pool only with the answer.
#[derive(Default)]
pub(crate) struct LeaksConnections(AtomicUsize);

impl Trips for LeaksConnections {
    async fn append(&self, shelf: &Shelf, id: &str, row: CheckpointRow) -> Result<(), Error> {
        const CONNECTIONS: usize = 300;
        if self.0.fetch_add(1, Ordering::SeqCst) >= CONNECTIONS {
            self.0.fetch_sub(1, Ordering::SeqCst);
            return Err(Error::unavailable("no connection left"));
        }
        give_way().await;
        self.0.fetch_sub(1, Ordering::SeqCst);
        shelf.runs().append(id, row)
    }
}

/// A clear removes row by row, and no other operation runs in between.
#[derive(Default)]
pub(crate) struct ClearInSteps(AsyncMutex<()>);

impl Trips for ClearInSteps {
    async fn append(&self, shelf: &Shelf, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let _one_at_a_time = self.0.lock().await;
        shelf.runs().append(id, row)
    }

    async fn load(&self, shelf: &Shelf, id: &str) -> Loaded {
        let _one_at_a_time = self.0.lock().await;
        Ok(shelf.runs().load(id))
    }

    async fn clear(&self, shelf: &Shelf, id: &str) -> Result<(), Error> {
        const STEP: usize = 5;
        let _one_at_a_time = self.0.lock().await;
        let rows = shelf.runs().load(id);
        for (index, row) in rows.iter().enumerate() {
            if index > 0 && index % STEP == 0 && rows.len() < 100 {
                give_way().await;
            }
            if let Some(run) = shelf.runs().0.get_mut(id) {
                run.rows.remove(&row.sequence);
            }
        }
        shelf.runs().clear(id);
        Ok(())
    }
}

/// The second replica is written after the first, and loads ask them in turn.
#[derive(Default)]
pub(crate) struct SecondReplicaLater {
    one_at_a_time: AsyncMutex<()>,
    second: Shelf,
    loads: AtomicUsize,
}

impl Trips for SecondReplicaLater {
    fn opened(&mut self, shelf: &Shelf) {
        self.second = shelf.copy();
    }

    async fn append(&self, shelf: &Shelf, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let _one_at_a_time = self.one_at_a_time.lock().await;
        shelf.runs().append(id, row.clone())?;
        give_way().await;
        self.second.runs().put(id, row);
        Ok(())
    }

    async fn load(&self, shelf: &Shelf, id: &str) -> Loaded {
        let _one_at_a_time = self.one_at_a_time.lock().await;
        let first = self.loads.fetch_add(1, Ordering::SeqCst).is_multiple_of(2);
        Ok(if first { shelf } else { &self.second }.runs().load(id))
    }

    async fn clear(&self, shelf: &Shelf, id: &str) -> Result<(), Error> {
        let _one_at_a_time = self.one_at_a_time.lock().await;
        shelf.runs().clear(id);
        self.second.runs().clear(id);
        Ok(())
    }
}

/// A task of its own writes the row, some while after it has been told to; dropping the append does not
/// stop it. Where `FENCED`, a clear does.
#[derive(Default)]
pub(crate) struct DetachedWrite<const FENCED: bool>(Arc<Mutex<BTreeMap<String, u64>>>);

impl<const FENCED: bool> DetachedWrite<FENCED> {
    fn clears(&self, id: &str) -> u64 {
        self.0.lock().unwrap().get(id).copied().unwrap_or_default()
    }
}

impl<const FENCED: bool> Trips for DetachedWrite<FENCED> {
    async fn append(&self, shelf: &Shelf, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let Ok(runtime) = Handle::try_current() else {
            return shelf.runs().append(id, row);
        };
        let (begun, clears) = (self.clears(id), Arc::clone(&self.0));
        let (shelf, id) = (shelf.clone(), id.to_owned());
        let write = runtime.spawn(async move {
            const TURNS: u32 = 20;
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            let mut runs = shelf.runs();
            let clears = clears.lock().unwrap().get(&id).copied().unwrap_or_default();
            if FENCED && clears != begun {
                return Err(Error::unavailable("the run was cleared"));
            }
            runs.append(&id, row)
        });
        write
            .await
            .map_err(|error| Error::checkpoint_store(error.to_string()))?
    }

    async fn clear(&self, shelf: &Shelf, id: &str) -> Result<(), Error> {
        let mut runs = shelf.runs();
        runs.clear(id);
        *self.0.lock().unwrap().entry(id.to_owned()).or_default() += 1;
        Ok(())
    }
}

/// A statement, and the turns that its connection takes for it.
type Statement = (u32, Box<dyn FnOnce() + Send>);

/// A write takes longer than a read.
const WRITE: u32 = 60;
const READ: u32 = 1;

/// A connection performs its statements in order. Dropping the future of a statement stops nothing.
#[derive(Clone)]
struct Connection(UnboundedSender<Statement>);

impl Connection {
    fn open(runtime: &Handle) -> Self {
        let (sender, mut statements) = unbounded_channel::<Statement>();
        runtime.spawn(async move {
            while let Some((turns, statement)) = statements.recv().await {
                for _ in 0..turns {
                    tokio::task::yield_now().await;
                }
                statement();
            }
        });
        Self(sender)
    }

    /// Sends a statement. There is no answer if the connection's runtime has ended.
    fn send<T: Send + 'static>(
        &self,
        turns: u32,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (reply, answer) = oneshot::channel();
        let statement = Box::new(move || _ = reply.send(work()));
        let _ = self.0.send((turns, statement));
        answer
    }
}

/// A pool of connections. With `BY_ID` all statements about an id go through one connection, in order. Without,
/// a caller takes any connection that nobody waits for, and opens one if there is none. So a store that one
/// caller uses has one connection.
#[derive(Default)]
pub(crate) struct Pooled<const BY_ID: bool>(Mutex<VecDeque<Connection>>);

/// A connection that goes back to its pool when its caller waits no longer.
struct Lent<'a> {
    pool: &'a Mutex<VecDeque<Connection>>,
    connection: Connection,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let connection = self.connection.clone();
        self.pool.lock().unwrap().push_back(connection);
    }
}

impl<const BY_ID: bool> Pooled<BY_ID> {
    async fn perform<T: Send + 'static>(
        &self,
        id: &str,
        turns: u32,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        const CONNECTIONS: usize = 8;
        let Ok(runtime) = Handle::try_current() else {
            return Ok(work());
        };
        let lost = |_| Error::unknown_outcome("the connection is gone");
        if BY_ID {
            let connection = {
                let mut pool = self.0.lock().unwrap();
                pool.retain(|connection| !connection.0.is_closed());
                while pool.len() < CONNECTIONS {
                    pool.push_back(Connection::open(&runtime));
                }
                let of_id = id.bytes().fold(0, |sum, byte| sum + usize::from(byte));
                pool[of_id % CONNECTIONS].clone()
            };
            return connection.send(turns, work).await.map_err(lost);
        }
        let idle = {
            let mut pool = self.0.lock().unwrap();
            pool.retain(|connection| !connection.0.is_closed());
            pool.pop_front()
        };
        let lent = Lent {
            pool: &self.0,
            connection: idle.unwrap_or_else(|| Connection::open(&runtime)),
        };
        lent.connection.send(turns, work).await.map_err(lost)
    }
}

impl<const BY_ID: bool> Trips for Pooled<BY_ID> {
    async fn append(&self, shelf: &Shelf, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let (shelf, of_run) = (shelf.clone(), id.to_owned());
        self.perform(id, WRITE, move || shelf.runs().append(&of_run, row))
            .await?
    }

    async fn load(&self, shelf: &Shelf, id: &str) -> Loaded {
        let (shelf, of_run) = (shelf.clone(), id.to_owned());
        self.perform(id, READ, move || shelf.runs().load(&of_run))
            .await
    }

    async fn clear(&self, shelf: &Shelf, id: &str) -> Result<(), Error> {
        let (shelf, of_run) = (shelf.clone(), id.to_owned());
        self.perform(id, READ, move || shelf.runs().clear(&of_run))
            .await
    }
}
