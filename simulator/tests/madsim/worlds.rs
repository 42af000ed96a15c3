//! Worlds by seed: the faithful world keeps every promise whatever the nemesis does.

use std::collections::BTreeMap;
use std::time::Duration;

use crashpoint_simulator::madsim_lane::{
    Defect, Plan, PlannedFault, PlannedRun, WorldFault, WorldReport, drawn_plan, simulate_world,
};

/// The number of seeds without `MADSIM_TEST_NUM`.
const SEEDS_DEFAULT: u64 = 2_000;

/// A line of progress is printed after this many seeds.
const PROGRESS: u64 = 10_000;

/// What every list of seeds must reach, so that a pass means something.
const REACHED: &[&str] = &[
    "a clock is wrong",
    "a life begins beside another",
    "a life is cancelled",
    "a life returned done",
    "a life returned rolled back",
    "a life returned stuck",
    "a life was fenced",
    "a life was suspended",
    "a power cut with something unsynced",
    "a request arrived twice",
    "a row in flight at a power cut survived",
    "a row in flight at a power cut was lost",
    "a row landed after the death of its sender",
    "a run is resumed at the start of a worker",
    "a worker is cut off from the store",
    "a worker pauses",
    "an append was in doubt",
    "an owner is cut off while another takes over",
    "killed after an effect",
    "killed after its row landed, before it knew",
    "killed before an effect",
    "killed before its row landed",
    "the network is slow",
    "the network loses messages",
    "the power of the store is cut",
    "the power was cut within a commit",
    "the store dies",
    "the store pauses",
];

#[test]
fn every_run_keeps_every_promise_whatever_the_nemesis_does() {
    let first = env_number("MADSIM_TEST_SEED").unwrap_or(0);
    let seeds = env_number("MADSIM_TEST_NUM").unwrap_or(SEEDS_DEFAULT);
    let defect = std::env::var("CRASHPOINT_DEFECT").ok();
    let defect: Option<Defect> = defect.map(|name| name.parse().expect("a defect"));
    assert!(seeds > 0, "no seed proves nothing");
    let mut reached: BTreeMap<&'static str, u64> = BTreeMap::new();
    for seed in first..first + seeds {
        let report = simulate_world(seed, drawn_plan(seed), defect);
        assert!(report.broken.is_empty(), "{}", failure(&report, defect));
        for (what, times) in report.reached {
            *reached.entry(what).or_default() += times;
        }
        if (seed - first + 1).is_multiple_of(PROGRESS) {
            println!("madsim: {} worlds kept every promise", seed - first + 1);
        }
    }
    println!("madsim: {seeds} seeds from {first}");
    for (what, times) in &reached {
        println!("madsim: {times:>7} times {what}");
    }
    if seeds >= SEEDS_DEFAULT {
        let missed = REACHED.iter().filter(|what| !reached.contains_key(**what));
        let missed: Vec<_> = missed.collect();
        assert!(missed.is_empty(), "never reached: {missed:?}");
    }
}

/// A soak found it: the second of two power cuts that overlapped turned the power on again, so an open
/// store that had lost its disk answered with errors. A disk without power stays so until a restart.
#[test]
fn a_second_power_cut_does_not_turn_the_power_on() {
    let ms = Duration::from_millis;
    let order = |begins| PlannedRun {
        workload: "order".to_owned(),
        nodes: Vec::new(),
        begins,
        patience: ms(500),
    };
    let cut = |at, calls| PlannedFault {
        at,
        fault: WorldFault::PowerCut {
            calls,
            after: ms(2_000),
            kept: 0,
            down: ms(300),
        },
    };
    let plan = Plan {
        workers: 2,
        runs: vec![order(ms(0)), order(ms(400))],
        faults: vec![cut(ms(100), 0), cut(ms(300), 20)],
    };
    let report = simulate_world(0, plan, None);
    assert!(report.broken.is_empty(), "{report}");
    assert_eq!(
        report.reached.get("the power of the store is cut"),
        Some(&2)
    );
}

/// The story of a failure, the faults that suffice for it, and the command that replays it.
pub(crate) fn failure(report: &WorldReport, defect: Option<Defect>) -> String {
    let oracle = report.broken[0].verdict.oracle;
    let plan = shrunk(report, defect);
    let seed = report.seed;
    let defect = defect.map_or_else(String::new, |defect| format!("CRASHPOINT_DEFECT={defect} "));
    format!(
        "{oracle} is broken\n{report}\nthese faults suffice\n{plan}\nreplay it\n  {defect}\
         MADSIM_TEST_SEED={seed} MADSIM_TEST_NUM=1 cargo simtest every_run_keeps_every_promise"
    )
}

/// The plan without the faults that the broken promise does not need.
pub(crate) fn shrunk(report: &WorldReport, defect: Option<Defect>) -> Plan {
    let oracle = report.broken[0].verdict.oracle;
    let breaks = |plan: &Plan| simulate_world(report.seed, plan.clone(), defect).breaks(oracle);
    let mut plan = report.plan.clone();
    // A fault may be superfluous only since a later one was left out, so each begins from the first again.
    loop {
        let mut smaller = (0..plan.faults.len()).map(|index| plan.without_fault(index));
        match smaller.find(breaks) {
            Some(smaller) => plan = smaller,
            None => return plan,
        }
    }
}

fn env_number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}
