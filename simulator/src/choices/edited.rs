//! Choices from a tape that was edited, which fits its simulation no longer.
//!
//! Where a draw is taken out of a tape, or chooses something else, the simulation takes another
//! course: draws vanish, others appear, and by position every choice behind would mean something
//! else. So a choice is found by its label here. Most labels are the name of a crash point, which a
//! simulation passes once; draws that share a label are told apart by their order, and one that is
//! taken out moves those of its own label up and no others.

use std::collections::BTreeMap;

use crate::choices::{Choices, Tape};

/// Draws what a tape says under the same label: the first choice for the first draw of the label
/// and so on. What the tape does not say is `0`, and a choice that is too large is the largest.
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

/// What is left to choose under a label.
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

    /// Choices, each with its label. Two lists that can't be told apart by drawing are equal.
    pub fn of<L: AsRef<str>>(choices: impl IntoIterator<Item = (L, usize)>) -> Self {
        let choices: Vec<(L, usize)> = choices.into_iter().collect();
        // A tape has thousands of draws and few that choose anything. The shrinker edits it as often,
        // so a label that is never interesting must cost nothing but the look for it.
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

    /// The choices other than `0`: the label, how many draws of it come before, and what is chosen.
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
