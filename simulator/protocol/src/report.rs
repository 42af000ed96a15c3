//! What an exploration came to.

use crate::invariants::Invariant;
use crate::scope::Scope;

/// What an exploration came to. Its `Display` is one row of a table below
/// [`HEADER`](Self::HEADER), followed by the violations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// What was explored.
    pub scope: Scope,
    /// How many different states of the world there are.
    pub states: u64,
    /// How many steps lead from one to another.
    pub transitions: u64,
    /// How many different states a life has in them.
    pub machines: usize,
    /// How many different logs there are in them.
    pub logs: usize,
    /// For each broken invariant a shortest trace to a violation, in the order in which they were
    /// found.
    pub violations: Vec<Violation>,
}

/// An invariant that does not hold, with the steps that show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What is broken.
    pub invariant: Invariant,
    /// The steps in words; the last one breaks it.
    pub trace: Vec<String>,
}

impl CheckReport {
    /// The head of a table of reports.
    pub const HEADER: &'static str = "    states transitions   lives    logs violations scope";

    pub(super) fn new(scope: Scope) -> Self {
        Self {
            scope,
            states: 0,
            transitions: 0,
            machines: 0,
            logs: 0,
            violations: Vec::new(),
        }
    }

    /// Whether no violation of `invariant` was found.
    pub fn holds(&self, invariant: Invariant) -> bool {
        let mut violations = self.violations.iter();
        violations.all(|violation| violation.invariant != invariant)
    }
}

impl std::fmt::Display for CheckReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:>10} {:>11} {:>7} {:>7} {:>10} {}",
            self.states,
            self.transitions,
            self.machines,
            self.logs,
            self.violations.len(),
            self.scope,
        )?;
        self.violations
            .iter()
            .try_for_each(|violation| write!(f, "\n{violation}"))
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} is broken:", self.invariant)?;
        let mut steps = self.trace.iter().zip(1..);
        steps.try_for_each(|(step, number)| write!(f, "\n{number:>4}. {step}"))
    }
}
