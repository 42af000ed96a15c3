//! The only source of choice in a simulation.
//!
//! Everything that varies in a simulation is drawn from a [`Choices`], with a label: the next task
//! to run, whether an instant is a crash, the faults of the store, and even the workflow. A driver
//! decides how: from a seed, by exhausting a bounded space, from a fuzzer's bytes, from proptest,
//! or from a recording. So one replay and one shrinker serve them all; the shrinker edits the tape.

mod bytes;
mod edit;
mod edited;
mod exhaustive;
pub(crate) mod fnv;
#[cfg(feature = "proptest")]
mod proptest;
mod recorded;
pub(crate) mod scheduled;
mod seeded;
mod shrinker;
pub(crate) mod swarm;

use std::fmt;
use std::hash::Hasher as _;

use smol_str::SmolStr;

use crate::choices::fnv::Fnv;
use crate::fault::Fault;

pub use bytes::Bytes;
pub use edited::Edited;
pub use exhaustive::Exhaustive;
#[cfg(feature = "proptest")]
pub use proptest::{AnyChoices, AnyChoicesStrategy, AnyChoicesTree, any_choices};
pub use recorded::{DrawMismatch, Recorded};
pub use seeded::Seeded;
pub use shrinker::{Cost, Minimum, Shrinker, minimize};

/// The prefix of labels that are drawn before the simulation: the workflow, and the possible
/// faults. There `0` is as likely as any other choice.
pub const PLAN: &str = "plan/";

/// A source of choices.
pub trait Choices: Send {
    /// Chooses a number in `0..n`. `0` is always the least interesting choice: nothing happens, or
    /// the same task continues. `n` is at least 2, and `label` names the choice.
    fn choose(&mut self, label: &str, n: usize) -> usize;

    /// Chooses what goes wrong at the instant `point`: `0` for nothing, or the position of a fault
    /// in `faults`, counted from `1`. `faults` is not empty.
    ///
    /// Most drivers do not need the meaning of a number. This method serves those that do.
    fn choose_fault(&mut self, point: &str, faults: &[Fault]) -> usize {
        self.choose(point, faults.len() + 1)
    }
}

/// One choice that was made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Draw {
    /// The name of the choice.
    pub label: SmolStr,
    /// The number of alternatives, at least 2.
    pub n: usize,
    /// The chosen alternative, in `0..n`.
    pub chosen: usize,
}

/// Every choice of one simulation, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tape(pub Vec<Draw>);

impl Tape {
    /// Adds a draw.
    pub(crate) fn record(&mut self, label: SmolStr, n: usize, chosen: usize) {
        assert!(
            chosen < n,
            "{label}: the caller has checked {chosen} against the number of choices, {n}"
        );
        self.0.push(Draw { label, n, chosen });
    }

    /// A hash that identifies the tape, labels included: FNV-1a, 64 bits folded to 32.
    pub fn fingerprint(&self) -> u32 {
        let mut hash = Fnv::new();
        for draw in &self.0 {
            hash.write(draw.label.as_bytes());
            hash.write(&[0]);
            hash.write(&(draw.n as u64).to_le_bytes());
            hash.write(&(draw.chosen as u64).to_le_bytes());
        }
        let hash = hash.finish();
        (hash >> 32) as u32 ^ hash as u32
    }

    /// The index and the choice of each draw that did not choose `0`.
    pub fn interesting(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let chosen = self
            .0
            .iter()
            .enumerate()
            .map(|(index, draw)| (index, draw.chosen));
        chosen.filter(|(_, chosen)| *chosen != 0)
    }
}

/// A source that records the choices of another source.
pub(crate) struct Taped<C> {
    source: C,
    tape: Tape,
}

impl<C: Choices> Taped<C> {
    pub(crate) fn new(source: C) -> Self {
        Self {
            source,
            tape: Tape::default(),
        }
    }

    pub(crate) fn into_parts(self) -> (Tape, C) {
        (self.tape, self.source)
    }
}

impl<C: Choices> Choices for Taped<C> {
    fn choose(&mut self, label: &str, n: usize) -> usize {
        assert!(
            n >= 2,
            "{label}: a choice needs at least 2 alternatives, got {n}"
        );
        let chosen = self.source.choose(label, n);
        assert!(chosen < n, "{label}: chose {chosen} among {n}");
        self.tape.record(label.into(), n, chosen);
        chosen
    }
}

impl<C> fmt::Debug for Taped<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taped")
            .field("draws", &self.tape.0.len())
            .finish_non_exhaustive()
    }
}

impl<C: Choices + ?Sized> Choices for &mut C {
    fn choose(&mut self, label: &str, n: usize) -> usize {
        (**self).choose(label, n)
    }

    fn choose_fault(&mut self, point: &str, faults: &[Fault]) -> usize {
        (**self).choose_fault(point, faults)
    }
}

impl<C: Choices + ?Sized> Choices for Box<C> {
    fn choose(&mut self, label: &str, n: usize) -> usize {
        (**self).choose(label, n)
    }

    fn choose_fault(&mut self, point: &str, faults: &[Fault]) -> usize {
        (**self).choose_fault(point, faults)
    }
}
