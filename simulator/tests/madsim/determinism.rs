//! A seed is a world: the same in this process and in another.

use crashpoint_simulator::madsim_lane::{WorldReport, drawn_plan, simulate_world};

use crate::second_process::lines_of_another;

fn of_seed(seed: u64) -> WorldReport {
    simulate_world(seed, drawn_plan(seed), None)
}

#[test]
fn a_seed_decides_everything() {
    let first: Vec<WorldReport> = (0..20).map(of_seed).collect();
    for report in &first {
        // After other worlds, and in another order.
        assert_eq!(of_seed(report.seed), *report, "seed {}", report.seed);
    }
    // The control: not everything is equal.
    assert_ne!(first[0].hash, first[1].hash);
    assert_ne!(first[0].plan, first[1].plan);
}

#[test]
fn the_hash_changes_with_the_plan_and_with_the_seed() {
    let report = of_seed(1);
    assert_ne!(
        simulate_world(2, report.plan.clone(), None).hash,
        report.hash
    );
    assert!(!report.plan.faults.is_empty(), "{}", report.plan);
    let smaller = report.plan.without_fault(0);
    assert_ne!(simulate_world(1, smaller, None).hash, report.hash);
}

#[test]
fn another_process_gives_the_same_hashes() {
    let mine: Vec<String> = (0..50)
        .map(|seed| format!("{seed} {:016x}", of_seed(seed).hash))
        .collect();
    let test = "determinism::another_process_gives_the_same_hashes";
    let Some(theirs) = lines_of_another(test, &mine) else {
        return;
    };
    assert_eq!(mine, theirs);
}
