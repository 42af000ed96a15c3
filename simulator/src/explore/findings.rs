//! The findings of an exploration.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use smol_str::SmolStr;

use crate::choices::{Recorded, Tape};
use crate::executor::lock;
use crate::explore::Resumptions;
use crate::fault::{Fault, Fired, LeftOut, Schedule};
use crate::history::Recorder;
use crate::oracle::{Verdict, judge};
use crate::record::{
    Divergence, HashedTrace, Judged as _, Operations, OperationsTrial, Simulated as _, Token,
};
use crate::report::render::{counted, grouped};
use crate::sim::{Repeat, Repeats, Run, Settings, Watch, Workload, simulate_with};

/// The findings of exploring one or more parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// The number of schedules that were run.
    pub schedules: u64,
    /// The number of sampled schedules, drawn from seeds. The others exhaust their budgets.
    pub sampled: u64,
    /// The number of crashes that were not continued, because an equal state was continued before.
    pub merged: u64,
    /// The number of other faults, and of switches between lives, that were left out because they lead to
    /// the state of another schedule.
    pub repeats: u64,
    /// The existing and the covered crash points, of schedules that have only crashes.
    pub recorder: Recorder,
    /// The violations, in the order of the exploration.
    pub violations: Vec<Violation>,
    /// The edges that some schedule's log took, as labels of states.
    pub edges: BTreeSet<(String, String)>,
    /// Whether the exploration stopped early because it had enough violations.
    pub cut_short: bool,
    /// How often each kind of fault fired.
    pub fired: BTreeMap<Fault, u64>,
    /// The faults that no schedule had, on purpose.
    pub left_out: LeftOut,
    /// The services that some schedule called.
    pub services: BTreeSet<SmolStr>,
    /// The tasks that waited for something outside of the simulation in a schedule that ran twice: a
    /// thread, a sleep of the system, a socket. It is advice, because the system decides when a thread
    /// waits; only Linux says so.
    pub waited: BTreeSet<String>,
    /// The number of schedules that were run a second time.
    pub repeated: u64,
    /// The first schedule of each part that ran differently the second time.
    pub nondeterminism: Vec<Nondeterminism>,
    /// The logs that one release of an upgrade found in the state in which the other had left them.
    pub resumptions: Resumptions,
    /// Whether a life of some schedule had to be stopped. Such a schedule is a thousand times as
    /// long as another, so an exploration ends with the first.
    pub(super) endless: bool,
}

impl fmt::Display for Findings {
    /// What was exhausted, and what was only sampled.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exhausted = counted(self.schedules - self.sampled, "schedule");
        match self.cut_short {
            true => write!(f, "{exhausted}, NOT exhausted")?,
            false => write!(f, "{exhausted}, exhausted")?,
        }
        let (covered, total) = (self.recorder.covered(), self.recorder.total());
        if total > 0 {
            let covered = grouped(covered as u64);
            write!(
                f,
                ": {covered} of {} covered",
                counted(total as u64, "crash point")
            )?;
        }
        let (sampled, repeated) = (grouped(self.sampled), grouped(self.repeated));
        write!(f, "; {sampled} sampled beyond; {repeated} run twice")?;
        if !self.left_out.is_empty() {
            write!(f, "; left out: {}", self.left_out)?;
        }
        if self.waited.is_empty() {
            return Ok(());
        }
        let waited: Vec<&str> = self.waited.iter().map(String::as_str).collect();
        write!(f, "; waited for something outside: {}", waited.join(", "))
    }
}

/// A schedule that ran differently the second time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nondeterminism {
    /// Its faults.
    pub schedule: Schedule,
    /// Its token, whose replay may differ too.
    pub token: Token,
    /// The first event that differed.
    pub divergence: Divergence,
}

/// A schedule that broke a promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The name of the oracle.
    pub oracle: &'static str,
    /// How the promise is broken.
    pub message: String,
    /// The faults of the schedule.
    pub schedule: Schedule,
    /// The token that replays it.
    pub token: Token,
}

impl Findings {
    /// No findings yet, of schedules without these faults.
    pub(crate) fn leaving_out(left_out: LeftOut) -> Self {
        Self {
            left_out,
            ..Self::default()
        }
    }

    /// Adds a schedule, and its divergence from an earlier schedule with the same first choices.
    pub(super) fn add(
        &mut self,
        workload: &Workload,
        settings: &Settings,
        run: Run,
        divergence: Option<Divergence>,
    ) {
        self.schedules += 1;
        self.endless |= run.history.is_endless();
        self.count_faults(run.history.faults().map(|(.., fired)| fired));
        self.resumptions
            .merge(Resumptions::of(workload, settings, &run));
        self.note_services(&run);
        let verdicts = judge(workload, &run);
        let due = is_due(settings.repeat, &run.tape, !verdicts.is_empty());
        if due || divergence.is_some() {
            self.repeat(workload, settings, &run, divergence);
        }
        if !verdicts.is_empty() {
            let token = Token::of(&workload.name, settings, &run.tape);
            self.violate(&verdicts, &Schedule::of(&run.history), &token);
        }
        for index in 0..workload.runs() {
            let own = run.of_run(index);
            let edges = own.history.edges();
            let edges = edges.map(|(from, to)| (from.to_owned(), to.to_owned()));
            self.edges.extend(edges);
        }
        self.recorder.merge(run.recorder);
    }

