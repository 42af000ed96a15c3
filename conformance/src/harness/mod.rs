//! What the author of a backend writes: how a store is opened, and what the kit must know about it.

pub(crate) mod environment;
pub(crate) mod hooks;
pub(crate) mod place;
pub(crate) mod spawning;
pub(crate) mod sweep;

use std::collections::BTreeMap;
use std::future::Future;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crashpoint::{BoxError, CheckpointRow, CheckpointStore, Error};
use tokio::runtime::Handle;

use crate::contract::capability::Claim;
use crate::harness::hooks::{Damage, Hook};
use crate::harness::place::Place;
use crate::harness::spawning::Beside;
use crate::runtime::clock::Stopwatch;

/// How the kit opens a store. The type needs no values: laws run in their own threads and processes, so
/// there is no state to share.
///
/// The kit brings a tokio runtime, in which `open`, `destroy` and every operation of the store run.
pub trait Harness: Send + Sync + 'static {
    /// The store to certify.
    type Store: CheckpointStore;

    /// Opens the store at `place`, with the rows that an earlier store left there.
    ///
    /// # Errors
    ///
    /// Any error. The law is then reported as a harness error.
    fn open(place: &Place) -> impl Future<Output = Result<Self::Store, BoxError>> + Send;

    /// Removes what the store left outside the place's directory: a table, a schema, keys. Every store
    /// at the place has been dropped before.
    ///
    /// # Errors
    ///
    /// Any error. A law that passed is then reported as a harness error.
    fn destroy(place: &Place) -> impl Future<Output = Result<(), BoxError>> + Send {
        let _ = place;
        async { Ok(()) }
    }

    /// Clones `store`, for stores that can be cloned. BAS-04 then tests the clone too.
    fn duplicate(store: &Self::Store) -> Option<Self::Store> {
        let _ = store;
        None
    }

    /// Takes the backend of `place` away from open stores: stop its server, cut its connections, or fail
    /// its disk. For the claim `outage`.
    ///
    /// # Errors
    ///
    /// Any error. The law is then reported as a harness error.
    fn break_backend(place: &Place) -> impl Future<Output = Result<Hook, BoxError>> + Send {
        let _ = place;
        async { Ok(Hook::not_offered("the harness has no `break_backend`")) }
    }

    /// Brings back the backend that [`break_backend`](Self::break_backend) took away.
    ///
    /// # Errors
    ///
    /// Any error. The law is then reported as a harness error.
    fn heal_backend(place: &Place) -> impl Future<Output = Result<Hook, BoxError>> + Send {
        let _ = place;
        async { Ok(Hook::not_offered("the harness has no `heal_backend`")) }
    }

    /// Kills the server of `place` without a shutdown: SIGKILL of its processes, a reset of its machine. Other
    /// places must not notice it. For the claim `server_crash`.
    ///
    /// # Errors
    ///
    /// Any error. The law is then reported as a harness error.
    fn crash_backend(place: &Place) -> impl Future<Output = Result<Hook, BoxError>> + Send {
        let _ = place;
        async { Ok(Hook::not_offered("the harness has no `crash_backend`")) }
    }

    /// Starts the server that [`crash_backend`](Self::crash_backend) killed, on the same data, and waits until it
    /// takes connections.
    ///
    /// # Errors
    ///
    /// Any error. The law is then reported as a harness error.
    fn start_backend(place: &Place) -> impl Future<Output = Result<Hook, BoxError>> + Send {
        let _ = place;
        async { Ok(Hook::not_offered("the harness has no `start_backend`")) }
    }

    /// Takes the leader of the backend of `place` away, so that another node takes over: SIGKILL of its process, or
    /// a cut of its network. A backend without a leader loses the node that `place` talks to. For the claim
    /// `failover`.
    ///
    /// # Errors
    ///
    /// Any error. The law is then reported as a harness error.
    fn stop_leader(place: &Place) -> impl Future<Output = Result<Hook, BoxError>> + Send {
        let _ = place;
        async { Ok(Hook::not_offered("the harness has no `stop_leader`")) }
    }

    /// Brings back the node that [`stop_leader`](Self::stop_leader) took away, with its data. It need not wait until
    /// the node has caught up.
    ///
    /// # Errors
    ///
    /// Any error. The law is then reported as a harness error.
    fn start_node(place: &Place) -> impl Future<Output = Result<Hook, BoxError>> + Send {
        let _ = place;
        async { Ok(Hook::not_offered("the harness has no `start_node`")) }
    }

    /// Lets `store` do now what it does at times, and waits for it: begin a new log file, compact, move a log into
    /// a table, remove what it no longer needs. The laws DUR-18, DUR-19 and DUR-20 call it. Without it they see
    /// only what the store does by itself within a few MiB.
    ///
    /// # Errors
    ///
    /// Any error. The law is then reported as a harness error.
    fn maintain(store: &Self::Store) -> impl Future<Output = Result<Hook, BoxError>> + Send {
        let _ = store;
        async { Ok(Hook::not_offered("the harness has no `maintain`")) }
    }

    /// Damages a row that is stored at `place`, where no store is open. For the claim `corruption`. If
    /// files contain blobs unchanged, `damage.flip_bit(place.path())` does it.
    ///
    /// # Errors
    ///
    /// Any error. The law is then reported as a harness error.
    fn corrupt(
        place: &Place,
        damage: Damage<'_>,
    ) -> impl Future<Output = Result<Hook, BoxError>> + Send {
        let _ = (place, damage);
        async { Ok(Hook::not_offered("the harness has no `corrupt`")) }
    }

    /// Limits and names of the store.
    fn options() -> Options {
        Options::default()
    }
}

