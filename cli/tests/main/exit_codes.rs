//! Each exit code is seen, end to end: by a mutant, or by a control that is there to be objected to.

use crate::command::{crashpoint, text};
use serde_json::Value;

/// What is printed, where it exits with `code`.
fn exits_with(code: i32, arguments: &[&str]) -> String {
    let output = crashpoint(arguments);
    let (report, said) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}\n{report}{said}"
    );
    report + &said
}

/// The token of the first of these in the JSON of an exploration.
fn token(arguments: &[&str], of: &str) -> String {
    let output = crashpoint(&[arguments, &["--json"]].concat());
    let report: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let replay = report["workloads"][0][of][0]["replay"].as_str();
    let replay = replay.unwrap_or_else(|| panic!("{of} has one: {report}"));
    replay.trim_start_matches("crashpoint replay ").to_owned()
}

const NEVER_ENDS: [&str; 6] = [
    "--workload",
    "order-fails",
    "--store",
    "memory",
    "--mutant",
    "RollbackResumes",
];

#[test]
fn a_run_that_never_ends_exits_with_3() {
    let explore = [&["explore", "--within", "c1"], &NEVER_ENDS[..]].concat();
    let report = exits_with(3, &explore);
    assert!(report.contains(" violates liveness: "), "{report}");
    let token = token(&explore, "violations");
    for command in ["replay", "explain", "shrink"] {
        exits_with(3, &[command, &token]);
    }
    let soak = ["soak", "--seed", "1", "--seeds", "40"];
    let report = exits_with(3, &[&soak[..], &NEVER_ENDS].concat());
    assert!(report.contains(" violates liveness, first "), "{report}");
}

#[test]
fn a_workload_that_reads_the_world_outside_exits_with_4_and_the_event_is_named() {
    for (control, read) in [
        ("control-entropy", "payload=\"["),
        ("control-clock", "payload=\""),
        ("control-hash-map", "payload=\""),
    ] {
        let names_the_event = |report: &str| {
            for part in [
                " differs:\n",
                "  first  0006 life=1 effect name=\"charge the card\" ",
                "  then   0006 life=1 effect name=\"charge the card\" ",
                read,
            ] {
                assert!(report.contains(part), "{part:?} is missing in:\n{report}");
            }
        };
        let explore = ["explore", "--workload", control, "--store", "memory"];
        let report = exits_with(4, &explore);
        names_the_event(&report);
        for part in [
            &format!("{control} over memory is NOT DETERMINISTIC"),
            "NOT exhaustive: ",
            "HashMap",
        ] {
            assert!(report.contains(part), "{part:?} is missing in:\n{report}");
        }
        let token = token(&explore, "nondeterminism");
        for command in ["replay", "explain", "shrink"] {
            names_the_event(&exits_with(4, &[command, &token]));
        }
    }
    let soak = ["soak", "--seed", "0", "--seeds", "40", "--store", "memory"];
    let report = exits_with(4, &[&soak[..], &["--workload", "control-entropy"]].concat());
    assert!(
        report.contains(": ran differently the second time\n"),
        "{report}"
    );
    assert!(report.contains(" differs:\n"), "{report}");
}

#[test]
fn a_panic_outside_of_the_simulation_exits_with_5() {
    let control = ["--workload", "control-panics", "--store", "memory"];
    let report = exits_with(5, &[&["explore"], &control[..]].concat());
    assert!(report.contains("the control panics"), "{report}");
    let soak = ["soak", "--seed", "0", "--seeds", "2"];
    let report = exits_with(5, &[&soak[..], &control].concat());
    assert!(
        report.contains("2 seeds: panicked, which is a bug of the simulator\n"),
        "{report}"
    );
}

#[test]
fn an_instrument_that_was_not_seen_working_exits_with_5_and_is_named() {
    let one = ["vacuity", "--workload", "linear", "--store", "memory"];
    let report = exits_with(5, &one);
    let zeros = report
        .lines()
        .filter_map(|line| line.strip_prefix("ZERO: "));
    let zeros: Vec<&str> = zeros.collect();
    assert_eq!(zeros[0], "no schedule had the fault power-loss");
    // There is no disk, no task has a deadline, and it is no upgrade.
    let is_beyond_it = |zero: &&str| {
        let faults = [
            "power-loss",
            "write-error",
            "sync-error",
            "disk-full",
            "attempt-hang",
            "no upgrade refused a log",
        ];
        faults.iter().any(|fault| zero.contains(fault))
    };
    assert!(zeros.iter().all(is_beyond_it), "{report}");
    assert!(!report.contains("no zero"), "{report}");
    for part in [
        "edges",
        "order~CompletionIsOneRow over memory",
        "linear over memory",
    ] {
        assert!(report.contains(part), "{part:?} is missing in:\n{report}");
    }
}

#[test]
fn an_exploration_says_whether_it_was_exhaustive() {
    let one = ["explore", "--workload", "linear", "--store", "memory"];
    let report = exits_with(0, &one).replace('\n', " ");
    for part in [
        " exhaustive: every schedule within these bounds, 155 of 155 crash points covered; ",
        " sampled beyond; ",
        " run twice ",
        " All these are exhausted. ",
    ] {
        assert!(report.contains(part), "{part:?} is missing in:\n{report}");
    }
    let rivals = [&one[..], &["--within", "t1p2"]].concat();
    let report = exits_with(0, &rivals).replace('\n', " ");
    for part in [
        " not counted ",
        " Crash points are counted where nothing but crashes goes wrong. ",
        " exhaustive: every schedule within these bounds; ",
    ] {
        assert!(report.contains(part), "{part:?} is missing in:\n{report}");
    }
    assert!(!report.contains("0 of 0"), "{report}");
    let mutant = [&one[..], &["--mutant", "TerminalAbsorbs"]].concat();
    let report = exits_with(1, &mutant);
    assert!(report.contains("\nNOT exhaustive: "), "{report}");
    assert!(!report.contains("All these are exhausted."), "{report}");
    let exhaustive = |arguments: &[&str]| {
        let output = crashpoint(&[arguments, &["--json"]].concat());
        let report: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
        let row = report["workloads"][0]["exhaustive"].as_bool();
        assert_eq!(report["exhaustive"].as_bool(), row);
        row.expect("it is said")
    };
    assert!(exhaustive(&one));
    assert!(!exhaustive(&mutant));
}
