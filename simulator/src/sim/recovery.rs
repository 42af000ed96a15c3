//! A life that has recovered from a fault of the store is where it would be without the fault, or with another
//! fault of the same append. An exploration goes on from one of them.

use std::time::Duration;

use crate::fault::StoreFault;
use crate::history::What;

/// How far the only life has recovered from a fault of the store.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Recovery {
    /// There was no such fault, or something else has happened since.
    #[default]
    Idle,
    /// An operation of the life has failed, or takes long.
    Failing(Failing),
    /// The row that it was about is durable, and the life knows it. A change of the log may be in flight.
    Applied { life: u32 },
    /// Whatever can happen from here on happens in another schedule too.
    Complete,
}

/// A fault of the store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failing {
    pub(crate) life: u32,
    /// When it happened.
    pub(crate) at: Duration,
    /// Whether another fault that is offered takes the same time and leaves the same log.
    pub(crate) is_like_another: bool,
}

impl Recovery {
    pub(crate) fn is_complete(self) -> bool {
        matches!(self, Self::Complete)
    }

    /// An event happens at this time, while changes of the log are in flight or not.
    pub(crate) fn see(&mut self, life: u32, what: &What, now: Duration, in_flight: bool) {
        let is_applied = matches!(what, What::Applied { mismatch: None, .. });
        *self = match (*self, what) {
            (Self::Complete, _) => return,
            (_, What::Began(_) | What::Returned(_)) => Self::Idle,
            (Self::Failing(failing), _) if is_applied && failing.life == life => {
                match now == failing.at || failing.is_like_another {
                    true => Self::Applied { life },
                    false => Self::Idle,
                }
            }
            (other, _) => other,
        };
        if let Self::Applied { life: recovered } = *self
            && is_applied
            && recovered == life
            && !in_flight
        {
            *self = Self::Complete;
        }
    }
}

/// The fault of the same operation after which the life has waited as long, and has written the same log: it
/// is refused and sends its row again, or a minute passes.
pub(crate) fn like(fault: StoreFault) -> Option<StoreFault> {
    match fault {
        StoreFault::InDoubtLost | StoreFault::InDoubtLate(_) => Some(StoreFault::Refused),
        StoreFault::SlowRequest => Some(StoreFault::SlowAnswer),
        StoreFault::Refused
        | StoreFault::InDoubtApplied
        | StoreFault::Duplicated
        | StoreFault::Echoed(_)
        | StoreFault::SlowAnswer
        | StoreFault::StaleLoad => None,
    }
}
