//! The node of the store: the embedded store on a simulated disk, served over the network.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crashpoint::{CheckpointRow, CheckpointStore, Error, RedbCheckpointStore, StoreErrorKind};
use futures_util::future::BoxFuture;
use madsim::net::Endpoint;
use madsim::net::rpc::Request;
use madsim::rand::Rng as _;
use madsim::time::sleep;

use crate::disk::Loss;
use crate::executor::lock;
use crate::history::What;
use crate::madsim_lane::MadsimRuntime;
use crate::madsim_lane::cut_disk::CutDisk;
use crate::madsim_lane::defect::Defect;
use crate::madsim_lane::lease::Leases;
use crate::madsim_lane::record::{Record, RunRecord};
use crate::madsim_lane::remote::{AcquireLease, Append, Clear, ListRuns, LoadRun, Refusal, Shown};

/// The longest time after which the network delivers a request a second time.
const ECHO_MAX: Duration = Duration::from_millis(250);

/// The store's node, over all its restarts. Only the disk survives a crash of it; everything else is
/// the world's view of the node.
pub(super) struct StoreNode {
    record: Arc<Record>,
    defect: Option<Defect>,
    disk: CutDisk,
    open: Mutex<Option<Open>>,
    /// Changes whose outcome no answer has told.
    in_flight: Mutex<InFlight>,
    /// How many requests in a hundred the network delivers twice.
    pub(super) duplicates_percent: AtomicU32,
    leases: Leases,
}

/// The open store: as it is, and with the defect of the world.
struct Open {
    embedded: Arc<RedbCheckpointStore>,
    served: Arc<dyn CheckpointStore>,
}

/// The changes under way, by number, each with the life that sent it.
#[derive(Default)]
struct InFlight {
    next: u64,
    changes: BTreeMap<u64, (u32, Change)>,
}

/// A change of a log.
#[derive(Clone)]
enum Change {
    Append(String, Arc<CheckpointRow>),
    Clear(String),
}

impl InFlight {
    fn begin(&mut self, life: u32, change: Change) -> u64 {
        let number = self.next;
        self.next += 1;
        self.changes.insert(number, (life, change));
        number
    }
}

impl StoreNode {
    pub(super) fn new(record: Arc<Record>, defect: Option<Defect>) -> Self {
        Self {
            record,
            defect,
            disk: CutDisk::new(),
            open: Mutex::default(),
            in_flight: Mutex::default(),
            duplicates_percent: AtomicU32::new(0),
            leases: Leases::default(),
        }
    }

    /// Opens the store and serves it at `address`, until the node is killed.
    pub(super) async fn serve(self: Arc<Self>, address: SocketAddr) -> io::Result<()> {
        self.record.event("the store starts");
        match self.start().await {
            Ok(()) => {}
            // A restart follows.
            Err(_) if self.disk.is_off() => return std::future::pending().await,
            Err(error) => {
                for run in &self.record.runs {
                    run.record(0, What::StoreFailed(error.to_string()));
                }
                return std::future::pending().await;
            }
        }
        let endpoint = Endpoint::bind(address).await?;
        self.handle(&endpoint, |node, request: Append| {
            Box::pin(async move { node.append(request).await.map_err(Refusal::from) })
        });
        self.handle(&endpoint, |node, LoadRun { workflow_id }| {
            Box::pin(async move { node.load(&workflow_id).await.map_err(Refusal::from) })
        });
        self.handle(&endpoint, |node, request: Clear| {
            Box::pin(async move { node.clear(request).await.map_err(Refusal::from) })
        });
        self.handle(&endpoint, |node, request: ListRuns| {
            Box::pin(async move { node.list(request).await.map_err(Refusal::from) })
        });
        self.handle(&endpoint, |node, request: AcquireLease| {
            Box::pin(async move { node.leases.acquire(request).map_err(Refusal::from) })
        });
        std::future::pending().await
    }

    /// Answers requests of one type. The network may deliver each a second time, and the second
    /// answer is lost.
    fn handle<Q: Request + Clone>(
        self: &Arc<Self>,
        endpoint: &Endpoint,
        perform: fn(Arc<Self>, Q) -> BoxFuture<'static, Q::Response>,
    ) {
        let node = Arc::clone(self);
        endpoint.add_rpc_handler(move |request: Q| {
            let percent = node.duplicates_percent.load(Ordering::Relaxed);
            let mut draw = madsim::rand::thread_rng();
            if percent > 0 && draw.gen_range(0..100) < percent {
                let after = draw.gen_range(Duration::ZERO..ECHO_MAX);
                let (node, request) = (Arc::clone(&node), request.clone());
                madsim::task::spawn(async move {
                    sleep(after).await;
                    node.record.count("a request arrived twice");
                    drop(perform(node, request).await);
                });
            }
            let (node, answer) = (Arc::clone(&node), perform(Arc::clone(&node), request));
            async move {
                let answer = answer.await;
                if node.disk.is_off() {
                    // A machine without power answers nothing.
                    std::future::pending::<()>().await;
                }
                answer
            }
        });
    }

    async fn start(&self) -> Result<(), Error> {
        let embedded = RedbCheckpointStore::on_disk(&self.disk, MadsimRuntime::default())?;
        let embedded = Arc::new(embedded);
        self.settle(&embedded).await?;
        let served: Arc<dyn CheckpointStore> = Arc::clone(&embedded) as _;
        let served = match self.defect {
            None => served,
            Some(defect) => defect.of_store(served),
        };
        *lock(&self.open) = Some(Open { embedded, served });
        Ok(())
    }

