//! Events, and the codec between rows and events.
//!
//! The logic of the engine sees events, never a kind with an optional blob. Decoding is strict: a
//! field that should be empty, a blob that should not be there and a byte too many are errors, so
//! that `encode(decode(row)) == row` for every row that decodes.

use crate::core::atoms::{Bytes, Label};
use crate::core::claim::ClaimRecord;
use crate::core::row::{CheckpointRow, RowKind};
use crate::core::wire::{BlobFault, Reader, Writer};
use crate::foreign::quoted;

const CAUSE_VERSION: u8 = 1;
const UNDONE_VERSION: u8 = 1;
const DEADLINE_VERSION: u8 = 1;
const POLLED_VERSION: u8 = 1;

/// Longest error text of a row, in bytes. A longer text is cut at a character.
///
/// An error's text is for people, and a log row should stay far below any store's limit.
const MESSAGE_BYTES_MAX: usize = 4096;

const _: () = assert!(
    MESSAGE_BYTES_MAX <= u32::MAX as usize,
    "the length of a message has four bytes in its blob"
);

/// One transition of a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Event {
    /// A life took the run over at `state`.
    Claimed {
        /// The state at which the life begins.
        state: Label,
        /// The claim record.
        claim: ClaimRecord,
    },
    /// A plain or a stepped task completed without an output and the run entered `state`.
    Entered {
        /// The state entered.
        state: Label,
        /// The task that completed.
        task: Label,
    },
    /// A plain task completed with an output and the run entered `state`.
    Produced {
        /// The state entered.
        state: Label,
        /// The task that completed.
        task: Label,
        /// Its serialized output.
        output: Bytes,
    },
    /// A router chose `state`, and the run entered it.
    Routed {
        /// The state entered.
        state: Label,
        /// The router.
        task: Label,
    },
    /// A compensatable task completed and the run entered `state`.
    Completed {
        /// The state entered.
        state: Label,
        /// The task that completed.
        task: Label,
        /// Its serialized output.
        output: Bytes,
    },
    /// A stepped task advanced within its visit.
    StepAdvanced {
        /// The stepped state.
        state: Label,
        /// The stepped task.
        task: Label,
        /// Its serialized cursor.
        cursor: Bytes,
    },
    /// The timer of the open visit was set.
    TimerStarted {
        /// The state of the timer.
        state: Label,
        /// The timer.
        task: Label,
        /// The wall clock at which it ends, in milliseconds since 1970-01-01 UTC.
        deadline_unix_ms: u64,
    },
    /// The polling task of the open visit has made so many rounds, and has this deadline.
    Polled {
        /// The state of the polling task.
        state: Label,
        /// The polling task.
        task: Label,
        /// Its rounds.
        polled: Polled,
    },
    /// The rollback started: from here on the run only undoes.
    RollbackStarted {
        /// The state whose visit was open.
        state: Label,
        /// The task of that state.
        task: Label,
        /// The cause.
        cause: Cause,
        /// Whether the open visit, whose outcome is unknown, is undone before all completions.
        undo_open_visit: bool,
    },
    /// A compensation succeeded.
    Compensated {
        /// The task that was undone.
        task: Label,
        /// The row that was undone.
        undone: Undone,
    },
    /// A compensation failed for good.
    CompensationFailed {
        /// The task to undo.
        task: Label,
        /// The row to undo.
        undone: Undone,
        /// The last error of the compensation.
        error: Box<str>,
    },
    /// Every compensation succeeded; the run has ended.
    RolledBack,
}

/// The row that an undo is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Undone {
    /// The task completed; the sequence is that of its completion row.
    Completion(u64),
    /// The task had begun and its outcome is unknown; the sequence is that of the row that entered
    /// its visit.
    InDoubt(u64),
}

impl Undone {
    /// The sequence of the row that is undone.
    pub fn sequence(self) -> u64 {
        match self {
            Self::Completion(sequence) | Self::InDoubt(sequence) => sequence,
        }
    }
}

/// Why a rollback started.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cause {
    /// The kind.
    pub kind: CauseKind,
    /// The error message of the task; empty for a cancellation.
    pub message: Box<str>,
}

