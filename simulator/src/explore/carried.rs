//! What each release of an upgrade carried and what it refused, as text.

use std::collections::BTreeMap;
use std::fmt;

use crashpoint::Mismatch;

use crate::explore::{ResumedLogs, Resumptions};
use crate::report::render::{counted, escaped, escaped_line, grouped};
use crate::sim::{Release, Resumption};

impl Resumptions {
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

    /// The logs that a release carried, or that it refused.
    fn logs(&self, by: Release, refused: bool) -> Vec<(&Resumption, &ResumedLogs)> {
        let wanted = |it: &Resumption| it.by == by && it.refused.is_some() == refused;
        self.0.iter().filter(|(it, _)| wanted(it)).collect()
    }
}

/// A line for each release and each place of a log; nothing if no release found a log of the other.
impl fmt::Display for Resumptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        for by in [Release::New, Release::Old] {
            let (carried, refused) = (self.carried(by), self.refused(by));
            if carried + refused == 0 {
                continue;
            }
            let (of, logs) = (by.other(), counted(carried + refused, "log"));
            let (carried, refused) = (grouped(carried), grouped(refused));
            lines.push(format!(
                "the {by} release, for {logs} of the {of} release: carries {carried}, refuses {refused}"
            ));
            let groups = [self.logs(by, false), self.logs(by, true)].concat();
            lines.extend(places(&groups).iter().map(|line| format!("  {line}")));
        }
        f.write_str(&lines.join("\n"))
    }
}

/// The places of logs, those of one answer of a release below a line that says it.
pub(crate) fn places(logs: &[(&Resumption, &ResumedLogs)]) -> Vec<String> {
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
