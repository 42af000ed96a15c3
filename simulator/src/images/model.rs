//! The logs that a store's answers leave possible, for each run.
//!
//! An answer decides: an acknowledged row is there, a row refused as taken is not, and a loaded log
//! is the log. An error, and an operation under way, leave two logs possible: with the operation,
//! and without it. Runs are independent: the model says nothing about the order of operations on
//! two runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use crashpoint::CheckpointRow;

use crate::images::script::{Request, What};

/// The rows of a run, ascending. Possible logs share them, since each operation without an answer doubles the
/// number of logs.
pub(crate) type Log = Vec<Arc<CheckpointRow>>;

/// The possible logs of each run.
pub(crate) type Possible = BTreeMap<String, Vec<Log>>;

/// The answer of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    Taken,
    Rows(Log),
    /// The operation may have been performed or not.
    Unknown,
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    settled: Possible,
    /// In the order in which they began.
    under_way: Vec<Request>,
}

impl Model {
    pub(crate) fn begin(&mut self, request: &Request) {
        self.settled
            .entry(request.run.clone())
            .or_insert_with(|| vec![Log::new()]);
        self.under_way.push(request.clone());
    }

    /// Ends an operation.
    ///
    /// # Errors
    ///
    /// If the answer contradicts every possible log. The answer then counts as unknown.
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

    /// The logs that a crash may leave now.
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

/// The first contradiction between the possible and the found logs, if any.
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

/// The log after the operation. `None` if its sequence is taken.
fn performed(log: &Log, what: &What) -> Option<Log> {
    match what {
        What::Load => Some(log.clone()),
        What::Clear => Some(Log::new()),
        What::Append { row, .. } => {
            let place = log.binary_search_by_key(&row.sequence, |row| row.sequence);
            let mut log = log.clone();
            log.insert(place.err()?, Arc::clone(row));
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
pub(crate) fn shown(log: &[Arc<CheckpointRow>]) -> String {
    if log.is_empty() {
        return "no rows".to_owned();
    }
    let rows = log
        .iter()
        .map(|row| format!("{}:{}", row.sequence, row.state));
    format!("[{}]", rows.collect::<Vec<_>>().join(" "))
}
