//! The shrinker: from a tape that fails to a smaller one that fails as well.
//!
//! It edits the tape and nothing else, so that it shrinks whatever was drawn: workflow, schedule and
//! faults together. An edit can only take away: of the choices on the tape that comes of it each was
//! on the tape before, or is lower than one that was. Where nothing can be taken away any more, two
//! faults are tried as one. Every tape that is accepted costs less than the one before, so the
//! shrinker ends, and it ends at a tape of which it has tried everything.

use std::collections::{BTreeMap, BTreeSet};

use crate::choices::edit::{Edit, edits, merges};
use crate::choices::{Edited, Tape};

/// How far a tape is from the least interesting one. Smaller is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cost {
    /// How many draws chose something.
    pub interesting: usize,
    /// What they chose, added up.
    pub chosen: usize,
    /// How many draws of the same label each of them had before it, added up.
    pub late: usize,
}

impl Cost {
    /// What a tape costs.
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

/// Proposes smaller tapes, one at a time, and goes on from those that fail.
///
/// [`minimize`] drives it; proptest drives it where a test draws from `any_choices`.
#[derive(Debug, Clone)]
pub struct Shrinker {
    tape: Tape,
    edits: Vec<Edit>,
    /// The edit that was proposed last, or is looked at next.
    at: usize,
    /// Whether the edits have come to those that make one fault of two.
    merging: bool,
    /// What was run already, and is not what we look for.
    refused: BTreeSet<Edited>,
    steps: u64,
}

impl Shrinker {
    /// Shrinks a tape that fails.
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

    /// What to run next; nothing where everything was tried with the tape: it is a local minimum,
    /// for no draw of it can be taken out, and no choice of it lowered, so that a smaller tape comes
    /// of it which still fails.
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

    /// What came of the last proposal: the tape that it drew, if that still fails.
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
        // An edit that changes nothing.
        self.refused.insert(Edited::new(&tape));
        self.tape = tape;
        self.at = 0;
        self.merging = false;
    }

    /// The smallest tape so far that fails.
    pub fn tape(&self) -> &Tape {
        &self.tape
    }

    /// How many smaller tapes that fail led to it.
    pub fn steps(&self) -> u64 {
        self.steps
    }
}

/// What a tape was shrunk to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minimum {
    /// The smallest tape that was found.
    pub tape: Tape,
    /// How many smaller tapes that fail led to it.
    pub steps: u64,
    /// How many simulations it took.
    pub runs: u64,
    /// Whether it is a local minimum, proved by having tried everything; not where the runs ran out.
    pub minimal: bool,
}

/// Shrinks a tape that fails, with at most `runs_max` simulations.
///
/// `still_fails` runs the simulation once with the choices that it is given, and says what they drew
/// if it fails in the same way.
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
/// Never: it only goes on from smaller tapes.
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
