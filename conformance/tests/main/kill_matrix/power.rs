//! The power of the laws that catch a mutant by a race: in how many of [`Mutant::ROUNDS`] runs of the law, each a
//! single round under both drivers, it has to. And that of the laws of cost, of [`COST_ROUNDS`] runs.
//!
//! The gap of the mutant is held open until two operations have met in it, so what is counted is the
//! law: whether it lets the callers race that have to meet, and whether it sees what came of it.

use crashpoint_conformance::{Harness, Plan, run_all};

use super::line::{Kill, says};
use super::{ONE_AT_A_TIME, everything, journal};
use crate::mutants::{Held, Mutant, Mutated};

/// Runs the law of `kill` alone, round after round, and fails where it misses the mutant too often.
pub(super) fn check<S: Mutant>(kill: &Kill) {
    let plan = everything().only_laws([kill.by]).jobs(ONE_AT_A_TIME);
    let (mut held, mut narrow) = (0, 0);
    for _ in 0..S::ROUNDS {
        held += u32::from(catches::<Held<S>>(kill, &plan));
    }
    if journal::is_kept() {
        for _ in 0..S::ROUNDS {
            narrow += u32::from(catches::<Mutated<S>>(kill, &plan));
        }
        journal::note_power(kill.mutant, held, narrow, S::ROUNDS);
    }
    let least = caught_min(S::ROUNDS);
    assert!(
        held >= least,
        "{} catches {} in {held} of {} rounds, and has to in {least}",
        kill.by,
        kill.mutant,
        S::ROUNDS
    );
}

/// How often a law runs that measures costs. Each run is several tries of its own.
pub(crate) const COST_ROUNDS: u32 = 4;

/// Runs the law of `kill`, which measures costs, alone, and fails where it misses the mutant too often. One more run
/// comes later, beside other laws.
pub(super) fn check_cost<H: Harness>(kill: &Kill, plan: &Plan) {
    let plan = plan.clone().only_laws([kill.by]).jobs(ONE_AT_A_TIME);
    let caught = (0..COST_ROUNDS).filter(|_| catches::<H>(kill, &plan));
    let (caught, least) = (caught.count(), caught_min(COST_ROUNDS));
    assert!(
        caught >= least as usize,
        "{} catches {} in {caught} of {COST_ROUNDS} rounds, and has to in {least}",
        kill.by,
        kill.mutant,
    );
}

/// In how many of so many rounds the mutant has to be caught: all but a quarter, which leaves room for a
/// machine that keeps a thread off its core for as long as a round takes.
pub(crate) const fn caught_min(rounds: u32) -> u32 {
    rounds - rounds / 4
}

fn catches<H: Harness>(kill: &Kill, plan: &Plan) -> bool {
    let report = run_all::<H>(plan);
    says(kill, report.laws().first().map(|law| &law.verdict))
}
