//! The input of every oracle: one simulation.

use crashpoint::protocol::{Definition, TaskDefinition};
use crashpoint::{CheckpointRow, Direction, Event, Nonce, TaskKind};

use crate::fault::{Breach, Fault};
use crate::history::{History, Opening, What};
use crate::oracle::Log;
use crate::sim::{BrokenInvariant, Release, Run, Took, Workload};

/// A simulation, with its logs split.
#[derive(Debug)]
pub struct Case<'a> {
    workload: &'a Workload,
    run: &'a Run,
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
            logs: Log::all(&run.history),
            releases: std::iter::once(Release::Old).chain(releases).collect(),
        }
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
        self.workload.definition_of(self.release(life))
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
