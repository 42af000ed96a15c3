//! Faults as data: what can go wrong at an instant, and in words.

mod budget;
mod schedule;

use std::fmt;
use std::str::FromStr;

use crate::disk::Loss;

use smol_str::SmolStr;

pub use budget::{BadBudget, Budget};
pub use schedule::{BadSchedule, Schedule};

/// What an injector may do at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The process dies here.
    Crash,
    /// The machine loses its power here: the process dies, and what the disk had not synced is gone.
    PowerLoss,
    /// The same, and the disk keeps this of what it had not synced.
    PowerLossBut(Loss),
    /// A write of the disk fails.
    WriteFails,
    /// A write of the disk fails, and so does every one after it, until the operator has replaced the
    /// disk.
    WritesFail,
    /// A sync of the disk fails. The system takes the pages for clean from then on.
    SyncFails,
    /// A sync of the disk fails, and so does every one after it, until the disk is replaced.
    SyncsFail,
    /// The disk has no room for this write, nor for any behind it in the file, until the operator
    /// makes some.
    DiskFull,
    /// Another process takes the run over from here on; this one goes on.
    Takeover,
    /// The run's cancellation is requested here.
    Cancel,
    /// The operation is refused: it fails, and the caller is told that it has no effect.
    Refused,
    /// The operation fails, and has its effect. The caller is told that nobody knows.
    FailsDurable,
    /// The operation fails, and has no effect. The caller is told that nobody knows.
    FailsAbsent,
    /// The append or clear fails, and has its effect after so many further operations of the store.
    FailsLate(u8),
    /// The append reaches the store twice, and the second answer is what the caller gets.
    Duplicated,
    /// The append or clear succeeds, and a copy of it reaches the store again after so many
    /// operations.
    Echoed(u8),
    /// The operation has its effect at once, and its answer comes a minute later: a load then shows
    /// what has been.
    AnswersLate,
    /// The operation reaches the store a minute later.
    ArrivesLate,
    /// An attempt of a task, a step or an undo fails before it has begun.
    TaskFails,
    /// It does all that it does, and then reports an error.
    TaskFailsAfter,
    /// The same, and the error is final.
    TaskFailsForGood,
    /// It does all that it does twice; the second result counts.
    TaskRepeats,
    /// It panics before it has begun.
    TaskPanics,
    /// It never ends. Only what has a time limit hangs.
    TaskHangs,
    /// The load shows the log without its last row.
    Stale,
    /// The append fails; its row is shown by loads until the process dies, and is lost then. No
    /// store may do this (law DUR-13): it is here to show that the oracles notice.
    Phantom,
    /// The log loses this row while nobody runs. No store may do this either.
    LosesRow(u64),
    /// The wall clock jumps an hour ahead.
    ClockAhead,
    /// The wall clock jumps an hour back.
    ClockBack,
    /// An hour passes between two steps of the process, for every clock: the machine was asleep.
    TimeLeaps,
    /// Of two lives that could both go on, it is this one's turn. No fault in itself, but a part of a
    /// schedule.
    Switch(u32),
}

