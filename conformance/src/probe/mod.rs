//! The probe: the fast laws against the store of a service, at its start.
//!
//! The laws are those of the catalogue. They see the store [behind a prefix](prefix), so that they read and
//! write no run but their own.

mod error;
mod ids;
mod prefix;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crashpoint::CheckpointStore;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::case::{Case, Progress};
use crate::catalogue::{Check, Law};
use crate::contract::LawId;
use crate::contract::capability::Claim;
use crate::finding::expect::{Checked, Failure, task_error};
use crate::harness::place::Place;
use crate::harness::{DynStore, Open, Opened, Options, Subject};
use crate::probe::ids::{Ids, clear_left_behind};
use crate::probe::prefix::Prefixed;
use crate::runner::{late, panicked};
use crate::runtime::{Workers, start};

pub use self::error::ProbeError;

/// The laws of the probe: those that differ between a backend and a look-alike of it, and take few
/// operations.
const LAWS: &[LawId] = &[
    LawId::BAS_01,
    LawId::BAS_02,
    LawId::BAS_03,
    LawId::BAS_04,
    LawId::ORD_03,
    LawId::ORD_06,
    LawId::DUP_01,
    LawId::DUP_02,
    LawId::DUP_03,
    LawId::DUP_10,
    LawId::DUP_13,
    LawId::ISO_03,
    LawId::ISO_04,
    LawId::PAY_01,
    LawId::PAY_02,
    LawId::CLR_01,
    LawId::CLR_04,
    LawId::CLR_10,
    LawId::LST_01,
    LawId::LST_02,
    LawId::LST_03,
    LawId::CON_09,
    LawId::ERR_01,
    LawId::ENG_04,
];

/// Laws that run at a time. More would take a pool of connections from the service.
const LAWS_AT_ONCE: usize = 4;

/// The time of a probe, unless it is [set](Probe::within).
const WITHIN: Duration = Duration::from_secs(10);

/// Checks that `store` keeps the contract, where it is used: see [`Probe`].
///
/// # Errors
///
/// As [`Probe::run`].
pub async fn probe<S: CheckpointStore + Clone>(store: &S) -> Result<(), ProbeError> {
    Probe::new(store).run().await
}

/// A check of the store of a service, at its start: the fast laws of the catalogue on the live backend.
///
/// The tests of a store run against a backend of their own. In production it may be another one: an object
/// store that ignores `If-None-Match`, a pooler that breaks transactions, a database with another collation.
/// The probe finds such a look-alike before the first run is started on it.
///
/// It reads and writes only runs of its own, whose ids begin with `crashpoint_probe_`. It clears them at its
/// end, also after a failure, after a panic of the store, and when its future is dropped. If the store
/// [lists its runs](crashpoint::ListRuns), a probe also clears what probes of killed processes left behind
/// more than an hour ago. Other processes may list the ids while a probe runs, and their logs are no logs of
/// the engine.
///
/// ```
/// use std::sync::Arc;
///
/// use crashpoint::MemoryCheckpointStore;
/// use crashpoint_conformance::Probe;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), crashpoint_conformance::ProbeError> {
/// let store = Arc::new(MemoryCheckpointStore::new());
/// Probe::new(&store).run().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a probe does nothing before it runs"]
pub struct Probe {
    handles: Vec<DynStore>,
    lacks: Vec<Claim>,
    within: Duration,
}

impl Probe {
    /// A probe of `store`, which is a clone of the service's store or an `Arc` of it.
    pub fn new<S: CheckpointStore + Clone>(store: &S) -> Self {
        Self {
            handles: vec![Arc::new(store.clone())],
            lacks: Vec::new(),
            within: WITHIN,
        }
    }

    /// Adds another handle on the same rows, such as a store with connections of its own. Laws append on one
    /// handle and load on the other.
    pub fn handle<S: CheckpointStore + Clone>(mut self, another: &S) -> Self {
        self.handles.push(Arc::new(another.clone()));
        self
    }

    /// Takes back claims that are [assumed](Claim::is_assumed) of every store.
    pub fn lacks(mut self, claims: impl IntoIterator<Item = Claim>) -> Self {
        self.lacks.extend(claims);
        self
    }

