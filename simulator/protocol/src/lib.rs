//! The protocol check: every behaviour of the engine's own pure machine within a bounded scope.
//!
//! What is explored is [`Life`](crashpoint::protocol::Life), the machine that the driver
//! performs, not a model of it. Modelled is what surrounds it: a store that may answer an error to
//! an append that is durable, that is not, or that lands later; receivers of effects, some of which
//! honour idempotency keys; and lives that begin at any time, crash at any time, and go on as
//! zombies after others have taken over. Every interleaving is explored at the granularity of
//! commands: asked for, in effect, heard of. After each step every [`Invariant`] is checked.
//!
//! [`check`] explores the faithful machine; [`check_without`] one that breaks a rule, and finds a
//! shortest trace to what the rule is there to prevent.
//!
//! # Bounds
//!
//! A [`Scope`] says how many lives there are and how much goes wrong; within it nothing is left out
//! and nothing is sampled. States are compared in full, not by a hash of them. What no scope has: more
//! than three lives, more than one append in flight, stale loads (a store that shows less than what
//! is durable breaks its contract), duplicated appends (a store refuses the second), retries of a
//! failed attempt, `retry_stuck`, a second `run` where logs are kept, splits, and time.
//!
//! What a violating step leads to is not gone into: after it, nothing that holds proves anything.

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
/// Where the scope has no life or more than [`LIVES_MAX`], or is too large for the numbers of its
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

/// Explores what an engine without `rule` does within `scope`, up to the first violation of one of
/// these invariants.
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