/// How a fault is said. A number stands in the middle.
enum Words {
    Plain(&'static str),
    Numbered(&'static str, u64, &'static str),
    Losing(&'static str, Loss),
}

impl Fault {
    /// Whether the process dies.
    pub fn is_crash(self) -> bool {
        matches!(self, Self::Crash | Self::PowerLoss | Self::PowerLossBut(_))
    }
}

impl Fault {
    /// One of each kind. One that is not here fails the build as soon as it fires.
    pub fn kinds() -> impl Iterator<Item = Self> {
        Self::EACH.iter().copied()
    }

    /// The kind: the same as all others that differ in nothing but a number, or in what is lost.
    #[must_use]
    pub fn kind(self) -> Self {
        match self {
            Self::PowerLossBut(_) => Self::PowerLossBut(Loss::OF_NOTHING),
            other => other.numbered(0).unwrap_or(other),
        }
    }

    /// Whether it makes a difference only where somebody can do something in the meantime.
    pub(crate) fn needs_company(self) -> bool {
        matches!(self, Self::AnswersLate | Self::ArrivesLate)
    }

    /// Whether other kinds of faults are paid from the same number of a budget.
    pub(crate) fn has_alternatives(self) -> bool {
        !matches!(self, Self::Takeover | Self::Cancel | Self::Switch(_))
    }

    const EACH: &[Self] = &[
        Self::Crash,
        Self::PowerLoss,
        Self::PowerLossBut(Loss::OF_NOTHING),
        Self::WriteFails,
        Self::WritesFail,
        Self::SyncFails,
        Self::SyncsFail,
        Self::DiskFull,
        Self::Takeover,
        Self::Cancel,
        Self::Refused,
        Self::FailsDurable,
        Self::FailsAbsent,
        Self::FailsLate(0),
        Self::Duplicated,
        Self::Echoed(0),
        Self::AnswersLate,
        Self::ArrivesLate,
        Self::TaskFails,
        Self::TaskFailsAfter,
        Self::TaskFailsForGood,
        Self::TaskRepeats,
        Self::TaskPanics,
        Self::TaskHangs,
        Self::Stale,
        Self::Phantom,
        Self::LosesRow(0),
        Self::ClockAhead,
        Self::ClockBack,
        Self::TimeLeaps,
        Self::Switch(0),
    ];

    const fn words(self) -> Words {
        let plain = match self {
            Self::Crash => "the process crashes",
            Self::PowerLoss => "the power fails",
            Self::PowerLossBut(loss) => {
                return Words::Losing(
                    "the power fails, and of what was not synced is kept: ",
                    loss,
                );
            }
            Self::WriteFails => "the disk fails a write",
            Self::WritesFail => "the disk fails a write, and every one after it",
            Self::SyncFails => "the disk fails a sync",
            Self::SyncsFail => "the disk fails a sync, and every one after it",
            Self::DiskFull => "the disk is full",
            Self::Takeover => "another process takes the run over",
            Self::Cancel => "the run is cancelled",
            Self::Refused => "the store fails, without effect",
            Self::FailsDurable => "the store fails, after the effect",
            Self::FailsAbsent => "the store fails, without effect, and does not say so",
            Self::FailsLate(operations) => {
                let landing = "the store fails, and the effect comes ";
                return Words::Numbered(landing, operations as u64, " operations later");
            }
            Self::Duplicated => "the append arrives twice, the second answer counts",
            Self::Echoed(operations) => {
                let arriving = "a copy of the request arrives ";
                return Words::Numbered(arriving, operations as u64, " operations later");
            }
            Self::AnswersLate => "the answer comes a minute late",
            Self::ArrivesLate => "the request arrives a minute late",
            Self::ClockAhead => "the wall clock jumps an hour ahead",
            Self::ClockBack => "the wall clock jumps an hour back",
            Self::TimeLeaps => "an hour passes at once",
            Self::TaskFails => "the attempt fails before it has begun",
            Self::TaskFailsAfter => "the attempt does its work and reports an error",
            Self::TaskFailsForGood => "the attempt does its work and reports a final error",
            Self::TaskRepeats => "the attempt does its work twice",
            Self::TaskPanics => "the attempt panics",
            Self::TaskHangs => "the attempt never ends",
            Self::Stale => "the load misses the last row",
            Self::Phantom => "the store fails, and shows a row that is not durable",
            Self::LosesRow(row) => return Words::Numbered("the store loses row ", row, ""),
            Self::Switch(life) => return Words::Numbered("life ", life as u64, " goes on"),
        };
        Words::Plain(plain)
    }

    /// The same kind with this number, where it can have it.
    fn numbered(self, number: u64) -> Option<Self> {
        Some(match self {
            Self::FailsLate(_) => Self::FailsLate(number.try_into().ok()?),
            Self::Echoed(_) => Self::Echoed(number.try_into().ok()?),
            Self::LosesRow(_) => Self::LosesRow(number),
            Self::Switch(_) => Self::Switch(number.try_into().ok()?),
            _ => return None,
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.words() {
            Words::Plain(words) => f.write_str(words),
            Words::Numbered(before, number, after) => write!(f, "{before}{number}{after}"),
            Words::Losing(before, loss) => write!(f, "{before}{loss}"),
        }
    }
}

impl FromStr for Fault {
    type Err = BadFault;

    fn from_str(text: &str) -> Result<Self, BadFault> {
        let said = Self::EACH.iter().find_map(|fault| match fault.words() {
            Words::Plain(words) => (words == text).then_some(*fault),
            Words::Numbered(before, _, after) => {
                let number = text.strip_prefix(before)?.strip_suffix(after)?;
                fault.numbered(number.parse().ok()?)
            }
            Words::Losing(before, _) => {
                let loss = text.strip_prefix(before)?.parse().ok()?;
                Some(Self::PowerLossBut(loss))
            }
        });
        said.ok_or_else(|| BadFault(text.to_owned()))
    }
}

/// A text that says no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no fault")]
pub struct BadFault(String);

/// A fault that fired.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fired {
    /// The name of the instant.
    pub point: SmolStr,
    /// What happened there.
    pub fault: Fault,
}

impl Fired {
    /// Whether the name of the instant can be told from the words around it.
    fn is_plain(&self) -> bool {
        let point = &self.point;
        let plain = |c: char| (c.is_ascii_graphic() || c == ' ') && !['"', '\\', ';'].contains(&c);
        point.chars().all(plain) && point.trim() == point && !point.contains(": ")
    }
}

impl fmt::Display for Fired {
    /// The name of the instant is in quotes where it could be mistaken.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { point, fault } = self;
        if self.is_plain() {
            write!(f, "at {point}: {fault}")
        } else {
            write!(f, "at {}: {fault}", serde_json::Value::from(point.as_str()))
        }
    }
}
