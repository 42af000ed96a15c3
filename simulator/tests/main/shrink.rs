//! The shrinker ends with a failing tape, which is a proven local minimum, and the smallest known
//! schedule.

use crashpoint::protocol::{Rule, Without};
use crashpoint_simulator::choices::{Edited, Tape};
use crashpoint_simulator::workload::Workload;
use crashpoint_simulator::workload::generated::Kind;
use crashpoint_simulator::{
    Fault, Possible, Recording, SHRINK_RUNS_MAX, Schedule, Settings, ShrinkError, Shrunk, Source,
    explore_seeds, replay_recording, shrink, shrink_recording,
};

use crate::mutants::mutants;
use crate::support::{budget, find, within};
use crate::workloads::named;

/// Every kind of fault is possible.
const BUDGET: &str = "c2f2t1p2x1";

/// Mutants, each with an oracle that rejects it.
fn failing() -> Vec<(Workload, &'static str)> {
    let mutants = [
        (Rule::FencedStops, "order", "one-writer"),
        (Rule::ClaimsAreUnique, "order", "visits-rerun"),
        (Rule::PinnedRowIsFinal, "order", "pinned-row"),
        (Rule::OutcomeAfterRow, "order", "outcome-is-durable"),
        (
            Rule::RollbackIsJournaled,
            "fails-once-for-good",
            "all-or-nothing",
        ),
    ];
    let each = mutants.into_iter();
    each.map(|(rule, workload, oracle)| (named(workload, Without(rule)), oracle))
        .collect()
}

/// The first violations of an oracle from seeds, shrunk.
fn shrunk(source: Source<'_>, settings: &Settings, oracle: &str, count: usize) -> Vec<Shrunk> {
    let violations = (0..2000).filter_map(|seed| {
        let findings = explore_seeds(source, settings, Possible::All, seed..seed + 1);
        let mut violations = findings.violations.into_iter();
        violations.find(|violation| violation.oracle == oracle)
    });
    let each = violations.take(count);
    let shrunk: Vec<Shrunk> = each
        .map(|violation| {
            shrink(source, &violation, SHRINK_RUNS_MAX).expect("the violation is what was recorded")
        })
        .collect();
    assert_eq!(shrunk.len(), count, "{} by {oracle}", source.name());
    shrunk
}

/// The tape of another simulation that the oracle still rejects.
fn still_fails(
    source: Source<'_>,
    settings: &Settings,
    oracle: &str,
    shrunk: &Tape,
    edited: &Tape,
) -> Option<Tape> {
    let (trial, _) = source.run(settings, Edited::new(edited));
    let objected = trial.verdicts.iter().any(|it| it.oracle == oracle);
    (objected && trial.tape != *shrunk).then_some(trial.tape)
}

/// Removes every single draw, and lowers every single choice by one.
fn check_minimum(source: Source<'_>, settings: &Settings, oracle: &str, tape: &Tape) {
    for at in 0..tape.0.len() {
        let mut deleted = tape.clone();
        let draw = deleted.0.remove(at);
        let found = still_fails(source, settings, oracle, tape, &deleted);
        assert_eq!(found, None, "without {draw:?}");
        if draw.chosen > 0 {
            let mut lowered = tape.clone();
            lowered.0[at].chosen -= 1;
            let found = still_fails(source, settings, oracle, tape, &lowered);
            assert_eq!(found, None, "with less than {draw:?}");
        }
    }
}

#[test]
fn the_shrinker_ends_with_a_local_minimum() {
    let settings = within(budget(BUDGET));
    for (mutant, oracle) in failing() {
        let source = Source::Fixed(&mutant);
        for shrunk in shrunk(source, &settings, oracle, 6) {
            assert!(shrunk.minimal, "{shrunk}");
            check_minimum(source, &settings, oracle, &shrunk.trial.tape);
        }
    }
}

