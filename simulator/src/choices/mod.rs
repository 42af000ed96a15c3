//! The one source of choice.
//!
//! Whatever varies in a simulation (which ready task runs next, whether an instant is a crash,
//! which fault a store shows, which workflow it is at all) is drawn from a [`Choices`], with a label.
//! A driver of it decides how: from a seed, by exhausting a bounded space, from a fuzzer's bytes, as
//! proptest wants it, or from a recording. So one replay serves them all, and one shrinker: it edits
//! the tape.

mod bytes;
mod edit;
mod edited;
mod exhaustive;
pub(crate) mod planned;
#[cfg(feature = "proptest")]
mod proptest;
mod recorded;
mod seeded;
mod shrinker;
pub(crate) mod swarm;

use std::fmt;
use std::hash::Hasher as _;

use crate::fnv::Fnv;

use smol_str::SmolStr;

use crate::fault::Fault;

pub use bytes::Bytes;
pub use edited::Edited;
pub use exhaustive::Exhaustive;
#[cfg(feature = "proptest")]
pub use proptest::{AnyChoices, AnyChoicesStrategy, AnyChoicesTree, any_choices};
pub use recorded::{DrawMismatch, Recorded};
pub use seeded::Seeded;
pub use shrinker::{Cost, Minimum, Shrinker, minimize};

/// How the labels begin of what is drawn before the simulation: which workflow, which faults are
/// possible. There a `0` is no more likely than anything else.
pub const PLAN: &str = "plan/";

/// A source of choices.
pub trait Choices: Send {
    /// One of `0..n`, where `0` is always the least interesting: nothing happens, the same task
    /// goes on. `n` is at least 2, and `label` says what is chosen.
    fn choose(&mut self, label: &str, n: usize) -> usize;

    /// None of these faults, which is `0`, or one of them, counted from `1`: what goes wrong at the
    /// instant `point`. There is at least one.
    ///
    /// Most drivers need not know what a number stands for; this is for those that do.
    fn choose_fault(&mut self, point: &str, faults: &[Fault]) -> usize {
        self.choose(point, faults.len() + 1)
    }
}

/// One choice that was made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Draw {
    /// What was chosen.
    pub label: SmolStr,
    /// Among how many.
    pub n: usize,
    /// Which, in `0..n`.
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

    /// A hash of the tape, labels included, to recognise it by: FNV-1a, 64 bits folded to 32.
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

    /// The draws that chose something else than `0`: where, and what.
    pub fn interesting(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let chosen = self
            .0
            .iter()
            .enumerate()
            .map(|(index, draw)| (index, draw.chosen));
        chosen.filter(|(_, chosen)| *chosen != 0)
    }
}

/// A source that remembers what another one chose.
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
        assert!(n >= 2, "{label}: a choice among {n} is none");
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
