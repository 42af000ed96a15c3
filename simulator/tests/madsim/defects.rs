//! Planted defects: each is found within the seeds of the gate, by the oracle that a reader expects.

use crashpoint_simulator::madsim_lane::{
    Defect, Plan, PlannedFault, PlannedRun, WorldFault, WorldReport, drawn_plan, simulate_world,
};

use crate::worlds::{failure, shrunk};

/// A defect is found within this many seeds.
const SEEDS: u64 = 500;

/// The first world in which `oracle` objects to `defect`.
fn found(defect: Defect, oracle: &str) -> WorldReport {
    let worlds = (0..SEEDS).map(|seed| simulate_world(seed, drawn_plan(seed), Some(defect)));
    let mut objections = worlds.filter(|report| report.breaks(oracle));
    let first = objections.next();
    first.unwrap_or_else(|| panic!("{oracle} never objects to {defect}"))
}

#[test]
fn a_store_without_a_fence_breaks_one_writer() {
    found(Defect::FenceRemoved, "one-writer");
}

#[test]
fn a_lease_in_place_of_the_fence_breaks_one_writer() {
    found(Defect::LeaseTrusted, "one-writer");
}

#[test]
fn an_append_that_is_resent_blindly_breaks_outcome_is_durable() {
    found(Defect::ResentBlindly, "outcome-is-durable");
}

#[test]
fn an_acknowledgement_before_the_sync_breaks_store_keeps_rows() {
    found(Defect::AcknowledgedBeforeSync, "store-keeps-rows");
}

#[test]
fn a_zombie_that_clears_breaks_one_writer() {
    found(Defect::ZombieClears, "one-writer");
}

#[test]
fn every_defect_has_a_name_that_reads_back() {
    for defect in Defect::ALL {
        assert_eq!(defect.to_string().parse(), Ok(*defect));
    }
    let unknown = "fence".parse::<Defect>();
    assert_eq!(
        unknown.map_err(|error| error.to_string()),
        Err("unknown defect \"fence\"".to_owned())
    );
}

#[test]
fn a_failure_names_the_faults_that_suffice_and_the_command_that_replays_it() {
    let report = found(Defect::AcknowledgedBeforeSync, "store-keeps-rows");
    let plan = shrunk(&report, Some(Defect::AcknowledgedBeforeSync));
    let again = simulate_world(
        report.seed,
        plan.clone(),
        Some(Defect::AcknowledgedBeforeSync),
    );
    assert!(again.breaks(report.broken[0].verdict.oracle), "{again}");
    for index in 0..plan.faults.len() {
        let smaller = plan.without_fault(index);
        let smaller = simulate_world(report.seed, smaller, Some(Defect::AcknowledgedBeforeSync));
        assert!(
            !smaller.breaks(report.broken[0].verdict.oracle),
            "fault {index} is not needed"
        );
    }
    let text = failure(&report, Some(Defect::AcknowledgedBeforeSync));
    let command = format!(
        "CRASHPOINT_DEFECT=acknowledged-before-sync MADSIM_TEST_SEED={} MADSIM_TEST_NUM=1 cargo \
         simtest every_run_keeps_every_promise",
        report.seed
    );
    assert!(text.contains(&command), "{text}");
    assert!(text.contains(&plan.to_string()), "{text}");
}

/// A run that no client can bring to an end is an objection too: here no worker ever reaches the
/// store, which no plan that is drawn does.
#[test]
fn a_run_without_an_end_breaks_liveness() {
    let order = PlannedRun {
        workload: "order".to_owned(),
        nodes: Vec::new(),
        begins: std::time::Duration::ZERO,
        patience: std::time::Duration::from_secs(1),
    };
    let faults = vec![PlannedFault {
        at: std::time::Duration::ZERO,
        fault: WorldFault::StopForGood,
    }];
    let plan = Plan {
        workers: 2,
        runs: vec![order],
        faults,
    };
    let report = simulate_world(0, plan, None);
    assert!(report.breaks("liveness"), "{report}");
}
