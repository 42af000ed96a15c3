//! The campaigns: the budgets that an exploration of a workload exhausts.
//!
//! Over a disk a crash has many more instants, nearly all inside an operation of the store. The
//! other faults happen between two operations, so over a disk they come without a crash. A power
//! loss alone has about a hundred variants, so disk faults are for short workloads.

use crate::fault::{Budget, Crash, Fault};
use crate::sim::{Length, Rollout, StoreKind, Workload};

/// Every schedule within a budget, for some workloads over some stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Campaign {
    /// What its schedules have, for people.
    pub about: &'static str,
    /// The stores over which it is explored.
    pub over: Over,
    /// The length of the workloads for which it is explored; `None` for every workload.
    pub length: Option<Length>,
    budget: Budget,
}

/// The stores of a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Every store. Over the store in memory also with up to one crash.
    Every,
    /// Only the store in memory.
    Memory,
    /// Only the embedded store.
    Disk,
}

const NONE: Budget = Budget::NONE;

const fn every(about: &'static str, over: Over, budget: Budget) -> Campaign {
    Campaign {
        about,
        over,
        length: None,
        budget,
    }
}

/// The campaigns besides the crashes alone, in the order of exploration.
pub const CAMPAIGNS: &[Campaign] = &[
    every(
        "one fault of the store",
        Over::Every,
        Budget { faults: 1, ..NONE },
    ),
    every(
        "one attempt of a task that goes wrong",
        Over::Every,
        Budget { errors: 1, ..NONE },
    ),
    every(
        "one cancellation",
        Over::Every,
        Budget { cancels: 1, ..NONE },
    ),
    every(
        "one rival life",
        Over::Every,
        Budget {
            takeovers: 1,
            ..NONE
        },
    ),
    every(
        "a rival with a fault of the store",
        Over::Memory,
        Budget {
            takeovers: 1,
            faults: 1,
            ..NONE
        },
    ),
    every(
        "a rival with two more switches between the two lives",
        Over::Memory,
        Budget {
            takeovers: 1,
            preemptions: 2,
            ..NONE
        },
    ),
    Campaign {
        length: Some(Length::Long),
        ..every(
            "two rivals",
            Over::Memory,
            Budget {
                takeovers: 2,
                ..NONE
            },
        )
    },
    Campaign {
        length: Some(Length::Short),
        ..every(
            "two rivals also with one more switch among the three lives",
            Over::Memory,
            Budget {
                takeovers: 2,
                preemptions: 1,
                ..NONE
            },
        )
    },
    every(
        "one jump of a clock",
        Over::Memory,
        Budget { jumps: 1, ..NONE },
    ),
    Campaign {
        length: Some(Length::Short),
        ..every(
            "also one fault of the disk",
            Over::Disk,
            Budget { disk: 1, ..NONE },
        )
    },
];

/// The campaigns of workloads in whose lane the tasks of a life run beside each other.
const ORDERS: &[Budget] = &[
    Budget {
        orders: 1,
        crashes: 1,
        ..NONE
    },
    Budget { orders: 2, ..NONE },
];

/// The campaigns of workloads with several runs besides the crashes alone: these runs race without any
/// takeover.
const RACES: &[Budget] = &[
    Budget {
        preemptions: 2,
        ..NONE
    },
    Budget {
        preemptions: 1,
        crashes: 1,
        ..NONE
    },
];

/// The campaigns of an upgrade in a rollout. A release that is wrong with a store that fails is wrong alone,
/// so these have what leaves other logs or other worlds.
pub(crate) fn upgrade_campaigns(rollout: Rollout) -> Vec<Budget> {
    let crash = Budget { crashes: 1, ..NONE };
    let crashes = Budget { crashes: 2, ..NONE };
    let takeover = Budget {
        takeovers: 1,
        ..crash
    };
    match rollout {
        Rollout::OldNew => vec![
            Budget { errors: 1, ..crash },
            Budget {
                cancels: 1,
                ..crash
            },
            Budget { errors: 2, ..NONE },
            takeover,
        ],
        Rollout::OldOldNew => vec![crashes],
        Rollout::OldNewOld => vec![crashes, takeover],
    }
}

/// The most crashes of a schedule in the campaigns.
pub const CRASHES_MAX: u32 = 3;

