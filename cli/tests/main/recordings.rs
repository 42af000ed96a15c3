//! Recordings, as tokens and as files: replayed, explained, made smaller.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crashpoint_simulator::{
    Budget, Possible, Settings, Source, StoreKind, TapeFile, Token, Trial, run_seed, workload,
};

use crate::command::{crashpoint, text};

fn settings(budget: &str) -> Settings {
    let budget: Budget = budget.parse().expect("it is a budget");
    Settings {
        store: StoreKind::Memory,
        ..Settings::within(budget)
    }
}

/// The first seed to which an oracle objects, run.
fn violated(source: Source<'_>, settings: &Settings, oracle: &str) -> (u64, Trial) {
    let trial = |seed| (seed, run_seed(source, settings, Possible::All, seed).0);
    let mut trials = (0..2000).map(trial);
    let objected = |trial: &Trial| trial.verdicts.iter().any(|it| it.oracle == oracle);
    let found = trials.find(|(_, trial)| objected(trial) && trial.schedule().0.len() > 1);
    found.unwrap_or_else(|| panic!("{oracle} objects"))
}

/// The value of the only line that begins with `name`.
fn field<'a>(report: &'a str, name: &str) -> &'a str {
    let lines = report.lines();
    let mut values = lines.filter_map(|line| line.strip_prefix(name));
    let value = values.next();
    assert_eq!(values.next(), None, "{name:?} twice in:\n{report}");
    value.unwrap_or_else(|| panic!("{name:?} is missing in:\n{report}"))
}

/// What was printed about a broken promise.
fn report_of_violation(output: &Output) -> String {
    let (report, said) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{report}{said}");
    report
}

fn path(path: &Path) -> &str {
    path.to_str().expect("the path is text")
}

/// The command answered "unknown workload", which helped nobody.
#[test]
fn err_a_token_of_a_users_own_test_says_how_to_replay_it() {
    let check = |token: &str, test: &str| {
        for command in ["replay", "explain", "shrink"] {
            let output = crashpoint(&[command, token]);
            assert_eq!(output.status.code(), Some(2));
            let said = text(&output.stderr);
            let what = format!("error: {token} is a schedule of {test}, of a workflow");
            assert!(said.starts_with(&what), "{said}");
            let replay = format!("  CRASHPOINT_REPLAY={token} cargo test -p PACKAGE ");
            assert!(said.contains(&replay), "{said}");
        }
    };
    check("3.crash-test.memory.c1.calm.01234567", "a crash test");
    check(
        "3.upgrade-old-new.memory.c1.calm.01234567",
        "an upgrade test, in the rollout old-new",
    );
}

#[test]
fn shrink_takes_a_token_to_a_smaller_one_that_breaks_the_same_promise() {
    let source = Source::generated_named("generated~TerminalAbsorbs").expect("it is known");
    let settings = settings("c2f2t1p2x1");
    let (seed, trial) = violated(source, &settings, "terminal-absorbs");
    let token = Token::of_seed(&source.name(), &settings, Possible::All, seed, &trial.tape);
    let shrink = ["shrink", &token.to_string(), "--oracle", "terminal-absorbs"];
    let output = crashpoint(&shrink);
    let report = report_of_violation(&output);
    assert!(
        report.starts_with("generated~TerminalAbsorbs over memory\nshrunk in "),
        "{report}"
    );
    for part in [
        "shrunk in 1 step, with 1 simulation, ",
        "to a local minimum: ",
        "\nworkflow\n  a: ",
        "\nschedule\n  ",
        "\nterminal-absorbs: ",
    ] {
        assert!(report.contains(part), "{part:?} is missing in:\n{report}");
    }
    let smaller: Token = field(&report, "token: ").parse().expect("it is a token");
    let again = crashpoint(&["replay", &smaller.to_string()]);
    assert_eq!(again.status.code(), Some(1));
    let story = text(&again.stdout);
    assert!(story.contains("\n  terminal-absorbs: "), "{story}");
    let faults = |story: &str| story.matches("FAULT").count();
    let before = text(&crashpoint(&["replay", &token.to_string()]).stdout);
    assert!(faults(&story) < faults(&before), "{story}");
}

