//! One simulation from its first life to its verification.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crashpoint::{CheckpointRow, CheckpointStore as _, ScopeId};
use futures_util::FutureExt as _;

use crate::choices::{Choices, Tape};
use crate::executor::{TaskId, message_of, quietly};
use crate::history::{Ending, History, LifeEnd, Opening, Recorder, Stopped, What};
use crate::sim::host::Host;
use crate::sim::independence::Repeats;
use crate::sim::lane::Surroundings;
use crate::sim::process::Waits;
use crate::sim::turns::Task;
use crate::sim::{
    ActsOn, BrokenInvariant, Lasting, Process, RunOfLife, Settings, SharedChoices, Sharing, Sim,
    Storage, Subject, Survivor, Took, Workload, run_id,
};

/// The most lives of a run. A run that needs more counts as endless.
const LIVES_MAX: usize = 24;

/// The most polls of one life and its rival. A life that needs more waits in a loop. A sleeping
/// task needs one for each sleep.
const POLLS_MAX: u32 = 20_000;

/// How often the operator retries a stuck run.
const STUCK_RETRIES_MAX: u32 = 2;

/// The result of a simulation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The events.
    pub history: History,
    /// Every choice.
    pub tape: Tape,
    /// The length of the history at each choice.
    pub drawn: Vec<usize>,
    /// The crash points that were passed, and those that fired.
    pub recorder: Recorder,
    /// The final log; if there are several runs, of the first.
    pub log: Vec<CheckpointRow>,
    /// The final logs of the other runs, if there are several.
    pub other_logs: Vec<Vec<CheckpointRow>>,
    /// The run of each life.
    pub run_of_life: RunOfLife,
    /// The subject's own invariants that are broken at the end.
    pub broken: Vec<BrokenInvariant>,
    /// The subject's own world at the end, in words, if it can be shown.
    pub world: Option<String>,
    /// What the run took after the last fault; `None` if it did not end.
    pub took: Option<Took>,
}

/// Runs `workload` once. Everything that varies is drawn from `choices`.
pub fn simulate(workload: &Workload, settings: &Settings, choices: SharedChoices) -> Run {
    let sim = Sim::new(scope(workload), choices, settings);
    Simulation::of(workload, sim).run(starts(workload))
}

/// Runs one simulation and returns the choices.
///
/// # Panics
///
/// If the simulation still holds the choices: a bug of the executor.
pub fn simulate_with<C: Choices + 'static>(
    workload: &Workload,
    settings: &Settings,
    choices: C,
) -> (Run, C) {
    let choices = Arc::new(Mutex::new(choices));
    let run = simulate(workload, settings, Arc::clone(&choices) as SharedChoices);
    let choices = Arc::into_inner(choices).expect("the simulation is over");
    (
        run,
        choices
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner),
    )
}

/// A simulation of an exploration, with what it leaves to others.
pub(crate) struct Explored {
    pub(crate) run: Run,
    /// The survivor of each crash that was copied instead of drawn.
    pub(crate) survivors: Vec<Survivor>,
    /// How many faults and switches were left out because they repeat others.
    pub(crate) repeats: Repeats,
}

/// Runs `workload` once, from the start or after a survivor, without crashes that kill every
/// process, and returns the survivor of each such crash. Crashes before the choice `from` were
/// explored before. If the subject's world cannot be copied, crashes are drawn like everything
/// else. What repeats something else is left out, unless the settings say otherwise.
pub(crate) fn simulate_forking(
    workload: &Workload,
    settings: &Settings,
    begin: Option<Survivor>,
    choices: SharedChoices,
    from: usize,
) -> Explored {
    let scope = scope(workload);
    let subject = begin.as_ref().and_then(Survivor::subject);
    let (sim, crashed) = match begin {
        None => (Sim::new(scope, choices, settings), false),
        Some(survivor) => (Sim::after(survivor, scope, choices, settings), true),
    };
    if workload.acts_on != ActsOn::Own {
        sim.state().fork_crashes(from);
    }
    let is_in_memory = matches!(sim.storage, Storage::Memory(_));
    // What is left out counts on lives of one run, which fence each other.
    let is_alone = workload.runs() == 1;
    // And on a store that keeps its contract.
    let is_ours = is_in_memory && workload.own_store.is_none();
    if !settings.unmerged && is_ours && is_alone && !workload.lane.has_turns() {
        sim.state().leave_out_repeats(from);
    }
    let simulation = match subject {
        None => Simulation::of(workload, sim),
        Some(subject) => Simulation::with(subject, workload, sim),
    };
    let openings = if crashed {
        simulation.between_lives()
    } else {
        starts(workload)
    };
    let sim = Arc::clone(&simulation.sim);
    let run = simulation.run(openings);
    let mut state = sim.state();
    Explored {
        run,
        survivors: state.take_forks(),
        repeats: state.repeats(),
    }
}

