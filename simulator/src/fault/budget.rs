//! How much may go wrong in a schedule: a number for each group of faults.

use std::fmt;

use crate::fault::Fault;

/// How many faults of each group a schedule may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Budget {
    /// Crashes.
    pub crashes: u32,
    /// Faults of the store, as many as a contract-abiding store may show.
    pub faults: u32,
    /// Faults of the disk under an embedded store: losses of power that keep some of what was not
    /// synced, calls that fail, no room.
    pub disk: u32,
    /// Tasks, steps and undos that fail, panic, hang or do their work twice.
    pub errors: u32,
    /// Takeovers by a rival.
    pub takeovers: u32,
    /// Switches between two lives that could both go on.
    pub preemptions: u32,
    /// Cancellations.
    pub cancels: u32,
    /// Jumps of the wall clock, and leaps of time.
    pub jumps: u32,
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

    fn groups(&self) -> [(char, u32); 9] {
        [
            ('c', self.crashes),
            ('f', self.faults),
            ('d', self.disk),
            ('e', self.errors),
            ('t', self.takeovers),
            ('p', self.preemptions),
            ('x', self.cancels),
            ('j', self.jumps),
            ('b', self.breaches),
        ]
    }

    fn group(&mut self, letter: char) -> Option<&mut u32> {
        match letter {
            'c' => Some(&mut self.crashes),
            'f' => Some(&mut self.faults),
            'd' => Some(&mut self.disk),
            'e' => Some(&mut self.errors),
            't' => Some(&mut self.takeovers),
            'p' => Some(&mut self.preemptions),
            'x' => Some(&mut self.cancels),
            'j' => Some(&mut self.jumps),
            'b' => Some(&mut self.breaches),
            _ => None,
        }
    }

    /// Whether somebody may come to a life that waits.
    pub(crate) fn has_company(self) -> bool {
        self.takeovers > 0 || self.cancels > 0
    }

    /// Whether there is anything of what a fault is paid from.
    pub(crate) fn affords(mut self, fault: Fault) -> bool {
        *self.purse(fault) > 0
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
            Fault::PowerLossBut(_)
            | Fault::WriteFails
            | Fault::WritesFail
            | Fault::SyncFails
            | Fault::SyncsFail
            | Fault::DiskFull => &mut self.disk,
            Fault::Switch(_) => &mut self.preemptions,
            Fault::Cancel => &mut self.cancels,
            Fault::Phantom | Fault::LosesRow(_) => &mut self.breaches,
            Fault::ClockAhead | Fault::ClockBack | Fault::TimeLeaps => &mut self.jumps,
            Fault::Refused
            | Fault::FailsDurable
            | Fault::FailsAbsent
            | Fault::FailsLate(_)
            | Fault::Duplicated
            | Fault::Echoed(_)
            | Fault::AnswersLate
            | Fault::ArrivesLate
            | Fault::Stale => &mut self.faults,
        }
    }
}

/// A text that is no budget.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no budget: letters of c, f, d, e, t, p, x, j, b, each with a number, as in c1f1")]
pub struct BadBudget(String);
