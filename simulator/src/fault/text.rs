//! How each fault is written: its name for machines and its sentence for people.
//!
//! The names are stable: schedules that users kept contain them, and version 1 of a schedule stands
//! for exactly these. The sentences may change at any time; nothing reads them.

use crate::disk::Loss;
use crate::fault::{
    AttemptFault, Breach, ClockFault, Crash, DiskFault, Fault, ServiceFault, StoreFault,
};

/// How a fault is written.
pub(super) struct Text {
    /// Its name in a schedule.
    pub(super) name: &'static str,
    /// Its sentence, with `{}` for the argument. It has no semicolon, parenthesis or line break: a
    /// schedule may have it as a remark.
    pub(super) prose: &'static str,
    /// What follows the name behind a `=`.
    pub(super) argument: Argument,
}

/// The argument of a fault, and the fault of the same kind with another one.
pub(super) enum Argument {
    None,
    Operations(u8, fn(u8) -> Fault),
    Row(u64, fn(u64) -> Fault),
    Life(u32, fn(u32) -> Fault),
    Task(u32, fn(u32) -> Fault),
    Loss(Loss, fn(Loss) -> Fault),
}

const fn text(name: &'static str, prose: &'static str) -> Text {
    with(name, prose, Argument::None)
}

const fn with(name: &'static str, prose: &'static str, argument: Argument) -> Text {
    Text {
        name,
        prose,
        argument,
    }
}

/// The table of all faults.
pub(super) fn text_of(fault: Fault) -> Text {
    match fault {
        Fault::Crash(Crash::Process) => text("crash", "the process crashes"),
        Fault::Crash(Crash::PowerLoss) => text(
            "power-loss",
            "the power fails, and everything that was not synced is lost",
        ),
        Fault::Disk(DiskFault::PowerLoss(loss)) => with(
            "partial-power-loss",
            "the power fails, and of what was not synced this is kept: {}",
            Argument::Loss(loss, |loss| Fault::Disk(DiskFault::PowerLoss(loss))),
        ),
        Fault::Disk(DiskFault::WriteError) => text("write-error", "a write to the disk fails"),
        Fault::Disk(DiskFault::WriteErrorLasting) => text(
            "write-error-lasting",
            "this write to the disk and every later write fail",
        ),
        Fault::Disk(DiskFault::SyncError) => text("sync-error", "a sync of the disk fails"),
        Fault::Disk(DiskFault::SyncErrorLasting) => text(
            "sync-error-lasting",
            "this sync of the disk and every later sync fail",
        ),
        Fault::Disk(DiskFault::Full) => text("disk-full", "the disk is full"),
        Fault::Takeover => text("takeover", "another process takes over the run"),
        Fault::Cancel => text("cancel", "the run is cancelled"),
        Fault::Store(StoreFault::Refused) => text(
            "refused",
            "the store refuses the operation, which has no effect",
        ),
        Fault::Store(StoreFault::InDoubtApplied) => text(
            "in-doubt-applied",
            "the outcome of the operation is in doubt, and it took effect",
        ),
        Fault::Store(StoreFault::InDoubtLost) => text(
            "in-doubt-lost",
            "the outcome of the operation is in doubt, and it had no effect",
        ),
        Fault::Store(StoreFault::InDoubtLate(operations)) => with(
            "in-doubt-late",
            "the outcome of the operation is in doubt, and it takes effect {} later",
            Argument::Operations(operations, |operations| {
                Fault::Store(StoreFault::InDoubtLate(operations))
            }),
        ),
        Fault::Store(StoreFault::Duplicated) => text(
            "duplicated",
            "the append arrives twice, and the second answer counts",
        ),
        Fault::Store(StoreFault::Echoed(operations)) => with(
            "echoed",
            "a copy of the request arrives {} later",
            Argument::Operations(operations, |operations| {
                Fault::Store(StoreFault::Echoed(operations))
            }),
        ),
        Fault::Store(StoreFault::SlowAnswer) => {
            text("slow-answer", "the answer arrives a minute late")
        }
        Fault::Store(StoreFault::SlowRequest) => {
            text("slow-request", "the request arrives a minute late")
        }
        Fault::Store(StoreFault::StaleLoad) => text("stale-load", "the load misses the last row"),
        Fault::Attempt(AttemptFault::Error) => {
            text("attempt-error", "the attempt fails before it begins")
        }
        Fault::Attempt(AttemptFault::ErrorAfter) => text(
            "attempt-error-after",
            "the attempt does its work and then reports an error",
        ),
        Fault::Attempt(AttemptFault::FatalAfter) => text(
            "attempt-fatal-after",
            "the attempt does its work and then reports a fatal error",
        ),
        Fault::Attempt(AttemptFault::Twice) => {
            text("attempt-twice", "the attempt does its work twice")
        }
        Fault::Attempt(AttemptFault::Panic) => text("attempt-panic", "the attempt panics"),
        Fault::Attempt(AttemptFault::Hang) => text("attempt-hang", "the attempt never ends"),
        Fault::Clock(ClockFault::Ahead) => {
            text("clock-ahead", "the wall clock jumps an hour ahead")
        }
        Fault::Clock(ClockFault::Back) => text("clock-back", "the wall clock jumps an hour back"),
        Fault::Clock(ClockFault::Sleep) => text("sleep", "the machine sleeps for an hour"),
        Fault::Breach(Breach::PhantomRow) => text(
            "phantom-row",
            "the store reports an error and shows a row that is not durable",
        ),
        Fault::Breach(Breach::LostRow(row)) => with(
            "lost-row",
            "the store loses {}",
            Argument::Row(row, |row| Fault::Breach(Breach::LostRow(row))),
        ),
        Fault::Service(ServiceFault::Refused) => text(
            "service-refused",
            "the service refuses the request, which has no effect",
        ),
        Fault::Service(ServiceFault::RequestLost) => text(
            "service-request-lost",
            "the request does not reach the service, and no answer comes",
        ),
        Fault::Service(ServiceFault::AnswerLost) => text(
            "service-answer-lost",
            "the service performs the request, and its answer is lost",
        ),
        Fault::Service(ServiceFault::Slow) => text(
            "service-slow",
            "the service performs the request, and its answer comes a minute later",
        ),
        Fault::Switch(life) => with(
            "switch",
            "{} runs next",
            Argument::Life(life, Fault::Switch),
        ),
        Fault::Order(task) => with(
            "order",
            "waiting task {} goes on before the others",
            Argument::Task(task, Fault::Order),
        ),
    }
}

