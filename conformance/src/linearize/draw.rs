//! Draws a window: one line for each operation, from its beginning to its end.

use std::collections::BTreeMap;
use std::fmt;

use super::{Answer, Call, Operation, Start, Window};

/// Columns between two instants.
const STEP: usize = 2;

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the run holds {}", Rows(&pairs(&self.start)))?;
        let columns = columns(&self.operations);
        let width = columns.values().max().map_or(0, |last| last + 1);
        for (index, operation) in self.operations.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            let bar = bar(operation, &columns, width);
            write!(f, "caller {} {bar} {}", operation.caller, operation.call)?;
            if operation.ended.is_none() {
                f.write_str(" (later)")?;
            }
        }
        Ok(())
    }
}

/// The column of each tick. Ticks without an event of the window take no column.
fn columns(operations: &[Operation]) -> BTreeMap<u64, usize> {
    let ticks = operations
        .iter()
        .flat_map(|operation| [Some(operation.begun), operation.ended]);
    let mut columns: BTreeMap<u64, usize> = ticks.flatten().map(|tick| (tick, 0)).collect();
    for (index, column) in columns.values_mut().enumerate() {
        *column = index * STEP;
    }
    columns
}

fn bar(operation: &Operation, columns: &BTreeMap<u64, usize>, width: usize) -> String {
    let from = columns[&operation.begun];
    let until = operation.ended.map(|ended| columns[&ended]);
    let drawn = (0..width).map(|column| match until {
        _ if column == from => '|',
        Some(until) if column == until => '|',
        Some(until) if column > from && column < until => '-',
        // It has no answer within the drawing.
        None if column > from => '.',
        _ => ' ',
    });
    drawn.collect()
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Append {
                sequence,
                mark,
                answer,
            } => {
                let answer = match answer {
                    Answer::Stored => "Ok",
                    Answer::Taken => "conflict",
                    Answer::Unknown => "another error",
                };
                write!(f, "append {} -> {answer}", Row(*sequence, *mark))
            }
            Self::Load { rows: Some(rows) } => write!(f, "load -> {}", Rows(rows)),
            Self::Load { rows: None } => write!(f, "load -> an error"),
            Self::Clear { done: true } => write!(f, "clear -> Ok"),
            Self::Clear { done: false } => write!(f, "clear -> an error"),
        }
    }
}

fn pairs(start: &Start) -> Vec<(u64, u32)> {
    start
        .iter()
        .map(|(sequence, mark)| (*sequence, *mark))
        .collect()
}

/// A row as its sequence and its mark.
struct Row(u64, u32);

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            super::MARK_FOREIGN => write!(f, "{}=?", self.0),
            mark => write!(f, "{}=r{mark}", self.0),
        }
    }
}

struct Rows<'a>(&'a [(u64, u32)]);

impl fmt::Display for Rows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (index, (sequence, mark)) in self.0.iter().enumerate() {
            let space = if index > 0 { " " } else { "" };
            write!(f, "{space}{}", Row(*sequence, *mark))?;
        }
        f.write_str("]")
    }
}
