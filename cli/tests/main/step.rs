//! `replay --step`: the events of a schedule one at a time, for whoever reads a terminal or a pipe.

use std::io::Write as _;
use std::process::{Command, Stdio};

use expect_test::{Expect, expect};

use crate::command::text;

/// The schedule of a mutant that breaks a promise.
const SCHEDULE: &[&str] = &[
    "replay",
    "--step",
    "--workload",
    "order~TerminalAbsorbs",
    "--schedule",
    "v1; at life1/append#3:before: crash",
];

/// What the command prints for these lines of input.
fn stepped(arguments: &[&str], input: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crashpoint"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    let mut stdin = command.stdin.take().expect("it is piped");
    // A command that has quit reads no more.
    _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = command.wait_with_output().expect("the command ends");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// The numbers of the events that were shown.
fn shown(printed: &str) -> Vec<&str> {
    let lines = printed
        .lines()
        .filter_map(|line| line.strip_prefix("event "));
    lines.filter_map(|line| line.split(' ').next()).collect()
}

#[test]
fn lines_of_the_input_step_through_the_events() {
    let check = |input: &str, expected: &[&str]| {
        assert_eq!(shown(&stepped(SCHEDULE, input)), expected, "{input:?}");
    };
    check("", &["0"]);
    check("q\nn\n", &["0"]);
    check("n\n\np\n", &["0", "1", "2", "1"]);
    check("7\nn\n0\np\n", &["0", "7", "8", "0"]);
    check("what\n9999\n", &["0"]);
}

#[test]
fn the_event_at_which_a_promise_breaks_is_a_key_away() {
    let printed = stepped(SCHEDULE, "b\nq\n");
    assert!(printed.contains(": A PROMISE BREAKS HERE\n"), "{printed}");
    let operations = &[
        "replay",
        "--step",
        "--workload",
        "operations~StatusLies",
        "--schedule",
        "v1; run status=stuck; run purge",
    ];
    let printed = stepped(operations, "b\nq\n");
    assert!(printed.contains(": A PROMISE BREAKS HERE\n"), "{printed}");
    assert!(
        printed.contains("caller 1\n  has answered: rolled back"),
        "{printed}"
    );
}

#[test]
fn a_step_shows_log_effects_clock_and_what_each_life_knows() {
    let check = |event: &str, expected: Expect| {
        let printed = stepped(SCHEDULE, &format!("{event}\nq\n"));
        let at = format!("\nevent {event} of ");
        let (_, step) = printed.split_once(&at).expect("the event is shown");
        expected.assert_eq(step);
    };
    check(
        "12",
        expect![[r#"
        46
        life 1  begins    reserve (visit 1)
        clock
          0s since the start
        log
          #0   claim                   at Charge, life 0000000000000001, input {"cents":1999}
          #1   compensation_completion charge -> Reserve, output {"of":"charge the card","visit":0}
        effects
          life 1: charge the card
        life 1
          knows 2 rows, the last: #1 compensation_completion charge -> Reserve, output {"of":"charge the card","visit":0}
          performs reserve, visit 1, attempt 1
    "#]],
    );
    check(
        "20",
        expect![[r#"
        46
        life 1  effect    ship the parcel
        clock
          0s since the start
        log
          #0   claim                   at Charge, life 0000000000000001, input {"cents":1999}
          #1   compensation_completion charge -> Reserve, output {"of":"charge the card","visit":0}
          #2   compensation_completion reserve -> Ship, output {"of":"reserve the goods","visit":1}
        effects
          life 1: charge the card
          life 1: reserve the goods
          life 1: ship the parcel
        life 1
          knows 3 rows, the last: #2 compensation_completion reserve -> Ship, output {"of":"reserve the goods","visit":1}
          performs ship, visit 2, attempt 1
    "#]],
    );
}
