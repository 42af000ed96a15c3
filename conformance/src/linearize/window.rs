//! From a history that no order explains to the few operations that are enough to say so.

use std::collections::BTreeSet;

use super::search::{explains, only_end};
use super::{Call, Operation, Start};

/// A part of a history that no order explains, and what the run held before it. Its
/// [`Display`](std::fmt::Display) draws it, time to the right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// What the run held: the mark of the row at each sequence.
    pub start: Start,
    /// The operations, by their beginnings.
    pub operations: Vec<Operation>,
}

/// Takes away what is not needed. Every step leaves a history that holds whenever the whole holds, so
/// what is left is a witness against the store:
///
/// - what began after the answer that can't be explained,
/// - what only looked,
/// - a sequence, in everything that names it, as if nobody had used it,
/// - whatever ended before all of the rest began, where it can have led to one state only.
pub(super) fn smallest(operations: &[Operation], start: &Start) -> Option<Window> {
    if explains(operations, start) {
        return None;
    }
    let mut window = Window {
        start: start.clone(),
        operations: operations.to_vec(),
    };
    window.operations.sort_by_key(|operation| operation.begun);
    window.cut_the_end();
    window.cut_the_beginning();
    loop {
        let before = window.operations.len();
        window.drop_looks();
        window.drop_sequences();
        if window.operations.len() == before {
            return Some(window);
        }
    }
}

impl Window {
    fn fails(&self) -> bool {
        !explains(&self.operations, &self.start)
    }

    fn cut_the_end(&mut self) {
        let mut ends: Vec<u64> = self
            .operations
            .iter()
            .filter_map(|operation| operation.ended)
            .collect();
        ends.sort_unstable();
        let first = ends.into_iter().map(|end| self.until(end));
        if let Some(first) = first
            .into_iter()
            .find(|window| !explains(window, &self.start))
        {
            self.operations = first;
        }
    }

    /// The history as it stood at the tick `end`: what had no answer yet may or may not have taken
    /// effect, which is what an answer of no certainty says.
    fn until(&self, end: u64) -> Vec<Operation> {
        let begun = self.operations.iter().filter(|one| one.begun <= end);
        let cut = begun.map(|operation| {
            let mut operation = operation.clone();
            operation.ended = operation.ended.filter(|ended| *ended <= end);
            operation
        });
        cut.filter(|one| one.ended.is_some() || !one.only_looks())
            .collect()
    }

    fn cut_the_beginning(&mut self) {
        for index in (1..self.operations.len()).rev() {
            let (before, rest) = self.operations.split_at(index);
            let quiet = before.iter().all(|one| one.end() < rest[0].begun);
            // Without an operation that has changed something there is no story.
            if !quiet || rest.iter().all(Operation::only_looks) {
                continue;
            }
            if let Some(start) = only_end(before, &self.start)
                && !explains(rest, &start)
            {
                self.start = start;
                self.operations = rest.to_vec();
                return;
            }
        }
    }

    fn drop_looks(&mut self) {
        for index in (0..self.operations.len()).rev() {
            if self.operations[index].only_looks() {
                let mut fewer = self.clone();
                fewer.operations.remove(index);
                if fewer.fails() {
                    *self = fewer;
                }
            }
        }
    }

    fn drop_sequences(&mut self) {
        let mut named: BTreeSet<u64> = self.start.keys().copied().collect();
        for operation in &self.operations {
            match &operation.call {
                Call::Append { sequence, .. } => _ = named.insert(*sequence),
                Call::Load { rows: Some(rows) } => named.extend(rows.iter().map(|row| row.0)),
                Call::Load { rows: None } | Call::Clear { .. } => {}
            }
        }
        for sequence in named {
            let fewer = self.without(sequence);
            if fewer.fails() {
                *self = fewer;
            }
        }
    }

    fn without(&self, unwanted: u64) -> Self {
        let mut fewer = self.clone();
        fewer.start.remove(&unwanted);
        fewer.operations.retain(|operation| {
            !matches!(operation.call, Call::Append { sequence, .. } if sequence == unwanted)
        });
        for operation in &mut fewer.operations {
            if let Call::Load { rows: Some(rows) } = &mut operation.call {
                rows.retain(|(sequence, _)| *sequence != unwanted);
            }
        }
        fewer
    }
}
