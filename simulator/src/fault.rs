//! Faults as data: what can go wrong at an instant, and in words.

use std::fmt;

/// What an injector may do at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The process dies here.
    Crash,
    /// The machine loses its power here: the process dies, and what the disk had not synced is gone.
    PowerLoss,
    /// Another process takes the run over from here on; this one goes on.
    Takeover,
    /// The run's cancellation is requested here.
    Cancel,
    /// The operation fails, and has no effect.
    Refused,
    /// The operation fails, and has its effect.
    FailsDurable,
    /// The append fails, and its row lands after so many further operations of the store.
    FailsLate(u8),
    /// The append reaches the store twice, and the second answer is what the caller gets.
    Duplicated,
    /// The append succeeds, and a copy of it reaches the store again after so many operations.
    Echoed(u8),
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
    /// The log loses a middle row while nobody runs. No store may do this either.
    LosesRow,
}

impl Fault {
    /// Every fault that an injector has. One that is not here fails the build as soon as it fires.
    pub const ALL: &'static [Self] = &[
        Self::Crash,
        Self::PowerLoss,
        Self::Takeover,
        Self::Cancel,
        Self::Refused,
        Self::FailsDurable,
        Self::FailsLate(1),
        Self::FailsLate(2),
        Self::FailsLate(3),
        Self::Duplicated,
        Self::Echoed(2),
        Self::TaskFails,
        Self::TaskFailsAfter,
        Self::TaskFailsForGood,
        Self::TaskRepeats,
        Self::TaskPanics,
        Self::TaskHangs,
        Self::Stale,
        Self::Phantom,
        Self::LosesRow,
    ];

    /// Whether the process dies.
    pub fn is_crash(self) -> bool {
        matches!(self, Self::Crash | Self::PowerLoss)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crash => f.write_str("the process crashes"),
            Self::PowerLoss => f.write_str("the power fails"),
            Self::Takeover => f.write_str("another process takes the run over"),
            Self::Cancel => f.write_str("the run is cancelled"),
            Self::Refused => f.write_str("the store fails, without effect"),
            Self::FailsDurable => f.write_str("the store fails, after the effect"),
            Self::FailsLate(operations) => {
                let plural = if *operations == 1 { "" } else { "s" };
                write!(
                    f,
                    "the store fails, and the row lands {operations} operation{plural} later"
                )
            }
            Self::Duplicated => f.write_str("the append arrives twice, the second answer counts"),
            Self::Echoed(operations) => {
                write!(
                    f,
                    "a copy of the append arrives {operations} operations later"
                )
            }
            Self::TaskFails => f.write_str("the attempt fails before it has begun"),
            Self::TaskFailsAfter => f.write_str("the attempt does its work and reports an error"),
            Self::TaskFailsForGood => {
                f.write_str("the attempt does its work and reports a final error")
            }
            Self::TaskRepeats => f.write_str("the attempt does its work twice"),
            Self::TaskPanics => f.write_str("the attempt panics"),
            Self::TaskHangs => f.write_str("the attempt never ends"),
            Self::Stale => f.write_str("the load misses the last row"),
            Self::Phantom => f.write_str("the store fails, and shows a row that is not durable"),
            Self::LosesRow => f.write_str("the store loses a row"),
        }
    }
}

/// A fault that fired.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fired {
    /// The name of the instant.
    pub point: String,
    /// What happened there.
    pub fault: Fault,
}

impl fmt::Display for Fired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}: {}", self.point, self.fault)
    }
}

/// How many faults of each group a schedule may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Budget {
    /// Crashes.
    pub crashes: u32,
    /// Faults of the store, as many as a contract-abiding store may show.
    pub faults: u32,
    /// Tasks, steps and undos that fail, panic, hang or do their work twice.
    pub errors: u32,
    /// Takeovers by a rival.
    pub takeovers: u32,
    /// Switches between two lives that could both go on.
    pub preemptions: u32,
    /// Cancellations.
    pub cancels: u32,
    /// Breaches of the store's contract: for canaries only.
    pub breaches: u32,
}

impl fmt::Display for Budget {
    /// `c2`, `c1f1`, `t1p2`: the groups that are allowed, with how many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = self.groups();
        if groups.iter().all(|(_, count)| *count == 0) {
            return f.write_str("c0");
        }
        let some = groups.iter().filter(|(_, count)| *count > 0);
        some.clone()
            .try_for_each(|(letter, count)| write!(f, "{letter}{count}"))
    }
}

impl std::str::FromStr for Budget {
    type Err = BadBudget;

    fn from_str(text: &str) -> Result<Self, BadBudget> {
        let bad = || BadBudget(text.to_owned());
        let mut budget = Self::default();
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            let digits = &rest[letter.len_utf8()..];
            let end = digits
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(digits.len());
            let count = digits[..end].parse().map_err(|_| bad())?;
            *budget.group(letter).ok_or_else(bad)? = count;
            rest = &digits[end..];
        }
        if text.is_empty() {
            Err(bad())
        } else {
            Ok(budget)
        }
    }
}

impl Budget {
    /// How deep the crash points of this budget's schedules are counted: where anything but
    /// crashes may happen, not at all.
    pub(crate) fn counted_depth(&self) -> u32 {
        let crashes = self.crashes;
        if *self
            == (Self {
                crashes,
                ..Self::default()
            })
        {
            crashes
        } else {
            0
        }
    }

    fn groups(&self) -> [(char, u32); 7] {
        [
            ('c', self.crashes),
            ('f', self.faults),
            ('e', self.errors),
            ('t', self.takeovers),
            ('p', self.preemptions),
            ('x', self.cancels),
            ('b', self.breaches),
        ]
    }

    fn group(&mut self, letter: char) -> Option<&mut u32> {
        match letter {
            'c' => Some(&mut self.crashes),
            'f' => Some(&mut self.faults),
            'e' => Some(&mut self.errors),
            't' => Some(&mut self.takeovers),
            'p' => Some(&mut self.preemptions),
            'x' => Some(&mut self.cancels),
            'b' => Some(&mut self.breaches),
            _ => None,
        }
    }

    /// What a fault is paid from.
    pub(crate) fn purse(&mut self, fault: Fault) -> &mut u32 {
        match fault {
            Fault::Crash | Fault::PowerLoss => &mut self.crashes,
            Fault::TaskFails
            | Fault::TaskFailsAfter
            | Fault::TaskFailsForGood
            | Fault::TaskRepeats
            | Fault::TaskPanics
            | Fault::TaskHangs => &mut self.errors,
            Fault::Takeover => &mut self.takeovers,
            Fault::Cancel => &mut self.cancels,
            Fault::Phantom | Fault::LosesRow => &mut self.breaches,
            Fault::Refused
            | Fault::FailsDurable
            | Fault::FailsLate(_)
            | Fault::Duplicated
            | Fault::Echoed(_)
            | Fault::Stale => &mut self.faults,
        }
    }
}

/// A text that is no budget.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no budget: letters of c, f, e, t, p, x, b, each with a number, as in c1f1")]
pub struct BadBudget(String);
