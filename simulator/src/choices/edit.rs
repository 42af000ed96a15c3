//! What the shrinker tries with a tape.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::{SmolStr, format_smolstr};

use crate::choices::{Edited, PLAN, Tape};

/// A change of a tape. Positions are those of its draws.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edit {
    /// These draws are not on the tape.
    Delete(Vec<usize>),
    /// These draws choose `0`.
    Calm(Vec<usize>),
    /// This draw chooses less.
    Lower { draw: usize, to: usize },
    /// One draw is not made, and another one is made elsewhere.
    Merge(Merge),
}

/// Two interesting draws become one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Merge {
    /// The draw that is not made any more.
    gone: usize,
    /// The draw that is made elsewhere.
    moved: usize,
    /// Where, and what it chooses there.
    label: SmolStr,
    to: usize,
    /// By how much the lives after that of the one that is gone are counted down: without a crash
    /// there is a life less, or two where the crash came before the first row.
    down: u32,
}

impl Edit {
    /// The tape, with this change.
    pub(crate) fn of(&self, tape: &Tape) -> Edited {
        if let Self::Merge(merge) = self {
            return merge.of(tape);
        }
        let draws = tape.0.iter().enumerate().filter_map(|(at, draw)| {
            let chosen = match self {
                Self::Delete(gone) if gone.contains(&at) => return None,
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
            self.gone, self.moved,
            "a merge is made of two different draws"
        );
        let from = life(&tape.0[self.gone].label);
        let mut kept: Vec<(SmolStr, usize)> = Vec::new();
        for (at, draw) in tape.0.iter().enumerate() {
            // A calm draw of a life needs no place: what is not said is calm.
            let idle = draw.chosen == 0 && life(&draw.label).is_some();
            if idle || at == self.gone || at == self.moved {
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

/// Which life an instant such as `life2/append#3:before` belongs to.
fn life(label: &str) -> Option<u32> {
    let (number, _) = label.strip_prefix("life")?.split_once('/')?;
    number.parse().ok()
}

/// The same instant so many lives earlier.
fn earlier(label: &str, lives: u32) -> Option<SmolStr> {
    let earlier = life(label)?.checked_sub(lives).filter(|life| *life > 0)?;
    let (_, instant) = label.split_once('/')?;
    Some(format_smolstr!("life{earlier}/{instant}"))
}

/// Everything that is tried with a tape: what takes much away first, and last every single draw that
/// is taken out and every single choice that is lowered.
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

/// Every draw taken out, but those that nobody could miss: a draw that chooses `0` and that none of its
/// label comes after which chooses anything. Most draws are such.
fn deletions(tape: &Tape) -> Vec<Edit> {
    let mut interesting: BTreeSet<&str> = BTreeSet::new();
    let mut missed: Vec<usize> = Vec::new();
    for (at, draw) in tape.0.iter().enumerate().rev() {
        if draw.chosen != 0 {
            interesting.insert(&draw.label);
        }
        if interesting.contains(draw.label.as_str()) {
            missed.push(at);
        }
    }
    let missed = missed.into_iter().rev();
    missed.map(|at| Edit::Delete(vec![at])).collect()
}

/// All that is interesting, either half of it, each quarter and so on, down to two draws.
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

/// The draws of one part of a plan, such as a state of a workflow: those whose labels differ only
/// behind the last slash, and that come as the first of their label, as the second, and so on.
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

/// How many lives one fault brings about at most.
const LIVES_LESS_MAX: u32 = 2;

/// Every way in which two faults could be one. To take one out is often not enough, since what the
/// others choose then means something else: the run goes on elsewhere, in an earlier life, or has a
/// fault to choose that it could not afford before. So the other one is tried wherever an instant
/// has the same name but for its numbers, with every choice.
pub(crate) fn merges(tape: &Tape) -> Vec<Edit> {
    let faults = tape.interesting().map(|(at, _)| at);
    let faults: Vec<usize> = faults
        .filter(|at| life(&tape.0[*at].label).is_some())
        .collect();
    let faults = faults.iter().map(|fault| (*fault, places(tape, *fault)));
    let faults: Vec<(usize, BTreeSet<(SmolStr, usize)>)> = faults.collect();
    let pairs = faults.iter().flat_map(|(gone, _)| {
        let moved = faults.iter().filter(move |(moved, _)| moved != gone);
        moved.map(move |(moved, places)| (*gone, *moved, places))
    });
    let mut merges = Vec::new();
    for (gone, moved, places) in pairs {
        for &(ref label, most) in places {
            for (down, to) in
                (0..=LIVES_LESS_MAX).flat_map(|down| (1..=most).map(move |to| (down, to)))
            {
                let label = label.clone();
                merges.push(Edit::Merge(Merge {
                    gone,
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

/// Where a fault could be as well, with the most that it could choose there.
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
