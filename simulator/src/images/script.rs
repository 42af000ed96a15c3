//! What is done with a store, as data.

use std::fmt;

use crashpoint::CheckpointRow;

/// An operation on one of a script's runs, which are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Appends the next row of a run.
    Append(u8),
    /// Appends another row at the last sequence of a run, which is taken.
    Duplicate(u8),
    /// The same as an append, and the future is dropped after its first poll, before anything else
    /// is done.
    Drop(u8),
    /// The same as an append, and the future is dropped once everything is done, with its answer
    /// unheard.
    Abandon(u8),
    /// Loads a run.
    Load(u8),
    /// Clears a run; its rows begin at 0 again.
    Clear(u8),
}

/// Operations in order. Those of one group are all begun before the first of them is awaited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    groups: Vec<Group>,
    blob_bytes: usize,
}

/// A part of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Group {
    Together(Vec<Op>),
    /// The store is closed and opened again.
    Reopen,
}

/// An operation with everything that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// Which operation of the script it is, from 0.
    pub(crate) index: usize,
    pub(crate) run: String,
    pub(crate) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Append {
        row: CheckpointRow,
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
    /// A script that does nothing. Its rows will carry a blob of this many bytes.
    pub fn new(blob_bytes: usize) -> Self {
        let groups = Vec::new();
        Self { groups, blob_bytes }
    }

    /// Every operation awaited before the next one begins.
    #[must_use]
    pub fn then(mut self, ops: impl IntoIterator<Item = Op>) -> Self {
        let alone = ops.into_iter().map(|op| Group::Together(vec![op]));
        self.groups.extend(alone);
        self
    }

    /// All of these begun before the first of them is awaited.
    #[must_use]
    pub fn together(mut self, ops: impl IntoIterator<Item = Op>) -> Self {
        self.groups.push(Group::Together(ops.into_iter().collect()));
        self
    }

    /// The store closed and opened again.
    #[must_use]
    pub fn reopen(mut self) -> Self {
        self.groups.push(Group::Reopen);
        self
    }

    /// Rows to three runs, duplicates, loads, a clear, operations begun together, one that is
    /// dropped, and a clean close in between.
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

    /// Batches: everything that may be in one, in every order that matters. Appends of many runs, one
    /// after the other to the same run, duplicates of rows before the batch and within it, a clear
    /// between the rows of before and of after, loads between writes, futures that are dropped.
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

    /// So many transactions: rows to four runs in turn.
    pub fn appends(transactions: usize) -> Self {
        let runs = (0..4).cycle().take(transactions);
        Self::new(100).then(runs.map(Op::Append))
    }

    /// The script with its rows. Each row is another, so that whatever is found tells who sent it.
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
            CheckpointRow::new(sequence, format!("state-{index}"), "task").with_output(blob)
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