/// What the kit must know about a store. The defaults suit an embedded store.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// A law fails when no operation of the store ends for this long. Default: 10 seconds.
    pub operation_max: Duration,
    /// A law fails when it takes longer than this in total. Default: 10 minutes, because laws about ten
    /// thousand rows wait for ten thousand syncs.
    pub law_max: Duration,
    /// How long a race is repeated beyond its minimum of rounds. Default: 500 milliseconds.
    pub race_budget: Duration,
    /// The minimum of rounds, each of eight races. Default: 3. Fewer hardly try a race; more would take
    /// minutes on a store that syncs each append. With 0 the laws that race are inconclusive.
    pub race_rounds_min: u64,
    /// How long one poll of the store may hold its thread (RUN-03). Default: 5 milliseconds. Beyond 100
    /// milliseconds the law is inconclusive.
    pub poll_max: Duration,
    /// The longest blob, in bytes, that a store with the claim `limits` accepts; `None` for 16 MiB or more.
    pub blob_bytes_max: Option<usize>,
    /// Whether a store must be opened again after an outage (ERR-04). `false`: the open store must
    /// reconnect by itself.
    pub reopens_after_outage: bool,
    /// How long operations may fail, after the leader of the backend went away or a node came back, until they
    /// succeed again (`failover`). Default: 30 seconds.
    pub failover_max: Duration,
    /// The longest id, in bytes, that the store accepts; `None` for no bound. ISO-12 checks that ids up to it are
    /// kept. Below 64 bytes the law is inconclusive: the ids of services are longer.
    pub id_bytes_max: Option<usize>,
    /// The most laws at a time, in all processes that run the tests: for a server that bears few clients. `None`
    /// for no bound.
    pub laws_at_once: Option<NonZeroUsize>,
    /// Where the kit creates the directories of places; `None` for the system's temporary directory.
    pub folder: Option<PathBuf>,
    /// Names that the backend uses itself (tables, keys, files). ISO-15 uses them as ids.
    pub reserved_names: Vec<String>,
    /// What a reader of the certificate must know about the backend, by name: its version, the settings on
    /// which its durability depends. The kit adds its own version, the operating system, the file system of the
    /// places, the number of cores, and the options that are not the defaults.
    pub environment: BTreeMap<String, String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            operation_max: Duration::from_secs(10),
            law_max: Duration::from_secs(600),
            race_budget: Duration::from_millis(500),
            race_rounds_min: 3,
            poll_max: Duration::from_millis(5),
            blob_bytes_max: None,
            reopens_after_outage: false,
            failover_max: Duration::from_secs(30),
            id_bytes_max: None,
            laws_at_once: None,
            folder: None,
            reserved_names: Vec::new(),
            environment: BTreeMap::new(),
        }
    }
}

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
pub(crate) type DynStore = Arc<dyn CheckpointStore>;

