//! Exploration by seeds: each seed is a schedule, and with a swarm also what is possible in it.

use std::ops::Range;

use crate::choices::{Choices, Seeded};
use crate::explore::{Findings, Violation};
use crate::fault::Budget;
use crate::sim::Settings;
use crate::token::Token;
use crate::trial::{Source, Trial};

/// After so many violations no further seed is run: they have the same few reasons.
const VIOLATIONS_MAX: usize = 8;

/// Which faults the schedule of a seed may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Possible {
    /// All that the budget allows.
    All,
    /// A swarm: of each group of faults as many as the seed says, up to the budget. Where everything
    /// is possible all the time, most schedules have a little of everything; some failures
    /// need much of one thing and nothing of another (Groce and others, "Swarm Testing", 2012).
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
        errors: up_to("plan/possible/errors", most.errors),
        takeovers: up_to("plan/possible/takeovers", most.takeovers),
        preemptions: up_to("plan/possible/preemptions", most.preemptions),
        cancels: up_to("plan/possible/cancels", most.cancels),
        breaches: up_to("plan/possible/breaches", most.breaches),
    }
}

/// Runs the schedule of one seed. Also gives the settings that it had: with a swarm not those that
/// were allowed. Within them the trial's tape is a recording like any other.
pub fn run_seed(
    source: Source<'_>,
    settings: &Settings,
    possible: Possible,
    seed: u64,
) -> (Trial, Settings) {
    let mut choices = Seeded::new(seed);
    let mut settings = settings.clone();
    if possible == Possible::Swarm {
        settings.budget = swarm(&mut choices, settings.budget);
    }
    let (trial, _) = source.run(&settings, choices);
    (trial, settings)
}

/// Runs the schedules of many seeds, in their order, and stops early where there are violations
/// enough. No crash points are counted: seeds cover what they happen to.
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
    source: Source<'_>,
    settings: &Settings,
    possible: Possible,
    seeds: Range<u64>,
) -> Findings {
    let mut findings = Findings::default();
    for seed in seeds {
        let (trial, _) = run_seed(source, settings, possible, seed);
        findings.schedules += 1;
        let token = Token::of_seed(&source.name(), settings, possible, seed, &trial.tape);
        let violations = trial.verdicts.iter().map(|verdict| Violation {
            oracle: verdict.oracle,
            message: verdict.message.clone(),
            schedule: trial.schedule(),
            token: token.clone(),
        });
        findings.violations.extend(violations);
        if findings.violations.len() >= VIOLATIONS_MAX {
            findings.cut_short = true;
            break;
        }
    }
    findings
}
