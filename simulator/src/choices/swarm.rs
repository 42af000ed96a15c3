//! Choices that permit only some kinds of faults: a swarm.

use std::collections::BTreeSet;

use crate::choices::Choices;
use crate::fault::{
    AttemptFault, Breach, Budget, ClockFault, Crash, DiskFault, Fault, Group, ServiceFault,
    StoreFault,
};

/// The faults that the schedule of a seed may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Possible {
    /// All faults within the budget.
    All,
    /// A swarm: the seed decides how many faults of each group are possible, up to the budget, and
    /// which kinds of each group. If everything is always possible, most schedules have a little of
    /// everything. Some failures need much of one thing and nothing of another (Groce and others,
    /// "Swarm Testing", 2012).
    Swarm,
}

/// The kinds of faults that a swarm permits or excludes by a draw, in the order of these draws. Add
/// a new kind at the end: a change of the order changes the schedule of every seed.
const DRAWN_KINDS: [Fault; 32] = [
    Fault::Crash(Crash::Process),
    Fault::Crash(Crash::PowerLoss),
    Fault::PARTIAL_POWER_LOSS,
    Fault::Disk(DiskFault::WriteError),
    Fault::Disk(DiskFault::WriteErrorLasting),
    Fault::Disk(DiskFault::SyncError),
    Fault::Disk(DiskFault::SyncErrorLasting),
    Fault::Disk(DiskFault::Full),
    Fault::Store(StoreFault::Refused),
    Fault::Store(StoreFault::InDoubtApplied),
    Fault::Store(StoreFault::InDoubtLost),
    Fault::Store(StoreFault::InDoubtLate(0)),
    Fault::Store(StoreFault::Duplicated),
    Fault::Store(StoreFault::Echoed(0)),
    Fault::Store(StoreFault::SlowAnswer),
    Fault::Store(StoreFault::SlowRequest),
    Fault::Attempt(AttemptFault::Error),
    Fault::Attempt(AttemptFault::ErrorAfter),
    Fault::Attempt(AttemptFault::FatalAfter),
    Fault::Attempt(AttemptFault::Twice),
    Fault::Attempt(AttemptFault::Panic),
    Fault::Attempt(AttemptFault::Hang),
    Fault::Store(StoreFault::StaleLoad),
    Fault::Breach(Breach::PhantomRow),
    Fault::Breach(Breach::LostRow(0)),
    Fault::Clock(ClockFault::Ahead),
    Fault::Clock(ClockFault::Back),
    Fault::Clock(ClockFault::Sleep),
    Fault::Service(ServiceFault::Refused),
    Fault::Service(ServiceFault::RequestLost),
    Fault::Service(ServiceFault::AnswerLost),
    Fault::Service(ServiceFault::Slow),
];

/// Groups with a single kind have no such draw: their number in the budget is enough.
const KINDS_COUNT: usize = Crash::KINDS.len()
    + DiskFault::KINDS.len()
    + StoreFault::KINDS.len()
    + AttemptFault::KINDS.len()
    + Breach::KINDS.len()
    + ClockFault::KINDS.len()
    + ServiceFault::KINDS.len();

const _: () = assert!(
    DRAWN_KINDS.len() == KINDS_COUNT,
    "a kind of fault is missing at the end of DRAWN_KINDS"
);

/// Draws a budget of at most `most`.
pub fn swarm(choices: &mut (impl Choices + ?Sized), most: Budget) -> Budget {
    let mut drawn = Budget::default();
    for group in Group::KINDS.iter().copied() {
        *drawn.count_mut(group) = match most.count(group) {
            0 => 0,
            most => choices.choose(group.swarm_label(), most as usize + 1) as u32,
        };
    }
    drawn
}

/// Choices that permit some kinds of faults and exclude the others.
///
/// An excluded fault keeps its number. So a tape has the same meaning without the swarm, and its
/// replay needs only the budget.
///
/// ```
/// use crashpoint_simulator::choices::Seeded;
/// use crashpoint_simulator::{Choices, Fault, StoreFault, Swarm};
///
/// let faults = [Fault::Store(StoreFault::Refused), Fault::Store(StoreFault::StaleLoad)];
/// let budget = "f2".parse()?;
/// let mut swarms = (0..40).map(|seed| Swarm::draw(Seeded::new(seed), budget));
/// let mut swarm = swarms
///     .find(|swarm| !swarm.is_possible(faults[0]) && swarm.is_possible(faults[1]))
///     .expect("there is such a seed");
/// let chosen: Vec<usize> = (0..200).map(|_| swarm.choose_fault("here", &faults)).collect();
/// assert!(chosen.contains(&2) && !chosen.contains(&1));
/// # Ok::<(), crashpoint_simulator::BadBudget>(())
/// ```
#[derive(Debug, Clone)]
pub struct Swarm<C> {
    choices: C,
    budget: Budget,
    impossible: BTreeSet<Fault>,
}

impl<C: Choices> Swarm<C> {
    /// Draws the swarm: a budget of at most `most`, and for each kind in a group of several whether
    /// it is possible.
    pub fn draw(mut choices: C, most: Budget) -> Self {
        let budget = swarm(&mut choices, most);
        let kinds = DRAWN_KINDS.iter().copied();
        let kinds = kinds.filter(|kind| most.affords(*kind));
        let impossible = kinds.filter(|_| choices.choose("plan/possible/kind", 2) == 0);
        Self {
            impossible: impossible.collect(),
            budget,
            choices,
        }
    }

    /// The number of possible faults in each group.
    pub fn budget(&self) -> Budget {
        self.budget
    }

    /// Whether the kind of this fault is possible.
    pub fn is_possible(&self, fault: Fault) -> bool {
        self.budget.affords(fault) && !self.impossible.contains(&fault.kind())
    }
}

impl<C: Choices> Choices for Swarm<C> {
    fn choose(&mut self, label: &str, n: usize) -> usize {
        self.choices.choose(label, n)
    }

    fn choose_fault(&mut self, point: &str, faults: &[Fault]) -> usize {
        let possible = |fault: &Fault| !self.impossible.contains(&fault.kind());
        let numbers = (0..faults.len()).filter(|at| possible(&faults[*at]));
        let numbers: Vec<usize> = numbers.collect();
        let possible: Vec<Fault> = numbers.iter().map(|at| faults[*at]).collect();
        if possible.is_empty() {
            return 0;
        }
        match self.choices.choose_fault(point, &possible) {
            0 => 0,
            chosen => numbers[chosen - 1] + 1,
        }
    }
}