    /// Counts what a simulation left out.
    pub(super) fn leave_out(&mut self, repeats: Repeats) {
        self.merged += repeats.crashes;
        self.repeats += repeats.others;
    }

    /// Adds a simulation of operations.
    pub(super) fn add_operations(
        &mut self,
        operations: Operations,
        settings: &Settings,
        trial: OperationsTrial,
    ) {
        self.schedules += 1;
        let schedule = trial.schedule();
        self.count_faults(schedule.0.iter());
        let token = || Token::of(&operations.name(), settings, trial.tape());
        if is_due(settings.repeat, trial.tape(), !trial.verdicts.is_empty()) {
            self.repeated += 1;
            let recorded = Recorded::new(trial.tape().clone());
            let (again, _) = operations.run(settings, recorded);
            let divergence = HashedTrace::divergence_of_trials(&trial, &again);
            let found = divergence.map(|divergence| Nondeterminism {
                schedule: schedule.clone(),
                token: token(),
                divergence,
            });
            self.nondeterminism.extend(found);
        }
        if !trial.verdicts.is_empty() {
            self.violate(&trial.verdicts, &schedule, &token());
        }
        self.recorder.merge(trial.simulation.recorder);
    }

    /// Adds the violations of a schedule.
    pub(super) fn violate(&mut self, verdicts: &[Verdict], schedule: &Schedule, token: &Token) {
        let violations = verdicts.iter().map(|verdict| Violation {
            oracle: verdict.oracle,
            message: verdict.message.clone(),
            schedule: schedule.clone(),
            token: token.clone(),
        });
        self.violations.extend(violations);
    }

    pub(super) fn count_faults<'a>(&mut self, faults: impl Iterator<Item = &'a Fired>) {
        for fired in faults {
            *self.fired.entry(fired.fault.kind()).or_default() += 1;
        }
    }

    /// Notes the services that a run called.
    pub(super) fn note_services(&mut self, run: &Run) {
        for (_, _, effect) in run.history.effects() {
            if let Some(service) = effect.receiver.service()
                && !self.services.contains(service)
            {
                self.services.insert(service.clone());
            }
        }
    }

    /// Runs a schedule a second time, from its start.
    fn repeat(
        &mut self,
        workload: &Workload,
        settings: &Settings,
        run: &Run,
        known: Option<Divergence>,
    ) {
        self.repeated += 1;
        let recorded = Recorded::new(run.tape.clone());
        let waited = Arc::new(Mutex::new(BTreeSet::new()));
        let settings = &Settings {
            watch: Watch::Into(Arc::clone(&waited)),
            ..settings.clone()
        };
        let (again, _) = simulate_with(workload, settings, recorded);
        self.waited.append(&mut lock(&waited));
        let divergence = HashedTrace::divergence_of_runs(run, &again);
        let divergence = divergence.or(known).map(|divergence| Nondeterminism {
            schedule: Schedule::of(&run.history),
            token: Token::of(&workload.name, settings, &run.tape),
            divergence,
        });
        self.nondeterminism.extend(divergence);
    }

    /// Adds the findings of another part.
    ///
    /// # Panics
    ///
    /// Never: an exploration counts a schedule before anything about it.
    pub fn merge(&mut self, other: Self) {
        self.schedules += other.schedules;
        self.sampled += other.sampled;
        self.merged += other.merged;
        self.repeats += other.repeats;
        self.endless |= other.endless;
        self.recorder.merge(other.recorder);
        self.violations.extend(other.violations);
        self.edges.extend(other.edges);
        self.cut_short |= other.cut_short;
        for (fault, count) in other.fired {
            *self.fired.entry(fault).or_default() += count;
        }
        self.services.extend(other.services);
        self.waited.extend(other.waited);
        self.repeated += other.repeated;
        if self.left_out.is_empty() {
            self.left_out = other.left_out;
        }
        self.nondeterminism.extend(other.nondeterminism);
        self.resumptions.merge(other.resumptions);
        assert!(
            self.sampled <= self.schedules && self.repeated <= self.schedules,
            "a sample is a schedule, and a schedule is run a second time once"
        );
        assert!(
            self.nondeterminism.len() as u64 <= self.repeated,
            "only a schedule that is run a second time can be another one then"
        );
    }
}

/// Whether a schedule is run a second time.
fn is_due(repeat: Repeat, tape: &Tape, broken: bool) -> bool {
    let Repeat::OneIn(many) = repeat else {
        return false;
    };
    let drawn = tape.interesting();
    let sum = drawn.fold(0, |sum: u64, (index, chosen)| {
        {
            sum.wrapping_mul(31)
                .wrapping_add((index * 7 + chosen) as u64)
        }
    });
    broken || sum.is_multiple_of(many)
}
