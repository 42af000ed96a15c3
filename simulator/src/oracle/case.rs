//! The input of every oracle: one simulation.

use crashpoint::protocol::{Definition, TaskDefinition};
use crashpoint::{CheckpointRow, Direction, Event, Nonce, TaskKind};

use crate::fault::{Breach, Fault};
use crate::history::{History, Opening, What};
use crate::oracle::Log;
use crate::sim::{BrokenInvariant, OddEnding, Release, Run, Took, Workload};

/// A simulation, with its logs split. Of a simulation with several runs each run is a case.
#[derive(Debug)]
pub struct Case<'a> {
    workload: &'a Workload,
    run: &'a Run,
    /// The definition that the log is checked against, before any upgrade.
    definition: &'a Definition,
    /// Whether other runs may have ended this run: another is done, or met a fault. `None` if there is no
    /// other.
    by_others: Option<bool>,
    logs: Vec<Log>,
    /// The release of each life, by its number; of life 0, which is nobody's, the old release.
    releases: Vec<Release>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(workload: &'a Workload, run: &'a Run) -> Self {
        let began = run.history.select(began).map(|(_, life, _)| life).max();
        let releases = (1..=began.unwrap_or(0)).map(|life| workload.release(life, &run.history));
        Self {
            workload,
            run,
            definition: &workload.definition,
            by_others: None,
            logs: Log::all(&run.history),
            releases: std::iter::once(Release::Old).chain(releases).collect(),
        }
    }

    /// The case of one run among several. `run` is the simulation as if it had this run alone.
    pub(super) fn of_several(
        workload: &'a Workload,
        run: &'a Run,
        definition: &'a Definition,
        by_others: bool,
    ) -> Self {
        Self {
            definition,
            by_others: Some(by_others),
            ..Self::new(workload, run)
        }
    }

    /// Whether an ending to which no fault leads is accepted. Runs that share a world may end each other: only
    /// one order gets the last item, and a crash may decide which.
    pub(super) fn accepts(&self, ending: OddEnding) -> bool {
        let shared = match (ending, self.by_others) {
            (_, None) | (OddEnding::Stuck, _) => false,
            (OddEnding::Calm, Some(by_others)) => by_others,
            (OddEnding::Crashed, Some(_)) => true,
        };
        shared || self.workload.accepts(ending)
    }

    /// The workload.
    pub fn workload(&self) -> &'a Workload {
        self.workload
    }

    /// The release that a life runs.
    pub fn release(&self, life: u32) -> Release {
        let release = self.releases.get(life as usize).copied();
        // A life that never began has no release; an edited history can name one.
        release.unwrap_or(Release::Old)
    }

    /// The definition that a life runs.
    pub fn definition(&self, life: u32) -> &'a Definition {
        match self.release(life) {
            Release::Old => self.definition,
            Release::New => self.workload.definition_of(Release::New),
        }
    }

    /// The events.
    pub fn history(&self) -> &'a History {
        &self.run.history
    }

    /// The subject's own invariants that are broken at the end.
    pub fn broken_invariants(&self) -> &'a [BrokenInvariant] {
        &self.run.broken
    }

    /// Whether a life had returned an outcome before a place of the history.
    pub(super) fn has_ended_before(&self, place: usize) -> bool {
        let mut returned = self.history().returned();
        returned.any(|(at, _, end)| at < place && end.is_outcome())
    }

    /// The attempt that is under way at a place of the history, in words that begin with a space.
    pub(super) fn during(&self, place: usize) -> String {
        let mut entries = self.history().0[..place].iter().rev();
        let attempt = entries.find_map(|entry| match &entry.what {
            What::Started(attempt) => Some(Some(attempt)),
            What::Finished { .. } | What::Began(_) => Some(None),
            _ => None,
        });
        match attempt.flatten() {
            Some(attempt) if attempt.direction == Direction::Undo => {
                format!(" in the undo of {}", attempt.task)
            }
            Some(attempt) => format!(" in {}", attempt.task),
            None => String::new(),
        }
    }

    /// Why the newest rollback started, in words that begin with a colon; nothing if none did.
    pub(super) fn cause_of_rollback(&self) -> String {
        let rows = self.logs.iter().flat_map(|log| &log.rows).rev();
        let mut causes = rows.filter_map(|stored| match &stored.event {
            Event::RollbackStarted { task, cause, .. } => Some(format!(": {task} {cause}")),
            _ => None,
        });
        causes.next().unwrap_or_default()
    }

    /// The rows in the store at the end.
    pub fn log_in_the_end(&self) -> &'a [CheckpointRow] {
        &self.run.log
    }

    /// The logs of the id, one after the other: a clear ends a log. There is at least one.
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// The log of the id at a place of the history.
    pub fn log_at(&self, place: usize) -> Option<&Log> {
        self.logs.iter().find(|log| log.contains(place))
    }

    /// The lives, from 1.
    pub fn lives(&self) -> impl Iterator<Item = u32> + '_ {
        self.history().select(began).map(|(_, life, _)| life)
    }

    /// How a life began.
    pub fn opening(&self, life: u32) -> Option<Opening> {
        let mut openings = self.history().select(began);
        openings
            .find(|(_, which, _)| *which == life)
            .map(|(_, _, opening)| opening)
    }

    /// The place in the history at which a life began.
    pub fn began(&self, life: u32) -> usize {
        let mut openings = self.history().select(began);
        openings
            .find(|(_, which, _)| *which == life)
            .map_or(0, |(place, _, _)| place)
    }

    /// Whether the store lost a row while no life ran.
    pub fn lost_a_row(&self) -> bool {
        self.history()
            .faults()
            .any(|(_, _, fired)| matches!(fired.fault, Fault::Breach(Breach::LostRow(_))))
    }

    /// The kind of a task in a life.
    pub fn kind(&self, life: u32, task: &str) -> Option<TaskKind> {
        self.task(life, task).map(|task| task.kind)
    }

    /// What the run took after the last fault; `None` if it did not end.
    pub fn took_after_faults(&self) -> Option<Took> {
        self.run.took
    }

    /// Whether two lives may have acted at the same time.
    pub fn lives_overlapped(&self) -> bool {
        let mut faults = self.history().faults();
        faults.any(|(_, _, fired)| fired.fault == Fault::Takeover)
            || self
                .lives()
                .any(|life| self.opening(life) == Some(Opening::Rival))
    }

    /// How often a life may attempt a task.
    pub fn attempts(&self, life: u32, task: &str) -> u32 {
        self.task(life, task)
            .map_or(1, |task| task.policy.retry.attempts())
    }

    /// Whether each visit of a task has a deadline, because it polls for a limited time.
    pub fn limits_polls(&self, life: u32, task: &str) -> bool {
        let task = self.task(life, task);
        task.is_some_and(|task| task.policy.poll_limit.is_some())
    }

    /// How often a life may attempt to undo a task.
    pub fn undo_attempts(&self, life: u32, task: &str) -> u32 {
        self.task(life, task)
            .map_or(1, |task| task.policy.undo_retry.attempts())
    }

    fn task(&self, life: u32, name: &str) -> Option<&TaskDefinition> {
        let definition = self.definition(life);
        definition
            .state_of_task(name)
            .and_then(|state| definition.task(state))
    }

    /// The id of the run whose log was current at this place.
    pub fn run_id_at(&self, place: usize) -> Option<Nonce> {
        let log = self.log_at(place)?;
        match &log.rows.first()?.event {
            Event::Claimed { claim, .. } => Some(claim.run_id),
            _ => None,
        }
    }
}

fn began(what: &What) -> Option<Opening> {
    match what {
        What::Began(opening) => Some(*opening),
        _ => None,
    }
}
