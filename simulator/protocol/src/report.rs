//! The result of an exploration.

use crate::invariants::Invariant;
use crate::scope::Scope;

/// The result of an exploration. Its `Display` is a row of a table below [`HEADER`](Self::HEADER),
/// followed by the violations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// The explored scope.
    pub scope: Scope,
    /// The number of distinct states of the world.
    pub states: u64,
    /// The number of transitions between them.
    pub transitions: u64,
    /// The number of distinct states of a life.
    pub machines: usize,
    /// The number of distinct logs.
    pub logs: usize,
    /// For each broken invariant a shortest trace to a violation, in the order of their discovery.
    pub violations: Vec<Violation>,
}

/// A broken invariant, with the steps that break it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The broken invariant.
    pub invariant: Invariant,
    /// The steps in words. The last step breaks the invariant.
    pub trace: Vec<String>,
}

impl CheckReport {
    /// The header of a table of reports.
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
