//! Choices by which a given schedule happens: each fault at its instant, and nothing else.

use std::fmt;

use crate::choices::Choices;
use crate::fault::{Fault, Fired, Schedule};

/// The number of possible faults that an error lists. A power loss alone may have a hundred
/// variants.
const POSSIBLE_SHOWN_MAX: usize = 16;

/// Choices by which a schedule happens, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    fired: Fired,
    state: ItemState,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ItemState {
    /// The simulation has not reached the instant.
    Due,
    /// The simulation reached the instant, but offered only these faults.
    Impossible(Vec<Fault>),
    Done,
}

impl Scheduled {
    /// Choices by which this schedule happens.
    pub fn new(schedule: &Schedule) -> Self {
        let item = |fired: &Fired| Item {
            fired: fired.clone(),
            state: ItemState::Due,
        };
        Self {
            items: schedule.0.iter().map(item).collect(),
        }
    }

    /// Checks that the whole schedule has happened.
    ///
    /// # Errors
    ///
    /// The first fault that has not fired, and why.
    pub fn finish(&self) -> Result<(), Unfired> {
        let unfired = self.items.iter().find_map(|item| {
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

impl Choices for Scheduled {
    fn choose(&mut self, _: &str, _: usize) -> usize {
        0
    }

    fn choose_fault(&mut self, point: &str, faults: &[Fault]) -> usize {
        for item in &mut self.items {
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

/// A fault of a schedule that did not fire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Unfired {
    /// The fault.
    pub fired: Fired,
    /// The faults that were possible at the last such instant while part of the schedule was still
    /// due. `None` if the simulation did not reach one.
    pub possible: Option<Vec<Fault>>,
}

impl fmt::Display for Unfired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this fault did not fire: {}; ", self.fired)?;
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
