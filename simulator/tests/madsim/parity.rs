//! The built-in workloads end the same in all three lanes: the same outcome, and the same ledger.

use std::time::Duration;

use crashpoint_simulator::choices::Exhaustive;
use crashpoint_simulator::madsim_lane::{Plan, PlannedRun, simulate_world};
use crashpoint_simulator::oracle::judge;
use crashpoint_simulator::{Lane, LifeEnd, Run, Settings, simulate_with, workload};

/// The last outcome of a run, and each effect without its key, which names the run.
type Ending = (Option<LifeEnd>, Vec<String>);

fn ending(run: &Run) -> Ending {
    let outcomes = run.history.returned().map(|(.., end)| end.clone());
    let effects = run.history.effects().map(|(.., effect)| {
        let (task, direction, name) = (&effect.task, effect.direction, &effect.name);
        let (visit, step, payload) = (effect.visit, effect.step, &effect.payload);
        let reception = effect.reception;
        format!("{task} {direction:?} {visit}.{step}: {name} [{payload}] {reception:?}")
    });
    (
        outcomes.filter(LifeEnd::is_outcome).last(),
        effects.collect(),
    )
}

fn on_one_node(name: &str, lane: Lane) -> Ending {
    let mut workload = workload::named(name).expect("it is built in");
    workload.lane = lane;
    let (run, _) = simulate_with(&workload, &Settings::default(), Exhaustive::new());
    assert_eq!(judge(&workload, &run), [], "{name} in {lane:?}");
    ending(&run)
}

fn on_several_nodes(name: &str) -> Ending {
    let run = PlannedRun {
        workload: name.to_owned(),
        nodes: Vec::new(),
        begins: Duration::ZERO,
        patience: Duration::from_secs(60),
    };
    let plan = Plan {
        workers: 2,
        runs: vec![run],
        faults: Vec::new(),
    };
    let report = simulate_world(1, plan, None);
    assert!(report.broken.is_empty(), "{report}");
    ending(&report.runs[0].1)
}

#[test]
fn every_built_in_workload_ends_the_same_in_all_three_lanes() {
    let workloads = workload::all();
    assert!(workloads.len() > 5, "{} workloads", workloads.len());
    for workload in workloads {
        let name = &*workload.name;
        let own = on_one_node(name, Lane::Own);
        assert!(own.0.is_some() && !own.1.is_empty(), "{name}: {own:?}");
        assert_eq!(
            on_one_node(name, Lane::Tokio),
            own,
            "{name} in the tokio lane"
        );
        assert_eq!(on_several_nodes(name), own, "{name} in the madsim lane");
    }
}

/// The control: an ending says which workload it is of.
#[test]
fn endings_of_different_workloads_differ() {
    assert_ne!(on_several_nodes("order"), on_several_nodes("order-fails"));
    assert_ne!(
        on_one_node("order", Lane::Own),
        on_several_nodes("order-fails-once")
    );
}
