//! Mistakes that the engine's own protocol had at some time, or could have, in a world of several nodes:
//! each is found within the seeds of the gate. The upgrade tests and the tests of spawned tasks have the
//! same list.

use crashpoint_simulator::madsim_lane::{drawn_plan, simulate_world};
use crashpoint_simulator::workload::Rule;

/// A mistake is found within this many seeds.
const SEEDS: u64 = 500;

/// Expects that `oracle` objects to some world whose workers run an engine that breaks the rule.
#[track_caller]
fn breaks(rule: Rule, workload: &str, oracle: &str) {
    let mut broken = (0..SEEDS).map(|seed| {
        let mut plan = drawn_plan(seed);
        for run in &mut plan.runs {
            run.workload = format!("{workload}~{rule:?}");
        }
        simulate_world(seed, plan, None)
    });
    assert!(
        broken.any(|report| report.breaks(oracle)),
        "{oracle} never objects to {workload}~{rule:?}"
    );
}

#[test]
fn an_ended_run_that_is_claimed_again_is_found_on_several_nodes() {
    breaks(Rule::TerminalAbsorbs, "order", "terminal-absorbs");
}

#[test]
fn a_rollback_that_is_not_gone_on_with_is_found_on_several_nodes() {
    breaks(Rule::RollbackResumes, "order-fails", "liveness");
}

#[test]
fn a_task_that_runs_after_a_rollback_has_started_is_found_on_several_nodes() {
    breaks(Rule::RollbackIsFinal, "order-fails", "direction");
}

#[test]
fn an_open_visit_that_is_not_undone_is_found_on_several_nodes() {
    breaks(Rule::OpenVisitIsUndone, "order-fails", "coverage");
}

#[test]
fn a_key_that_differs_in_each_life_is_found_on_several_nodes() {
    breaks(Rule::KeyOutlivesTheLife, "order", "keys");
}

#[test]
fn an_undo_that_is_repeated_is_found_on_several_nodes() {
    breaks(Rule::UndoRunsOnce, "order-fails", "undo-once");
}

#[test]
fn an_overtaken_life_that_compensates_is_found_on_several_nodes() {
    breaks(Rule::FencedStops, "order", "one-writer");
}

/// The control: the same worlds without a mistake.
#[test]
fn an_engine_that_keeps_every_rule_is_not_accused_on_several_nodes() {
    for workload in ["order", "order-fails"] {
        for seed in 0..SEEDS / 10 {
            let mut plan = drawn_plan(seed);
            for run in &mut plan.runs {
                run.workload = workload.to_owned();
            }
            let report = simulate_world(seed, plan, None);
            assert!(report.broken.is_empty(), "{report}");
        }
    }
}
