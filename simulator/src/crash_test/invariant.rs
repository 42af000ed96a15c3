//! An invariant of the world of a test, of the end or of every instant.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::executor::{message_of, quietly};
use crate::history::Ending;
use crate::sim::BrokenInvariant;

/// An invariant of a world, of the end or of every instant.
pub(super) struct Invariant<W> {
    name: Arc<str>,
    holds: Holds<W>,
}

/// Returns how the invariant is broken, in words.
enum Holds<W> {
    AtTheEnd(Arc<HoldsAtTheEnd<W>>),
    Always(Arc<HoldsAlways<W>>),
}

type HoldsAtTheEnd<W> = dyn Fn(&W, &Ending<'_>) -> Result<(), String> + Send + Sync;
type HoldsAlways<W> = dyn Fn(&W) -> Result<(), String> + Send + Sync;

impl<W> Clone for Invariant<W> {
    fn clone(&self) -> Self {
        Self {
            name: Arc::clone(&self.name),
            holds: match &self.holds {
                Holds::AtTheEnd(holds) => Holds::AtTheEnd(Arc::clone(holds)),
                Holds::Always(holds) => Holds::Always(Arc::clone(holds)),
            },
        }
    }
}

impl<W> Invariant<W> {
    pub(super) fn at_the_end<E: Display>(
        name: &str,
        holds: impl Fn(&W, &Ending<'_>) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        let in_words = move |world: &W, ending: &Ending<'_>| {
            holds(world, ending).map_err(|error| error.to_string())
        };
        Self {
            name: name.into(),
            holds: Holds::AtTheEnd(Arc::new(in_words)),
        }
    }

    pub(super) fn always<E: Display>(
        name: &str,
        holds: impl Fn(&W) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        let in_words = move |world: &W| holds(world).map_err(|error| error.to_string());
        Self {
            name: name.into(),
            holds: Holds::Always(Arc::new(in_words)),
        }
    }

    /// How an invariant of the end is broken, if it is.
    pub(super) fn broken(&self, world: &W, ending: &Ending<'_>) -> Option<BrokenInvariant> {
        match &self.holds {
            Holds::AtTheEnd(holds) => self.asked(|| holds(world, ending)),
            Holds::Always(_) => None,
        }
    }

    /// How an invariant of every instant is broken, if it is.
    pub(super) fn broken_now(&self, world: &W) -> Option<BrokenInvariant> {
        match &self.holds {
            Holds::AtTheEnd(_) => None,
            Holds::Always(holds) => self.asked(|| holds(world)),
        }
    }

    fn asked(&self, holds: impl FnOnce() -> Result<(), String>) -> Option<BrokenInvariant> {
        let answer = quietly(|| catch_unwind(AssertUnwindSafe(holds)));
        let message = match answer {
            Ok(Ok(())) => return None,
            Ok(Err(message)) => message,
            Err(panic) => message_of(&*panic),
        };
        let name = self.name.to_string();
        Some(BrokenInvariant { name, message })
    }
}