/// The default number of crashes of a schedule. A disk has ten times as many crash points, so two
/// crashes take minutes.
pub const fn default_crashes(store: StoreKind) -> u32 {
    match Over::only(store) {
        Over::Memory => 2,
        Over::Every | Over::Disk => 1,
    }
}

impl Over {
    /// The campaigns of this store that are not campaigns of every store.
    pub const fn only(store: StoreKind) -> Self {
        match store {
            StoreKind::Memory => Self::Memory,
            StoreKind::Redb
            | StoreKind::RedbLosingWrites
            | StoreKind::RedbLosingNames
            | StoreKind::RedbWithoutBarriers => Self::Disk,
        }
    }
}

impl Campaign {
    /// Whether its rivals come with anything else.
    fn is_of_rivals(&self) -> bool {
        let alone = Budget {
            takeovers: 1,
            ..NONE
        };
        self.budget.takeovers > 0 && self.budget != alone
    }

    /// Its budget for workloads of this length over this store, if it has one.
    fn budget(&self, length: Length, store: StoreKind) -> Option<Budget> {
        let store = Over::only(store);
        let crashes = match self.over {
            Over::Every => u32::from(store == Over::Memory),
            over if over == store => 0,
            _ => return None,
        };
        let budget = Budget {
            crashes,
            ..self.budget
        };
        self.length.is_none_or(|it| it == length).then_some(budget)
    }
}

impl Workload {
    /// The budgets that an exploration of this workload exhausts: up to `crashes` crashes alone,
    /// and the [`CAMPAIGNS`]. Without crashes, only the schedule without faults. An upgrade has
    /// campaigns of its own, over the store in memory.
    pub fn campaigns(&self, store: StoreKind, crashes: u32) -> Vec<Budget> {
        let mut budgets = vec![Budget { crashes, ..NONE }];
        if let Some(upgrade) = &self.upgrade {
            if Over::only(store) == Over::Memory {
                let campaigns = upgrade_campaigns(upgrade.rollout).into_iter();
                budgets.extend(campaigns.filter(|it| it.crashes <= crashes && crashes > 0));
            }
        } else if crashes > 0 {
            let several = self.runs() > 1;
            if several {
                budgets.extend_from_slice(RACES);
            }
            // A rival of a run makes three lives or more, whose switches are too many to exhaust.
            let campaigns = CAMPAIGNS.iter().filter(|it| !several || !it.is_of_rivals());
            budgets.extend(campaigns.filter_map(|it| it.budget(self.length, store)));
            if self.lane.has_turns() {
                budgets.extend_from_slice(ORDERS);
            }
        }
        if self.left_out.is_empty() {
            return budgets;
        }
        let mut distinct: Vec<Budget> = Vec::new();
        for budget in budgets.into_iter().map(|it| self.possible(store, it)) {
            if !distinct.iter().any(|larger| budget.is_within(*larger)) {
                distinct.push(budget);
            }
        }
        distinct
    }

    /// The budget without the groups whose faults are all left out, or don't happen over this store.
    pub fn possible(&self, store: StoreKind, budget: Budget) -> Budget {
        let over_disk = Over::only(store) == Over::Disk;
        self.left_out.within(budget, |fault| match fault {
            Fault::Crash(Crash::PowerLoss) | Fault::Disk(_) => over_disk,
            _ => true,
        })
    }

    /// The budget that is sampled by seeds beyond the campaigns: [`beyond`], and other orders of
    /// tasks where they run beside each other.
    pub fn beyond(&self, store: StoreKind) -> Budget {
        Budget {
            orders: if self.lane.has_turns() { 3 } else { 0 },
            ..beyond(store)
        }
    }

    /// Whether its length is [`Length::Short`].
    pub fn is_short(&self) -> bool {
        self.length == Length::Short
    }
}

/// The budget that is sampled by seeds beyond the campaigns over this store: more of everything at
/// once.
pub fn beyond(store: StoreKind) -> Budget {
    Budget {
        crashes: 2,
        faults: 2,
        disk: u32::from(store != StoreKind::Memory),
        errors: 2,
        takeovers: 2,
        preemptions: 4,
        cancels: 1,
        jumps: 2,
        breaches: 0,
        orders: 0,
        services: 0,
    }
}
