//! Choices that enumerate every tape of a bounded space.
//!
//! An odometer whose wheels appear as they are drawn: the first pass draws `0` everywhere; each
//! further pass turns the last wheel that can still turn and drops those behind it. The space must
//! be bounded by whoever draws.

use crate::choices::{Choices, DrawMismatch};

/// Enumerates every tape that begins with a fixed prefix.
#[derive(Debug, Clone)]
pub struct Exhaustive {
    wheels: Vec<Wheel>,
    position: usize,
    fixed: usize,
    mismatch: Option<DrawMismatch>,
}

#[derive(Debug, Clone, Copy)]
struct Wheel {
    n: usize,
    chosen: usize,
}

impl Exhaustive {
    /// Every tape.
    pub fn new() -> Self {
        Self::below(&[])
    }

    /// Every tape whose first draws are `prefix`, each given as `(n, chosen)`.
    pub fn below(prefix: &[(usize, usize)]) -> Self {
        let wheels = prefix
            .iter()
            .map(|&(n, chosen)| Wheel { n, chosen })
            .collect();
        Self {
            wheels,
            position: 0,
            fixed: prefix.len(),
            mismatch: None,
        }
    }

    /// Turns to the next tape; false when every tape was drawn.
    pub fn advance(&mut self) -> bool {
        self.turn().is_some()
    }

    /// Where the same choices led to a draw among another number of things, if they did: what draws is
    /// not deterministic, and the tapes that were enumerated are not all of them. What was drawn after
    /// it was `0`.
    pub fn mismatch(&self) -> Option<&DrawMismatch> {
        self.mismatch.as_ref()
    }

    /// How many draws there were since the last turn.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// The draws of the present tape, each as `(n, chosen)`.
    pub(crate) fn drawn(&self) -> Vec<(usize, usize)> {
        let wheels = self.wheels.iter();
        wheels.map(|wheel| (wheel.n, wheel.chosen)).collect()
    }

    /// Turns to the next tape, and says at which draw it differs from the one before.
    pub(crate) fn turn(&mut self) -> Option<usize> {
        while let Some(mut last) = self.wheels.pop() {
            if self.wheels.len() < self.fixed {
                self.wheels.push(last);
                return None;
            }
            assert!(
                last.chosen < last.n,
                "a wheel turns up to its last choice and is then taken off"
            );
            if last.chosen + 1 < last.n {
                last.chosen += 1;
                self.wheels.push(last);
                self.position = 0;
                assert!(
                    self.wheels.len() > self.fixed,
                    "a wheel of the prefix is never turned"
                );
                return Some(self.wheels.len() - 1);
            }
        }
        None
    }
}

impl Default for Exhaustive {
    fn default() -> Self {
        Self::new()
    }
}

impl Choices for Exhaustive {
    fn choose(&mut self, label: &str, n: usize) -> usize {
        let position = self.position;
        self.position += 1;
        if self.mismatch.is_some() {
            return 0;
        }
        match self.wheels.get(position) {
            Some(wheel) if wheel.n == n => wheel.chosen,
            Some(wheel) => {
                self.mismatch = Some(DrawMismatch {
                    draw: position,
                    recorded: format!("a choice among {}", wheel.n),
                    asked: format!("{label} of {n}"),
                });
                0
            }
            None => {
                self.wheels.push(Wheel { n, chosen: 0 });
                0
            }
        }
    }
}
