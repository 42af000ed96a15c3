//! The command as its user meets it: what it prints, and what it exits with.

use std::process::{Command, Output};

use expect_test::{Expect, expect};
use serde_json::Value;

/// A mutant and a workload that notices it quickly.
const VIOLATED: &[&str] = &[
    "explore",
    "--workload",
    "order",
    "--store",
    "memory",
    "--mutant",
    "TerminalAbsorbs",
    "--crashes",
    "1",
];

fn crashpoint(arguments: &[&str]) -> Output {
    let command = env!("CARGO_BIN_EXE_crashpoint");
    // As if cargo had started it.
    Command::new(command)
        .env("CARGO", "cargo")
        .args(arguments)
        .output()
        .expect("the command runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the command prints UTF-8")
}

fn json(arguments: &[&str]) -> Value {
    let output = crashpoint(arguments);
    let lines = text(&output.stdout);
    assert_eq!(lines.lines().count(), 1, "one object on one line: {lines}");
    serde_json::from_str(&lines).expect("the line is JSON")
}

#[test]
fn a_clean_exploration_exits_with_0_and_covers_every_crash_point() {
    let arguments = [
        "explore",
        "--workload",
        "linear",
        "--crashes",
        "1",
        "--json",
    ];
    assert_eq!(crashpoint(&arguments).status.code(), Some(0));
    let report = json(&arguments);
    assert_eq!(report["version"], 1);
    assert_eq!(report["violations_total"], 0);
    assert!(report["elapsed_ms"].is_u64());
    let workloads = report["workloads"].as_array().expect("a list");
    let stores: Vec<&Value> = workloads
        .iter()
        .map(|workload| &workload["store"])
        .collect();
    assert_eq!(stores, ["memory", "redb"]);
    for (workload, least) in workloads.iter().zip([15, 100]) {
        assert_eq!(workload["name"], "linear");
        assert_eq!(workload["crashes"], 1);
        assert_eq!(workload["violations"], Value::Array(Vec::new()));
        let points = |which: &str| workload[which].as_u64().expect("a number");
        let total = points("crash_points_total");
        assert!(total > least, "{total} crash points");
        assert_eq!(total, points("crash_points_covered"));
    }
    let schedules = workloads
        .iter()
        .map(|workload| workload["schedules"].as_u64());
    assert_eq!(report["schedules_total"].as_u64(), schedules.sum());
}

#[test]
fn the_report_does_not_depend_on_the_number_of_threads() {
    let report = |jobs: &str| {
        let mut report = json(&[VIOLATED, &["--json", "--jobs", jobs]].concat());
        report["elapsed_ms"] = Value::Null;
        report.to_string()
    };
    let alone = report("1");
    assert_eq!(alone, report("2"));
    assert_eq!(alone, report("5"));
}

#[test]
fn a_violation_exits_with_1_and_names_the_command_that_shows_it_again() {
    let output = crashpoint(VIOLATED);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let report = text(&output.stdout);
    for part in [
        "terminal-absorbs: ",
        "schedule\n",
        "timeline\n",
        "log\n",
        "ledger\n",
    ] {
        assert!(report.contains(part), "{part:?} is missing in:\n{report}");
    }
    let replay = report
        .lines()
        .find_map(|line| line.strip_prefix("replay it: cargo run --release -- "));
    let replay: Vec<&str> = replay.expect("a command is named").split(' ').collect();
    let again = crashpoint(&replay);
    assert_eq!(again.status.code(), Some(1), "{}", text(&again.stderr));
    assert!(text(&again.stdout).contains("terminal-absorbs: "));
}

#[test]
fn a_violation_in_json_has_the_oracle_the_schedule_the_message_and_the_replay() {
    let report = json(&[VIOLATED, &["--json"]].concat());
    let violations = report["workloads"][0]["violations"]
        .as_array()
        .expect("a list");
    assert_eq!(report["violations_total"], violations.len());
    for violation in violations {
        for field in ["oracle", "schedule", "message", "replay"] {
            assert!(
                violation[field].is_string(),
                "{field} is missing in {violation}"
            );
        }
    }
    assert!(
        violations
            .iter()
            .any(|violation| violation["oracle"] == "terminal-absorbs")
    );
}

