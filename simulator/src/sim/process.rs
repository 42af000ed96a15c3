//! A process of a simulation: what a subject is given, and what dies in a crash.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use crashpoint_engine::{CancelToken, Ctx, Direction, MemoryCheckpointStore};

use crate::choices::Exhaustive;
use crate::executor::{SimRuntime, lock};
use crate::fault::Fault;
use crate::history::What;
use crate::sim::observer::SimObserver;
use crate::sim::store::SimStore;
use crate::sim::{Instant, Settings, Sim, WORKFLOW_ID};
use crate::world::{Effect, Reception};

/// One process, which runs one life. Clones are the same process.
///
/// From the instant of its crash nothing that it does has any effect: its store and its effects
/// never answer, what it observes is not recorded, and its futures are dropped as soon as they
/// have returned.
#[derive(Clone)]
pub struct Process {
    shared: Arc<Shared>,
}

struct Shared {
    sim: Arc<Sim>,
    life: u32,
    dead: AtomicBool,
    /// Set while a task is pending only because it gave way to another life.
    gave_way: AtomicBool,
    cancel: CancelToken,
    /// What the life is doing, for the names of instants.
    doing: Mutex<String>,
}

impl Process {
    pub(crate) fn new(sim: Arc<Sim>, life: u32) -> Self {
        Self {
            shared: Arc::new(Shared {
                sim,
                life,
                dead: AtomicBool::new(false),
                gave_way: AtomicBool::new(false),
                cancel: CancelToken::new(),
                doing: Mutex::new("begin".to_owned()),
            }),
        }
    }

    /// A process that belongs to no simulation, to look at a definition with.
    pub(crate) fn detached() -> Self {
        let choices = Arc::new(Mutex::new(Exhaustive::new()));
        let store = Arc::new(MemoryCheckpointStore::new());
        Self::new(
            Arc::new(Sim::new(store, None, choices, &Settings::default())),
            1,
        )
    }

    /// Which life this process runs, from 1.
    pub fn life(&self) -> u32 {
        self.shared.life
    }

    /// The id of the run.
    pub fn workflow_id(&self) -> &'static str {
        WORKFLOW_ID
    }

    /// The store as this process sees it.
    pub fn store(&self) -> SimStore {
        SimStore::new(self.clone())
    }

    /// Virtual time and drawn entropy.
    pub fn runtime(&self) -> SimRuntime {
        let sim = &self.shared.sim;
        SimRuntime::new(
            sim.executor.clone(),
            self.shared.life,
            Arc::clone(&sim.nonces),
        )
    }

    /// The observer through which the oracles see an engine's life.
    pub fn observer(&self) -> SimObserver {
        SimObserver::new(self.clone())
    }

    /// The token through which a schedule cancels the run in this process.
    pub fn cancel_token(&self) -> CancelToken {
        self.shared.cancel.clone()
    }

    /// Performs an outside effect of a task: it goes to the ledger, which survives crashes, and
    /// the instants before and after it are crash points.
    pub async fn effect(&self, ctx: &Ctx, name: &str, payload: &str) -> Reception {
        let mut effect = Effect::of(ctx, name, payload);
        let what = action(ctx.direction(), ctx.task());
        self.point(Instant {
            what: &what,
            when: "before-effect",
            faults: &[],
        })
        .await;
        let reception = {
            let mut state = self.sim().state();
            effect.reception = state.world.receive(&effect);
            let reception = effect.reception;
            state.history.push(self.life(), What::Effect(effect));
            reception
        };
        self.point(Instant {
            what: &what,
            when: "after-effect",
            faults: &[],
        })
        .await;
        reception
    }

    /// Counts up a counter of the world, and says how often it was counted before, in any life.
    pub fn count(&self, what: &str) -> u64 {
        self.sim().state().world.count(what)
    }

    pub(crate) fn sim(&self) -> &Arc<Sim> {
        &self.shared.sim
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.shared.dead.load(Ordering::Relaxed)
    }

    pub(crate) fn record(&self, what: What) {
        if !self.is_dead() {
            self.sim().record(self.life(), what);
        }
    }

    pub(crate) fn set_doing(&self, what: &str) {
        let mut doing = lock(&self.shared.doing);
        doing.clear();
        doing.push_str(what);
    }

    /// An instant in an async operation: gives way where lives race, then lets happen what is
    /// decided. Returns a fault of the operation, if that is it.
    pub(crate) async fn point(&self, instant: Instant<'_>) -> Option<Fault> {
        self.unless_dead().await;
        if self.sim().state().alive > 1 {
            self.give_way().await;
        }
        match self.decide(&instant) {
            Some(Fault::Crash) => {
                self.unless_dead().await;
                None
            }
            Some(Fault::Takeover) => {
                self.give_way().await;
                None
            }
            fault => fault,
        }
    }

    /// An instant outside of any await: the process may be dead afterwards.
    pub(crate) fn instant(&self, what: &str, when: &str) {
        if !self.is_dead() {
            self.decide(&Instant {
                what,
                when,
                faults: &[],
            });
        }
    }

    /// A task of this process returned pending: unless it only gave way, that is an instant.
    pub(crate) fn pending(&self) {
        if !self.shared.gave_way.swap(false, Ordering::Relaxed) && !self.is_dead() {
            let doing = lock(&self.shared.doing).clone();
            self.instant(&doing, "pending");
        }
    }

    fn decide(&self, instant: &Instant<'_>) -> Option<Fault> {
        let mut state = self.sim().state();
        let fault = state.decide(self.life(), instant)?;
        match fault {
            Fault::Crash => {
                self.shared.dead.store(true, Ordering::Relaxed);
                state.alive -= 1;
                state.phantoms.clear();
            }
            Fault::Takeover => state.rival_wanted = true,
            Fault::Cancel => {
                drop(state);
                self.shared.cancel.cancel();
                return None;
            }
            _ => return Some(fault),
        }
        Some(fault)
    }

    async fn unless_dead(&self) {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }

    async fn give_way(&self) {
        GiveWay {
            process: self,
            gave: false,
        }
        .await;
        self.unless_dead().await;
    }
}

/// Pending once, and ready at once.
struct GiveWay<'a> {
    process: &'a Process,
    gave: bool,
}

impl Future for GiveWay<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.gave {
            return Poll::Ready(());
        }
        self.gave = true;
        self.process.shared.gave_way.store(true, Ordering::Relaxed);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// How an action is named: `charge`, `undo charge`.
pub(crate) fn action(direction: Direction, task: &str) -> String {
    match direction {
        Direction::Do => task.to_owned(),
        Direction::Undo => format!("undo {task}"),
    }
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Process")
            .field("life", &self.life())
            .finish_non_exhaustive()
    }
}
