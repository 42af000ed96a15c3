//! What a release made of a log that the other release had left.

use std::collections::BTreeSet;
use std::fmt;

use crashpoint::{CheckpointRow, Mismatch, Phase, RowKind, RunState};

use crate::history::{History, LifeEnd, Refusal, What};
use crate::sim::{Release, Workload};

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

/// The refusals that an upgrade permits. By default the new release carries every log of the old, and
/// the old release may refuse what the new release leaves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PermittedRefusals {
    /// The labels of the states of the old release whose runs the new release refuses.
    pub states: BTreeSet<String>,
    /// Whether the old release carries every log of the new release.
    pub carries_back: bool,
}

impl PermittedRefusals {
    /// Whether the release may do this with the log.
    pub fn permit(&self, resumption: &Resumption) -> bool {
        match (&resumption.refused, resumption.by) {
            (None, _) => true,
            (Some(_), Release::New) => self.states.contains(&resumption.place.state),
            (Some(_), Release::Old) => !self.carries_back,
        }
    }
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

/// The first log that a life read.
pub(crate) struct FoundLog<'a> {
    /// The place of the load in the history.
    place: usize,
    pub(crate) life: u32,
    pub(crate) rows: &'a [CheckpointRow],
}

/// The logs that the lives of a simulation found in the state in which the other release had left them,
/// and what each life made of its log.
pub(crate) fn resumptions<'a>(
    workload: &Workload,
    history: &'a History,
) -> Vec<(FoundLog<'a>, Resumption)> {
    if workload.upgrade.is_none() {
        return Vec::new();
    }
    let loads = history.select(|what| match what {
        What::Loaded(rows) => Some(rows),
        _ => None,
    });
    let mut seen = BTreeSet::new();
    let firsts = loads.filter(|(_, life, _)| seen.insert(*life));
    let found = firsts.filter_map(|(place, life, rows)| {
        let found = FoundLog { place, life, rows };
        let resumption = resumption(workload, history, &found)?;
        Some((found, resumption))
    });
    found.collect()
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
