//! Operations over several runs, as a workload among the others: explored by name, broken on purpose,
//! interrupted, and each violation run again from its token.

use expect_test::{Expect, expect};
use serde_json::Value;

use crate::command::{crashpoint, text};

/// A broken operation, and bounds within which its oracle objects at once.
const BROKEN: &[&str] = &[
    "explore",
    "--workload",
    "operations",
    "--mutant",
    "StatusLies",
    "--within",
    "c0",
];

/// What is printed, where it exits with `code`.
fn printed(code: i32, arguments: &[&str]) -> String {
    let output = crashpoint(arguments);
    let (printed, said) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}\n{printed}{said}"
    );
    printed
}

fn json(code: i32, arguments: &[&str]) -> Value {
    let report = printed(code, &[arguments, &["--json"]].concat());
    serde_json::from_str(&report).expect("it is JSON")
}

/// The token of the first violation.
fn token() -> String {
    let report = json(1, BROKEN);
    let violation = &report["workloads"][0]["violations"][0];
    assert_eq!(violation["oracle"], "status-is-true");
    let replay = violation["replay"].as_str().expect("a command");
    let token = replay.trim_start_matches("crashpoint replay ");
    assert!(token.starts_with("3.operations~StatusLies.memory.c0."));
    token.to_owned()
}

