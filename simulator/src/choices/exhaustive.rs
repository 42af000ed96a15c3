//! Choices that enumerate every tape of a bounded space.
//!
//! An odometer whose wheels appear as they are drawn. The first pass draws `0` everywhere. Each
//! further pass turns the last wheel that can still turn and drops the wheels behind it. The caller
//! must keep the space bounded.

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
    /// Enumerates every tape.
    pub fn new() -> Self {
        Self::below(&[])
    }

    /// Enumerates every tape whose first draws are `prefix`, each given as `(n, chosen)`.
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

    /// Turns to the next tape. Returns false when every tape was drawn.
    pub fn advance(&mut self) -> bool {
        self.turn().is_some()
    }

    /// The first draw that had another number of alternatives than before, after the same choices.
    /// The simulation is then not deterministic, and the enumeration is incomplete. Later draws
    /// were `0`.
    pub fn mismatch(&self) -> Option<&DrawMismatch> {
        self.mismatch.as_ref()
    }

    /// The number of draws since the last turn.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// The draws of the current tape, each as `(n, chosen)`.
    pub(crate) fn drawn(&self) -> Vec<(usize, usize)> {
        let wheels = self.wheels.iter();
        wheels.map(|wheel| (wheel.n, wheel.chosen)).collect()
    }

    /// Turns to the next tape. Returns the index of the first draw that differs from the previous
    /// tape.
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
