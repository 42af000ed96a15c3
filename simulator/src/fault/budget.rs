//! How much may go wrong in a schedule: a number for each group of faults.

use std::fmt;

use crate::fault::Fault;
use crate::fault::kinds::kinds;

kinds! {
    /// A group of faults that a budget pays from one number.
    pub enum Group {
        /// Crashes.
        Crash,
        /// Faults of the store that its contract allows.
        Store,
        /// Faults of the disk under an embedded store.
        Disk,
        /// Attempts of tasks, steps and undos that go wrong.
        Attempt,
        /// Takeovers by another process.
        Takeover,
        /// Switches between two lives that could both go on.
        Switch,
        /// Cancellations of the run.
        Cancel,
        /// Jumps of a clock.
        Clock,
        /// Breaches of the store's contract.
        Breach,
        /// Changes of the order in which the tasks of a life go on.
        Order,
        /// Calls of services that go wrong.
        Service,
    }
}

impl Group {
    /// The letter that stands for the group in the text of a [`Budget`].
    pub const fn letter(self) -> char {
        match self {
            Self::Crash => 'c',
            Self::Store => 'f',
            Self::Disk => 'd',
            Self::Attempt => 'e',
            Self::Takeover => 't',
            Self::Switch => 'p',
            Self::Cancel => 'x',
            Self::Clock => 'j',
            Self::Breach => 'b',
            Self::Order => 'o',
            Self::Service => 's',
        }
    }

    /// What the number of the group counts, for people.
    pub const fn legend(self) -> &'static str {
        match self {
            Self::Crash => "crashes",
            Self::Store => "faults of the store",
            Self::Disk => "faults of the disk",
            Self::Attempt => "faults of task attempts",
            Self::Takeover => "takeovers",
            Self::Switch => "switches between lives",
            Self::Cancel => "cancellations",
            Self::Clock => "clock jumps",
            Self::Breach => "breaches of the store's contract",
            Self::Order => "changes of the order of tasks",
            Self::Service => "calls of services that go wrong",
        }
    }

    /// A single fault of the group, for people.
    const fn one(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Store => "fault of the store",
            Self::Disk => "fault of the disk",
            Self::Attempt => "fault of a task attempt",
            Self::Takeover => "takeover",
            Self::Switch => "switch between lives",
            Self::Cancel => "cancellation",
            Self::Clock => "clock jump",
            Self::Breach => "breach of the store's contract",
            Self::Order => "change of the order of tasks",
            Self::Service => "call of a service that goes wrong",
        }
    }

    /// The label of the draw that gives a swarm its number of this group. Tapes contain it, so it never
    /// changes.
    pub(crate) const fn swarm_label(self) -> &'static str {
        match self {
            Self::Crash => "plan/possible/crashes",
            Self::Store => "plan/possible/faults",
            Self::Disk => "plan/possible/disk",
            Self::Attempt => "plan/possible/errors",
            Self::Takeover => "plan/possible/takeovers",
            Self::Switch => "plan/possible/preemptions",
            Self::Cancel => "plan/possible/cancels",
            Self::Clock => "plan/possible/jumps",
            Self::Breach => "plan/possible/breaches",
            Self::Order => "plan/possible/orders",
            Self::Service => "plan/possible/services",
        }
    }

    /// Every letter with what it stands for: `c crashes, f faults of the store, ...`.
    pub fn letters() -> String {
        let each = Self::KINDS.iter();
        let each = each.map(|group| format!("{} {}", group.letter(), group.legend()));
        each.collect::<Vec<_>>().join(", ")
    }

    fn of_letter(letter: char) -> Option<Self> {
        let mut groups = Self::KINDS.iter().copied();
        groups.find(|group| group.letter() == letter)
    }
}

/// How many faults of each group a schedule may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Budget {
    /// [`Group::Crash`].
    pub crashes: u32,
    /// [`Group::Store`].
    pub faults: u32,
    /// [`Group::Disk`].
    pub disk: u32,
    /// [`Group::Attempt`].
    pub errors: u32,
    /// [`Group::Takeover`].
    pub takeovers: u32,
    /// [`Group::Switch`].
    pub preemptions: u32,
    /// [`Group::Cancel`].
    pub cancels: u32,
    /// [`Group::Clock`].
    pub jumps: u32,
    /// [`Group::Breach`]; for canaries only.
    pub breaches: u32,
    /// [`Group::Order`].
    pub orders: u32,
    /// [`Group::Service`].
    pub services: u32,
}

