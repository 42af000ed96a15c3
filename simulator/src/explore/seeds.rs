//! Exploration by seeds. Each seed is a schedule; with a swarm it also decides the possible faults.

use std::ops::{ControlFlow, Range};

use crate::choices::swarm::Possible;
use crate::explore::{Findings, Nondeterminism, Pool};
use crate::record::{HashedTrace, Judged as _, Simulated, Token, run_seed};
use crate::sim::{Repeat, Settings};

/// No further seed runs after this many violations: more have the same few reasons.
const VIOLATIONS_MAX: usize = 8;

/// Runs the schedules of many seeds, in order, and stops early when there are enough violations. It
/// counts no crash points, because seeds cover them by chance.
///
/// ```
/// use crashpoint_simulator::{Possible, Settings, Source, explore_seeds};
///
/// let settings = Settings::within("c2f2t1p2x1".parse()?);
/// let findings = explore_seeds(Source::Generated(None), &settings, Possible::Swarm, 0..20);
/// assert_eq!(findings.schedules, 20);
/// assert_eq!(findings.violations, []);
/// # Ok::<(), crashpoint_simulator::BadBudget>(())
/// ```
pub fn explore_seeds(
    source: impl Simulated + Sync,
    settings: &Settings,
    possible: Possible,
    seeds: Range<u64>,
) -> Findings {
    explore_seeds_on(Pool::of_one(), source, settings, possible, seeds)
}

/// The same in a pool. The findings and their order are the same in every pool.
///
/// # Panics
///
/// Never: each seed is one schedule.
pub fn explore_seeds_on(
    pool: Pool,
    source: impl Simulated + Sync,
    settings: &Settings,
    possible: Possible,
    seeds: Range<u64>,
) -> Findings {
    let work = |seed: &u64| explore_seed(&source, settings, possible, *seed);
    explore_each_seed(pool, &seeds.collect::<Vec<_>>(), work, &mut |_| ())
}

/// The findings of `work` for each seed, until there are enough. `seen` gets the findings so far
/// after each seed.
pub(crate) fn explore_each_seed(
    pool: Pool,
    seeds: &[u64],
    work: impl Fn(&u64) -> Findings + Sync,
    seen: &mut dyn FnMut(&Findings),
) -> Findings {
    let mut findings = Findings::default();
    pool.in_order(seeds, work, |found| {
        findings.merge(found);
        seen(&findings);
        let enough = findings.endless || findings.violations.len() >= VIOLATIONS_MAX;
        if enough || !findings.nondeterminism.is_empty() {
            findings.cut_short = true;
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    assert!(
        findings.schedules <= seeds.len() as u64,
        "a seed is one schedule"
    );
    findings
}

/// The findings of one seed's schedule.
pub(crate) fn explore_seed(
    source: &impl Simulated,
    settings: &Settings,
    possible: Possible,
    seed: u64,
) -> Findings {
    let (trial, _) = run_seed(source, settings, possible, seed);
    let mut findings = Findings {
        schedules: 1,
        sampled: 1,
        ..Findings::default()
    };
    findings.endless = trial.is_endless();
    let schedule = trial.schedule();
    findings.count_faults(schedule.0.iter());
    let token = Token::of_seed(&source.name(), settings, possible, seed, trial.tape());
    let broken = !trial.verdicts().is_empty();
    if matches!(settings.repeat, Repeat::OneIn(many) if broken || seed.is_multiple_of(many)) {
        findings.repeated += 1;
        let (again, _) = run_seed(source, settings, possible, seed);
        if let Some(divergence) = HashedTrace::divergence_of_trials(&trial, &again) {
            findings.nondeterminism.push(Nondeterminism {
                schedule,
                token,
                divergence,
            });
            return findings;
        }
    }
    findings.violate(trial.verdicts(), &schedule, &token);
    findings
}
