//! Choices with which only some kinds of faults are possible: a swarm.

use std::collections::BTreeSet;

use crate::choices::Choices;
use crate::fault::{Budget, Fault};

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

/// Draws a budget of at most `most`.
pub fn swarm(choices: &mut (impl Choices + ?Sized), most: Budget) -> Budget {
    let mut up_to = |label: &str, most: u32| match most {
        0 => 0,
        most => choices.choose(label, most as usize + 1) as u32,
    };
    Budget {
        crashes: up_to("plan/possible/crashes", most.crashes),
        faults: up_to("plan/possible/faults", most.faults),
        disk: up_to("plan/possible/disk", most.disk),
        errors: up_to("plan/possible/errors", most.errors),
        takeovers: up_to("plan/possible/takeovers", most.takeovers),
        preemptions: up_to("plan/possible/preemptions", most.preemptions),
        cancels: up_to("plan/possible/cancels", most.cancels),
        jumps: up_to("plan/possible/jumps", most.jumps),
        breaches: up_to("plan/possible/breaches", most.breaches),
    }
}

/// Choices in which some kinds of faults are possible and the others never happen.
///
/// What is not possible keeps its number, so that a tape means the same as one in which everything
/// was: it needs nothing beside the budget to be replayed.
///
/// ```
/// use crashpoint_simulator::choices::Seeded;
/// use crashpoint_simulator::{Choices, Fault, Swarm};
///
/// let faults = [Fault::Refused, Fault::Stale];
/// let budget = "f2".parse()?;
/// let mut swarms = (0..40).map(|seed| Swarm::draw(Seeded::new(seed), budget));
/// let mut swarm = swarms
///     .find(|swarm| swarm.is_possible(Fault::Stale) && !swarm.is_possible(Fault::Refused))
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
        let kinds = Fault::kinds().filter(|kind| kind.has_alternatives() && most.affords(*kind));
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
