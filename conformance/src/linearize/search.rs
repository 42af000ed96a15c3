//! The search for an order that explains a history.

use std::collections::{BTreeMap, BTreeSet};

use super::{Answer, Call, OPERATIONS_MAX, Operation, Start};

/// The mark at each slot, plus 1; 0 for no row. A slot is a sequence that the history names.
type State = Vec<u64>;

/// An operation on slots.
struct Step {
    begun: u64,
    end: u64,
    certain: bool,
    effect: Effect,
}

enum Effect {
    Store {
        slot: usize,
        mark: u64,
    },
    Refuse {
        slot: usize,
    },
    Show(State),
    /// Rows that no append of the history has written.
    ShowImpossible,
    Nothing,
    Clear,
}

/// Whether one order of `operations` explains every answer.
pub(super) fn explains(operations: &[Operation], start: &Start) -> bool {
    let (mut search, state) = Search::new(operations, start);
    assert!(
        search.ends.is_none(),
        "an answer is enough, so no end is kept"
    );
    search.go_on(0, &state)
}

/// The state after every order that explains the operations, if there is an order and all lead to the same
/// state.
pub(super) fn only_end(operations: &[Operation], start: &Start) -> Option<Start> {
    let (mut search, state) = Search::new(operations, start);
    search.ends = Some(BTreeSet::new());
    search.go_on(0, &state);
    let mut ends = search.ends.unwrap_or_default().into_iter();
    let end = ends.next().filter(|_| ends.next().is_none())?;
    let named = search.sequences.iter().zip(end);
    let held = named.filter(|(_, mark)| *mark > 0);
    Some(
        held.map(|(sequence, mark)| (*sequence, (mark - 1) as u32))
            .collect(),
    )
}

struct Search {
    steps: Vec<Step>,
    sequences: Vec<u64>,
    /// The operations that must take effect.
    certain: u128,
    seen: BTreeSet<(u128, State)>,
    /// The final states found so far, if all are wanted.
    ends: Option<BTreeSet<State>>,
}

impl Search {
    fn new(operations: &[Operation], start: &Start) -> (Self, State) {
        let mut sequences: BTreeSet<u64> = start.keys().copied().collect();
        for operation in operations {
            match &operation.call {
                Call::Append { sequence, .. } => _ = sequences.insert(*sequence),
                Call::Load { rows: Some(rows) } => {
                    sequences.extend(rows.iter().map(|(sequence, _)| sequence));
                }
                Call::Load { rows: None } | Call::Clear { .. } => {}
            }
        }
        let sequences: Vec<u64> = sequences.into_iter().collect();
        let slots = sequences.iter().copied().zip(0..).collect();
        let steps: Vec<Step> = operations
            .iter()
            .map(|operation| Step::of(operation, &slots))
            .collect();
        let mut state = vec![0; sequences.len()];
        for (sequence, mark) in start {
            state[slots[sequence]] = u64::from(*mark) + 1;
        }
        // `History::push` refuses more, and a window is a part of a history.
        assert!(
            steps.len() <= OPERATIONS_MAX,
            "each step has a bit in the set of those that are done"
        );
        assert_eq!(state.len(), sequences.len(), "each sequence has a slot");
        let certain = steps.iter().enumerate().filter(|(_, step)| step.certain);
        let certain = certain.fold(0, |set, (index, _)| set | 1 << index);
        let search = Self {
            steps,
            sequences,
            certain,
            seen: BTreeSet::new(),
            ends: None,
        };
        (search, state)
    }

    /// Whether an order of the steps outside `done` explains them, from `state` on.
    fn go_on(&mut self, mut done: u128, state: &State) -> bool {
        // A read whose answer is right now may happen now: it changes nothing.
        while let Some(index) = self.reads_now(done, state) {
            done |= 1 << index;
        }
        // `ready` names only steps, and only those outside of `done`.
        let beyond = done.checked_shr(self.steps.len() as u32).unwrap_or(0);
        assert_eq!(beyond, 0, "only steps are done");
        assert_eq!(
            state.len(),
            self.sequences.len(),
            "no step changes the slots"
        );
        if done & self.certain == self.certain {
            match &mut self.ends {
                None => return true,
                Some(ends) => _ = ends.insert(state.clone()),
            }
        }
        if !self.seen.insert((done, state.clone())) {
            return false;
        }
        for index in self.ready(done) {
            if let Some(next) = self.steps[index].changed(state)
                && self.go_on(done | 1 << index, &next)
            {
                return true;
            }
        }
        false
    }

    fn reads_now(&self, done: u128, state: &[u64]) -> Option<usize> {
        let mut ready = self.ready(done).into_iter();
        ready.find(|&index| self.steps[index].sees(state))
    }

    /// The steps that may take effect next: those outside `done` that began before the first of them ended.
    fn ready(&self, done: u128) -> Vec<usize> {
        let left = || {
            let numbered = self.steps.iter().enumerate();
            numbered.filter(move |(index, _)| done & 1 << index == 0)
        };
        let first_end = left().map(|(_, step)| step.end).min().unwrap_or(u64::MAX);
        let ready = left().filter(|(_, step)| step.begun < first_end);
        ready.map(|(index, _)| index).collect()
    }
}

impl Step {
    fn of(operation: &Operation, slots: &BTreeMap<u64, usize>) -> Self {
        let effect = match &operation.call {
            Call::Append {
                sequence,
                answer: Answer::Taken,
                ..
            } => Effect::Refuse {
                slot: slots[sequence],
            },
            Call::Append { sequence, mark, .. } => Effect::Store {
                slot: slots[sequence],
                mark: u64::from(*mark) + 1,
            },
            Call::Load { rows: Some(rows) } => shown(rows, slots),
            Call::Load { rows: None } => Effect::Nothing,
            Call::Clear { .. } => Effect::Clear,
        };
        Self {
            begun: operation.begun,
            end: operation.end(),
            certain: operation.is_certain(),
            effect,
        }
    }

    /// Whether it changes nothing, and its answer is right in `state`.
    fn sees(&self, state: &[u64]) -> bool {
        match &self.effect {
            Effect::Refuse { slot } => state[*slot] > 0,
            Effect::Show(rows) => rows == state,
            Effect::Nothing => true,
            Effect::Store { .. } | Effect::ShowImpossible | Effect::Clear => false,
        }
    }

    /// The state after it, if it is possible and may change something.
    fn changed(&self, state: &[u64]) -> Option<State> {
        let mut next = state.to_vec();
        match self.effect {
            Effect::Store { slot, mark } if state[slot] == 0 => next[slot] = mark,
            Effect::Clear => next.fill(0),
            _ => return None,
        }
        Some(next)
    }
}

fn shown(rows: &[(u64, u32)], slots: &BTreeMap<u64, usize>) -> Effect {
    let mut state = vec![0; slots.len()];
    let mut last = None;
    for (sequence, mark) in rows {
        // Out of order, or twice.
        if last.is_some_and(|last| last >= *sequence) {
            return Effect::ShowImpossible;
        }
        last = Some(*sequence);
        state[slots[sequence]] = u64::from(*mark) + 1;
    }
    Effect::Show(state)
}