    /// Finds out which of the changes in flight at a crash are durable, before anybody loads.
    async fn settle(&self, store: &RedbCheckpointStore) -> Result<(), Error> {
        let in_flight = lock(&self.in_flight).changes.clone();
        for (life, change) in in_flight.into_values() {
            match change {
                Change::Append(id, row) => {
                    let rows = store.load_run(&id).await?;
                    let run = self.run(&id);
                    if rows.contains(&row) && !run.has_landed(&row) {
                        self.record.count("a row in flight at a power cut survived");
                        run.record(life, What::Landed(row));
                    } else {
                        self.record.count("a row in flight at a power cut was lost");
                    }
                }
                Change::Clear(id) => {
                    if store.load_run(&id).await?.is_empty() {
                        self.run(&id).record(life, What::Cleared);
                    }
                }
            }
        }
        lock(&self.in_flight).changes.clear();
        Ok(())
    }

    /// The store if the node is up.
    fn served(&self) -> Result<Arc<dyn CheckpointStore>, Error> {
        let open = lock(&self.open);
        let served = open.as_ref().map(|open| Arc::clone(&open.served));
        served.ok_or_else(|| Error::unavailable("the store is not open"))
    }

    async fn append(&self, request: Append) -> Result<(), Error> {
        let Append {
            life,
            workflow_id,
            row,
        } = request;
        let store = self.served()?;
        let shared = Arc::new(row.clone());
        let change = Change::Append(workflow_id.clone(), Arc::clone(&shared));
        let number = lock(&self.in_flight).begin(life, change);
        let answer = store.append(&workflow_id, row).await;
        let done = || self.run(&workflow_id).record(life, What::Landed(shared));
        self.answered(number, &workflow_id, &answer, done);
        answer
    }

    async fn clear(&self, request: Clear) -> Result<(), Error> {
        let Clear { life, workflow_id } = request;
        let store = self.served()?;
        let change = Change::Clear(workflow_id.clone());
        let number = lock(&self.in_flight).begin(life, change);
        let answer = store.clear(&workflow_id).await;
        let done = || self.run(&workflow_id).record(life, What::Cleared);
        self.answered(number, &workflow_id, &answer, done);
        answer
    }

    /// Records the outcome of a change. It stays in flight if the power was cut.
    fn answered(
        &self,
        number: u64,
        workflow_id: &str,
        answer: &Result<(), Error>,
        done: impl FnOnce(),
    ) {
        match answer {
            Err(error) if !is_conflict(error) && self.disk.is_off() => {
                return self.record.count("the power was cut within a commit");
            }
            Err(error) if !is_conflict(error) => {
                self.run(workflow_id)
                    .record(0, What::StoreFailed(error.to_string()));
            }
            Err(_) => {}
            Ok(()) => done(),
        }
        lock(&self.in_flight).changes.remove(&number);
    }

    fn run(&self, workflow_id: &str) -> &RunRecord {
        let run = self.record.run(workflow_id);
        run.expect("requests name only the runs of the world")
    }

    async fn load(&self, workflow_id: &str) -> Result<Shown, Error> {
        let rows = self.served()?.load_run(workflow_id).await?;
        let place = self.run(workflow_id).shown(&rows);
        Ok(Shown { place, rows })
    }

    async fn list(&self, request: ListRuns) -> Result<Vec<String>, Error> {
        let embedded = lock(&self.open)
            .as_ref()
            .map(|open| Arc::clone(&open.embedded));
        let embedded = embedded.ok_or_else(|| Error::unavailable("the store is not open"))?;
        let ListRuns { after, limit } = request;
        crashpoint::ListRuns::run_ids(&*embedded, after.as_deref(), limit).await
    }

    /// Cuts the power after this many more writes and syncs of the disk.
    pub(super) fn cut_power_after(&self, calls: u64) {
        self.disk.cut_after(calls);
    }

    /// The process of the store is gone. Without power, the disk keeps a drawn part of what was not
    /// synced.
    pub(super) fn crash(&self, power: Power) {
        self.disk.restart(|disk| {
            let Power::Lost(kept) = power else {
                return;
            };
            let losses = disk.image().losses();
            if losses.len() > 1 {
                self.record.count("a power cut with something unsynced");
            }
            let loss: Loss = losses[kept % losses.len()];
            let ways = losses.len();
            self.record
                .event(&format!("the disk keeps, of {ways} ways: {loss}"));
            disk.lose_power_but(&loss);
        });
        drop(lock(&self.open).take());
        self.leases.forget();
    }

    /// The rows of a run in the end.
    pub(super) async fn rows(&self, workflow_id: &str) -> Vec<CheckpointRow> {
        match self.served() {
            Ok(store) => store.load_run(workflow_id).await.unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }
}

/// Whether a crash of the store's node takes the power along.
#[derive(Debug, Clone, Copy)]
pub(super) enum Power {
    /// The operating system lives on, and everything written stays.
    Kept,
    /// The disk keeps one of the possible parts of what was not synced, by this number.
    Lost(usize),
}

fn is_conflict(error: &Error) -> bool {
    error
        .store_error()
        .is_some_and(|error| error.kind() == StoreErrorKind::Conflict)
}
