//! Reduces a history that no order explains to the few operations that show it.

use std::collections::BTreeSet;

use super::search::{explains, only_end};
use super::{Call, Operation, Start};

/// A part of a history that no order explains, and the rows of the run before it. Its
/// [`Display`](std::fmt::Display) draws it with time to the right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The rows of the run before the operations: the mark at each sequence.
    pub start: Start,
    /// The operations, in the order of their beginnings.
    pub operations: Vec<Operation>,
}

/// Removes operations while no order explains the rest. If an order explained the whole history, one would
/// explain each reduced history too, so the result is a witness against the store. It removes:
///
/// - operations that began after the answer that can't be explained,
/// - operations that only read,
/// - a sequence, from every operation that names it,
/// - operations that ended before all others began, if they lead to a single state.
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
        window.drop_reads();
        window.drop_sequences();
        if window.operations.len() == before {
            // Each step above keeps its result only if it fails.
            assert!(window.fails(), "no order explains the window");
            let ascends = window
                .operations
                .is_sorted_by_key(|operation| operation.begun);
            assert!(ascends, "a window is in the order of beginnings");
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

    /// The history up to the tick `end`. An operation without an answer by then may or may not have taken
    /// effect, like an operation with an uncertain answer.
    fn until(&self, end: u64) -> Vec<Operation> {
        let begun = self
            .operations
            .iter()
            .filter(|operation| operation.begun <= end);
        let cut = begun.map(|operation| {
            let mut operation = operation.clone();
            operation.ended = operation.ended.filter(|ended| *ended <= end);
            operation
        });
        cut.filter(|operation| operation.ended.is_some() || !operation.only_reads())
            .collect()
    }

    fn cut_the_beginning(&mut self) {
        for index in (1..self.operations.len()).rev() {
            let (before, rest) = self.operations.split_at(index);
            let quiet = before
                .iter()
                .all(|operation| operation.end() < rest[0].begun);
            // A window without a change would not show the cause.
            if !quiet || rest.iter().all(Operation::only_reads) {
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

    fn drop_reads(&mut self) {
        for index in (0..self.operations.len()).rev() {
            if self.operations[index].only_reads() {
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
