//! The logs that the lives of an upgrade found, and whether their release refused them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher as _};

use crashpoint::{CheckpointRow, Mismatch, Phase, RowKind, RunState};

use crate::fault::Schedule;
use crate::history::{History, LifeEnd, Refusal, What};
use crate::record::Token;
use crate::sim::{Release, Run, Settings, Workload};

/// Every log that a life of one release found in the state in which the other release had left it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resumptions(pub BTreeMap<Resumption, ResumedLogs>);

/// A log of one release that a life of the other release found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resumption {
    /// The release of the life that found it.
    pub by: Release,
    /// The version of its newest claim.
    pub version: u32,
    /// The place of the run.
    pub place: LogPlace,
    /// Why the life was refused; without the sequence of a row. `None` if it went on.
    pub refused: Option<Mismatch>,
}

/// The place of a run, as its log tells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogPlace {
    /// The phase of the run.
    pub phase: LogPhase,
    /// The label of the state: the open state, the state that was open when the rollback started,
    /// or the exit.
    pub state: String,
}

/// The phase of a run, as its log tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogPhase {
    /// A state is open.
    Open,
    /// The run is rolling back.
    RollingBack,
    /// The run is stuck.
    Stuck,
    /// The run is done.
    Done,
    /// The run is rolled back.
    RolledBack,
}

/// The logs of equal [`Resumption`]s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumedLogs {
    /// Hashes of the logs, without what differs from life to life. Equal logs count once.
    logs: BTreeSet<u64>,
    /// The schedule with the fewest faults that leaves such a log.
    pub schedule: Schedule,
    /// The token of that schedule.
    pub token: Token,
}

impl ResumedLogs {
    /// The number of different logs.
    pub fn count(&self) -> u64 {
        self.logs.len() as u64
    }

    fn merge(&mut self, other: Self) {
        let size = |schedule: &Schedule| (schedule.0.len(), schedule.to_string());
        let order = |it: &Self| (size(&it.schedule), it.token.workload.clone());
        if order(&other) < order(self) {
            (self.schedule, self.token) = (other.schedule, other.token);
        }
        self.logs.extend(other.logs);
    }
}

impl LogPhase {
    /// Whether the run has ended for good.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Done | Self::RolledBack)
    }
}

impl fmt::Display for LogPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = &self.state;
        match self.phase {
            LogPhase::Open => write!(f, "open in {state}"),
            LogPhase::RollingBack => write!(f, "rolling back from {state}"),
            LogPhase::Stuck => write!(f, "stuck after {state}"),
            LogPhase::Done => write!(f, "done in {state}"),
            LogPhase::RolledBack => write!(f, "rolled back from {state}"),
        }
    }
}

impl Resumptions {
    /// The resumptions of one simulation.
    pub(crate) fn of(workload: &Workload, settings: &Settings, run: &Run) -> Self {
        let mut all = Self::default();
        if workload.upgrade.is_none() {
            return all;
        }
        let loads = run.history.select(|what| match what {
            What::Loaded(rows) => Some(rows),
            _ => None,
        });
        let mut seen = BTreeSet::new();
        for (place, life, rows) in loads.filter(|(_, life, _)| seen.insert(*life)) {
            let found = FoundLog { place, life, rows };
            let Some(resumption) = resumption(workload, &run.history, &found) else {
                continue;
            };
            let logs = ResumedLogs {
                logs: BTreeSet::from([shape(rows)]),
                schedule: Schedule::of(&run.history),
                token: Token::of(&workload.name, settings, &run.tape),
            };
            all.add(resumption, logs);
        }
        all
    }

    fn add(&mut self, resumption: Resumption, logs: ResumedLogs) {
        match self.0.get_mut(&resumption) {
            Some(known) => known.merge(logs),
            None => _ = self.0.insert(resumption, logs),
        }
    }

    /// Adds the resumptions of other simulations.
    pub fn merge(&mut self, other: Self) {
        for (resumption, logs) in other.0 {
            self.add(resumption, logs);
        }
    }
}

/// The first log that a life read.
struct FoundLog<'a> {
    /// The place of the load in the history.
    place: usize,
    life: u32,
    rows: &'a [CheckpointRow],
}

/// What a life made of the log that it found, if the other release had claimed the run last. `None`
/// if the life had begun the run itself, and reads its own log back, or if it ended before it made
/// anything of the log.
fn resumption(
    workload: &Workload,
    history: &History,
    &FoundLog { place, life, rows }: &FoundLog<'_>,
) -> Option<Resumption> {
    if history.landed().any(|(at, by, _)| by == life && at < place) {
        return None;
    }
    let by = workload.release(life, history);
    let claim = rows.iter().rev().find(|row| row.kind == RowKind::Claim)?;
    let mut claims = history.landed().filter(|(_, _, row)| *row == claim);
    let (_, claimed_by, _) = claims.next()?;
    if workload.release(claimed_by, history) == by {
        return None;
    }
    let mut state = RunState::new();
    for row in rows {
        // A corrupt log is refused as such, which breaks a promise of its own.
        state.apply_row(row).ok()?;
    }
    let mut after = history.0[place..].iter().filter(|entry| entry.life == life);
    let refused = after.find_map(|entry| match &entry.what {
        What::Returned(LifeEnd::Refused(Refusal::Mismatch(mismatch))) => Some(Some(mismatch)),
        What::Returned(end) if end.is_outcome() => Some(None),
        What::Sent(_) => Some(None),
        _ => None,
    })?;
    Some(Resumption {
        by,
        version: state.header()?.claim.version,
        place: place_of(&state)?,
        refused: refused.cloned().map(without_sequence),
    })
}

fn place_of(state: &RunState) -> Option<LogPlace> {
    let (phase, label) = match state.phase() {
        Phase::Unclaimed => return None,
        Phase::Forward(visit) => (LogPhase::Open, &visit.state),
        Phase::RollingBack(rollback) if rollback.is_stuck() => (LogPhase::Stuck, &rollback.state),
        Phase::RollingBack(rollback) => (LogPhase::RollingBack, &rollback.state),
        Phase::Done { state } => (LogPhase::Done, state),
        Phase::RolledBack { state, .. } => (LogPhase::RolledBack, state),
    };
    Some(LogPlace {
        phase,
        state: label.to_string(),
    })
}

/// A hash of a log without its claims' nonces and times.
fn shape(rows: &[CheckpointRow]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for row in rows {
        let blob = row
            .output_blob
            .as_ref()
            .filter(|_| row.kind != RowKind::Claim);
        (row.sequence, row.kind, &row.state, &row.task_id, blob).hash(&mut hasher);
    }
    hasher.finish()
}

/// Logs that are refused for one reason are told together, wherever the row is.
fn without_sequence(mut mismatch: Mismatch) -> Mismatch {
    match &mut mismatch {
        Mismatch::UnknownState { sequence, .. }
        | Mismatch::Label { sequence, .. }
        | Mismatch::UnknownTask { sequence, .. }
        | Mismatch::ForeignTask { sequence, .. } => *sequence = 0,
        _ => {}
    }
    mismatch
}
