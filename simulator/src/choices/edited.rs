//! Choices from an edited tape, which no longer fits its simulation exactly.
//!
//! After an edit the simulation runs differently: draws vanish and others appear. By position,
//! every later choice would then mean something else, so choices are matched by label. Most labels
//! are the name of a crash point, which a simulation passes once. Draws with the same label are
//! distinguished by their order; removing one moves up the later draws of its label and no others.

use std::collections::BTreeMap;

use crate::choices::{Choices, Tape};

/// Draws the choices of a tape by label: the first choice for the first draw of the label, and so
/// on. A draw missing on the tape is `0`. A choice that is too large becomes the largest possible.
///
/// ```
/// use crashpoint_simulator::Choices as _;
/// use crashpoint_simulator::choices::Edited;
///
/// let mut choices = Edited::of([("who?", 0), ("who?", 2), ("crash?", 1)]);
/// assert_eq!(choices.choose("crash?", 2), 1);
/// assert_eq!(choices.choose("who?", 3), 0);
/// assert_eq!(choices.choose("power?", 2), 0);
/// assert_eq!(choices.choose("who?", 2), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edited {
    script: BTreeMap<String, Choice>,
}

/// The remaining choices of a label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Choice {
    choices: Vec<usize>,
    made: usize,
}

impl Edited {
    /// The choices of a tape.
    pub fn new(tape: &Tape) -> Self {
        Self::of(tape.0.iter().map(|draw| (draw.label.as_str(), draw.chosen)))
    }

    /// Choices, each with its label. Two lists are equal if no sequence of draws distinguishes
    /// them.
    pub fn of<L: AsRef<str>>(choices: impl IntoIterator<Item = (L, usize)>) -> Self {
        let choices: Vec<(L, usize)> = choices.into_iter().collect();
        // A tape has thousands of draws, and few of them are interesting. The shrinker edits it as
        // many times, so a label that is never interesting must cost nothing but one lookup.
        let mut script: BTreeMap<String, Choice> = BTreeMap::new();
        for (label, _) in choices.iter().filter(|(_, chosen)| *chosen != 0) {
            script.entry(label.as_ref().to_owned()).or_default();
        }
        for (label, chosen) in &choices {
            if let Some(choice) = script.get_mut(label.as_ref()) {
                choice.choices.push(*chosen);
            }
        }
        for choice in script.values_mut() {
            let used = choice.choices.iter().rposition(|chosen| *chosen != 0);
            choice.choices.truncate(used.map_or(0, |last| last + 1));
        }
        Self { script }
    }

    /// The choices other than `0`: the label, the number of earlier draws of that label, and the
    /// choice.
    pub fn interesting(&self) -> impl Iterator<Item = (&str, usize, usize)> {
        self.script.iter().flat_map(|(label, choice)| {
            let each = choice.choices.iter().copied().enumerate();
            let some = each.filter(|(_, chosen)| *chosen != 0);
            some.map(|(before, chosen)| (label.as_str(), before, chosen))
        })
    }
}

impl Choices for Edited {
    fn choose(&mut self, label: &str, n: usize) -> usize {
        let Some(choice) = self.script.get_mut(label) else {
            return 0;
        };
        let chosen = choice.choices.get(choice.made).copied().unwrap_or(0);
        choice.made += 1;
        chosen.min(n - 1)
    }
}
