//! `CRASHPOINT_REPLAY` in the environment of a test.

use std::env;
use std::process::Command;

use super::{Mistake, offer, order};

/// The name of the test below in the harness.
const TWO: &str = "crash_test::replayed::a_crash_test_says_that_a_schedule_belongs_to_another";

/// The output of the test with this schedule in its environment, and whether it passes.
fn replayed(schedule: &str) -> (bool, String) {
    let harness = env::current_exe().expect("it runs");
    let harness = Command::new(harness)
        .args([TWO, "--exact"])
        .env("CRASHPOINT_REPLAY", schedule)
        .output();
    let output = harness.expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (output.status.success(), said)
}

/// The page is written by a test in another process, because the environment belongs to all tests.
#[test]
fn a_page_shows_a_schedule_of_a_users_own_workflow() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("story.html");
    let harness = env::current_exe().expect("it runs");
    let harness = Command::new(harness)
        .args([TWO, "--exact"])
        .env("CRASHPOINT_REPLAY", "at life1/append#1:before: crash")
        .env("CRASHPOINT_HTML", &file)
        .output();
    let output = harness.expect("it starts");
    assert!(output.status.success(), "{output:?}");
    let page = std::fs::read_to_string(&file).expect("the page is written");
    for part in [
        "<details open><summary>schedule</summary><pre>  at life1/append#1:before: crash",
        "<details><summary>timeline</summary>",
        "<summary>violations</summary><pre>  none</pre>",
        // No promise breaks, so a reader begins at the crash.
        "<details class=\"steps\" data-open><summary>Step by step</summary>",
        "is dead</li>",
    ] {
        assert!(page.contains(part), "{part:?} is missing in:\n{page}");
    }
}

/// The first crash test of a test read a token of the second, and reported that the workflow had
/// changed.
#[test]
fn a_crash_test_says_that_a_schedule_belongs_to_another() {
    order(Mistake::None).crashes(1).samples(0).run();
    offer(true).crashes(1).samples(0).run();
    if env::var_os("CRASHPOINT_REPLAY").is_some() {
        return;
    }
    let of_both = "at life1/append#1:before: crash";
    let (passed, said) = replayed(of_both);
    assert!(passed && said.contains("1 passed"), "{said}");
    let of_one = "at life1/take up:before-effect: crash";
    let (passed, said) = replayed(of_one);
    assert!(!passed && said.contains("1 failed"), "{said}");
    for part in [
        &format!("this fault did not fire: {of_one}"),
        "CRASHPOINT_REPLAY is for every crash test that the #[test] runs",
        "the one of simulator/tests/main/crash_test.rs:",
        &format!("write .replay({of_one:?}) in place of the .run()"),
    ] {
        assert!(said.contains(part), "{part:?} is missing in:\n{said}");
    }
}
