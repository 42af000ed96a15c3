//! The protocol check: every behaviour of the engine's own pure machine within a bounded scope.
//!
//! It explores [`Life`](crashpoint::protocol::Life), the machine that the driver performs, not a
//! model of it. Only the environment is a model: a store that may return an error for an append
//! that is durable, is not durable, or lands later; receivers of effects, some of which honour
//! idempotency keys; and lives that begin at any time, crash at any time, and continue as zombies
//! after a takeover. It explores every interleaving at the granularity of commands: invocation,
//! effect, response. After each step it checks every [`Invariant`].
//!
//! [`check`] explores the faithful machine. [`check_without`] explores a machine that breaks a
//! rule, and finds a shortest trace to the violation that the rule prevents.
//!
//! # Bounds
//!
//! A [`Scope`] bounds the number of lives and of faults. Within it nothing is left out or sampled.
//! States are compared in full, not by a hash. No scope has more than three lives, more than one
//! append in flight, stale loads (a store that shows less than what is durable breaks its
//! contract), duplicated appends (a store refuses the second), retries of a failed attempt,
//! `retry_stuck`, a second `run` of an id whose log is kept, splits, or time.
//!
//! The successors of a violation are not explored: after it, nothing that holds proves anything.

mod explore;
mod intern;
mod invariants;
mod lives;
mod logs;
mod model;
mod report;
mod scope;
mod shape;
mod steps;
mod words;
mod world;

use crashpoint::protocol::{Faithful, Rule, Without};

pub use invariants::Invariant;
pub use report::{CheckReport, Violation};
pub use scope::{LIVES_MAX, Replies, Scope, Shape};

use explore::{Until, explore};

/// Explores everything that the engine can do within `scope`.
///
/// # Panics
///
/// If the scope has no life or more than [`LIVES_MAX`], or is too large for the numbers of its
/// tables.
///
/// ```
/// use crashpoint_protocol::{Scope, Shape, check};
///
/// let report = check(&Scope { store_errors: 1, ..Scope::of(Shape::Saga) });
/// assert_eq!(report.violations, []);
/// ```
pub fn check(scope: &Scope) -> CheckReport {
    assert!(
        (1..=LIVES_MAX).contains(&scope.lives),
        "1 to {LIVES_MAX} lives"
    );
    explore(*scope, Faithful, Invariant::ALL, Until::Exhausted)
}

/// Explores an engine without `rule` within `scope`, up to the first violation of one of these
/// invariants.
///
/// # Panics
///
/// As [`check`].
pub fn check_without(rule: Rule, scope: &Scope, checked: &[Invariant]) -> CheckReport {
    assert!(
        (1..=LIVES_MAX).contains(&scope.lives),
        "1 to {LIVES_MAX} lives"
    );
    explore(*scope, Without(rule), checked, Until::Broken)
}