/// A life that is to begin: its run, and how it begins.
type Next = (usize, Opening);

/// The first life of each run.
fn starts(workload: &Workload) -> Vec<Next> {
    (0..workload.runs())
        .map(|run| (run, Opening::Start))
        .collect()
}

fn scope(workload: &Workload) -> Option<ScopeId> {
    (workload.sharing == Sharing::Exclusive).then(ScopeId::new)
}

pub(super) struct Simulation<'a> {
    pub(super) sim: Arc<Sim>,
    subject: Arc<dyn Subject>,
    pub(super) workload: &'a Workload,
    /// In the order of their lives.
    pub(super) processes: Vec<Process>,
    /// The surroundings of each life that is under way, if the lane has any.
    pub(super) surroundings: BTreeMap<u32, Box<dyn Surroundings>>,
    /// The lives that have begun, in a lane whose tasks wait for their turn.
    begun: Vec<Turn>,
    /// When the last life ended, if its runtime still runs.
    pub(super) ended: Option<Duration>,
    /// The previous turn.
    last: Option<Turn>,
}

/// A task of the executor, and its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    task: TaskId,
    life: u32,
}

impl<'a> Simulation<'a> {
    fn of(workload: &'a Workload, sim: Sim) -> Self {
        Self::with((workload.subject)(), workload, sim)
    }

    fn with(subject: Arc<dyn Subject>, workload: &'a Workload, mut sim: Sim) -> Self {
        sim.foreign_world = workload.acts_on != ActsOn::Simulated;
        sim.panics = workload.panics;
        sim.has_turns = workload.lane.has_turns();
        sim.pivots = workload.pivots();
        if let Some(own) = &workload.own_store {
            sim.storage = Storage::Own(own.begin());
        }
        sim.ids = (0..workload.runs()).map(run_id).collect();
        sim.state().names_runs = workload.runs() > 1;
        sim.state().left_out = Arc::clone(&workload.left_out);
        sim.subject = Some(Arc::clone(&subject));
        Self {
            sim: Arc::new(sim),
            subject,
            workload,
            processes: Vec::new(),
            surroundings: BTreeMap::new(),
            begun: Vec::new(),
            ended: None,
            last: None,
        }
    }

    fn run(mut self, mut openings: Vec<Next>) -> Run {
        while !openings.is_empty() {
            self.live(&openings);
            openings = self.between_lives();
        }
        self.sim.state().injecting = false;
        self.sim.mend_disk();
        let since = self.sim.state().lasting.history.0.len();
        self.verify();
        if self.sim.storage.disk().is_none() && !self.is_settled(since) {
            // Changes that are still in flight arrive now, and must change nothing.
            self.sim
                .deliver(true)
                .now_or_never()
                .expect("the store answers at once");
            self.verify();
        }
        let log = self.load(0);
        let other_logs = (1..self.workload.runs()).map(|run| self.load(run));
        let other_logs = other_logs.collect();
        let mut state = self.sim.state();
        let outcomes = (0..self.workload.runs()).map(|run| state.lasting.outcome_of(run).cloned());
        let outcomes: Option<Vec<LifeEnd>> = outcomes.collect();
        let history = std::mem::take(&mut state.lasting.history);
        let broken = outcomes.map(|outcomes| {
            let ending = Ending::new(&outcomes, &history);
            self.subject.broken_invariants_after(&ending)
        });
        assert!(
            state.lasting.late.is_empty() || self.sim.storage.disk().is_none(),
            "a store on a disk is held by one process, which nothing reaches late"
        );
        Run {
            tape: std::mem::take(&mut state.lasting.tape),
            drawn: std::mem::take(&mut state.lasting.drawn),
            recorder: std::mem::take(&mut state.recorder),
            broken: broken.unwrap_or_default(),
            world: self.subject.world(),
            took: state.lasting.took,
            run_of_life: std::mem::take(&mut state.lasting.run_of_life),
            history,
            log,
            other_logs,
        }
    }

