//! Operations on a store, as data.

use std::fmt;
use std::sync::Arc;

use crashpoint::CheckpointRow;

/// An operation on a run of a script. Runs are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Appends the next row of a run.
    Append(u8),
    /// Appends another row at the last sequence of a run, which is taken.
    Duplicate(u8),
    /// Appends a row, and drops the future after its first poll, before anything else happens.
    Drop(u8),
    /// Appends a row, and drops the future when everything is done, without reading its answer.
    Abandon(u8),
    /// Loads a run.
    Load(u8),
    /// Clears a run. Its rows begin at 0 again.
    Clear(u8),
}

/// Groups of operations, in order. All operations of a group begin before the first is awaited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    groups: Vec<Group>,
    blob_bytes: usize,
}

/// A part of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Group {
    Together(Vec<Op>),
    /// Closes the store and opens it again.
    Reopen,
}

/// An operation with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// The index of the operation in the script, from 0.
    pub(crate) index: usize,
    pub(crate) run: String,
    pub(crate) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Append {
        row: Arc<CheckpointRow>,
        dropped: Option<Dropped>,
    },
    Load,
    Clear,
}

/// When a future is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dropped {
    BeforeItIsDone,
    Unheard,
}

/// A part of a script with its requests.
pub(crate) enum Requests {
    Together(Vec<Request>),
    Reopen,
}

impl Script {
    /// An empty script. Its rows will carry a blob of this many bytes.
    pub fn new(blob_bytes: usize) -> Self {
        let groups = Vec::new();
        Self { groups, blob_bytes }
    }

    /// Adds operations, each awaited before the next begins.
    #[must_use]
    pub fn then(mut self, ops: impl IntoIterator<Item = Op>) -> Self {
        let alone = ops.into_iter().map(|op| Group::Together(vec![op]));
        self.groups.extend(alone);
        self
    }

    /// Adds a group of operations, which all begin before the first is awaited.
    #[must_use]
    pub fn together(mut self, ops: impl IntoIterator<Item = Op>) -> Self {
        self.groups.push(Group::Together(ops.into_iter().collect()));
        self
    }

    /// Closes the store and opens it again.
    #[must_use]
    pub fn reopen(mut self) -> Self {
        self.groups.push(Group::Reopen);
        self
    }

    /// Rows of three runs, duplicates, loads, a clear, concurrent operations, a dropped operation,
    /// and a clean close in between.
    pub fn mixed() -> Self {
        use Op::{Append, Clear, Drop, Duplicate, Load};
        Self::new(100)
            .then([Append(0), Append(0), Duplicate(0), Load(0), Append(1)])
            .together([Append(0), Append(1), Duplicate(1), Append(2), Load(0)])
            .then([Drop(1), Append(1), Clear(0), Append(0)])
            .reopen()
            .together([Append(2), Clear(1), Append(1), Load(2)])
            .then([Append(0), Clear(2), Load(2)])
    }

    /// Batches with every kind of content, in every order that matters: appends of many runs,
    /// consecutive appends to one run, duplicates of rows before the batch and within it, a clear
    /// between old and new rows, loads between writes, dropped futures.
    pub fn batches() -> Self {
        use Op::{Abandon, Append, Clear, Drop, Duplicate, Load};
        Self::new(100)
            .together((0..6).map(Append))
            .together([
                Append(0),
                Duplicate(0),
                Append(1),
                Append(0),
                Duplicate(2),
                Load(3),
            ])
            .together([Append(3), Clear(0), Append(0), Clear(1), Load(4), Append(4)])
            .together([Drop(2), Append(5), Abandon(3), Append(1), Clear(4)])
            .reopen()
            .together([
                Append(2),
                Load(2),
                Append(2),
                Clear(2),
                Append(2),
                Duplicate(2),
            ])
            .together([Clear(0), Clear(1), Clear(3), Append(5), Load(5)])
    }

    /// This many transactions: rows of four runs in turn.
    pub fn appends(transactions: usize) -> Self {
        let runs = (0..4).cycle().take(transactions);
        Self::new(100).then(runs.map(Op::Append))
    }

    /// The script with its rows. All rows differ, so each identifies its sender.
    pub(crate) fn requests(&self) -> Vec<Requests> {
        let mut next = [0_u64; 1 << u8::BITS];
        let mut index = 0;
        let mut request = |op: &Op| {
            let (run, what) = self.request(op, index, &mut next);
            index += 1;
            let run = format!("run-{run}");
            Request {
                index: index - 1,
                run,
                what,
            }
        };
        let groups = self.groups.iter().map(|group| match group {
            Group::Reopen => Requests::Reopen,
            Group::Together(ops) => Requests::Together(ops.iter().map(&mut request).collect()),
        });
        groups.collect()
    }

    fn request(&self, op: &Op, index: usize, next: &mut [u64]) -> (u8, What) {
        let row = |sequence: u64| {
            let blob = (0..self.blob_bytes).map(|at| (at + index) as u8).collect();
            let row = CheckpointRow::new(sequence, format!("state-{index}"), "task");
            Arc::new(row.with_output(blob))
        };
        match *op {
            Op::Append(run) | Op::Drop(run) | Op::Abandon(run) => {
                let sequence = next[usize::from(run)];
                next[usize::from(run)] += 1;
                let dropped = match op {
                    Op::Drop(_) => Some(Dropped::BeforeItIsDone),
                    Op::Abandon(_) => Some(Dropped::Unheard),
                    _ => None,
                };
                (
                    run,
                    What::Append {
                        row: row(sequence),
                        dropped,
                    },
                )
            }
            Op::Duplicate(run) => {
                let row = row(next[usize::from(run)].saturating_sub(1));
                (run, What::Append { row, dropped: None })
            }
            Op::Load(run) => (run, What::Load),
            Op::Clear(run) => {
                next[usize::from(run)] = 0;
                (run, What::Clear)
            }
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, run, what } = self;
        match what {
            What::Append { row, dropped } => {
                let dropped = match dropped {
                    Some(Dropped::BeforeItIsDone) => "dropped ",
                    Some(Dropped::Unheard) => "unheard ",
                    None => "",
                };
                let sequence = row.sequence;
                write!(
                    f,
                    "{dropped}append of row {sequence} to {run} (operation {index})"
                )
            }
            What::Load => write!(f, "load of {run} (operation {index})"),
            What::Clear => write!(f, "clear of {run} (operation {index})"),
        }
    }
}
