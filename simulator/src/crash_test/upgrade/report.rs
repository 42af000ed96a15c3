//! The result of an upgrade test as text.

use std::fmt;
use std::panic::Location;

use crate::crash_test::keep;
use crate::explore::{Findings, ResumedLogs, places};
use crate::oracle::judge;
use crate::record::{Recording, Source, replay_recording};
use crate::report::render::{self, escaped};
use crate::sim::{Release, Resumption, Rollout, Workload};

/// The result of an upgrade test in which nothing was wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpgradeReport {
    /// The findings of every rollout. Its [`resumptions`](Findings::resumptions) are what the text
    /// tells.
    pub findings: Findings,
}

impl UpgradeReport {
    pub(super) fn new(findings: Findings) -> Self {
        Self { findings }
    }

    /// The number of logs that a release resumed and carried on; equal logs count once.
    pub fn carried(&self, by: Release) -> u64 {
        self.findings.resumptions.carried(by)
    }

    /// The number of logs that a release refused; equal logs count once.
    pub fn refused(&self, by: Release) -> u64 {
        self.findings.resumptions.refused(by)
    }
}

impl fmt::Display for UpgradeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.findings)?;
        let resumptions = self.findings.resumptions.to_string();
        match resumptions.as_str() {
            "" => Ok(()),
            resumptions => write!(f, "\n{resumptions}"),
        }
    }
}

/// Logs that a release had to carry and refused, in words.
pub(super) fn unexpected(refused: &[(&Resumption, &ResumedLogs)]) -> String {
    let by_new = refused.iter().any(|(it, _)| it.by == Release::New);
    let (by, expected) = match by_new {
        true => (
            Release::New,
            "it must carry every log, except in the states that the test names with refuses()",
        ),
        false => (
            Release::Old,
            "carries_back() says that it carries every log",
        ),
    };
    let own = refused.iter().filter(|(it, _)| it.by == by).copied();
    let lines = places(&own.collect::<Vec<_>>()).join("\n  ");
    format!(
        "the {by} release refuses logs of the {} release\n  {lines}\n{expected}",
        by.other()
    )
}

/// The same with the smallest schedule that shows the first, and a test that keeps it.
pub(super) fn unexpected_with_story(
    workload: &Workload,
    refused: &[(&Resumption, &ResumedLogs)],
    run: &Location<'_>,
) -> String {
    let mut told = unexpected(refused);
    let (Some((_, logs)), Some(upgrade)) = (refused.first(), &workload.upgrade) else {
        return told;
    };
    told.push_str(&format!(
        "\n\na schedule of the first, in the rollout {}\n\n",
        upgrade.rollout
    ));
    let recording = Recording::Token(logs.token.clone());
    match replay_recording(Source::Fixed(workload), &recording) {
        Ok(trial) => {
            told.push_str(&render::releases(workload, &trial.run.history));
            told.push_str(&render::story(&trial.run, &judge(workload, &trial.run)));
        }
        Err(error) => told.push_str(&error.to_string()),
    }
    let call = call(upgrade.rollout, &logs.schedule.to_string());
    match keep::test("the_new_release_carries_this_log", run, &call) {
        Some(test) => told.push_str(&format!("\nkeep it\n\n{test}")),
        None => told.push_str(&format!("\nkeep it: write .{call} in place of .run()")),
    }
    told
}

/// States whose runs were expected to be refused, in words.
pub(super) fn never_refused(states: &[&str]) -> String {
    let states: Vec<String> = states.iter().map(|state| escaped(state)).collect();
    let states = states.join(", ");
    format!("refuses() names {states}, but the new release refuses no run there")
}

/// The call that replays a schedule, for a kept test.
pub(super) fn call(rollout: Rollout, schedule: &str) -> String {
    format!("replay({:?}, {schedule:?})", rollout.name())
}