#[test]
fn wrong_calls_exit_with_2_and_say_what_was_wrong() {
    let check = |arguments: &[&str], expected: Expect| {
        let output = crashpoint(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            output.stdout.is_empty(),
            "{arguments:?} printed {}",
            text(&output.stdout)
        );
        let message = text(&output.stderr);
        expected.assert_eq(message.lines().next().unwrap_or_default());
    };
    check(
        &["explore", "--crashes", "4"],
        expect!["error: invalid value '4' for '--crashes <0..=3>': 4 is not in 0..=3"],
    );
    check(
        &["explore", "--jobs", "0"],
        expect![[
            r#"error: invalid value '0' for '--jobs <N>': number would be zero for non-zero type"#
        ]],
    );
    check(
        &["explore", "--workload", "no\u{1b}[2Jpe"],
        expect![[
            r#"error: there is no workload no\u{1b}[2Jpe; there are all, linear, order, order-fails, order-fails-once, order-undo-fails, order-panics, order-hangs, order-cleared, import-loop"#
        ]],
    );
    check(
        &["explore", "--store", "paper"],
        expect!["error: invalid value 'paper' for '--store <STORE>'"],
    );
    check(
        &["explore", "--mutant", "Nope"],
        expect![
            "error: invalid value 'Nope' for '--mutant <RULE>': there is no rule of this name; there are [CompletionIsOneRow, RollbackIsJournaled, OpenVisitIsUndone, TerminalAbsorbs, OutcomeAfterRow, FencedStops, ClaimsAreUnique, AppendErrorIsNoTaskFailure, StorageFaultSuspends, ReadBackBeforeResend, ReadBackSeesAll, PinnedRowIsFinal, CursorBelongsToVisit, MismatchBeforeClaim, KeyNamesTheRun, CorruptionStops, CancelWaitsForAppend, ClearNeedsExclusivity]"
        ],
    );
    check(
        &["replay", "x"],
        expect![[
            r#"error: "x" is no token: expected VERSION.WORKLOAD.STORE.BUDGET.DRAWS.FINGERPRINT"#
        ]],
    );
    check(
        &["replay", "9.order.c1.calm.01234567"],
        expect![[r#"error: the token has version "9", this command reads version 2"#]],
    );
    check(
        &["replay", "2.nope.memory.c1.calm.01234567"],
        expect!["error: there is no workload nope"],
    );
    check(
        &["replay", "2.order.memory.c1.7x0.01234567"],
        expect![[
            r#"error: "7x0" is no list of draws: expected ascending INDEXxCHOICE pairs, as in 7x1,19x2, or a seed, as in s42"#
        ]],
    );
    check(
        &["replay", "2.order.memory.q1.calm.01234567"],
        expect![[
            r#"error: "q1" is no budget: letters of c, f, t, p, x, b, each with a number, as in c1f1"#
        ]],
    );
    check(
        &["replay", "2.order.memory.c1.calm.01234567"],
        expect![
            "error: the replay took another course than the recorded schedule; the workload or the engine has changed since it was recorded"
        ],
    );
    check(
        &["replay", "2.order.memory.c1.9999x1.01234567"],
        expect![
            "error: the replay diverged at draw 9999: recorded was choice 1, asked was nothing any more; the workload or the engine has changed since it was recorded"
        ],
    );
}

#[test]
fn the_table_ends_with_a_verdict() {
    let output = crashpoint(&[
        "explore",
        "--workload",
        "linear",
        "--store",
        "redb",
        "--crashes",
        "0",
    ]);
    assert_eq!(output.status.code(), Some(0));
    let table = text(&output.stdout);
    let verdict = table.lines().last().unwrap_or_default();
    assert!(verdict.starts_with("1 schedule in "), "{table}");
    assert!(verdict.ends_with(": no violation"), "{table}");
}