/// The kinds of a [`Cause`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CauseKind {
    /// The task failed for good.
    Failure,
    /// The last attempt of the task exceeded its time limit.
    Timeout,
    /// The run was cancelled through its token.
    Cancelled,
}

impl Cause {
    /// A cause, its message cut to the limit of a row.
    pub(super) fn new(kind: CauseKind, message: &str) -> Self {
        Self {
            kind,
            message: shortened(message),
        }
    }
}

impl CauseKind {
    const fn code(self) -> u8 {
        match self {
            Self::Failure => 0,
            Self::Timeout => 1,
            Self::Cancelled => 2,
        }
    }

    fn from_code(code: u8) -> Result<Self, BlobFault> {
        match code {
            0 => Ok(Self::Failure),
            1 => Ok(Self::Timeout),
            2 => Ok(Self::Cancelled),
            found => Err(BlobFault::Tag(found)),
        }
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            CauseKind::Failure => write!(f, "failed: {}", self.message),
            CauseKind::Timeout => write!(f, "timed out: {}", self.message),
            CauseKind::Cancelled => f.write_str("cancelled"),
        }
    }
}

/// Why a row can't be decoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RowFault {
    /// This engine does not know the kind.
    #[error("row kind {0} is not known to this engine")]
    UnknownKind(RowKind),
    /// Rows of the kind need a blob, and this row has none.
    #[error("a row of kind {0} needs a blob")]
    BlobMissing(RowKind),
    /// Rows of the kind have no blob, and this row has.
    #[error("a row of kind {0} has no blob")]
    BlobUnexpected(RowKind),
    /// Rows of the kind need the field, and this row leaves it empty.
    #[error("a row of kind {0} needs a {1}")]
    FieldMissing(RowKind, &'static str),
    /// Rows of the kind leave the field empty, and this row does not.
    #[error("a row of kind {} has no {}, found {}", .0, .1, quoted(.2))]
    FieldUnexpected(RowKind, &'static str, Box<str>),
    /// The blob can't be read.
    #[error("blob of a row of kind {0} can't be read: {1}")]
    Blob(RowKind, #[source] BlobFault),
}

/// The rounds of a polling task in a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Polled {
    /// The number of rounds that are over. The log has it each time that it has doubled.
    pub rounds: u64,
    /// The deadline of the visit, if it has one: wall clock, in milliseconds since 1970-01-01 UTC.
    pub deadline_unix_ms: Option<u64>,
}

impl Event {
    /// The state that the run enters with this event, and the task that completed; none for an event
    /// that completes no task.
    pub fn entry(&self) -> Option<(&Label, &Label)> {
        match self {
            Self::Entered { state, task }
            | Self::Produced { state, task, .. }
            | Self::Routed { state, task }
            | Self::Completed { state, task, .. } => Some((state, task)),
            Self::Claimed { .. }
            | Self::StepAdvanced { .. }
            | Self::TimerStarted { .. }
            | Self::Polled { .. }
            | Self::RollbackStarted { .. }
            | Self::Compensated { .. }
            | Self::CompensationFailed { .. }
            | Self::RolledBack => None,
        }
    }

    /// The row of this event at `sequence`.
    pub fn to_row(&self, sequence: u64) -> CheckpointRow {
        let row = |state: &str, task: &str| CheckpointRow::new(sequence, state, task);
        match self {
            Self::Claimed { state, claim } => {
                row(state, "").with_blob(RowKind::Claim, claim.encode())
            }
            Self::Entered { state, task } => row(state, task),
            Self::Produced {
                state,
                task,
                output,
            } => row(state, task).with_blob(RowKind::TaskOutput, output.to_vec()),
            Self::Routed { state, task } => CheckpointRow {
                kind: RowKind::Routed,
                ..row(state, task)
            },
            Self::Completed {
                state,
                task,
                output,
            } => row(state, task).with_output(output.to_vec()),
            Self::StepAdvanced {
                state,
                task,
                cursor,
            } => row(state, task).with_cursor(cursor.to_vec()),
            Self::TimerStarted {
                state,
                task,
                deadline_unix_ms,
            } => {
                let mut blob = Writer::versioned(DEADLINE_VERSION);
                let blob = blob.u64(*deadline_unix_ms).finish();
                row(state, task).with_blob(RowKind::TimerStart, blob)
            }
            Self::Polled {
                state,
                task,
                polled,
            } => row(state, task).with_blob(RowKind::PollRounds, encode_polled(*polled)),
            Self::RollbackStarted {
                state,
                task,
                cause,
                undo_open_visit,
            } => {
                let blob = encode_cause(cause, *undo_open_visit);
                row(state, task).with_blob(RowKind::RollbackStart, blob)
            }
            Self::Compensated { task, undone } => {
                row("", task).with_blob(RowKind::Compensated, encode_undone(*undone).finish())
            }
            Self::CompensationFailed {
                task,
                undone,
                error,
            } => {
                let blob = encode_undone(*undone).text(error).finish();
                row("", task).with_blob(RowKind::CompensationFailed, blob)
            }
            Self::RolledBack => CheckpointRow {
                kind: RowKind::RolledBack,
                ..row("", "")
            },
        }
    }

    /// The event of `row`, without its sequence.
    ///
    /// # Errors
    ///
    /// If this engine can't have written the row.
    pub fn from_row(row: &CheckpointRow) -> Result<Self, RowFault> {
        let state = || expect_label(row, "state", &row.state);
        let task = || expect_label(row, "task", &row.task_id);
        let fault = |fault| RowFault::Blob(row.kind, fault);
        match row.kind {
            RowKind::Claim => {
                expect_empty(row, "task", &row.task_id)?;
                let claim = ClaimRecord::decode(blob(row)?).map_err(fault)?;
                Ok(Self::Claimed {
                    state: state()?,
                    claim,
                })
            }
            RowKind::StateEntry => {
                expect_no_blob(row)?;
                Ok(Self::Entered {
                    state: state()?,
                    task: task()?,
                })
            }
            RowKind::TaskOutput => Ok(Self::Produced {
                state: state()?,
                task: task()?,
                output: blob(row)?.into(),
            }),
            RowKind::Routed => {
                expect_no_blob(row)?;
                Ok(Self::Routed {
                    state: state()?,
                    task: task()?,
                })
            }
            RowKind::CompensationCompletion => Ok(Self::Completed {
                state: state()?,
                task: task()?,
                output: blob(row)?.into(),
            }),
            RowKind::StepCursor => Ok(Self::StepAdvanced {
                state: state()?,
                task: task()?,
                cursor: blob(row)?.into(),
            }),
            RowKind::TimerStart => Ok(Self::TimerStarted {
                state: state()?,
                task: task()?,
                deadline_unix_ms: decode_deadline(blob(row)?).map_err(fault)?,
            }),
            RowKind::PollRounds => Ok(Self::Polled {
                state: state()?,
                task: task()?,
                polled: decode_polled(blob(row)?).map_err(fault)?,
            }),
            RowKind::RollbackStart => {
                let (cause, undo_open_visit) = decode_cause(blob(row)?).map_err(fault)?;
                Ok(Self::RollbackStarted {
                    state: state()?,
                    task: task()?,
                    cause,
                    undo_open_visit,
                })
            }
            RowKind::Compensated => {
                expect_empty(row, "state", &row.state)?;
                let undone = decode_compensated(blob(row)?).map_err(fault)?;
                Ok(Self::Compensated {
                    task: task()?,
                    undone,
                })
            }
            RowKind::CompensationFailed => {
                expect_empty(row, "state", &row.state)?;
                let (undone, error) = decode_compensation_failed(blob(row)?).map_err(fault)?;
                Ok(Self::CompensationFailed {
                    task: task()?,
                    undone,
                    error,
                })
            }
            RowKind::RolledBack => {
                expect_no_blob(row)?;
                expect_empty(row, "state", &row.state)?;
                expect_empty(row, "task", &row.task_id)?;
                Ok(Self::RolledBack)
            }
            RowKind::BranchCompletion => Err(RowFault::UnknownKind(row.kind)),
        }
    }
}

fn blob(row: &CheckpointRow) -> Result<&[u8], RowFault> {
    row.output_blob
        .as_deref()
        .ok_or(RowFault::BlobMissing(row.kind))
}

fn expect_no_blob(row: &CheckpointRow) -> Result<(), RowFault> {
    if row.output_blob.is_some() {
        Err(RowFault::BlobUnexpected(row.kind))
    } else {
        Ok(())
    }
}

fn expect_label(row: &CheckpointRow, field: &'static str, value: &str) -> Result<Label, RowFault> {
    if value.is_empty() {
        Err(RowFault::FieldMissing(row.kind, field))
    } else {
        Ok(value.into())
    }
}

fn expect_empty(row: &CheckpointRow, field: &'static str, value: &str) -> Result<(), RowFault> {
    if value.is_empty() {
        Ok(())
    } else {
        Err(RowFault::FieldUnexpected(row.kind, field, value.into()))
    }
}

fn encode_cause(cause: &Cause, undo_open_visit: bool) -> Vec<u8> {
    let mut writer = Writer::versioned(CAUSE_VERSION);
    writer
        .u8(cause.kind.code())
        .u8(u8::from(undo_open_visit))
        .text(&cause.message)
        .finish()
}

fn decode_cause(blob: &[u8]) -> Result<(Cause, bool), BlobFault> {
    let mut reader = Reader::versioned(blob, CAUSE_VERSION)?;
    let kind = CauseKind::from_code(reader.u8()?)?;
    let undo_open_visit = match reader.u8()? {
        0 => false,
        1 => true,
        found => return Err(BlobFault::Tag(found)),
    };
    let message = reader.text()?.into();
    reader.finish()?;
    Ok((Cause { kind, message }, undo_open_visit))
}

fn decode_deadline(blob: &[u8]) -> Result<u64, BlobFault> {
    let mut reader = Reader::versioned(blob, DEADLINE_VERSION)?;
    let deadline_unix_ms = reader.u64()?;
    reader.finish()?;
    Ok(deadline_unix_ms)
}

fn encode_polled(polled: Polled) -> Vec<u8> {
    let mut writer = Writer::versioned(POLLED_VERSION);
    writer.u64(polled.rounds);
    match polled.deadline_unix_ms {
        None => writer.u8(0).finish(),
        Some(deadline_unix_ms) => writer.u8(1).u64(deadline_unix_ms).finish(),
    }
}

fn decode_polled(blob: &[u8]) -> Result<Polled, BlobFault> {
    let mut reader = Reader::versioned(blob, POLLED_VERSION)?;
    let rounds = reader.u64()?;
    let deadline_unix_ms = match reader.u8()? {
        0 => None,
        1 => Some(reader.u64()?),
        found => return Err(BlobFault::Tag(found)),
    };
    reader.finish()?;
    Ok(Polled {
        rounds,
        deadline_unix_ms,
    })
}

fn encode_undone(undone: Undone) -> Writer {
    let mut writer = Writer::versioned(UNDONE_VERSION);
    match undone {
        Undone::Completion(sequence) => writer.u8(0).u64(sequence),
        Undone::InDoubt(sequence) => writer.u8(1).u64(sequence),
    };
    writer
}

fn decode_undone<'a>(blob: &'a [u8]) -> Result<(Undone, Reader<'a>), BlobFault> {
    let mut reader = Reader::versioned(blob, UNDONE_VERSION)?;
    let undone = match reader.u8()? {
        0 => Undone::Completion(reader.u64()?),
        1 => Undone::InDoubt(reader.u64()?),
        found => return Err(BlobFault::Tag(found)),
    };
    Ok((undone, reader))
}

fn decode_compensated(blob: &[u8]) -> Result<Undone, BlobFault> {
    let (undone, reader) = decode_undone(blob)?;
    reader.finish()?;
    Ok(undone)
}

fn decode_compensation_failed(blob: &[u8]) -> Result<(Undone, Box<str>), BlobFault> {
    let (undone, mut reader) = decode_undone(blob)?;
    let error = reader.text()?.into();
    reader.finish()?;
    Ok((undone, error))
}

/// `message`, cut at a character boundary if it is longer than a row keeps.
pub(super) fn shortened(message: &str) -> Box<str> {
    let mut end = message.len().min(MESSAGE_BYTES_MAX);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    assert!(
        end + 3 >= message.len().min(MESSAGE_BYTES_MAX),
        "a character has at most four bytes, so a cut takes at most three with it"
    );
    message[..end].into()
}