impl Text {
    /// The name, and this value of the argument.
    pub(super) fn named(&self, value: Option<String>) -> String {
        match value {
            None => self.name.to_owned(),
            Some(value) => format!("{}={}", self.name, self.argument.word(value)),
        }
    }

    /// The sentence, with this value of the argument.
    pub(super) fn in_prose(&self, value: Option<String>) -> String {
        match value {
            None => self.prose.to_owned(),
            Some(value) => self.prose.replace("{}", &self.argument.prose(value)),
        }
    }
}

impl Argument {
    /// The number or the loss; nothing where the fault has no argument.
    pub(super) fn value(&self) -> Option<String> {
        Some(match self {
            Self::None => return None,
            Self::Operations(operations, _) => operations.to_string(),
            Self::Row(row, _) => row.to_string(),
            Self::Life(life, _) => life.to_string(),
            Self::Task(task, _) => task.to_string(),
            Self::Loss(loss, _) => loss.to_string(),
        })
    }

    /// What stands for any value.
    pub(super) fn placeholder(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Operations(..) | Self::Row(..) | Self::Life(..) | Self::Task(..) => {
                Some("N".to_owned())
            }
            Self::Loss(..) => Some("KEPT".to_owned()),
        }
    }

    /// A value as it is written behind the name and the `=`.
    pub(super) fn word(&self, value: String) -> String {
        match self {
            Self::Life(..) => format!("life{value}"),
            Self::None | Self::Operations(..) | Self::Row(..) | Self::Task(..) | Self::Loss(..) => {
                value
            }
        }
    }

    /// A value as a sentence has it.
    pub(super) fn prose(&self, value: String) -> String {
        match self {
            Self::None | Self::Task(..) | Self::Loss(..) => value,
            Self::Operations(1, _) => "1 operation".to_owned(),
            Self::Operations(..) => format!("{value} operations"),
            Self::Row(..) => format!("row {value}"),
            Self::Life(..) => format!("life {value}"),
        }
    }

    /// The fault whose argument is written like this; nothing where the fault has no argument or can't
    /// have this one.
    pub(super) fn fault_with(&self, word: &str) -> Option<Fault> {
        Some(match self {
            Self::None => return None,
            Self::Operations(_, fault) => fault(word.parse().ok()?),
            Self::Row(_, fault) => fault(word.parse().ok()?),
            Self::Life(_, fault) => fault(word.strip_prefix("life")?.parse().ok()?),
            Self::Task(_, fault) => fault(word.parse().ok()?),
            Self::Loss(_, fault) => fault(word.parse().ok()?),
        })
    }

    /// The fault that stands for the kind.
    pub(super) fn kind(&self) -> Option<Fault> {
        Some(match self {
            Self::None => return None,
            Self::Operations(_, fault) => fault(0),
            Self::Row(_, fault) => fault(0),
            Self::Life(_, fault) | Self::Task(_, fault) => fault(0),
            Self::Loss(_, fault) => fault(Loss::OF_NOTHING),
        })
    }
}