    /// A life of each run, without faults.
    fn verify(&mut self) {
        for run in 0..self.workload.runs() {
            if let Some(earlier) = self.processes.last() {
                // Where one process at a time can have the store open.
                earlier.host().release_store();
            }
            self.live(&[(run, Opening::Verify)]);
        }
    }

    /// Whether a second verification would be the same: nothing is in flight, the next life runs the same
    /// release, and since the given entry the life only loaded and returned. It began no attempt then, so no
    /// task has changed a world outside of the simulation either.
    fn is_settled(&self, since: usize) -> bool {
        let state = self.sim.state();
        let idle =
            |what: &What| matches!(what, What::Began(_) | What::Loaded(_) | What::Returned(_));
        let Lasting {
            history,
            late,
            lives,
            ..
        } = &state.lasting;
        let release = |life| self.workload.release(life, history);
        let mut life = history.0[since..].iter();
        release(*lives) == release(lives + 1)
            && late.is_empty()
            && life.all(|entry| idle(&entry.what))
    }

    /// Runs a life of some runs, with their rivals, until all have ended. The first goes first.
    fn live(&mut self, openings: &[Next]) {
        let begun = openings.iter().map(|(run, how)| self.begin(*run, *how));
        let begun: Vec<Turn> = begun.collect();
        self.last = begun.first().copied();
        for polls in 0.. {
            self.remove_dead();
            let rival = self.sim.state().rival_wanted.take();
            if let Some(run) = rival {
                self.last = Some(self.begin(run, Opening::Rival));
            }
            self.resume_beside_others();
            let ready = self.ready();
            if ready.is_empty() {
                // A task that an ended life has left behind may bring a rival as well.
                if self.pass_time() || self.sim.state().rival_wanted.is_some() {
                    continue;
                }
                break;
            }
            let chosen = self.turn_of(&ready);
            if polls >= POLLS_MAX {
                self.stop(chosen);
                continue;
            }
            self.poll(chosen);
        }
        if self.sim.executor.has_tasks() {
            self.sim.record(0, What::Stalled);
            self.processes.iter().for_each(Process::end);
            self.remove_dead();
        }
        {
            let state = self.sim.state();
            assert_eq!(
                (state.alive, state.rival_wanted),
                (0, None),
                "a living life has a task, and a pending rival begins before that task ends"
            );
        }
        // All lives have ended; drop what they left running.
        quietly(|| self.surroundings.clear());
    }

    /// The ready tasks, the last polled first.
    pub(super) fn ready(&self) -> Vec<Turn> {
        let executor = &self.sim.executor;
        let ready = executor.ready().into_iter();
        let turn = |task| {
            Some(Turn {
                task,
                life: executor.process_of(task)?,
            })
        };
        let mut ready: Vec<Turn> = ready.filter_map(turn).collect();
        // A life is ready too while its tasks wait at an instant for their turn.
        let waiting = self.begun.iter().filter(|turn| {
            let process = self.process(turn.life);
            process.is_some_and(|it| it.has_own_turns() && !it.is_dead())
        });
        let waiting: Vec<Turn> = waiting.copied().filter(|it| !ready.contains(it)).collect();
        ready.extend(waiting);
        // A life whose clock is ahead waits for the others.
        ready.retain(|turn| !self.is_ahead(turn.life));
        if ready.len() > 1 {
            ready.sort_by_key(|turn| (Some(*turn) != self.last, turn.task));
        }
        ready
    }

    /// Draws the next task: the first, or a task of another life.
    fn turn_of(&self, ready: &[Turn]) -> Turn {
        let (first, others) = (ready[0], &ready[1..]);
        let Some(last) = self.last.filter(|_| !others.is_empty()) else {
            return first;
        };
        let lives: Vec<u32> = others.iter().map(|turn| turn.life).collect();
        let position = self.process(last.life).map(Process::position);
        let turns = (last.life, first.life);
        let mut state = self.sim.state();
        let switch = state.choose_switch(turns, position.unwrap_or_default(), &lives);
        switch.map_or(first, |at| others[at])
    }

    fn process(&self, life: u32) -> Option<&Process> {
        let mut processes = self.processes.iter();
        processes.find(|process| process.life() == life)
    }

