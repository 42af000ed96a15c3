//! Operations as values, as text and as code.

use std::fmt::{self, Write};

use crashpoint::{CheckpointRow, RowKind};

use crate::finding::expect::{describe, quote};

/// One of the [`Operations`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// A row is appended to the run.
    Append(String, CheckpointRow),
    /// [Plain](plain) rows with ascending sequences are appended to the run.
    Rows {
        /// The run.
        id: String,
        /// The sequence of the first row.
        from: u64,
        /// How many there are.
        count: u64,
    },
    /// The run is loaded.
    Load(String),
    /// The run is cleared.
    Clear(String),
    /// The store is dropped and opened again.
    Reopen,
}

/// An append of `row` to the run `id`.
pub fn append(id: impl Into<String>, row: CheckpointRow) -> Operation {
    Operation::Append(id.into(), row)
}

/// Appends of `count` [plain] rows to the run `id`, the first at sequence `from`.
pub fn rows_from(id: impl Into<String>, from: u64, count: u64) -> Operation {
    let id = id.into();
    Operation::Rows { id, from, count }
}

/// A load of the run `id`.
pub fn load(id: impl Into<String>) -> Operation {
    Operation::Load(id.into())
}

/// A clear of the run `id`.
pub fn clear(id: impl Into<String>) -> Operation {
    Operation::Clear(id.into())
}

/// The store is dropped and opened again.
pub fn reopen() -> Operation {
    Operation::Reopen
}

/// The simplest row at a sequence.
pub fn plain(sequence: u64) -> CheckpointRow {
    row(sequence, 0, RowKind::StateEntry, None)
}

/// A row whose state and task have the number `mark` in them.
pub fn row(sequence: u64, mark: u8, kind: RowKind, blob: Option<Vec<u8>>) -> CheckpointRow {
    let mut row = CheckpointRow::new(sequence, format!("state {mark}"), format!("task {mark}"));
    row.kind = kind;
    row.output_blob = blob;
    row
}

/// Operations that are performed on a store one after another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Operations {
    list: Vec<Operation>,
}

impl Operations {
    /// These operations, in this order.
    ///
    /// # Panics
    ///
    /// If an operation appends no rows, or rows beyond the sequence `u64::MAX`.
    pub fn new(operations: impl IntoIterator<Item = Operation>) -> Self {
        let list: Vec<Operation> = operations.into_iter().collect();
        for operation in &list {
            if let Operation::Rows { from, count, .. } = operation {
                let rest = u64::MAX - from;
                assert!(
                    *count >= 1 && count - 1 <= rest,
                    "{count} rows from sequence {from} are none or too many"
                );
            }
        }
        Self { list }
    }

    /// The operations, in their order.
    pub fn as_slice(&self) -> &[Operation] {
        &self.list
    }

    /// The operations without number `index`, counted from 0.
    pub(super) fn without(&self, index: usize) -> Self {
        let mut shorter = self.clone();
        shorter.list.remove(index);
        shorter
    }

    /// The operations with number `index` simplified: only its first row, or only its last, is appended.
    /// Empty where that operation does not append several rows.
    pub(super) fn with_one_row(&self, index: usize) -> Vec<Self> {
        let Operation::Rows { id, from, count } = &self.list[index] else {
            return Vec::new();
        };
        let simplified = |sequence| {
            let mut simpler = self.clone();
            simpler.list[index] = append(id.as_str(), plain(sequence));
            simpler
        };
        vec![simplified(*from), simplified(from + (count - 1))]
    }

    /// The operations up to and with number `index`, counted from 0.
    pub(super) fn up_to(&self, index: usize) -> Self {
        Self::new(self.list.iter().take(index + 1).cloned())
    }

    /// Rust code that builds the operations, a line for each, to paste into a test.
    pub fn to_code(&self) -> String {
        let mut code = "Operations::new([\n".to_owned();
        for operation in &self.list {
            let _ = writeln!(code, "    {},", operation.to_code());
        }
        code + "])"
    }
}

impl Operation {
    fn to_code(&self) -> String {
        match self {
            Self::Append(id, row) => format!("append({id:?}, {})", row_to_code(row)),
            Self::Rows { id, from, count } => format!("rows_from({id:?}, {from}, {count})"),
            Self::Load(id) => format!("load({id:?})"),
            Self::Clear(id) => format!("clear({id:?})"),
            Self::Reopen => "reopen()".to_owned(),
        }
    }

    /// The run that it works on.
    pub(super) fn run(&self) -> Option<&str> {
        match self {
            Self::Append(id, _) | Self::Rows { id, .. } | Self::Load(id) | Self::Clear(id) => {
                Some(id)
            }
            Self::Reopen => None,
        }
    }
}

/// The code of a row: a call of [`plain`] or [`row`] where that builds it, or the row in full.
fn row_to_code(given: &CheckpointRow) -> String {
    let sequence = given.sequence;
    if *given == plain(sequence) {
        return format!("plain({sequence})");
    }
    let mark = given.state.strip_prefix("state ");
    let mark: Option<u8> = mark.and_then(|mark| mark.parse().ok());
    let (kind, blob) = (given.kind, &given.output_blob);
    match mark {
        Some(mark) if row(sequence, mark, kind, blob.clone()) == *given => {
            let blob = match blob {
                Some(bytes) => format!("Some(vec!{bytes:?})"),
                None => "None".to_owned(),
            };
            format!("row({sequence}, {mark}, RowKind::{kind:?}, {blob})")
        }
        _ => format!("{given:?}"),
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Append(id, row) => write!(f, "append {} to run {}", describe(row), quote(id)),
            Self::Rows { id, from, count } => {
                let last = from + (count - 1);
                write!(f, "append plain rows {from} to {last} to run {}", quote(id))
            }
            Self::Load(id) => write!(f, "load run {}", quote(id)),
            Self::Clear(id) => write!(f, "clear run {}", quote(id)),
            Self::Reopen => f.write_str("drop the store and open it again"),
        }
    }
}
