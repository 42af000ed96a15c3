//! Choices with which only some kinds of faults are possible: a swarm.

use std::collections::BTreeSet;

use crate::choices::Choices;
use crate::disk::Loss;
use crate::fault::{
    AttemptFault, Breach, Budget, ClockFault, Crash, DiskFault, Fault, Group, StoreFault,
};

/// Which faults the schedule of a seed may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Possible {
    /// All that the budget allows.
    All,
    /// A swarm: of each group of faults as many as the seed says, up to the budget, and only those
    /// kinds of each that it says. Where everything is possible all the time, most schedules have a
    /// little of everything; some failures need much of one thing and nothing of another (Groce and
    /// others, "Swarm Testing", 2012).
    Swarm,
}

/// The kinds of faults of which a swarm draws whether they are possible, in the order of these draws. A
/// new kind goes to the end: a seed means another schedule where the order changes.
const DRAWN_KINDS: [Fault; 28] = [
    Fault::Crash(Crash::Process),
    Fault::Crash(Crash::PowerLoss),
    Fault::Disk(DiskFault::PowerLoss(Loss::OF_NOTHING)),
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
];

/// Groups of one kind are left out: their number in the budget says as much.
const KINDS_COUNT: usize = Crash::KINDS.len()
    + DiskFault::KINDS.len()
    + StoreFault::KINDS.len()
    + AttemptFault::KINDS.len()
    + Breach::KINDS.len()
    + ClockFault::KINDS.len();

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

/// Choices in which some kinds of faults are possible and the others never happen.
///
/// What is not possible keeps its number, so that a tape means the same as one in which everything
/// was: it needs nothing beside the budget to be replayed.
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
    /// Draws what is possible: a budget of at most `most`, and of each kind of fault that comes with
    /// others from the same number of it whether it is.
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

    /// How many faults of each group are possible.
    pub fn budget(&self) -> Budget {
        self.budget
    }

    /// Whether a fault of this kind is.
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