    fn poll(&mut self, turn: Turn) {
        self.last = Some(turn);
        if self.gives_turn_to_spawned(turn.life) {
            return;
        }
        let task = turn.task;
        let executor = &self.sim.executor;
        let poll = || match self.surroundings.get(&turn.life) {
            None => executor.poll(task),
            Some(surroundings) => surroundings.poll(executor, task),
        };
        let polled = quietly(|| std::panic::catch_unwind(AssertUnwindSafe(poll)));
        let Some(process) = self.process(turn.life) else {
            return;
        };
        match polled {
            Ok(true) => {
                let waits = process.pending();
                if let Some(Waits { count, last, .. }) = waits
                    && count >= self.workload.waits_max
                {
                    process.stop(Stopped::Circling { waits: count, last });
                }
            }
            Ok(false) => {}
            Err(panic) => process.panicked(message_of(&*panic)),
        }
    }

    /// Gives one of the tasks of a life that wait at an instant the turn. Returns whether that is a
    /// spawned task; it has gone on then.
    fn gives_turn_to_spawned(&self, life: u32) -> bool {
        let process = self.process(life).filter(|it| it.has_own_turns());
        let Some(process) = process else { return false };
        let draws_orders = self.sim.state().draws_orders();
        if draws_orders {
            // Spawned tasks go on until they wait as well.
            self.settle(life);
        }
        if process.is_dead() || self.sim.state().rival_wanted.is_some() {
            return true;
        }
        let spawned = matches!(process.grant(), Some(Task::Spawned(_)));
        if spawned {
            self.settle(life);
        }
        spawned
    }

    /// Stops an endless life.
    fn stop(&mut self, turn: Turn) {
        if let Some(process) = self.process(turn.life) {
            process.stop(Stopped::Endless);
        }
    }

    fn begin(&mut self, run: usize, how: Opening) -> Turn {
        let life = self.sim.state().begin_life(run);
        assert!(
            self.processes.iter().all(|it| it.life() < life),
            "lives are numbered in the order in which they begin"
        );
        let process = Process::new(Arc::clone(&self.sim), life, self.host_for_next());
        self.processes.push(process.clone());
        if let Some(surroundings) = self.workload.lane.surroundings(&process) {
            self.surroundings.insert(life, surroundings);
        }
        let subject = Arc::clone(&self.subject);
        let life_to_end = async move {
            let opened = process.open_store();
            process.hang_if_dead().await;
            process.record(What::Began(how));
            if let Err(error) = &opened {
                process.record_store_failure(error);
            }
            let end = match how {
                _ if opened.is_err() => LifeEnd::Suspended,
                Opening::Start => subject.start(&process).await,
                Opening::Resume | Opening::Verify => subject.resume(&process).await,
                Opening::RetryStuck => subject.retry_stuck(&process).await,
                Opening::Rival => match subject.start(&process).await {
                    LifeEnd::AlreadyExists => subject.resume(&process).await,
                    other => other,
                },
            };
            if !process.is_dead() {
                process.record(What::Returned(end));
                process.leave();
            }
        };
        let task = self.sim.executor.spawn(life, Box::pin(life_to_end));
        let turn = Turn { task, life };
        if self.sim.has_turns {
            self.begun.push(turn);
        }
        turn
    }

    /// The process in which a life begins. Only one process at a time can open a store that is held
    /// exclusively, so a life that begins beside others begins in their process.
    fn host_for_next(&self) -> Arc<Host> {
        let others = match self.sim.storage.is_exclusive() {
            true => &self.processes[..],
            false => &[],
        };
        let mut hosts = others.iter().map(Process::host);
        let shared = hosts.find(|host| !host.is_dead() && host.lives() > 0);
        shared.map_or_else(Arc::default, Arc::clone)
    }

    /// While no life runs: the store may lose a row, and the operator decides the next step of each run
    /// that has not ended.
    fn between_lives(&self) -> Vec<Next> {
        self.replace_disk();
        self.lose_row();
        let runs = 0..self.workload.runs();
        let openings = runs.filter_map(|run| Some((run, self.next_opening(run)?)));
        let openings: Vec<Next> = openings.collect();
        if openings.iter().any(|(_, how)| *how == Opening::RetryStuck) {
            self.sim.state().lasting.stuck_retries += 1;
        }
        openings
    }

