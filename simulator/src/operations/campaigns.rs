//! The budgets that an exploration of operations exhausts, and what it samples beyond them.

use crate::fault::Budget;
use crate::sim::StoreKind;

/// The name of the operations in tokens, and on the command line.
pub const NAME: &str = "operations";

/// Their description, in one line.
pub const ABOUT: &str =
    "resume_all, purge, unfinished, status, run_or_resume and retry_stuck, over several runs";

/// How many seeds are sampled beyond the campaigns.
pub const SAMPLES: u64 = 1_000;

/// The default number of crashes of a schedule.
pub const DEFAULT_CRASHES: u32 = 1;

const NONE: Budget = Budget::NONE;

/// The budgets that are exhausted for each pair of operations over a store, in the order of exploration.
/// Without crashes, the second operation begins when the first has answered.
pub fn campaigns(store: StoreKind, crashes: u32) -> Vec<Budget> {
    if crashes == 0 {
        return vec![NONE];
    }
    let switched = |preemptions| Budget {
        preemptions,
        ..NONE
    };
    match store {
        StoreKind::Memory => vec![
            switched(2),
            Budget {
                crashes,
                ..switched(1)
            },
            Budget {
                faults: 1,
                ..switched(1)
            },
        ],
        // Memory has what the operations do to each other, and the samples have a part of what a power loss
        // may leave.
        _ => vec![Budget { crashes, ..NONE }],
    }
}

/// The budget that is sampled by seeds beyond the campaigns.
pub const fn beyond(store: StoreKind) -> Budget {
    let disk = match store {
        StoreKind::Memory => 0,
        _ => 1,
    };
    Budget {
        crashes: 2,
        faults: 2,
        preemptions: 6,
        disk,
        ..NONE
    }
}
