//! Levels: how much of the contract a store has shown to keep, as one step of a ladder.
//!
//! A law stands on one step, by its claim or by its group. A step is reached when every law on it
//! passed, and every step below is reached: what was waived, not claimed, not run or in vain holds
//! it back as a failure does. A step without a law would be reached by everybody, so there is none.

use std::fmt;

use crate::catalogue::{Kind, Law, catalogue};
use crate::contract::capability::Claim;
use crate::finding::verdict::Verdict;
use crate::report::LawReport;

/// How much a store has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// L0: the contract, as one process sees it.
    Contract,
    /// L1: and under concurrent calls, and calls that are dropped.
    Concurrency,
    /// L2: and when the store is opened again.
    Reopening,
    /// L3: and when its process is killed.
    ProcessCrash,
    /// L4: and when the power goes.
    PowerLoss,
}

impl Level {
    /// Every level, from the lowest.
    pub const ALL: &'static [Self] = &[
        Self::Contract,
        Self::Concurrency,
        Self::Reopening,
        Self::ProcessCrash,
        Self::PowerLoss,
    ];

    /// `L0` to `L4`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Contract => "L0",
            Self::Concurrency => "L1",
            Self::Reopening => "L2",
            Self::ProcessCrash => "L3",
            Self::PowerLoss => "L4",
        }
    }

    /// What the level adds to those below.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Contract => "contract",
            Self::Concurrency => "concurrency and cancellation",
            Self::Reopening => "reopening",
            Self::ProcessCrash => "process crash",
            Self::PowerLoss => "power loss",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// When a level needs one of its laws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Of every store.
    Always,
    /// Of a store that makes the law's claim; stores of another kind rightly don't.
    WhereClaimed,
    /// Never: the law is advice.
    Never,
}

/// The level that a law belongs to, and whether the level needs it. A new claim has to be placed
/// here before it compiles.
pub(crate) fn standing(law: &Law) -> (Level, Need) {
    let by_group = match law.group.key {
        "con" | "can" => Level::Concurrency,
        "dur" => Level::Reopening,
        _ => Level::Contract,
    };
    let (level, need) = match law.claim {
        None | Some(Claim::AtomicCancellation) => (by_group, Need::Always),
        Some(Claim::Reopen) => (Level::Reopening, Need::Always),
        Some(Claim::ProcessCrash) => (Level::ProcessCrash, Need::Always),
        Some(Claim::PowerLoss) => (Level::PowerLoss, Need::Always),
        Some(
            Claim::Limits
            | Claim::AnyExecutor
            | Claim::ExclusiveScope
            | Claim::EngineKinds
            | Claim::FencedCancellation
            | Claim::OutlivesRuntime
            | Claim::Settled
            | Claim::ManyHandles
            | Claim::ManyProcesses
            | Claim::Outage
            | Claim::Corruption
            | Claim::OnDisk,
        ) => (by_group, Need::WhereClaimed),
    };
    match law.kind {
        Kind::Advisory => (level, Need::Never),
        _ => (level, need),
    }
}

/// One step of a report's ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    /// The level.
    pub level: Level,
    /// How many laws it needs of this store.
    pub laws: usize,
    /// Why it is not reached, law by law; a level below may be the reason as well.
    pub held_back: Vec<HeldBack>,
}

/// A law that holds a level back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBack {
    /// The law's id.
    pub law: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Every level, with what holds it back.
pub(crate) fn ladder(laws: &[LawReport]) -> Vec<Rung> {
    let rung = |level: &Level| rung(*level, laws);
    let ladder: Vec<Rung> = Level::ALL.iter().map(rung).collect();
    // `Level::ALL` is in that order.
    let ascends = ladder.is_sorted_by(|one, other| one.level < other.level);
    assert!(ascends, "a ladder goes up");
    ladder
}

/// The highest level that nothing holds back, those below it included.
pub(crate) fn reached(ladder: &[Rung]) -> Option<Level> {
    let whole = ladder.iter().take_while(|rung| rung.held_back.is_empty());
    let reached = whole.last().map(|rung| rung.level);
    let below = |rung: &&Rung| reached.is_some_and(|reached| rung.level <= reached);
    let nothing_held = ladder
        .iter()
        .filter(below)
        .all(|rung| rung.held_back.is_empty());
    assert!(
        nothing_held,
        "every level below one that is reached is reached"
    );
    reached
}

fn rung(level: Level, laws: &[LawReport]) -> Rung {
    let mut rung = Rung {
        level,
        laws: 0,
        held_back: Vec::new(),
    };
    for law in catalogue() {
        let (stands_on, need) = standing(law);
        if stands_on != level || need == Need::Never {
            continue;
        }
        let report = laws.iter().find(|report| report.law.id == law.id);
        let verdict = report.map(|report| &report.verdict);
        if need == Need::WhereClaimed && matches!(verdict, Some(Verdict::NotClaimed(_))) {
            continue;
        }
        rung.laws += 1;
        assert!(
            rung.held_back.len() < rung.laws,
            "a law holds a level back at most once"
        );
        let reason = match report {
            None => Some("not run: it is not in this part of the catalogue".to_owned()),
            Some(report) => report.why_not_passed(),
        };
        rung.held_back.extend(reason.map(|reason| HeldBack {
            law: law.id.to_string(),
            reason,
        }));
    }
    rung
}

impl Law {
    /// The level that the law belongs to.
    pub fn level(&self) -> Level {
        standing(self).0
    }
}