/// A violation of operations had no token, and could be neither replayed nor explained nor shrunk.
#[test]
fn a_violation_of_operations_is_run_again_from_its_token() {
    let token = token();
    let story = printed(1, &["replay", &token]);
    for part in [
        "operations\n  caller 1: ",
        "schedule\n  no fault\n",
        "timeline\n  caller 1: begins ",
        "violations\n  status-is-true: ",
        "identical in two runs",
    ] {
        assert!(story.contains(part), "{part:?} is missing in:\n{story}");
    }
    let trace = printed(1, &["replay", &token, "--trace"]);
    let mut lines = trace.lines();
    let first = lines.next().expect("the trace has lines");
    assert!(first.starts_with("0000 caller=1 begins "), "{first}");
    assert!(trace.contains("\nviolation oracle=status-is-true message="));
    assert!(trace.contains("\ncourse events="));
    let explained = printed(1, &["explain", &token]);
    let opening: Vec<&str> = explained.lines().take(4).collect();
    expect![[r#"
        operations~StatusLies over memory: resume_all, purge, unfinished, status, run_or_resume and retry_stuck, over several runs
        broken first: status-is-true: a status has stuck as rolled back after 4 rows, and its log never said so
        promise: a status says what the log says, and never invents an ending"#]]
    .assert_eq(&opening[..3].join("\n"));
    assert!(opening[3].starts_with("since event 00"), "{explained}");
    let replay = format!("replay it: cargo run --release -- replay {token}");
    assert_eq!(explained.lines().last(), Some(&*replay));
}

#[test]
fn a_violation_of_operations_shrinks_to_a_token_and_to_a_tape() {
    let token = token();
    let folder = tempfile::tempdir().expect("a folder is made");
    let file = folder.path().join("found.tape").display().to_string();
    let shrunk = printed(1, &["shrink", &token, "--out", &file]);
    for part in [
        "local minimum",
        "status of stuck",
        "token: 3.operations~StatusLies.",
    ] {
        assert!(shrunk.contains(part), "{part:?} is missing in:\n{shrunk}");
    }
    for command in ["replay", "explain", "shrink"] {
        printed(1, &[command, &file]);
    }
    let kept = printed(1, &["replay", &file]);
    assert!(kept.contains("caller 1: status of stuck"), "{kept}");
}

#[test]
fn pages_show_the_events_of_operations() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let file = folder.path().join("page.html").display().to_string();
    let page = || std::fs::read_to_string(&file).expect("the page was written");
    printed(1, &["explain", &token(), "--html", &file]);
    for part in [
        "operations~StatusLies over memory",
        "status-is-true breaks here",
        "caller 2",
    ] {
        assert!(page().contains(part), "{part:?} is missing");
    }
    printed(1, &[BROKEN, &["--html", &file]].concat());
    for part in [
        "Promises are broken.",
        "status-is-true breaks here",
        "Operations: each two",
    ] {
        assert!(page().contains(part), "{part:?} is missing");
    }
}

#[test]
fn the_table_has_a_row_and_a_line_for_operations() {
    let report = printed(
        0,
        &["explore", "--workload", "operations", "--crashes", "0"],
    );
    assert!(
        report.contains("\nOperations: each two that can meet in a run, "),
        "{report}"
    );
    assert!(report.contains("\n operations  memory "), "{report}");
    assert!(
        report.contains("\n operations  resume_all, purge, "),
        "{report}"
    );
}

#[test]
fn err_names_of_operations() {
    let check = |arguments: &[&str], expected: Expect| {
        let output = crashpoint(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = text(&output.stderr);
        expected.assert_eq(said.lines().next().unwrap_or_default());
    };
    check(
        &["explore", "--workload", "order", "--mutant", "StatusLies"],
        expect!["error: unknown workload order~StatusLies; the workloads are all, operations"],
    );
    check(
        &["soak", "--workload", "order", "--mutant", "StatusLies"],
        expect!["error: unknown workload order~StatusLies; the workloads are all, operations"],
    );
    check(
        &["replay", "3.operations.redb-losing-names.c1.calm.01234567"],
        expect!["error: no operations run over redb-losing-names"],
    );
    check(
        &["replay", "3.operations~Nope.memory.c1.calm.01234567"],
        expect!["error: unknown workload operations~Nope"],
    );
}

/// A schedule in words did not say which operations run, so nobody could write one.
#[test]
fn a_schedule_of_operations_in_words_runs_over_each_store_that_has_its_place() {
    let replay = |code: i32, store: &str, workload: &str, words: &str| {
        let arguments = [
            "--workload",
            workload,
            "--store",
            store,
            "--schedule",
            words,
        ];
        printed(code, &[&["replay"][..], &arguments].concat())
    };
    let words = "v1; run purge; run status=open; place in-turn; \
                 at 1 purge/clear done:before-sync: power-loss";
    let story = replay(0, "redb", "operations", words);
    assert!(story.contains("caller 1: CRASH at 1 purge/clear done:before-sync"));
    assert!(
        story.contains(&format!("schedule in words\n  {words}\n")),
        "{story}"
    );
    let story = replay(
        1,
        "memory",
        "operations~PurgeTakesStuck",
        "v1; run purge; run purge; place apart",
    );
    assert!(story.contains("purge-takes-ended-runs: a purge took stuck"));
}

#[test]
fn err_schedules_of_operations_in_words() {
    let check = |words: &str, expected: Expect| {
        let arguments = ["replay", "--workload", "operations", "--schedule", words];
        let output = crashpoint(&arguments);
        assert_eq!(output.status.code(), Some(2), "{words}");
        let said = text(&output.stderr);
        expected.assert_eq(said.lines().next().unwrap_or_default());
    };
    check(
        "no fault",
        expect![[r#"error: a schedule of operations begins with "v1", found "no fault""#]],
    );
    check(
        "v2; run purge; run purge",
        expect![[r#"error: a schedule of operations begins with "v1", found "v2""#]],
    );
    check(
        "v1; run purge",
        expect![
            "error: a schedule has two or three operations, such as `run purge; run status=open`; found 1"
        ],
    );
    check(
        "v1; run purge; run sweep",
        expect![[
            r#"error: unknown operation "sweep"; the operations are resume-all, purge, unfinished, status=open, status=stuck, run-or-resume=open, run-or-resume=done, run-or-resume=new, run-or-resume=mixed, run-and-clear=open, retry-stuck=stuck"#
        ]],
    );
    check(
        "v1; run purge; run purge; place here",
        expect![[r#"error: unknown place "here"; the places are one-process, apart and in-turn"#]],
    );
    check(
        "v1; run purge; run purge; place in-turn",
        expect!["error: over memory no operations run in-turn"],
    );
    check(
        "v1; run purge; run purge; at 1 nowhere:before: crash",
        expect![
            "error: this fault did not fire: at 1 nowhere:before: crash; the simulation did not reach an instant of this name"
        ],
    );
    check(
        "v1; run purge; run purge; crash",
        expect![[r#"error: expected `at INSTANT: FAULT`, found "crash""#]],
    );
}

/// A soak ran workloads alone.
#[test]
fn a_soak_runs_operations_over_each_store_and_shrinks_what_breaks() {
    let soak = [
        "soak",
        "--seed",
        "1",
        "--seeds",
        "60",
        "--workload",
        "operations",
    ];
    let kept = printed(0, &soak);
    for row in [" operations  memory ", " operations  redb "] {
        assert!(kept.contains(row), "{row:?} is missing in:\n{kept}");
    }
    let folder = tempfile::tempdir().expect("a folder is made");
    let corpus = folder.path().display().to_string();
    let mutant = ["--mutant", "StatusLies", "--corpus", &corpus];
    let broken = printed(1, &[&soak[..], &mutant].concat());
    for part in [
        "operations~StatusLies",
        "status of stuck",
        "status-is-true: ",
    ] {
        assert!(broken.contains(part), "{part:?} is missing in:\n{broken}");
    }
    let again = printed(1, &[&soak[..], &mutant].concat());
    assert!(again.contains("replayed first, "), "{again}");
    assert!(again.contains("still break a promise"), "{again}");
}

/// The operations ran before Ctrl-C was listened to: it ended the process without a table.
#[cfg(unix)]
#[test]
fn ctrl_c_among_operations_ends_with_the_report_so_far() {
    let arguments = [
        "explore",
        "--workload",
        "operations",
        "--jobs",
        "1",
        "--json",
    ];
    let (status, report) = crate::command::interrupted(&arguments, "exploring ");
    assert_eq!(status, Some(130));
    let report: Value = serde_json::from_str(&report).expect("it is JSON");
    assert_eq!(report["complete"], false);
    assert_eq!(report["violations_total"], 0);
}
