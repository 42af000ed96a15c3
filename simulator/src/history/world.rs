//! The world outside of the crashing process.
//!
//! Effects go to a ledger that survives every crash. Each effect has two receivers. One honours
//! idempotency keys: it performs a key once, and refuses a key that was undone. The other does not.
//! An engine can promise less to the second, and the oracles check accordingly.

use std::collections::{BTreeMap, BTreeSet};

use crashpoint::{Ctx, Direction};
use smol_str::{SmolStr, format_smolstr};

/// A request that reached the world.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Effect {
    /// The requested effect, in the workload's words.
    pub name: SmolStr,
    /// The content of the request.
    pub payload: SmolStr,
    /// The requesting task.
    pub task: SmolStr,
    /// Do or undo.
    pub direction: Direction,
    /// The sequence of the row that entered the visit.
    pub visit: u64,
    /// The number of durable cursors of the visit.
    pub step: u64,
    /// The number of the attempt in its life, from 1.
    pub attempt: u32,
    /// The idempotency key of this request.
    pub key: SmolStr,
    /// The idempotency key of the forward action; equal to `key` in a forward action.
    pub do_key: SmolStr,
    /// The life's fencing token.
    pub fencing_token: u64,
    /// Who received the request.
    pub receiver: Receiver,
    /// The answer of a receiver that honours keys.
    pub reception: Reception,
}

/// The receiver of an effect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Receiver {
    /// The simulated world, which has two: one honours idempotency keys, the other does not.
    World,
    /// A service that honours idempotency keys.
    Service(SmolStr),
    /// A service that does not.
    WithoutKeys(SmolStr),
}

impl Receiver {
    /// The name of the service, if it is one.
    pub fn service(&self) -> Option<&SmolStr> {
        match self {
            Self::World => None,
            Self::Service(name) | Self::WithoutKeys(name) => Some(name),
        }
    }
}

/// The answer of a receiver that honours idempotency keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reception {
    /// It performed the request.
    Performed,
    /// It had performed the key before, and did nothing.
    Repeated,
    /// The key was undone before, so it refused and did nothing.
    Voided,
}

impl Effect {
    /// The request with the service that received it, if it was a service: `bank: charge`.
    pub fn words(&self) -> SmolStr {
        match self.receiver.service() {
            None => self.name.clone(),
            Some(service) => format_smolstr!("{service}: {}", self.name),
        }
    }

    pub(crate) fn of(ctx: &Ctx, name: &str, payload: &str, receiver: Receiver) -> Self {
        let key = SmolStr::from(ctx.idempotency_key());
        let do_key = match ctx.direction() {
            Direction::Do => key.clone(),
            Direction::Undo => ctx.do_idempotency_key().into(),
        };
        Self {
            name: name.into(),
            payload: payload.into(),
            task: ctx.task().into(),
            direction: ctx.direction(),
            visit: ctx.visit(),
            step: ctx.step(),
            attempt: ctx.attempt(),
            key,
            do_key,
            fencing_token: ctx.fencing_token(),
            receiver,
            reception: Reception::Performed,
        }
    }
}

/// The part that survives crashes: the keys known to the honouring receiver, and the workload's
/// counters.
#[derive(Debug, Clone, Default, Hash)]
pub(crate) struct World {
    /// By receiver, key and name, because one action may request several effects.
    performed: BTreeSet<(Receiver, SmolStr, SmolStr)>,
    /// The undone requests, by receiver, key and name.
    undone: BTreeSet<(Receiver, SmolStr, SmolStr)>,
    voided: BTreeSet<(Receiver, SmolStr)>,
    counters: BTreeMap<SmolStr, u64>,
}

impl World {
    pub(crate) fn receive(&mut self, effect: &Effect) -> Reception {
        if let Receiver::WithoutKeys(_) = effect.receiver {
            return Reception::Performed;
        }
        let receiver = || effect.receiver.clone();
        let request = (receiver(), effect.key.clone(), effect.name.clone());
        assert!(
            effect.direction == Direction::Undo || effect.key == effect.do_key,
            "a forward action is its own action to undo"
        );
        let fresh = match effect.direction {
            Direction::Do if self.voided.contains(&(receiver(), effect.key.clone())) => {
                return Reception::Voided;
            }
            Direction::Do => self.performed.insert(request),
            Direction::Undo => {
                self.voided.insert((receiver(), effect.do_key.clone()));
                self.undone.insert(request)
            }
        };
        if fresh {
            Reception::Performed
        } else {
            Reception::Repeated
        }
    }

    /// Increments a counter, and returns its previous value.
    pub(crate) fn count(&mut self, what: &str) -> u64 {
        let counter = self.counters.entry(what.into()).or_default();
        *counter += 1;
        *counter - 1
    }

    /// The value of a counter.
    pub(crate) fn counted(&self, what: &str) -> u64 {
        self.counters.get(what).copied().unwrap_or_default()
    }
}