#[test]
fn what_is_too_long_for_a_token_is_written_to_a_file_that_replays() {
    let workload =
        workload::named("order-undo-fails~AppendErrorIsNoTaskFailure").expect("it is built in");
    let source = Source::Fixed(&workload);
    // A budget that leaves no room for draws.
    let settings = settings("c10f10t10p10x10b0");
    let (_, trial) = violated(source, &settings, "storage-faults-stay-out");
    let folder = tempfile::tempdir().expect("a folder is made");
    let tape = TapeFile::of(&workload.name, &settings, &trial.tape);
    tape.write(&folder.path().join("a tape"))
        .expect("it can be written");
    let in_folder = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crashpoint"));
        let command = command.env("CARGO", "cargo").current_dir(folder.path());
        command.args(arguments).output().expect("the command runs")
    };
    let shrink = ["shrink", "a tape", "--oracle", "storage-faults-stay-out"];
    let output = in_folder(&shrink);
    let report = report_of_violation(&output);
    let file = field(&report, "written to ");
    assert_eq!(
        field(&report, "replay it: "),
        format!("cargo run --release -- replay {file}")
    );
    let smaller = fs::read(folder.path().join(file)).expect("it was written");
    let smaller = TapeFile::from_bytes(&smaller).expect("it is a tape");
    assert!(smaller.tape.interesting().count() < trial.tape.interesting().count());
    for command in ["replay", "explain"] {
        let output = in_folder(&[command, file]);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stdout).contains("storage-faults-stay-out: "));
    }
    let named = in_folder(&[&shrink[..], &["--out", "my small tape"]].concat());
    let report = text(&named.stdout);
    assert_eq!(field(&report, "written to "), "my small tape");
    assert_eq!(
        field(&report, "replay it: "),
        "cargo run --release -- replay 'my small tape'"
    );
    let written = fs::read(folder.path().join("my small tape")).expect("it was written");
    assert_eq!(written, smaller.to_string().into_bytes());
}

#[test]
fn a_drawn_workflow_is_explained_in_words_and_as_a_page() {
    let source = Source::generated_named("generated~TerminalAbsorbs").expect("it is known");
    let settings = settings("c2");
    let (_, trial) = violated(source, &settings, "terminal-absorbs");
    let folder = tempfile::tempdir().expect("a folder is made");
    let (file, page) = (
        folder.path().join("found.tape"),
        folder.path().join("page.html"),
    );
    let tape = TapeFile::of(&source.name(), &settings, &trial.tape);
    tape.write(&file).expect("it can be written");
    let explained = crashpoint(&["explain", path(&file)]);
    assert_eq!(
        explained.status.code(),
        Some(1),
        "{}",
        text(&explained.stderr)
    );
    let story = text(&explained.stdout);
    assert!(story.contains("\nworkflow\n  a: "), "{story}");
    let command = format!("cargo run --release -- replay {}", path(&file));
    assert_eq!(field(&story, "replay it: "), command);
    let drawn = crashpoint(&["explain", path(&file), "--html", path(&page)]);
    assert_eq!(drawn.status.code(), Some(1));
    let page = fs::read_to_string(page).expect("the page was written");
    assert!(page.contains("generated~TerminalAbsorbs over memory"));
    assert!(page.contains(&command));
}

#[test]
fn a_file_that_is_no_tape_of_this_version_is_refused() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let file = folder.path().join("found.tape");
    let name = format!("{:?}", path(&file));
    let check = |contents: &str, expected: &str| {
        fs::write(&file, contents).expect("it can be written");
        for command in ["replay", "explain", "shrink"] {
            let output = crashpoint(&[command, path(&file)]);
            assert_eq!(output.status.code(), Some(2), "{command}: {contents}");
            assert!(output.stdout.is_empty());
            assert_eq!(text(&output.stderr), format!("error: {name}, {expected}\n"));
        }
    };
    check(
        "crashpoint tape 2\nworkload \"order\"\n",
        "line 1: the tape has version \"2\", this simulator reads version 1",
    );
    check(
        "",
        "line 1: expected crashpoint tape, found the end of the file",
    );
}

#[test]
fn there_is_nothing_to_shrink_where_no_promise_is_broken() {
    let workload = workload::named("linear").expect("it is built in");
    let settings = settings("c1");
    let (trial, _) = run_seed(Source::Fixed(&workload), &settings, Possible::All, 1);
    let token = Token::of_seed("linear", &settings, Possible::All, 1, &trial.tape);
    let check = |more: &[&str], expected: &str| {
        let output = crashpoint(&[&["shrink", &token.to_string()], more].concat());
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(text(&output.stderr), format!("error: {expected}\n"));
    };
    check(
        &[],
        "this schedule breaks no promise, so there is nothing to shrink",
    );
    check(
        &["--oracle", "terminal-absorbs"],
        "the oracle terminal-absorbs accepts this simulation",
    );
}
