//! The result of an upgrade test as text.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;

use crashpoint::Mismatch;

use crate::crash_test::keep;
use crate::explore::{Findings, ResumedLogs, Resumption};
use crate::oracle::judge;
use crate::record::{Recording, Source, replay_recording};
use crate::report::render::{self, counted, escaped, escaped_line, grouped};
use crate::sim::{Release, Rollout, Workload};

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

    /// The logs that a release carried, or that it refused.
    fn logs(&self, by: Release, refused: bool) -> Vec<(&Resumption, &ResumedLogs)> {
        let all = self.findings.resumptions.0.iter();
        let wanted = |it: &Resumption| it.by == by && it.refused.is_some() == refused;
        all.filter(|(it, _)| wanted(it)).collect()
    }

    /// The number of logs that a release resumed and carried on; equal logs count once.
    pub fn carried(&self, by: Release) -> u64 {
        let logs = self.logs(by, false);
        logs.iter().map(|(_, logs)| logs.count()).sum()
    }

    /// The number of logs that a release refused; equal logs count once.
    pub fn refused(&self, by: Release) -> u64 {
        let logs = self.logs(by, true);
        logs.iter().map(|(_, logs)| logs.count()).sum()
    }
}

impl fmt::Display for UpgradeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.findings)?;
        for by in [Release::New, Release::Old] {
            let (carried, refused) = (self.carried(by), self.refused(by));
            if carried + refused == 0 {
                continue;
            }
            let (of, logs) = (by.other(), counted(carried + refused, "log"));
            let (carried, refused) = (grouped(carried), grouped(refused));
            write!(
                f,
                "\nthe {by} release, for {logs} of the {of} release: carries {carried}, refuses {refused}"
            )?;
            let groups = [self.logs(by, false), self.logs(by, true)].concat();
            for line in lines(&groups) {
                write!(f, "\n  {line}")?;
            }
        }
        Ok(())
    }
}

/// The places of logs, those of one answer of a release below a line that says it.
fn lines(logs: &[(&Resumption, &ResumedLogs)]) -> Vec<String> {
    let mut groups: BTreeMap<(u32, Option<String>), Vec<String>> = BTreeMap::new();
    for (resumption, logs) in logs {
        let answer = resumption.refused.as_ref().map(reason);
        let place = escaped_line(&resumption.place.to_string());
        let line = format!("  {place}: {}", counted(logs.count(), "log"));
        let group = groups.entry((resumption.version, answer)).or_default();
        group.push(line);
    }
    let lines = groups.into_iter().flat_map(|((version, answer), places)| {
        let title = match answer {
            None => format!("runs of version {version} are carried"),
            Some(reason) => format!("runs of version {version} are refused: {reason}"),
        };
        [vec![title], places].concat()
    });
    lines.collect()
}

/// Why a release refuses a log, with the release as "it".
fn reason(mismatch: &Mismatch) -> String {
    match mismatch {
        Mismatch::UnknownState { label, .. } => format!("it has no state {}", escaped(label)),
        Mismatch::UnknownTask { task, .. } => format!("it has no task {}", escaped(task)),
        Mismatch::Version { accepted, .. } => format!("it accepts the versions {accepted:?}"),
        Mismatch::TaskKind {
            task,
            needed,
            found,
        } => {
            let task = escaped(task);
            format!("its task {task} is {found:?}, and the log needs {needed:?}")
        }
        Mismatch::Blob { task, message } => {
            let (task, message) = (escaped(task), escaped_line(message));
            format!("it can't read an output or a cursor of {task}: {message}")
        }
        Mismatch::ForeignTask {
            state,
            expected,
            found,
            ..
        } => {
            let [state, expected, found] = [state, expected, found].map(|it| escaped(it));
            format!("its state {state} has the task {expected}, and the log has {found}")
        }
        Mismatch::OpenAtExit { label } => format!("its state {} is an exit", escaped(label)),
        other => escaped_line(&other.to_string()),
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
    let lines = lines(&own.collect::<Vec<_>>()).join("\n  ");
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
