//! Crash tests that run a part of their schedules: within a limit, or as a shard.

use std::process::{Command, Output};

use super::{Mistake, order};

/// Set in a child process: whether its workflow has a mistake.
const CHILD: &str = "CRASHPOINT_SIMULATOR_SHARDED";

/// The test that runs in the child process.
const IN_A_CHILD: &str = "crash_test::bounded::the_shards_of_a_crash_test_are_the_whole_together";

#[test]
fn a_limit_is_divided_among_crashes_faults_rivals_and_samples() {
    let findings = order(Mistake::None).schedules_max(400).run();
    assert!(findings.schedules <= 400, "{findings}");
    assert!(findings.cut_short && findings.sampled > 0, "{findings}");
    let groups: Vec<char> = findings
        .fired
        .keys()
        .map(|it| it.group().letter())
        .collect();
    for group in ['c', 'f', 'e', 't', 'p', 'x', 'j'] {
        assert!(groups.contains(&group), "{group} in {:?}", findings.fired);
    }
}

#[test]
fn a_limit_that_is_not_reached_leaves_nothing_out() {
    let whole = order(Mistake::None).run();
    let limited = order(Mistake::None)
        .schedules_max(100 * whole.schedules)
        .run();
    assert_eq!(whole, limited);
    assert!(!whole.cut_short);
}

fn in_a_child(shard: &str, mistake: bool) -> Output {
    let binary = std::env::current_exe().expect("the test has a binary");
    let mut command = Command::new(binary);
    command.args(["--exact", IN_A_CHILD, "--nocapture"]);
    command.env(CHILD, mistake.to_string());
    command.env("CRASHPOINT_SHARD", shard);
    command.env("RUST_BACKTRACE", "0");
    command.output().expect("the binary runs again")
}

/// The numbers of schedules and of samples that a shard has run.
fn counts(shard: &str) -> (u64, u64) {
    let output = in_a_child(shard, false);
    let printed = String::from_utf8_lossy(&output.stdout);
    let mut lines = printed.lines();
    let counts = lines.find_map(|line| line.split_once("shard: ")?.1.split_once(' '));
    let (schedules, sampled) = counts.unwrap_or_else(|| panic!("{printed}"));
    let number = |text: &str| text.parse().expect("it is a number");
    (number(schedules), number(sampled))
}

#[test]
fn the_shards_of_a_crash_test_are_the_whole_together() {
    if let Some(mistake) = std::env::var_os(CHILD) {
        let mistaken = mistake == "true";
        let mistake = if mistaken {
            Mistake::RefundIsRepeated
        } else {
            Mistake::None
        };
        let findings = order(mistake).run();
        println!("shard: {} {}", findings.schedules, findings.sampled);
        return;
    }
    let (schedules, sampled) = counts("1/1");
    let shards = ["1/3", "2/3", "3/3"].map(counts);
    assert_eq!(shards.iter().map(|it| it.1).sum::<u64>(), sampled);
    // Every shard has the schedule without faults of each campaign.
    let campaigns = 9;
    let sum: u64 = shards.iter().map(|it| it.0).sum();
    assert_eq!(sum, schedules + 2 * campaigns, "{shards:?}");
    assert!(shards.iter().all(|it| it.0 < schedules / 2), "{shards:?}");
}

#[test]
fn a_mistake_is_found_by_a_shard() {
    let failed = ["1/3", "2/3", "3/3"].map(|shard| !in_a_child(shard, true).status.success());
    assert!(failed.contains(&true), "{failed:?}");
}

#[test]
fn err_shards() {
    for text in ["0/4", "5/4", "1", "1/0", "a/b", ""] {
        let output = in_a_child(text, false);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let expected = format!("CRASHPOINT_SHARD: {text:?} is not a shard");
        assert!((stderr + &stdout).contains(&expected), "{text:?}");
        assert!(!output.status.success(), "{text:?}");
    }
}