/// Callers that fill a run. A store that syncs several appends at a time fills it sooner.
const CALLERS: usize = 16;

/// Appends rows to a run from several callers at once.
pub(crate) async fn append_at_once(
    store: &DynStore,
    id: &str,
    rows: Vec<CheckpointRow>,
) -> Result<(), Error> {
    let rows = Arc::new(Mutex::new(rows.into_iter()));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (store, id, rows) = (Arc::clone(store), id.to_owned(), Arc::clone(&rows));
            let append: BoxFuture<'static, Result<(), Error>> = Box::pin(async move {
                loop {
                    let row = rows.lock().unwrap_or_else(PoisonError::into_inner).next();
                    match row {
                        Some(row) => store.append(&id, row).await?,
                        None => return Ok(()),
                    }
                }
            });
            tokio::spawn(append)
        })
        .collect();
    for caller in callers {
        caller
            .await
            .map_err(|error| Error::checkpoint_store(format!("a caller failed: {error}")))??;
    }
    Ok(())
}

/// Lets an open store maintain itself.
pub(crate) type Maintain = dyn Fn() -> BoxFuture<'static, Result<Hook, BoxError>> + Send + Sync;

/// An open store without its type, so that the laws are compiled once and not for each store.
pub(crate) struct Opened {
    pub(crate) store: DynStore,
    pub(crate) clone: Option<DynStore>,
    pub(crate) maintain: Arc<Maintain>,
}

impl Opened {
    /// A store in use, which nobody maintains.
    pub(crate) fn live(store: DynStore, clone: Option<DynStore>) -> Self {
        let maintain = Arc::new(|| -> BoxFuture<'static, Result<Hook, BoxError>> {
            Box::pin(async { Ok(Hook::not_offered(LIVE)) })
        });
        Self {
            store,
            clone,
            maintain,
        }
    }
}

/// The hook of a store that may have been dropped, since only the kit keeps stores open.
fn maintain<H: Harness>(store: &Arc<H::Store>) -> Arc<Maintain> {
    let store = Arc::downgrade(store);
    Arc::new(move || {
        let store = store.upgrade();
        Box::pin(async move {
            match &store {
                Some(store) => H::maintain(store).await,
                None => Ok(Hook::not_offered("the store is closed")),
            }
        })
    })
}

/// Opens the store at a place.
pub(crate) type Open =
    dyn for<'a> Fn(&'a Place) -> BoxFuture<'a, Result<Opened, BoxError>> + Send + Sync;

/// A [`Harness`] without its type, or a live store.
#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) options: Options,
    /// The arguments with which this program, started again, runs the same law.
    pub(crate) again: Option<Vec<String>>,
    /// What the store claims, including assumed claims.
    pub(crate) claims: Vec<Claim>,
    /// The runtime of a live store, on which its laws run. Its places are names without a directory.
    pub(crate) live: Option<Handle>,
    open: Arc<Open>,
    destroy: for<'a> fn(&'a Place) -> BoxFuture<'a, Result<(), BoxError>>,
    break_backend: for<'a> fn(&'a Place) -> BoxFuture<'a, Result<Hook, BoxError>>,
    heal_backend: for<'a> fn(&'a Place) -> BoxFuture<'a, Result<Hook, BoxError>>,
    crash_backend: for<'a> fn(&'a Place) -> BoxFuture<'a, Result<Hook, BoxError>>,
    start_backend: for<'a> fn(&'a Place) -> BoxFuture<'a, Result<Hook, BoxError>>,
    stop_leader: for<'a> fn(&'a Place) -> BoxFuture<'a, Result<Hook, BoxError>>,
    start_node: for<'a> fn(&'a Place) -> BoxFuture<'a, Result<Hook, BoxError>>,
    corrupt: for<'a> fn(&'a Place, Damage<'a>) -> BoxFuture<'a, Result<Hook, BoxError>>,
}

/// Why no hook is called on a live store.
const LIVE: &str = "the backend is in use";

