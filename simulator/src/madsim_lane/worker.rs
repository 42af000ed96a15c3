//! A worker: a node that runs the engine for its clients, and resumes what it finds when it starts.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crashpoint::{Engine, Error};
use futures_util::future::BoxFuture;
use madsim::net::Endpoint;
use madsim::net::rpc::Request;
use madsim::rand::Rng as _;
use madsim::time::sleep;
use serde::{Deserialize, Serialize};

use crate::history::{LifeEnd, Opening};
use crate::madsim_lane::MadsimRuntime;
use crate::madsim_lane::defect::Defect;
use crate::madsim_lane::lease::Believed;
use crate::madsim_lane::node_store::NodeStore;
use crate::madsim_lane::record::{Record, RunRecord};
use crate::madsim_lane::remote::{ListRuns, Remote};
use crate::sim::Node;

/// The longest time that passes before an effect, and again after it.
const PACE_MAX: Duration = Duration::from_millis(40);
/// By how much timers are shorter than on one node: some end while faults still strike.
const SHORTER: u32 = 60_000;
/// The number of ids for which a worker asks the store at a time.
const PAGE: usize = 2;

/// What a client asks of a worker.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum Task {
    Start,
    Resume,
    RetryStuck,
    /// Resumes after the last fault.
    Verify,
    Cancel,
}

/// A request to do something with a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Ask {
    pub(super) run: usize,
    pub(super) task: Task,
}

/// The answer of a worker, in the words that a client needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Answer {
    /// The run has ended for good.
    Ended,
    /// The run is stuck.
    Stuck,
    /// The run exists already.
    Exists,
    /// The run is not in the store.
    Missing,
    /// The life ended before its run, or there was none.
    Unfinished,
}

impl Request for Ask {
    type Response = Answer;
    const ID: u64 = 16;
}

impl From<&LifeEnd> for Answer {
    fn from(end: &LifeEnd) -> Self {
        match end {
            LifeEnd::Done(_) | LifeEnd::RolledBack => Self::Ended,
            LifeEnd::Stuck(_) => Self::Stuck,
            LifeEnd::AlreadyExists => Self::Exists,
            LifeEnd::NotFound => Self::Missing,
            LifeEnd::AlreadyRunning
            | LifeEnd::NotStuck
            | LifeEnd::Fenced
            | LifeEnd::Suspended
            | LifeEnd::Refused(_) => Self::Unfinished,
        }
    }
}

/// A worker, over all its restarts.
pub(super) struct Worker {
    pub(super) index: usize,
    pub(super) record: Arc<Record>,
    pub(super) store: SocketAddr,
    /// The error of its wall clock, in milliseconds.
    pub(super) skew_ms: Arc<AtomicI64>,
    pub(super) defect: Option<Defect>,
}

impl Worker {
    /// The process of the worker: resumes unfinished runs, and serves clients at `address`.
    pub(super) async fn serve(self: Arc<Self>, address: SocketAddr) -> io::Result<()> {
        self.record.event(&format!("worker {} starts", self.index));
        let remote = Remote::connect(self.store).await?;
        let endpoint = Endpoint::bind(address).await?;
        let (worker, to_store) = (Arc::clone(&self), remote.clone());
        endpoint.add_rpc_handler(move |ask: Ask| Arc::clone(&worker).answer(to_store.clone(), ask));
        self.recover(&remote).await;
        std::future::pending().await
    }

    async fn answer(self: Arc<Self>, remote: Remote, ask: Ask) -> Answer {
        let how = match ask.task {
            Task::Start => Opening::Start,
            Task::Resume => Opening::Resume,
            Task::RetryStuck => Opening::RetryStuck,
            Task::Verify => Opening::Verify,
            Task::Cancel => {
                let cancelled = self.record.runs[ask.run].cancel_on(self.index);
                for _ in 0..cancelled {
                    self.record.count("a life is cancelled");
                }
                return Answer::Unfinished;
            }
        };
        Answer::from(&self.live(remote, ask.run, how).await)
    }

    /// Resumes the unfinished runs of the store, all at once. What fails is left to the clients.
    async fn recover(self: &Arc<Self>, remote: &Remote) {
        let Ok(ids) = self.listed(remote).await else {
            return;
        };
        for id in ids {
            let of_id = |run: &RunRecord| run.id() == id;
            let Some(run) = self.record.runs.iter().position(of_id) else {
                continue;
            };
            // The log of an ended run says so; its resume writes nothing.
            let (worker, remote) = (Arc::clone(self), remote.clone());
            self.record
                .count("a run is resumed at the start of a worker");
            madsim::task::spawn(async move {
                worker.live(remote, run, Opening::Resume).await;
            });
        }
    }

    async fn listed(&self, remote: &Remote) -> Result<Vec<String>, Error> {
        let mut ids: Vec<String> = Vec::new();
        loop {
            let (after, limit) = (ids.last().cloned(), PAGE);
            let page = remote.call(ListRuns { after, limit }).await?;
            let full = page.len() >= PAGE;
            ids.extend(page);
            if !full {
                return Ok(ids);
            }
        }
    }

    async fn live(&self, remote: Remote, run: usize, how: Opening) -> LifeEnd {
        let record = Arc::clone(&self.record);
        let clock = MadsimRuntime::with_skew(Arc::clone(&self.skew_ms));
        let lease =
            (self.defect == Some(Defect::LeaseTrusted)).then(|| Believed::new(clock.clone()));
        let node = |life| {
            let store = NodeStore {
                remote,
                record,
                life,
                lease,
            };
            Node {
                engine: Engine::new(store).with_runtime(clock.clone()),
                clock: Arc::new(clock),
                pace,
                shorter: SHORTER,
            }
        };
        let run = &self.record.runs[run];
        run.live(&self.record, how, self.index, node).await
    }

    pub(super) fn skew(&self, seconds: i64) {
        self.skew_ms.store(seconds * 1_000, Ordering::Relaxed);
    }
}

/// Some time, so that a kill or a pause can strike before or after an effect.
fn pace() -> BoxFuture<'static, ()> {
    let length = madsim::rand::thread_rng().gen_range(Duration::ZERO..PACE_MAX);
    Box::pin(sleep(length))
}
