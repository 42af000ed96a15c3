//! The record of a world: each run with its history, and every event in order, each hashed together
//! with those before it.
//!
//! It stands outside of the nodes, so nothing in it is lost by a crash. Nodes write to it and never
//! decide by it.

use std::collections::BTreeMap;
use std::hash::Hasher as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use crashpoint::protocol::Role;
use crashpoint::{CheckpointRow, TaskKind};
use futures_util::future::{BoxFuture, poll_fn};
use madsim::time::TimeHandle;
use smol_str::SmolStr;

use crate::choices::Exhaustive;
use crate::choices::fnv::Fnv;
use crate::executor::{lock, message_of, quietly};
use crate::fault::{Crash, Fault, Fired};
use crate::history::{LifeEnd, Opening, Refusal, What, has_landed};
use crate::madsim_lane::plan::CLOCKS_APART_MAX;
use crate::report::render;
use crate::sim::{Node, Process, Run, Settings, Sim, Subject, Workload};

/// What a world records.
pub(super) struct Record {
    pub(super) runs: Vec<RunRecord>,
    /// Whether the faults are over.
    pub(super) healed: AtomicBool,
    chain: Mutex<Chain>,
    counts: Mutex<BTreeMap<&'static str, u64>>,
}

/// Every event in order, and the hash of all of them.
struct Chain {
    events: Vec<String>,
    hash: Fnv,
}

impl Record {
    pub(super) fn new(runs: Vec<RunRecord>) -> Self {
        Self {
            runs,
            healed: AtomicBool::new(false),
            chain: Mutex::new(Chain {
                events: Vec::new(),
                hash: Fnv::new(),
            }),
            counts: Mutex::default(),
        }
    }

    /// Adds an event, with the virtual time.
    pub(super) fn event(&self, words: &str) {
        let elapsed = TimeHandle::current().elapsed();
        let mut chain = lock(&self.chain);
        chain.hash.write(&elapsed.as_nanos().to_le_bytes());
        chain.hash.write(words.as_bytes());
        chain.hash.write(&[0]);
        let ms = Duration::as_secs_f64(&elapsed) * 1000.0;
        chain.events.push(format!("{ms:>10.3} ms  {words}"));
    }

    /// The events so far, and their hash.
    pub(super) fn events(&self) -> (Vec<String>, u64) {
        let chain = lock(&self.chain);
        (chain.events.clone(), chain.hash.finish())
    }

    /// Counts something that a world should reach.
    pub(super) fn count(&self, what: &'static str) {
        *lock(&self.counts).entry(what).or_default() += 1;
    }

    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.counts).clone()
    }

    pub(super) fn is_healed(&self) -> bool {
        self.healed.load(Ordering::Relaxed)
    }

    /// The run of this id.
    pub(super) fn run(&self, workflow_id: &str) -> Option<&RunRecord> {
        self.runs.iter().find(|run| run.id() == workflow_id)
    }

    /// The process of a worker ends, and all lives in it.
    pub(super) fn worker_died(&self, worker: usize) {
        for run in &self.runs {
            let mut alive = lock(&run.alive);
            let (dead, others): (Vec<Alive>, _) =
                alive.drain(..).partition(|life| life.worker == worker);
            *alive = others;
            drop(alive);
            for life in dead {
                let window = run.window(life.process.life());
                self.count(window);
                let words = format!(
                    "life {} of {} dies: {window}",
                    life.process.life(),
                    run.id()
                );
                self.event(&words);
                let point = SmolStr::from(window);
                let fault = Fault::Crash(Crash::Process);
                life.process.record(What::Fault(Fired { point, fault }));
                life.process.end();
            }
        }
    }
}

/// A run, with everything that has happened to it.
pub(super) struct RunRecord {
    pub(super) workload: Workload,
    subject: Arc<dyn Subject>,
    sim: Arc<Sim>,
    alive: Mutex<Vec<Alive>>,
}

/// A life that has not ended.
struct Alive {
    process: Process,
    worker: usize,
}