    /// While lives of other runs go on, a run whose life has died is resumed: somebody may wait for it.
    /// A disk that has failed is replaced only when no life runs.
    fn resume_beside_others(&mut self) {
        if self.workload.runs() == 1 || self.sim.storage.disk().is_some() {
            return;
        }
        for run in 0..self.workload.runs() {
            let mut lives = self.processes.iter();
            let is_alone = self.sim.state().alive == 0;
            if is_alone || lives.any(|it| it.run() == run && it.is_under_way()) {
                continue;
            }
            if let Some(how) = self.next_opening(run) {
                self.begin(run, how);
            }
        }
    }

    /// The operator replaces a disk that has failed for a whole life.
    fn replace_disk(&self) {
        let mut state = self.sim.state();
        let lives = state.lasting.lives;
        if state
            .lasting
            .broken_since
            .is_some_and(|broken| broken < lives)
        {
            state.lasting.broken_since = None;
            self.sim.mend_disk();
        }
    }

    fn next_opening(&self, run: usize) -> Option<Opening> {
        let state = self.sim.state();
        let entries = || state.lasting.entries_of(run);
        if state.lasting.run_of_life.lives(run) >= LIVES_MAX {
            return None;
        }
        if entries().any(|entry| entry.what == What::Cleared) {
            // The log of an ended run is cleared; starting again would be another run.
            return None;
        }
        let outcome = state.lasting.outcome_of(run);
        let newest = entries().rev().find_map(|entry| match &entry.what {
            What::Returned(end) => Some(Last::Returned(end)),
            What::Panicked(_) | What::Stopped(_) | What::Stalled => Some(Last::Bug),
            What::Fault(fired) if fired.fault.is_crash() => Some(Last::Crashed),
            _ => None,
        });
        match (outcome, newest) {
            (_, Some(Last::Bug)) => None,
            (_, Some(Last::Returned(LifeEnd::Refused(_)))) => {
                // The other release goes on with a run that one release refuses.
                let history = &state.lasting.history;
                let other = self.workload.upgrade.is_some() && !history.is_stranded();
                other.then_some(Opening::Resume)
            }
            (Some(end), _) if end.is_terminal() => None,
            (_, Some(Last::Returned(LifeEnd::NotFound))) => Some(Opening::Start),
            (Some(_), Some(Last::Returned(LifeEnd::Stuck(_)))) => {
                let again = state.lasting.stuck_retries < STUCK_RETRIES_MAX;
                let again = self.workload.retry_stuck && again;
                again.then_some(Opening::RetryStuck)
            }
            _ => Some(Opening::Resume),
        }
    }

    /// Removes a middle row from the log, if the schedule says so.
    fn lose_row(&self) {
        let Storage::Memory(store) = &self.sim.storage else {
            return;
        };
        if self.sim.state().lasting.budget.breaches == 0 {
            return;
        }
        let id = run_id(0);
        let rows = self.load(0);
        let Some(lost) = self.sim.state().choose_lost_row(rows.len() as u64) else {
            return;
        };
        let rewrite = async {
            store.clear(&id).await?;
            for row in rows.into_iter().filter(|row| row.sequence != lost) {
                store.append(&id, row).await?;
            }
            Ok::<(), crashpoint::Error>(())
        };
        let rewritten = rewrite.now_or_never().expect("the store answers at once");
        rewritten.expect("the store in memory does not fail");
    }

    /// The rows of a run in the store while no life runs. None if the store cannot be read, which the lives
    /// have reported before.
    fn load(&self, run: usize) -> Vec<CheckpointRow> {
        let id = run_id(run);
        let newest = self.processes.last().map(Process::host);
        if let Some((host, store)) = newest.and_then(|host| Some((host, host.store()?))) {
            let rows = store.load_run(&id).now_or_never();
            host.release_store();
            return rows.expect("the store answers at once").unwrap_or_default();
        }
        let operator = Process::new(Arc::clone(&self.sim), 0, Arc::default());
        if operator.open_store().is_err() {
            return Vec::new();
        }
        let rows = operator.opened().load_run(&id).now_or_never();
        operator.host().release_store();
        rows.expect("the store answers at once").unwrap_or_default()
    }
}

/// The last event of the newest life.
enum Last<'a> {
    Returned(&'a LifeEnd),
    Crashed,
    Bug,
}
