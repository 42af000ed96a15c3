//! Choices by which a schedule happens: each of its faults at the instant that it names, and nothing
//! else.

use std::fmt;

use crate::choices::Choices;
use crate::fault::{Fault, Fired, Schedule};

/// A loss of power may keep a hundred different things.
const POSSIBLE_SHOWN_MAX: usize = 16;

/// Choices by which a schedule happens, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    planned: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    fired: Fired,
    state: ItemState,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ItemState {
    /// The simulation has not come there.
    Due,
    /// It has, and these were the faults to choose from.
    Impossible(Vec<Fault>),
    Done,
}

impl Planned {
    /// Choices by which this schedule happens.
    pub fn new(schedule: &Schedule) -> Self {
        let item = |fired: &Fired| Item {
            fired: fired.clone(),
            state: ItemState::Due,
        };
        Self {
            planned: schedule.0.iter().map(item).collect(),
        }
    }

    /// Says whether all of the schedule has happened.
    ///
    /// # Errors
    ///
    /// The first fault that has not, and why.
    pub fn finish(&self) -> Result<(), Unfired> {
        let unfired = self.planned.iter().find_map(|item| {
            let possible = match &item.state {
                ItemState::Due => None,
                ItemState::Impossible(faults) => Some(faults.clone()),
                ItemState::Done => return None,
            };
            let fired = item.fired.clone();
            Some(Unfired { fired, possible })
        });
        unfired.map_or(Ok(()), Err)
    }
}

impl Choices for Planned {
    fn choose(&mut self, _: &str, _: usize) -> usize {
        0
    }

    fn choose_fault(&mut self, point: &str, faults: &[Fault]) -> usize {
        for item in &mut self.planned {
            if item.fired.label() != point || item.state == ItemState::Done {
                continue;
            }
            if let Some(at) = faults.iter().position(|fault| *fault == item.fired.fault) {
                item.state = ItemState::Done;
                return at + 1;
            }
            item.state = ItemState::Impossible(faults.to_vec());
        }
        0
    }
}

/// A fault of a schedule that did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Unfired {
    /// The fault.
    pub fired: Fired,
    /// What could have happened at the instant instead; nothing is known where no such instant was
    /// passed at which something of the schedule could still happen.
    pub possible: Option<Vec<Fault>>,
}

impl fmt::Display for Unfired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this did not happen: {}; ", self.fired)?;
        let Some(possible) = &self.possible else {
            return f.write_str("the simulation did not reach an instant of this name");
        };
        let shown = possible.iter().take(POSSIBLE_SHOWN_MAX);
        let shown: Vec<String> = shown.map(Fault::to_string).collect();
        write!(f, "possible there: {}", shown.join(", "))?;
        match possible.len() - shown.len() {
            0 => Ok(()),
            more => write!(f, ", and {more} more"),
        }
    }
}
