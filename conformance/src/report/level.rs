//! Levels: how much of the contract a store has shown to keep.
//!
//! Each law belongs to one level, by its claim or by its group. A level is reached if all its laws passed
//! and every lower level is reached. A law that is waived, not claimed, not run or inconclusive holds a
//! level back like a failure. Every level has a law, or every store would reach it. The laws about power loss
//! trace the system calls of a store that syncs files; for a store on a server that claims `server_crash`
//! instead, the law about that stands for them.

use std::fmt;

use crate::catalogue::{Kind, Law, catalogue};
use crate::contract::LawId;
use crate::contract::capability::Claim;
use crate::finding::verdict::Verdict;
use crate::report::law_report::LawReport;

/// How much a store has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// L0: the contract, as one process sees it.
    Contract,
    /// L1: also under concurrent calls and dropped calls.
    Concurrency,
    /// L2: also when the store is opened again.
    Reopening,
    /// L3: also when its process is killed.
    ProcessCrash,
    /// L4: also in a power loss.
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

    /// What the level adds to the lower levels.
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

/// Whether a level needs one of its laws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Of every store.
    Always,
    /// Of a store that makes the law's claim; other stores rightly don't.
    WhereClaimed,
    /// Of every store, but for a store on a server, whose own law stands for it.
    UnlessServer,
    /// Never: the law is advice.
    Never,
}

macro_rules! define_levels {
    ([] $($key:ident $module:ident $level:ident $title:literal { $(
        $id:ident $name:ident $kind:ident $claim:ident $runs:ident $sentence:literal;
    )* })*) => {
        /// The level that the table gives to the law's group.
        fn level_of_group(law: LawId) -> Level {
            match law {
                $($(LawId::$id)|* => Level::$level,)*
            }
        }
    };
}

crate::__catalogue! { (define_levels) [] }

/// The level of a law, and whether the level needs it. A new claim does not compile before it is placed
/// here.
fn standing(law: &Law) -> (Level, Need) {
    let by_group = level_of_group(law.id);
    let (level, need) = match law.claim {
        None | Some(Claim::AtomicCancellation) => (by_group, Need::Always),
        Some(Claim::Reopen) => (Level::Reopening, Need::Always),
        Some(Claim::ProcessCrash) => (Level::ProcessCrash, Need::Always),
        Some(Claim::PowerLoss) => (Level::PowerLoss, Need::UnlessServer),
        Some(Claim::ServerCrash | Claim::Failover) => (Level::PowerLoss, Need::WhereClaimed),
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
            | Claim::Listing
            | Claim::OnDisk,
        ) => (by_group, Need::WhereClaimed),
    };
    match law.kind {
        Kind::Advisory => (level, Need::Never),
        _ => (level, need),
    }
}

/// One level of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    /// The level.
    pub level: Level,
    /// How many laws it needs of this store.
    pub laws: usize,
    /// The laws that hold it back; a lower level may hold it back too.
    pub held_back: Vec<HeldBack>,
}

/// A law that holds a level back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBack {
    /// The law's id.
    pub law: String,
    /// The verdict on it, and the reason.
    pub reason: String,
}

/// All levels, with the laws that hold them back.
pub(crate) fn ladder(laws: &[LawReport]) -> Vec<Rung> {
    let rung = |level: &Level| rung(*level, laws);
    let ladder: Vec<Rung> = Level::ALL.iter().map(rung).collect();
    // `Level::ALL` is in that order.
    let ascends = ladder.is_sorted_by(|rung, next| rung.level < next.level);
    assert!(ascends, "levels are in ascending order");
    // `standing` places each law on one level.
    let needed: usize = ladder.iter().map(|rung| rung.laws).sum();
    assert!(needed <= catalogue().len(), "a law belongs to one level");
    ladder
}

/// The highest level that nothing holds back, up to which no lower level is held back either.
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
        if stands_on != level {
            continue;
        }
        let report = laws.iter().find(|report| report.law.id == law.id);
        let verdict = report.map(|report| &report.verdict);
        let is_claimed = !matches!(verdict, Some(Verdict::NotClaimed(_)));
        let is_needed = match need {
            Need::Always => true,
            Need::WhereClaimed => is_claimed,
            Need::UnlessServer => is_claimed || !is_on_a_server(laws),
            Need::Never => false,
        };
        if !is_needed {
            continue;
        }
        rung.laws += 1;
        assert!(
            rung.held_back.len() < rung.laws,
            "a law holds a level back at most once"
        );
        let reason = match report {
            None => Some("not run: the plan does not include it".to_owned()),
            Some(report) => report.why_not_passed(),
        };
        rung.held_back.extend(reason.map(|reason| HeldBack {
            law: law.id.to_string(),
            reason,
        }));
    }
    rung
}

/// Whether the store claims that its server survives a kill.
fn is_on_a_server(laws: &[LawReport]) -> bool {
    let claims = |law: &LawReport| {
        law.law.claim == Some(Claim::ServerCrash) && !matches!(law.verdict, Verdict::NotClaimed(_))
    };
    laws.iter().any(claims)
}

impl Law {
    /// The level that the law belongs to.
    pub fn level(&self) -> Level {
        standing(self).0
    }
}