impl fmt::Display for Budget {
    /// The groups that are allowed, each with its number: `c2`, `c1f1`, `t1p2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::default() {
            return f.write_str("c0");
        }
        let mut some = Group::KINDS.iter().filter(|group| self.count(**group) > 0);
        some.try_for_each(|group| write!(f, "{}{}", group.letter(), self.count(*group)))
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
            *budget.count_mut(Group::of_letter(letter).ok_or_else(bad)?) = count;
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
    /// Nothing goes wrong.
    pub const NONE: Self = Self {
        crashes: 0,
        faults: 0,
        disk: 0,
        errors: 0,
        takeovers: 0,
        preemptions: 0,
        cancels: 0,
        jumps: 0,
        breaches: 0,
        orders: 0,
        services: 0,
    };

    /// The budget for people: `up to 1 takeover and 2 switches between lives`. Its wording may change in any
    /// release.
    ///
    /// ```
    /// use crashpoint_simulator::Budget;
    ///
    /// let budget: Budget = "c1f1".parse()?;
    /// assert_eq!(budget.prose(), "up to 1 crash and 1 fault of the store");
    /// # Ok::<(), crashpoint_simulator::BadBudget>(())
    /// ```
    pub fn prose(self) -> String {
        let some = Group::KINDS
            .iter()
            .filter_map(|group| match self.count(*group) {
                0 => None,
                1 => Some(format!("1 {}", group.one())),
                count => Some(format!("{count} {}", group.legend())),
            });
        let some: Vec<String> = some.collect();
        match some.split_last() {
            None => "no fault".to_owned(),
            Some((last, [])) => format!("up to {last}"),
            Some((last, others)) => format!("up to {} and {last}", others.join(", ")),
        }
    }

    /// How many crashes deep the crash points of this budget's schedules are counted: not at all where
    /// anything but crashes may happen.
    pub(crate) fn counted_depth(&self) -> u32 {
        let crashes = self.crashes;
        let alone = Self {
            crashes,
            ..Self::default()
        };
        if *self == alone { crashes } else { 0 }
    }

    /// How many faults of a group are left.
    pub const fn count(&self, group: Group) -> u32 {
        match group {
            Group::Crash => self.crashes,
            Group::Store => self.faults,
            Group::Disk => self.disk,
            Group::Attempt => self.errors,
            Group::Takeover => self.takeovers,
            Group::Switch => self.preemptions,
            Group::Cancel => self.cancels,
            Group::Clock => self.jumps,
            Group::Breach => self.breaches,
            Group::Order => self.orders,
            Group::Service => self.services,
        }
    }

    /// The number of a group.
    pub(crate) const fn count_mut(&mut self, group: Group) -> &mut u32 {
        match group {
            Group::Crash => &mut self.crashes,
            Group::Store => &mut self.faults,
            Group::Disk => &mut self.disk,
            Group::Attempt => &mut self.errors,
            Group::Takeover => &mut self.takeovers,
            Group::Switch => &mut self.preemptions,
            Group::Cancel => &mut self.cancels,
            Group::Clock => &mut self.jumps,
            Group::Breach => &mut self.breaches,
            Group::Order => &mut self.orders,
            Group::Service => &mut self.services,
        }
    }

    /// Whether somebody else may act while a life waits.
    pub(crate) fn has_company(self) -> bool {
        self.takeovers > 0 || self.cancels > 0
    }

    /// Whether this fault can still be paid.
    pub(crate) fn affords(self, fault: Fault) -> bool {
        self.count(fault.group()) > 0
    }

    /// Whether another budget has room for every schedule of this one.
    pub(crate) fn is_within(self, other: Self) -> bool {
        let mut groups = Group::KINDS.iter();
        groups.all(|group| self.count(*group) <= other.count(*group))
    }

    /// Pays for a fault.
    ///
    /// # Panics
    ///
    /// Where the budget does not afford it: the injector offers only what it affords.
    pub(crate) fn pay(&mut self, fault: Fault) {
        let count = self.count_mut(fault.group());
        assert!(*count > 0, "{fault} was offered beyond the budget");
        *count -= 1;
    }
}

/// A text that is not a budget.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a budget: letters of {letters}, each with a number, as in c1f1",
    letters = letters()
)]
pub struct BadBudget(String);

fn letters() -> String {
    let letters: Vec<String> = Group::KINDS
        .iter()
        .map(|it| it.letter().to_string())
        .collect();
    letters.join(", ")
}