    /// Sets the time for the laws, and again for clearing their runs. Default: 10 seconds. A probe of a healthy
    /// store that answers within a few milliseconds takes less than two seconds.
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// The laws that the probe checks.
    pub fn laws(&self) -> impl Iterator<Item = LawId> + '_ {
        let lists = self.handles[0].as_listing().is_some();
        let holds = move |law: &LawId| match law.law().claim {
            Some(Claim::Listing) => lists,
            Some(claim) => !self.lacks.contains(&claim),
            None => true,
        };
        LAWS.iter().copied().filter(holds)
    }

    /// Runs the laws. Call it within a tokio runtime whose timers are enabled, before the engine resumes runs.
    ///
    /// # Errors
    ///
    /// If the store breaks a law, or does not answer within the [time](Self::within). The error names the law,
    /// and the runs that could not be cleared.
    pub async fn run(self) -> Result<(), ProbeError> {
        let Ok(runtime) = Handle::try_current() else {
            let why = "a probe runs within a tokio runtime".to_owned();
            let failed = vec![(LAWS[0], Failure::NotRun(why))];
            return Err(ProbeError::new(failed, &BTreeSet::new(), Vec::new()));
        };
        clear_left_behind(&self.handles[0], self.within).await;
        let ids = Ids::new(Arc::clone(&self.handles[0]), runtime.clone(), self.within);
        let mut failed = self.failed(&ids, &runtime).await;
        let is_failed = |law: &LawId| failed.iter().any(|(id, _)| id == law);
        let passed: BTreeSet<LawId> = self.laws().filter(|law| !is_failed(law)).collect();
        let left = ids.clear().await;
        if failed.is_empty() && left.is_empty() {
            return Ok(());
        }
        if failed.is_empty() {
            let why = "the runs of the probe could not be cleared".to_owned();
            failed.push((LawId::CLR_01, Failure::Broken(why)));
        }
        Err(ProbeError::new(failed, &passed, left))
    }

    /// Runs the probe on a runtime of its own, for programs without tokio. A store that keeps connections of
    /// the runtime that opened them is probed with [`run`](Self::run).
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_blocking(self) -> Result<(), ProbeError> {
        let runtime = start(Workers::Pool(2));
        let runtime = runtime.map_err(|failure| {
            ProbeError::new(vec![(LAWS[0], failure)], &BTreeSet::new(), Vec::new())
        })?;
        runtime.block_on(self.run())
    }

    /// Runs the laws, and returns those that did not pass.
    async fn failed(&self, ids: &Ids, runtime: &Handle) -> Vec<(LawId, Failure)> {
        let turns = Arc::new(Semaphore::new(LAWS_AT_ONCE));
        let mut at_work: BTreeMap<LawId, Arc<Progress>> = BTreeMap::new();
        let mut laws = JoinSet::new();
        for id in self.laws() {
            let progress = Arc::new(Progress::new());
            at_work.insert(id, Arc::clone(&progress));
            let (subject, turns) = (self.subject(ids, runtime.clone()), Arc::clone(&turns));
            laws.spawn(async move {
                // Nobody closes the semaphore.
                let _turn = turns.acquire_owned().await;
                (id, judge(id.law(), subject, progress).await)
            });
        }
        let mut failed = Vec::new();
        let ended = async {
            while let Some(judged) = laws.join_next().await {
                // `judge` catches the panics of laws and of the store.
                let (id, checked) = judged.expect("a law is not cancelled and does not panic");
                at_work.remove(&id);
                failed.extend(checked.err().map(|failure| (id, failure)));
            }
        };
        let in_time = timeout(self.within, ended).await.is_ok();
        assert!(!in_time || at_work.is_empty(), "each law has ended");
        let limit = self.within;
        failed.extend(at_work.into_iter().map(|(id, progress)| {
            let expected = format!("the probe to end within {limit:?}");
            let failure = match progress.steps() {
                0 => Failure::NotRun(format!("the {limit:?} of the probe were over before it")),
                _ => late(&progress, &expected),
            };
            (id, failure)
        }));
        failed
    }

    /// The store as a law opens it: the handles in turn, each behind the prefix of the place.
    fn subject(&self, ids: &Ids, runtime: Handle) -> Subject {
        // The services that start at the same time are its competitors.
        let options = Options {
            race_rounds_min: 1,
            race_budget: Duration::ZERO,
            ..Options::default()
        };
        let (handles, rows) = (self.handles.clone(), ids.rows());
        let opened = AtomicUsize::new(0);
        let open: Arc<Open> = Arc::new(move |place: &Place| {
            let first = opened.fetch_add(1, Ordering::Relaxed);
            let handle = |number: usize| {
                let handle = &handles[number % handles.len()];
                let prefixed = Prefixed::new(Arc::clone(handle), place, &rows);
                Arc::new(prefixed) as DynStore
            };
            let (store, clone) = (handle(first), Some(handle(first + 1)));
            Box::pin(async move { Ok(Opened::live(store, clone)) })
        });
        Subject::of_live(runtime, options, open)
    }
}

/// Runs one law. A panic is a failure.
async fn judge(law: &'static Law, subject: Subject, progress: Arc<Progress>) -> Checked {
    let case = Arc::new(Case::new(law.id, subject, Arc::clone(&progress))?);
    // In a task of its own, which ends with this future.
    let mut work: JoinSet<Checked> = JoinSet::new();
    match law.check {
        Check::Task(check) => work.spawn(async move { check(&case).await }),
        Check::Thread(check) => work.spawn_blocking(move || check(&case)),
    };
    let checked = work.join_next().await.expect("the law was spawned");
    checked.unwrap_or_else(|error| Err(panicked(&progress, &task_error(error))))
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Probe")
            .field("handles", &self.handles.len())
            .field("lacks", &self.lacks)
            .field("within", &self.within)
            .finish()
    }
}
