//! What a store may hold: for each run the logs that its answers leave possible.
//!
//! An answer decides: a row that was acknowledged is there, one that was refused as taken is not, a
//! log that was shown is the log. An error and an operation under way leave both possible, whole or
//! absent. Runs are independent: nothing is said about the order of operations on two of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crashpoint::CheckpointRow;

use crate::images::script::{Request, What};

/// The rows of a run, ascending.
pub(crate) type Log = Vec<CheckpointRow>;

/// For each run every log that it may have.
pub(crate) type Possible = BTreeMap<String, Vec<Log>>;

/// What a store answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    Taken,
    Rows(Log),
    /// Nobody knows whether it was performed.
    Unknown,
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    settled: Possible,
    /// In the order in which they were begun.
    under_way: Vec<Request>,
}

impl Model {
    pub(crate) fn begin(&mut self, request: &Request) {
        self.settled
            .entry(request.run.clone())
            .or_insert_with(|| vec![Log::new()]);
        self.under_way.push(request.clone());
    }

    /// An operation has ended.
    ///
    /// # Errors
    ///
    /// Where the answer contradicts every possible log; it is taken for unknown then.
    pub(crate) fn end(&mut self, request: &Request, answer: &Answer) -> Result<(), String> {
        self.under_way.retain(|other| other.index != request.index);
        let settled = self.settled.entry(request.run.clone()).or_default();
        let after = decided(settled, &request.what, answer);
        if after.is_empty() {
            let was = described(settled);
            let unknown = decided(settled, &request.what, &Answer::Unknown);
            *settled = unknown;
            return Err(format!(
                "{request} was answered {}, and {was}",
                words(answer)
            ));
        }
        *settled = after;
        Ok(())
    }

    /// What a crash may leave now.
    pub(crate) fn possible(&self) -> Arc<Possible> {
        let mut possible = self.settled.clone();
        for request in &self.under_way {
            if let Some(logs) = possible.get_mut(&request.run) {
                *logs = decided(logs, &request.what, &Answer::Unknown);
            }
        }
        Arc::new(possible)
    }
}

/// What is wrong with what was found, if anything.
pub(crate) fn contradiction(possible: &Possible, found: &BTreeMap<String, Log>) -> Option<String> {
    let nothing = Log::new();
    for (run, logs) in possible {
        let found = found.get(run).unwrap_or(&nothing);
        if !logs.contains(found) {
            let (found, expected) = (shown(found), described(logs));
            return Some(format!("{run} has {found}, and {expected}"));
        }
    }
    let stranger = found
        .iter()
        .find(|(run, log)| !possible.contains_key(*run) && !log.is_empty());
    stranger.map(|(run, log)| format!("{run} has {}, which was never sent", shown(log)))
}

/// The logs that are possible after an answer.
fn decided(before: &[Log], what: &What, answer: &Answer) -> Vec<Log> {
    let mut after = Vec::new();
    let mut add = |log: Log| {
        if !after.contains(&log) {
            after.push(log);
        }
    };
    for log in before {
        let performed = performed(log, what);
        match (answer, performed) {
            (Answer::Done, Some(performed)) => add(performed),
            (Answer::Taken, None) => add(log.clone()),
            (Answer::Rows(rows), _) if rows == log => add(log.clone()),
            (Answer::Unknown, performed) => {
                add(log.clone());
                performed.into_iter().for_each(&mut add);
            }
            _ => {}
        }
    }
    after
}

/// The log after the operation; none where its sequence is taken.
fn performed(log: &Log, what: &What) -> Option<Log> {
    match what {
        What::Load => Some(log.clone()),
        What::Clear => Some(Log::new()),
        What::Append { row, .. } => {
            let place = log.binary_search_by_key(&row.sequence, |row| row.sequence);
            let mut log = log.clone();
            log.insert(place.err()?, row.clone());
            Some(log)
        }
    }
}

fn words(answer: &Answer) -> String {
    match answer {
        Answer::Done => "with success".to_owned(),
        Answer::Taken => "that the sequence is taken".to_owned(),
        Answer::Rows(rows) => format!("with {}", shown(rows)),
        Answer::Unknown => "with an error".to_owned(),
    }
}

pub(crate) fn described(logs: &[Log]) -> String {
    let logs: Vec<String> = logs.iter().map(|log| shown(log)).collect();
    format!("it should have {}", logs.join(", or "))
}

/// Rows by sequence and state, which names the operation that sent them.
pub(crate) fn shown(log: &[CheckpointRow]) -> String {
    if log.is_empty() {
        return "no rows".to_owned();
    }
    let rows = log
        .iter()
        .map(|row| format!("{}:{}", row.sequence, row.state));
    format!("[{}]", rows.collect::<Vec<_>>().join(" "))
}
