//! The command as its user meets it: what it prints, and what it exits with.

use std::process::{Command, Output};

use crashpoint_cli::exit::Exit;
use expect_test::{Expect, expect};
use serde_json::Value;

/// A mutant and a workload that notices it quickly.
pub(crate) const VIOLATED: &[&str] = &[
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

pub(crate) fn crashpoint(arguments: &[&str]) -> Output {
    let command = env!("CARGO_BIN_EXE_crashpoint");
    // As if cargo had started it.
    Command::new(command)
        .env("CARGO", "cargo")
        .args(arguments)
        .output()
        .expect("the command runs")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the command prints UTF-8")
}

fn json(arguments: &[&str]) -> Value {
    json_of(&crashpoint(arguments))
}

fn json_of(output: &Output) -> Value {
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
    let output = crashpoint(&arguments);
    assert_eq!(output.status.code(), Some(0));
    let report = json_of(&output);
    assert_eq!(report["version"], 1);
    assert_eq!(report["violations_total"], 0);
    assert_eq!(report["complete"], true);
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
            r#"error: unknown workload no\u{1b}[2Jpe; the workloads are all, linear, order, order-fails, order-fails-once, order-undo-fails, order-panics, order-hangs, order-cleared, import-loop, offer, reminder, parcel, upgrades, operations"#
        ]],
    );
    check(
        &["explore", "--store", "paper"],
        expect!["error: invalid value 'paper' for '--store <STORE>'"],
    );
    check(
        &["explore", "--mutant", "Nope"],
        expect!["error: invalid value 'Nope' for '--mutant <RULE>': unknown rule; the rules are"],
    );
    check(
        &["soak", "--for", "soon"],
        expect!["error: invalid value 'soon' for '--for <TIME>': expected number at 0"],
    );
    check(
        &["soak", "--for", "0s"],
        expect!["error: invalid value '0s' for '--for <TIME>': the time must be longer than zero"],
    );
    check(
        &["soak", "--workload", "nope"],
        expect![
            "error: unknown workload nope; the workloads are all, linear, order, order-fails, order-fails-once, order-undo-fails, order-panics, order-hangs, order-cleared, import-loop, offer, reminder, parcel, upgrades, generated, operations"
        ],
    );
    check(
        &["replay", "x"],
        expect![[
            r#"error: "x" is not a token: expected VERSION.WORKLOAD.STORE.BUDGET.DRAWS.FINGERPRINT"#
        ]],
    );
    check(
        &["replay", "9.order.c1.calm.01234567"],
        expect![[r#"error: the token has version "9", this simulator reads version 3"#]],
    );
    check(
        &["replay", "3.nope.memory.c1.calm.01234567"],
        expect!["error: unknown workload nope"],
    );
    check(
        &["replay", "3.order.memory.c1.7x0.01234567"],
        expect![[
            r#"error: "7x0" is not a list of draws: expected ascending INDEXxCHOICE pairs, as in 7x1,19x2, or a seed, as in s42"#
        ]],
    );
    check(
        &["replay", "3.order.memory.q1.calm.01234567"],
        expect![[
            r#"error: "q1" is not a budget: letters of c, f, d, e, t, p, x, j, b, o, s, each with a number, as in c1f1"#
        ]],
    );
    check(
        &["explain", "3.nope.memory.c1.calm.01234567"],
        expect!["error: unknown workload nope"],
    );
}

#[test]
fn a_schedule_in_words_is_replayed_explained_and_shrunk() {
    let words = "at life1/append#1:unacked: crash; \
                 at life2/ship:before-effect: takeover";
    let run = |command: &str, workload: &str| {
        crashpoint(&[command, "--workload", workload, "--schedule", words])
    };
    let replayed = run("replay", "order");
    assert_eq!(replayed.status.code(), Some(0));
    let story = text(&replayed.stdout);
    let lines: Vec<&str> = story.lines().take(5).collect();
    expect![[r#"
        order: saga, succeeds

        schedule
          at life1/append#1:unacked: crash (the process crashes)
          at life2/ship:before-effect: takeover (another process takes over the run)"#]]
    .assert_eq(&lines.join("\n"));
    let explained = run("explain", "order");
    let story = text(&explained.stdout);
    let last = story.lines().last().expect("there is a story");
    assert!(last.ends_with(&format!(
        "replay --workload order --store memory --schedule 'v1; {words}'"
    )));
    // The crash is not needed for what this mutant does wrong.
    let shrunk = run("shrink", "order~FencedStops");
    assert_eq!(shrunk.status.code(), Some(1));
    let story = text(&shrunk.stdout);
    assert!(!story.contains(": crash"), "{story}");
}

#[test]
fn err_schedules_in_words() {
    let check = |arguments: &[&str], expected: Expect| {
        let output = crashpoint(&[&["replay"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
        let message = text(&output.stderr);
        expected.assert_eq(message.lines().next().unwrap_or_default());
    };
    let order = ["--workload", "order", "--schedule"];
    let with = |words| [&order[..], &[words]].concat();
    check(
        &with("crash"),
        expect![[r#"error: expected `at INSTANT: FAULT`, found "crash""#]],
    );
    check(
        &with("at life1/append#9:before: crash"),
        expect![
            "error: this fault did not fire: at life1/append#9:before: crash; the simulation did not reach an instant of this name"
        ],
    );
    check(
        &with("at life1/append#1:before: burns"),
        expect![[
            r#"error: unknown fault "burns"; the faults are crash, power-loss, refused, in-doubt-applied, in-doubt-lost, in-doubt-late=N, duplicated, echoed=N, slow-answer, slow-request, stale-load, partial-power-loss=KEPT, write-error, write-error-lasting, sync-error, sync-error-lasting, disk-full, attempt-error, attempt-error-after, attempt-fatal-after, attempt-twice, attempt-panic, attempt-hang, takeover, switch=lifeN, cancel, clock-ahead, clock-back, sleep, phantom-row, lost-row=N, order=N, service-refused, service-request-lost, service-answer-lost, service-slow"#
        ]],
    );
    check(
        &["--workload", "nope", "--schedule", "no fault"],
        expect!["error: unknown workload nope"],
    );
    check(
        &["--schedule", "no fault"],
        expect!["error: the following required arguments were not provided:"],
    );
    check(
        &["--workload", "order"],
        expect!["error: the following required arguments were not provided:"],
    );
    check(
        &["3.order.memory.c1.calm.01234567", "--schedule", "no fault"],
        expect!["error: the argument '[TOKEN|FILE]' cannot be used with '--schedule <SCHEDULE>'"],
    );
}

#[test]
fn a_replay_that_takes_another_course_exits_with_4_and_says_where_it_parted() {
    let check = |token: &str, expected: Expect| {
        for command in ["replay", "explain"] {
            let output = crashpoint(&[command, token]);
            assert_eq!(output.status.code(), Some(4), "{token}");
            assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
            expected.assert_eq(text(&output.stderr).trim_end());
        }
    };
    check(
        "3.order.memory.c1.calm.01234567",
        expect![
            "error: the replay differs from the recorded schedule; the workload or the engine has changed since it was recorded"
        ],
    );
    check(
        "3.order.memory.c1.9999x1.01234567",
        expect![
            "error: the replay diverges at draw 9999: expected choice 1, got no further draw; the workload or the engine has changed since it was recorded"
        ],
    );
}

#[test]
fn a_file_that_can_not_be_written_exits_with_5_before_anything_is_explored() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let path = folder.path().join("missing/page.html");
    let path = path.to_str().expect("the path is text");
    let output = crashpoint(&["explore", "--workload", "linear", "--html", path]);
    assert_eq!(output.status.code(), Some(5));
    let message = text(&output.stderr);
    assert!(message.starts_with("error: can't write "), "{message}");
    assert!(output.stdout.is_empty());
}

#[test]
fn every_help_text_names_every_exit_code() {
    for command in [
        &["--help"][..],
        &["explore", "--help"],
        &["soak", "--help"],
        &["shrink", "--help"],
        &["replay", "--help"],
        &["explain", "--help"],
        &["vacuity", "--help"],
        &["certify", "--help"],
        &["report", "--help"],
    ] {
        let help = text(&crashpoint(command).stdout);
        let words: Vec<&str> = help.split_whitespace().collect();
        let help = words.join(" ");
        for exit in Exit::ALL {
            let meaning = format!(" {} {}", exit.code(), exit.meaning());
            assert!(
                help.contains(&meaning),
                "{meaning:?} is missing in:\n{help}"
            );
        }
    }
}

#[test]
fn liveness_has_a_code_of_its_own_and_safety_is_graver() {
    let check = |oracles: &[&str], code: u8| {
        let exit = Exit::of_oracles(oracles.iter().copied());
        assert_eq!(exit.code(), code, "{oracles:?}");
    };
    check(&[], 0);
    check(&["liveness"], 3);
    check(&["one-writer"], 1);
    check(&["liveness", "one-writer"], 1);
    check(&["one-writer", "liveness"], 1);
}

/// The token of the first schedule that an oracle objects to.
fn token(arguments: &[&str], oracle: &str) -> String {
    let report = json(&[arguments, &["--json"]].concat());
    let violations = report["workloads"][0]["violations"].as_array();
    let mut violations = violations.expect("a list").iter();
    let found = violations.find(|violation| violation["oracle"] == oracle);
    let replay = found.unwrap_or_else(|| panic!("{oracle} objects"))["replay"].as_str();
    let replay = replay.expect("a command");
    replay.trim_start_matches("crashpoint replay ").to_owned()
}

#[test]
fn a_trace_has_a_line_for_each_event_and_one_for_each_violation() {
    let token = token(VIOLATED, "terminal-absorbs");
    let output = crashpoint(&["replay", &token, "--trace"]);
    assert_eq!(output.status.code(), Some(1));
    let trace = text(&output.stdout);
    let (course, lines): (Vec<&str>, Vec<&str>) =
        trace.lines().partition(|line| line.starts_with("course "));
    let [course] = course[..] else {
        panic!("the course is summed up once: {trace}");
    };
    assert!(course.contains(" hash="), "{course}");
    let (violations, events): (Vec<&str>, Vec<&str>) = lines
        .into_iter()
        .partition(|line| line.starts_with("violation "));
    assert!(!violations.is_empty());
    for (place, event) in events.iter().enumerate() {
        assert!(event.starts_with(&format!("{place:04} life=")), "{event}");
    }
    expect![[r#"
        0000 life=1 began as=start
        0001 life=1 sent sequence=0 kind=claim state="Charge" task="" blob=0x024e65d3fbe8ad6535681b021b30785b120000000000000001000000000000000000000000000000010000000000000000050000006f72646572010000008112ebe0beed415d00a8da769b010000010000000700000053686970706564010e0000007b2263656e7473223a313939397d
        0002 life=1 durable sequence=0 kind=claim state="Charge" task="" blob=0x024e65d3fbe8ad6535681b021b30785b120000000000000001000000000000000000000000000000010000000000000000050000006f72646572010000008112ebe0beed415d00a8da769b010000010000000700000053686970706564010e0000007b2263656e7473223a313939397d
        0003 life=1 acknowledged sequence=0
        0004 life=1 applied sequence=0
        0005 life=1 started task="charge" direction=do visit=0 step=0 attempt=1
        0006 life=1 effect name="charge the card" payload="1999" task="charge" direction=do visit=0 step=0 key="eacb4d00509c22ede734cac0a4c30409ec0e0c4115fcd6b60dd023e2567ddbc5" fencing-token=0 reception=performed
        0007 life=1 finished task="charge" direction=do succeeded=true
        0008 life=1 sent sequence=1 kind=compensation_completion state="Reserve" task="charge" blob="{\"of\":\"charge the card\",\"visit\":0}"
        0009 life=1 durable sequence=1 kind=compensation_completion state="Reserve" task="charge" blob="{\"of\":\"charge the card\",\"visit\":0}"
        0010 life=1 acknowledged sequence=1
        0011 life=1 applied sequence=1"#]].assert_eq(&events[..12].join("\n"));
}

#[test]
fn explain_names_the_promise_that_broke_first_and_since_when() {
    let token = token(VIOLATED, "terminal-absorbs");
    let output = crashpoint(&["explain", &token]);
    assert_eq!(output.status.code(), Some(1));
    let story = text(&output.stdout);
    let opening: Vec<&str> = story.lines().take(7).collect();
    expect![[r#"
        order~TerminalAbsorbs over memory: saga, succeeds
        broken first: terminal-absorbs: life 2 wrote row 4 after the terminal row
        promise: an ended run gives the same answer for ever, and nothing is written to it
        the window: in every schedule; nothing has to go wrong
        what to change: no workflow can break this promise. A store of your own can: certify it by crashpoint-conformance. Over another store it is a mistake of the engine or of the simulator, so please report it
        since event 0029 life=2 sent sequence=4 kind=claim state="Shipped" task=""
        2 more violated, see below"#]]
    .assert_eq(&opening.join("\n"));
    assert!(story.contains("\ntimeline\n"), "{story}");
    let replay = format!("replay it: cargo run --release -- replay {token}");
    assert_eq!(story.lines().last(), Some(replay.as_str()));
}

/// The control fails when it runs a second time, so the crash decides.
#[test]
fn explain_says_which_fault_made_the_failure_inevitable() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let path = folder.path().join("page.html");
    let path = path.to_str().expect("the path is text");
    let schedule = ["--schedule", "at life1/append#1:before: crash"];
    let control = ["explain", "--workload", "control-gives-up"];
    let explained = crashpoint(&[&control[..], &schedule].concat());
    let story = text(&explained.stdout);
    let (_, outlook) = story
        .split_once("\npoint of no return\n")
        .expect("the story has it");
    let (outlook, _) = outlook.split_once("\n\n").expect("something follows");
    expect![[r#"
        point of no return
          1 of 24 continuations break it, before any fault
         24 of 24 continuations break it, after the fault at life1/append#1:before: crash: inevitable from here on"#]]
    .assert_eq(&format!("point of no return\n{outlook}"));
    crashpoint(&[&control[..], &schedule, &["--html", path]].concat());
    let page = std::fs::read_to_string(path).expect("the page was written");
    for part in [
        "Point of no return",
        "24 of 24",
        "from here on inevitable",
        "The window: ",
        "What to change: ",
        "Step by step",
    ] {
        assert!(page.contains(part), "{part:?} is missing");
    }
}

#[test]
fn explain_and_explore_write_a_page() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let path = folder.path().join("page.html");
    let path = path.to_str().expect("the path is text");
    let read = || std::fs::read_to_string(path).expect("the page was written");
    let explored = crashpoint(&[VIOLATED, &["--html", path]].concat());
    assert_eq!(explored.status.code(), Some(1));
    let page = read();
    for part in [
        "Promises are broken.",
        "terminal-absorbs",
        "as the first crash",
        "edges taken",
    ] {
        assert!(page.contains(part), "{part:?} is missing");
    }
    let token = token(VIOLATED, "terminal-absorbs");
    let explained = crashpoint(&["explain", &token, "--html", path]);
    assert_eq!(explained.status.code(), Some(1));
    assert!(text(&explained.stdout).contains("written to "));
    assert!(read().contains("one schedule, explained"));
}

/// Runs the command and presses Ctrl-C once it says that it has begun: from then on it listens.
/// Gives its exit code and what it printed.
#[cfg(unix)]
pub(crate) fn interrupted(arguments: &[&str], begun: &str) -> (Option<i32>, String) {
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::process::Stdio;
    let mut command = Command::new(env!("CARGO_BIN_EXE_crashpoint"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    let mut said = String::new();
    let stderr = command.stderr.take().expect("it is piped");
    let mut stderr = BufReader::new(stderr);
    stderr.read_line(&mut said).expect("it says something");
    assert!(said.starts_with(begun), "{said}");
    let id = command.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status();
    assert!(sent.expect("kill runs").success());
    let mut report = String::new();
    let stdout = command.stdout.as_mut().expect("it is piped");
    stdout.read_to_string(&mut report).expect("it prints UTF-8");
    let status = command.wait().expect("it ends");
    (status.code(), report)
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_with_the_report_so_far_and_exits_with_130() {
    let explore = [
        "explore",
        "--workload",
        "order-undo-fails",
        "--crashes",
        "3",
    ];
    let folder = tempfile::tempdir().expect("a folder is made");
    let path = folder.path().join("page.html");
    let page = path.to_str().expect("the path is text");
    let arguments = [&explore[..], &["--json", "--jobs", "1", "--html", page]].concat();
    let (status, report) = interrupted(&arguments, "exploring ");
    assert_eq!(status, Some(130));
    let report: Value = serde_json::from_str(&report).expect("it is JSON");
    assert_eq!(report["complete"], false);
    assert_eq!(report["violations_total"], 0);
    let page = std::fs::read_to_string(&path).expect("the page was written");
    for part in [
        "No promise was broken until the interruption.",
        "PARTIAL: interrupted before everything was explored",
        "not started",
    ] {
        assert!(page.contains(part), "{part:?} is missing");
    }
    assert!(!page.contains("exhausted."), "it was not exhausted");
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

/// The tokio lane was reached by crash tests alone.
#[test]
fn workloads_are_explored_with_a_tokio_runtime_around_each_life() {
    let explore = [
        "explore",
        "--workload",
        "linear",
        "--store",
        "memory",
        "--crashes",
        "1",
    ];
    let report = json(&[&explore[..], &["--lane", "tokio", "--json"]].concat());
    let row = &report["workloads"][0];
    assert_eq!(row["name"], "linear-in-tokio");
    assert_eq!(row["violations"], serde_json::json!([]));
    let report = json(&[VIOLATED, &["--lane", "tokio", "--json"]].concat());
    let replay = report["workloads"][0]["violations"][0]["replay"].as_str();
    let token = replay.expect("a command").rsplit(' ').next();
    let token = token.expect("it ends with a token");
    assert!(
        token.starts_with("3.order-in-tokio~TerminalAbsorbs.memory."),
        "{token}"
    );
    let again = crashpoint(&["replay", token]);
    assert_eq!(again.status.code(), Some(1), "{}", text(&again.stderr));
}
