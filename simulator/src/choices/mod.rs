//! The one source of choice.
//!
//! Whatever varies in a simulation (which ready task runs next, whether an instant is a crash,
//! which fault a store shows) is drawn from a [`Choices`], with a label. A driver of it decides how:
//! from a seed, by exhausting a bounded space, or from a recording. So one replay serves them all.

mod exhaustive;
mod recorded;
mod seeded;

pub use exhaustive::Exhaustive;
pub use recorded::{Divergence, Recorded};
pub use seeded::Seeded;

/// A source of choices.
pub trait Choices: Send {
    /// One of `0..n`, where `0` is always the least interesting: nothing happens, the same task
    /// goes on. `n` is at least 2, and `label` says what is chosen.
    fn choose(&mut self, label: &str, n: usize) -> usize;
}

/// One choice that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw {
    /// What was chosen.
    pub label: String,
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
    pub(crate) fn record(&mut self, label: &str, n: usize, chosen: usize) {
        self.0.push(Draw {
            label: label.to_owned(),
            n,
            chosen,
        });
    }

    /// A hash of the tape, labels included, to recognise it by: FNV-1a, 64 bits.
    pub fn fingerprint(&self) -> u64 {
        const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        self.0.iter().fold(OFFSET, |hash, draw| {
            let numbers = [draw.n as u64, draw.chosen as u64];
            let numbers = numbers.iter().flat_map(|number| number.to_le_bytes());
            draw.label
                .bytes()
                .chain([0])
                .chain(numbers)
                .fold(hash, step)
        })
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

impl<C: Choices + ?Sized> Choices for Box<C> {
    fn choose(&mut self, label: &str, n: usize) -> usize {
        (**self).choose(label, n)
    }
}
