//! Reduces a failing tape to a smaller tape that also fails.
//!
//! The shrinker edits only the tape, so it shrinks everything that was drawn: workflow, schedule
//! and faults together. An edit can only take away: each choice of the resulting tape was on the
//! tape before, or is lower than one that was. When nothing more can be taken away, the shrinker
//! tries to merge two faults into one. Every accepted tape costs less than the one before. So the
//! shrinker ends, at a tape of which it has tried every edit.

use std::collections::{BTreeMap, BTreeSet};

use crate::choices::edit::{Edit, edits, merges};
use crate::choices::{Edited, Tape};

/// The distance of a tape from the least interesting tape. Smaller is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cost {
    /// The number of draws that did not choose `0`.
    pub interesting: usize,
    /// The sum of their choices.
    pub chosen: usize,
    /// For each of them the number of earlier draws with the same label, summed.
    pub late: usize,
}

impl Cost {
    /// The cost of a tape.
    pub fn of(tape: &Tape) -> Self {
        let mut met: BTreeMap<&str, usize> = BTreeMap::new();
        let mut cost = Self {
            interesting: 0,
            chosen: 0,
            late: 0,
        };
        for draw in &tape.0 {
            let before = met.entry(&draw.label).or_default();
            if draw.chosen > 0 {
                cost.interesting += 1;
                cost.chosen += draw.chosen;
                cost.late += *before;
            }
            *before += 1;
        }
        cost
    }
}

/// Proposes smaller tapes, one at a time, and continues from those that fail.
///
/// [`minimize`] drives it. proptest drives it if a test draws from `any_choices`.
#[derive(Debug, Clone)]
pub struct Shrinker {
    tape: Tape,
    edits: Vec<Edit>,
    /// The index of the last proposed edit, or of the next to try.
    at: usize,
    /// Whether the edits include the merges of two faults.
    merging: bool,
    /// Choices that were run already and did not fail in the required way.
    refused: BTreeSet<Edited>,
    steps: u64,
}

impl Shrinker {
    /// Shrinks a failing tape.
    pub fn new(tape: Tape) -> Self {
        let mut shrinker = Self {
            tape: Tape::default(),
            edits: Vec::new(),
            at: 0,
            merging: false,
            refused: BTreeSet::new(),
            steps: 0,
        };
        shrinker.settle_on(tape);
        shrinker
    }

    /// The next choices to run. `None` when every edit was tried: the tape is a local minimum. Then
    /// removing any draw or lowering any choice gives no smaller tape that fails.
    pub fn propose(&mut self) -> Option<Edited> {
        loop {
            if self.at == self.edits.len() && !self.merging {
                self.merging = true;
                self.edits.extend(merges(&self.tape));
            }
            let edited = self.edits.get(self.at)?.of(&self.tape);
            if !self.refused.contains(&edited) {
                return Some(edited);
            }
            self.at += 1;
        }
    }

    /// Reports the result of the last proposal: its tape if the test still fails.
    pub fn answer(&mut self, still_fails: Option<Tape>) {
        match still_fails {
            Some(tape) if Cost::of(&tape) < Cost::of(&self.tape) => {
                self.steps += 1;
                self.settle_on(tape);
            }
            _ => {
                let edit = self.edits.get(self.at);
                self.refused.extend(edit.map(|edit| edit.of(&self.tape)));
                self.at += 1;
            }
        }
    }

    fn settle_on(&mut self, tape: Tape) {
        self.edits = edits(&tape);
        // The unedited tape: an edit that changes nothing.
        self.refused.insert(Edited::new(&tape));
        self.tape = tape;
        self.at = 0;
        self.merging = false;
    }

    /// The smallest failing tape so far.
    pub fn tape(&self) -> &Tape {
        &self.tape
    }

    /// The number of accepted proposals that led to it.
    pub fn steps(&self) -> u64 {
        self.steps
    }
}

/// The result of shrinking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minimum {
    /// The smallest failing tape that was found.
    pub tape: Tape,
    /// The number of accepted proposals that led to it.
    pub steps: u64,
    /// The number of simulations that were run.
    pub runs: u64,
    /// Whether the tape is a local minimum: every edit was tried. False if the runs ran out.
    pub minimal: bool,
}

/// Shrinks a failing tape, with at most `runs_max` simulations.
///
/// `still_fails` runs the simulation once with the given choices. It returns the tape if the
/// simulation fails in the same way, and `None` otherwise.
///
/// ```
/// use crashpoint_simulator::Choices as _;
/// use crashpoint_simulator::choices::{Draw, Edited, Tape, minimize};
///
/// let draw = |label: &str, chosen| Draw { label: label.into(), n: 10, chosen };
/// // Fails wherever the second choice is at least 3.
/// let run = |mut choices: Edited| {
///     let tape = Tape(vec![
///         draw("first", choices.choose("first", 10)),
///         draw("second", choices.choose("second", 10)),
///     ]);
///     (tape.0[1].chosen >= 3).then_some(tape)
/// };
/// let minimum = minimize(Tape(vec![draw("first", 7), draw("second", 8)]), 1000, run);
/// assert_eq!(minimum.tape, Tape(vec![draw("first", 0), draw("second", 3)]));
/// assert!(minimum.minimal);
/// ```
///
/// # Panics
///
/// Never: it only continues from smaller tapes.
pub fn minimize(
    tape: Tape,
    runs_max: u64,
    mut still_fails: impl FnMut(Edited) -> Option<Tape>,
) -> Minimum {
    let first = Cost::of(&tape);
    let mut shrinker = Shrinker::new(tape);
    let mut runs = 0;
    let minimal = loop {
        let Some(edited) = shrinker.propose() else {
            break true;
        };
        if runs == runs_max {
            break false;
        }
        runs += 1;
        shrinker.answer(still_fails(edited));
    };
    assert!(
        runs <= runs_max,
        "the limit is looked at before each simulation"
    );
    assert!(
        Cost::of(&shrinker.tape) <= first,
        "the shrinker goes on from smaller tapes alone"
    );
    Minimum {
        steps: shrinker.steps,
        tape: shrinker.tape,
        runs,
        minimal,
    }
}