impl Subject {
    pub(crate) fn of<H: Harness>() -> Self {
        Self {
            name: std::any::type_name::<H>(),
            options: H::options(),
            again: None,
            claims: Vec::new(),
            live: None,
            open: Arc::new(|place| {
                Box::pin(async move {
                    let store = H::open(place).await?;
                    let clone = H::duplicate(&store).map(|clone| Arc::new(clone) as DynStore);
                    let store = Arc::new(store);
                    let maintain = maintain::<H>(&store);
                    Ok(Opened {
                        store,
                        clone,
                        maintain,
                    })
                })
            }),
            destroy: |place| Box::pin(H::destroy(place)),
            break_backend: |place| Box::pin(H::break_backend(place)),
            heal_backend: |place| Box::pin(H::heal_backend(place)),
            crash_backend: |place| Box::pin(H::crash_backend(place)),
            start_backend: |place| Box::pin(H::start_backend(place)),
            stop_leader: |place| Box::pin(H::stop_leader(place)),
            start_node: |place| Box::pin(H::start_node(place)),
            corrupt: |place, damage| Box::pin(H::corrupt(place, damage)),
        }
    }

    /// A store that is open already, on the runtime of its service. `open` hands out its handles.
    pub(crate) fn of_live(runtime: Handle, options: Options, open: Arc<Open>) -> Self {
        Self {
            name: "a live store",
            options,
            again: None,
            claims: Vec::new(),
            live: Some(runtime),
            open,
            destroy: |_| Box::pin(async { Ok(()) }),
            break_backend: |_| Box::pin(async { Ok(Hook::not_offered(LIVE)) }),
            heal_backend: |_| Box::pin(async { Ok(Hook::not_offered(LIVE)) }),
            crash_backend: |_| Box::pin(async { Ok(Hook::not_offered(LIVE)) }),
            start_backend: |_| Box::pin(async { Ok(Hook::not_offered(LIVE)) }),
            stop_leader: |_| Box::pin(async { Ok(Hook::not_offered(LIVE)) }),
            start_node: |_| Box::pin(async { Ok(Hook::not_offered(LIVE)) }),
            corrupt: |_, _| Box::pin(async { Ok(Hook::not_offered(LIVE)) }),
        }
    }

    /// Opens a place. If it was open before, an opening that fails is tried again for a while: a process that was
    /// started meanwhile may hold the lock of the store that was dropped.
    pub(crate) async fn open(&self, place: &Place) -> Result<Opened, BoxError> {
        let tries = if place.was_used() {
            spawning::OPENINGS
        } else {
            1
        };
        let beside = Beside::now();
        let mut watch = Stopwatch::start();
        let mut opened = self.open_once(place).await;
        for attempt in 1..tries {
            // A store that waits for the lock by itself has waited long enough.
            if opened.is_ok() || watch.elapsed() > spawning::OPENING_MAX {
                break;
            }
            match attempt {
                1 => beside.wait(),
                _ => std::thread::park_timeout(spawning::BETWEEN_OPENINGS),
            }
            watch = Stopwatch::start();
            opened = self.open_once(place).await;
        }
        opened
    }

    /// Opens a place that the store may refuse for good.
    pub(crate) async fn open_once(&self, place: &Place) -> Result<Opened, BoxError> {
        place.note_use();
        (self.open)(place).await
    }

    pub(crate) async fn destroy(&self, place: &Place) -> Result<(), BoxError> {
        (self.destroy)(place).await
    }

    pub(crate) async fn break_backend(&self, place: &Place) -> Result<Hook, BoxError> {
        (self.break_backend)(place).await
    }

    pub(crate) async fn heal_backend(&self, place: &Place) -> Result<Hook, BoxError> {
        let _starting = spawning::Starting::begin();
        (self.heal_backend)(place).await
    }

    pub(crate) async fn crash_backend(&self, place: &Place) -> Result<Hook, BoxError> {
        (self.crash_backend)(place).await
    }

    pub(crate) async fn start_backend(&self, place: &Place) -> Result<Hook, BoxError> {
        let _starting = spawning::Starting::begin();
        (self.start_backend)(place).await
    }

    pub(crate) async fn stop_leader(&self, place: &Place) -> Result<Hook, BoxError> {
        (self.stop_leader)(place).await
    }

    pub(crate) async fn start_node(&self, place: &Place) -> Result<Hook, BoxError> {
        let _starting = spawning::Starting::begin();
        (self.start_node)(place).await
    }

    pub(crate) async fn corrupt(
        &self,
        place: &Place,
        damage: Damage<'_>,
    ) -> Result<Hook, BoxError> {
        (self.corrupt)(place, damage).await
    }
}
