//! The edits that the shrinker tries.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::{SmolStr, format_smolstr};

use crate::choices::{Edited, PLAN, Tape};

/// A change of a tape. Positions are indices of its draws.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edit {
    /// Removes these draws from the tape.
    Delete(Vec<usize>),
    /// Sets these draws to `0`.
    Calm(Vec<usize>),
    /// Lowers the choice of this draw.
    Lower { draw: usize, to: usize },
    /// Removes one draw, and moves another.
    Merge(Merge),
}

/// Turns two interesting draws into one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Merge {
    /// The draw to remove.
    removed: usize,
    /// The draw to move.
    moved: usize,
    /// The label to which it moves, and its choice there.
    label: SmolStr,
    to: usize,
    /// The number to subtract from the numbers of the lives after the removed draw. Without a crash
    /// there is one life less, or two if the crash came before the first row.
    down: u32,
}

impl Edit {
    /// The tape with this change.
    pub(crate) fn of(&self, tape: &Tape) -> Edited {
        if let Self::Merge(merge) = self {
            return merge.of(tape);
        }
        let draws = tape.0.iter().enumerate().filter_map(|(at, draw)| {
            let chosen = match self {
                Self::Delete(removed) if removed.contains(&at) => return None,
                Self::Calm(calm) if calm.contains(&at) => 0,
                Self::Lower { draw, to } if *draw == at => *to,
                _ => draw.chosen,
            };
            Some((draw.label.as_str(), chosen))
        });
        Edited::of(draws)
    }
}

impl Merge {
    fn of(&self, tape: &Tape) -> Edited {
        assert_ne!(
            self.removed, self.moved,
            "a merge is made of two different draws"
        );
        let from = life(&tape.0[self.removed].label);
        let mut kept: Vec<(SmolStr, usize)> = Vec::new();
        for (at, draw) in tape.0.iter().enumerate() {
            // A calm draw of a life needs no place, because a missing draw is calm.
            let idle = draw.chosen == 0 && life(&draw.label).is_some();
            if idle || at == self.removed || at == self.moved {
                continue;
            }
            let label = (life(&draw.label) > from).then(|| earlier(&draw.label, self.down));
            let label = label.flatten();
            kept.push((label.unwrap_or_else(|| draw.label.clone()), draw.chosen));
        }
        kept.push((self.label.clone(), self.to));
        Edited::of(kept)
    }
}

/// The number of the life in the name of an instant such as `life2/append#3:before`, or
/// `life2@run-1/append#3:before` where a simulation has several runs.
fn life(label: &str) -> Option<u32> {
    let (number, _) = label.strip_prefix("life")?.split_once(BEHIND_LIFE)?;
    number.parse().ok()
}

/// What may follow the number of a life.
const BEHIND_LIFE: [char; 2] = ['/', '@'];

/// The same instant, `lives` lives earlier.
fn earlier(label: &str, lives: u32) -> Option<SmolStr> {
    let earlier = life(label)?.checked_sub(lives).filter(|life| *life > 0)?;
    let instant = &label[label.find(BEHIND_LIFE)?..];
    Some(format_smolstr!("life{earlier}{instant}"))
}

/// All edits of a tape except merges. Edits that remove much come first; the removal of every
/// single draw and the lowering of every single choice come last.
pub(crate) fn edits(tape: &Tape) -> Vec<Edit> {
    let interesting: Vec<usize> = tape.interesting().map(|(at, _)| at).collect();
    let mut edits = halves(&interesting);
    edits.extend(groups(tape));
    for &draw in &interesting {
        edits.extend((0..tape.0[draw].chosen).map(|to| Edit::Lower { draw, to }));
    }
    edits.extend(deletions(tape));
    edits
}

/// The removal of every draw that matters. A draw does not matter if it chooses `0` and no later
/// draw of its label chooses anything else. Most draws do not matter.
fn deletions(tape: &Tape) -> Vec<Edit> {
    let mut interesting: BTreeSet<&str> = BTreeSet::new();
    let mut relevant: Vec<usize> = Vec::new();
    for (at, draw) in tape.0.iter().enumerate().rev() {
        if draw.chosen != 0 {
            interesting.insert(&draw.label);
        }
        if interesting.contains(draw.label.as_str()) {
            relevant.push(at);
        }
    }
    let relevant = relevant.into_iter().rev();
    relevant.map(|at| Edit::Delete(vec![at])).collect()
}

/// All interesting draws, each half of them, each quarter and so on, down to two draws.
fn halves(interesting: &[usize]) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut size = interesting.len();
    while size > 1 {
        let chunks = interesting.chunks(size);
        edits.extend(chunks.map(|chunk| Edit::Calm(chunk.to_vec())));
        size = size.div_ceil(2).min(size - 1);
    }
    edits
}

/// The draws of each part of a plan, such as a state of a workflow. The labels of a part differ
/// only after the last slash; the first draws of each label form the first part, the second draws
/// the second, and so on.
fn groups(tape: &Tape) -> Vec<Edit> {
    let mut met: BTreeMap<&str, usize> = BTreeMap::new();
    let mut groups: BTreeMap<(&str, usize), Vec<usize>> = BTreeMap::new();
    for (at, draw) in tape.0.iter().enumerate() {
        if !draw.label.starts_with(PLAN) {
            continue;
        }
        let before = met.entry(&draw.label).or_default();
        let part = draw.label.rsplit_once('/').map_or("", |(part, _)| part);
        groups.entry((part, *before)).or_default().push(at);
        *before += 1;
    }
    groups.into_values().map(Edit::Delete).collect()
}

/// The highest number of lives that one fault adds.
const LIVES_LESS_MAX: u32 = 2;

/// Every way to replace two faults by one. Removing a fault is often not enough, because it changes
/// the meaning of the other choices: the run continues elsewhere or in an earlier life, or a fault
/// becomes possible that the budget did not allow before. So the other fault is tried, with every
/// choice, at every instant with the same name except for numbers.
pub(crate) fn merges(tape: &Tape) -> Vec<Edit> {
    let faults = tape.interesting().map(|(at, _)| at);
    let faults: Vec<usize> = faults
        .filter(|at| life(&tape.0[*at].label).is_some())
        .collect();
    let faults = faults.iter().map(|fault| (*fault, places(tape, *fault)));
    let faults: Vec<(usize, BTreeSet<(SmolStr, usize)>)> = faults.collect();
    let pairs = faults.iter().flat_map(|(removed, _)| {
        let moved = faults.iter().filter(move |(moved, _)| moved != removed);
        moved.map(move |(moved, places)| (*removed, *moved, places))
    });
    let mut merges = Vec::new();
    for (removed, moved, places) in pairs {
        for &(ref label, most) in places {
            for (down, to) in
                (0..=LIVES_LESS_MAX).flat_map(|down| (1..=most).map(move |to| (down, to)))
            {
                let label = label.clone();
                merges.push(Edit::Merge(Merge {
                    removed,
                    moved,
                    label,
                    to,
                    down,
                }));
            }
        }
    }
    merges
}

/// The places to which a fault can move, each with its highest possible choice.
fn places(tape: &Tape, fault: usize) -> BTreeSet<(SmolStr, usize)> {
    let without_digits = |label: &str| label.replace(|c: char| c.is_ascii_digit(), "");
    let name = without_digits(&tape.0[fault].label);
    let alike = tape
        .0
        .iter()
        .filter(|draw| without_digits(&draw.label) == name);
    let each = alike.flat_map(|draw| {
        let places = (0..=LIVES_LESS_MAX).filter_map(|down| earlier(&draw.label, down));
        places.map(|label| (label, draw.n))
    });
    each.collect()
}