#[test]
fn a_violation_shrinks_to_as_few_faults_as_any_has() {
    for (rule, workload, most, oracle) in mutants() {
        // Such an engine can run for ever.
        if rule == Rule::AppendErrorIsNoTaskFailure {
            continue;
        }
        let mutant = named(workload, Without(rule));
        let least = find(&mutant, budget(most), oracle).expect("the mutant is caught");
        let least = least.schedule.parse::<Schedule>().expect("it was printed");
        // Switches do not count.
        let faults = |schedule: &Schedule| {
            let faults = schedule.0.iter();
            let faults = faults.filter(|fired| !matches!(fired.fault, Fault::Switch(_)));
            faults.count()
        };
        let (source, least) = (Source::Fixed(&mutant), faults(&least));
        for shrunk in shrunk(source, &within(budget(most)), oracle, 3) {
            let schedule = &shrunk.violation.schedule;
            assert_eq!(
                faults(schedule),
                least,
                "{rule:?} in {workload}: {schedule}"
            );
        }
    }
}

#[test]
fn a_shrunk_violation_is_replayed_by_its_token_and_shrinks_no_further() {
    let settings = within(budget(BUDGET));
    for (mutant, oracle) in failing() {
        let source = Source::Fixed(&mutant);
        for shrunk in shrunk(source, &settings, oracle, 2) {
            let token = shrunk.token().word().expect("few draws are a short token");
            let recording = Recording::read(&token).expect("it is a token");
            let trial = replay_recording(source, &recording).expect("nothing has changed");
            assert_eq!(trial, shrunk.trial);
            let again = shrink_recording(source, &recording, oracle, SHRINK_RUNS_MAX);
            let again = again.expect("the oracle objects");
            assert_eq!((again.steps, &again.trial), (0, &shrunk.trial));
        }
    }
}

#[test]
fn a_shrinker_that_runs_out_says_so_and_keeps_a_violation() {
    let (mutant, oracle) = failing().swap_remove(1);
    let (source, settings) = (Source::Fixed(&mutant), within(budget(BUDGET)));
    let findings = explore_seeds(source, &settings, Possible::All, 0..100);
    let mut violations = findings.violations.iter();
    let violation = violations.find(|violation| violation.oracle == oracle);
    let violation = violation.expect("the mutant is caught");
    let whole = shrink(source, violation, SHRINK_RUNS_MAX).expect("it is recorded");
    for runs_max in [0, 1, whole.runs / 2, whole.runs - 1] {
        let cut = shrink(source, violation, runs_max).expect("it is recorded");
        assert_eq!((cut.runs, cut.minimal), (runs_max, false));
        assert!(cut.to_string().ends_with("it may not be a local minimum"));
        let replayed = replay_recording(source, &Recording::Token(cut.token().clone()));
        let verdicts = replayed.expect("nothing has changed").verdicts;
        assert!(verdicts.iter().any(|verdict| verdict.oracle == oracle));
    }
    assert_eq!(shrink(source, violation, whole.runs), Ok(whole));
}

#[test]
fn a_simulation_that_the_oracle_accepts_is_not_shrunk() {
    let (mutant, oracle) = failing().swap_remove(0);
    let (source, settings) = (Source::Fixed(&mutant), within(budget(BUDGET)));
    let findings = explore_seeds(source, &settings, Possible::All, 0..100);
    let recording = Recording::Token(findings.violations[0].token.clone());
    assert!(shrink_recording(source, &recording, oracle, 0).is_ok());
    assert_eq!(
        shrink_recording(source, &recording, "cursor", 0),
        Err(ShrinkError::Kept("cursor".to_owned()))
    );
}

/// The workflow is drawn from the same choices as the schedule, so both shrink together: to the
/// single stepped task in a loop that a leaking cursor needs, without any fault.
#[test]
fn a_drawn_workflow_shrinks_to_what_matters() {
    let source = Source::Generated(Some(Rule::CursorBelongsToVisit));
    let settings = within(budget("c1f1"));
    for shrunk in shrunk(source, &settings, "cursor", 8) {
        assert!(shrunk.minimal, "{shrunk}");
        assert_eq!(shrunk.violation.schedule.0, [], "{shrunk:?}");
        let nodes = shrunk
            .trial
            .nodes
            .as_deref()
            .expect("the workflow is drawn");
        let [node] = nodes else {
            panic!("more states than one: {nodes:?}");
        };
        assert_eq!(node.kind, Kind::Stepped(1));
        let detour = node.detour.expect("it loops");
        assert_eq!((detour.to, detour.times), (0, 1));
        check_minimum(source, &settings, "cursor", &shrunk.trial.tape);
    }
}