impl RunRecord {
    pub(super) fn new(workflow_id: &str, workload: Workload) -> Self {
        let choices = Arc::new(Mutex::new(Exhaustive::new()));
        let mut sim = Sim::new(None, choices, &Settings::default());
        sim.ids = vec![workflow_id.into()];
        sim.panics = workload.panics;
        // The faults of this lane come from its nemesis.
        sim.state().injecting = false;
        Self {
            subject: (workload.subject)(),
            workload,
            sim: Arc::new(sim),
            alive: Mutex::default(),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.sim.ids[0]
    }

    /// How long a life of the run may do nothing because the clocks of workers differ: one set the
    /// deadline of a timer, and another waits for it.
    pub(super) fn waits_max(&self) -> Duration {
        let mut states = self.workload.definition.states.iter();
        let is_timer =
            |role: &Role| matches!(role, Role::Task(task) if task.kind == TaskKind::Timer);
        if states.any(|state| is_timer(&state.role)) {
            CLOCKS_APART_MAX
        } else {
            Duration::ZERO
        }
    }

    /// Runs one life on a worker, whose engine `node` creates from the number of the life.
    pub(super) async fn live(
        &self,
        record: &Record,
        how: Opening,
        worker: usize,
        node: impl FnOnce(u32) -> Node,
    ) -> LifeEnd {
        let process = self.begin(record, how, worker, node);
        let life = process.life();
        let running = match how {
            Opening::Start => self.subject.start(&process),
            Opening::RetryStuck => self.subject.retry_stuck(&process),
            Opening::Resume | Opening::Rival | Opening::Verify => self.subject.resume(&process),
        };
        let end = contained(running).await;
        let end = match end {
            Ok(end) => {
                process.record(What::Returned(end.clone()));
                process.leave();
                end
            }
            Err(message) => {
                process.panicked(message.clone());
                LifeEnd::Refused(Refusal::Other(message))
            }
        };
        lock(&self.alive).retain(|other| other.process.life() != life);
        record.event(&format!("life {life} of {} returns: {end}", self.id()));
        end
    }

    fn begin(
        &self,
        record: &Record,
        how: Opening,
        worker: usize,
        node: impl FnOnce(u32) -> Node,
    ) -> Process {
        let life = self.sim.state().begin_life(0);
        let mut alive = lock(&self.alive);
        if let Some(owner) = alive.last() {
            let (point, fault) = ("beside".into(), Fault::Takeover);
            owner.process.record(What::Fault(Fired { point, fault }));
            record.count("a life begins beside another");
        }
        let process = Process::on_node(Arc::clone(&self.sim), life, node(life));
        process.record(What::Began(how));
        let opening = render::opening_words(how);
        record.event(&format!(
            "life {life} of {} begins on worker {worker}: {opening}",
            self.id()
        ));
        alive.push(Alive {
            process: process.clone(),
            worker,
        });
        process
    }

    /// The worker of the newest life that has not ended.
    pub(super) fn owner(&self) -> Option<usize> {
        lock(&self.alive).last().map(|life| life.worker)
    }

    /// Cancels the lives of the run on this worker. Returns their number.
    pub(super) fn cancel_on(&self, worker: usize) -> usize {
        let alive = lock(&self.alive);
        let here = alive.iter().filter(|life| life.worker == worker);
        here.map(|life| {
            let (point, fault) = ("cancelled".into(), Fault::Cancel);
            life.process.record(What::Fault(Fired { point, fault }));
            life.process.cancel_token().cancel();
        })
        .count()
    }

    /// Records an event of a life, or of none (0).
    pub(super) fn record(&self, life: u32, what: What) {
        self.sim.record(life, what);
    }

    /// Whether the row became durable since the last clear.
    pub(super) fn has_landed(&self, row: &CheckpointRow) -> bool {
        has_landed(self.sim.state().lasting.history.0.iter(), row)
    }

    /// Records that the store read these rows. Nobody has received them yet. Returns the place.
    pub(super) fn shown(&self, rows: &[CheckpointRow]) -> usize {
        let history = &mut self.sim.state().lasting.history;
        history.push(0, What::Loaded(rows.into()));
        history.0.len() - 1
    }

    /// A life received the rows that were read at this place.
    pub(super) fn received(&self, life: u32, place: usize) {
        if self.is_alive(life) {
            self.sim.state().lasting.history.0[place].life = life;
        }
    }

    /// A load of a life failed.
    pub(super) fn load_failed(&self, life: u32) {
        if self.is_alive(life) {
            self.sim.record(life, What::LoadFailed);
        }
    }

    fn is_alive(&self, life: u32) -> bool {
        let alive = lock(&self.alive);
        alive.iter().any(|alive| alive.process.life() == life)
    }

    /// What a life was doing, for a kill.
    fn window(&self, life: u32) -> &'static str {
        let state = self.sim.state();
        let own = state.lasting.history.0.iter().rev();
        let mut own = own.filter(|entry| entry.life == life);
        let last = own.find_map(|entry| match &entry.what {
            What::Sent(row) if has_landed(state.lasting.history.0.iter(), row) => {
                Some("killed after its row landed, before it knew")
            }
            What::Sent(_) => Some("killed before its row landed"),
            What::Started(_) => Some("killed before an effect"),
            What::Effect(_) => Some("killed after an effect"),
            What::Began(_) | What::Loaded(_) | What::Applied { .. } => {
                Some("killed between actions")
            }
            _ => None,
        });
        last.unwrap_or("killed between actions")
    }

    /// The run as the oracles read it, with the rows of the store in the end.
    pub(super) fn finish(&self, log: Vec<CheckpointRow>) -> Run {
        let mut state = self.sim.state();
        let history = std::mem::take(&mut state.lasting.history);
        let outcome = history
            .returned()
            .filter(|(.., end)| end.is_outcome())
            .last();
        let broken = outcome.map(|(.., outcome)| self.subject.broken_invariants(outcome));
        Run {
            tape: std::mem::take(&mut state.lasting.tape),
            drawn: Vec::new(),
            recorder: std::mem::take(&mut state.recorder),
            broken: broken.unwrap_or_default(),
            world: self.subject.world(),
            took: state.lasting.took,
            run_of_life: std::mem::take(&mut state.lasting.run_of_life),
            history,
            log,
            other_logs: Vec::new(),
        }
    }
}

/// The result of a life, or the message of its panic.
async fn contained(mut life: BoxFuture<'static, LifeEnd>) -> Result<LifeEnd, String> {
    poll_fn(|context| {
        let poll = || catch_unwind(AssertUnwindSafe(|| life.as_mut().poll(context)));
        match quietly(poll) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(end)) => Poll::Ready(Ok(end)),
            Err(panic) => Poll::Ready(Err(message_of(&*panic))),
        }
    })
    .await
}
