//! The same scripts and the same check for a store that is not on a simulated disk: a store in
//! another process, which reports its progress and is killed.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crashpoint::{CheckpointRow, CheckpointStore, Error};

use crate::executor::SimRuntime;
use crate::images::machine::{Complaint, Machine, Position};
use crate::images::model::{Answer, Log, Model, contradiction};
use crate::images::script::{Request, Requests, Script};

/// A report from the process that performs a script: the operation with this number begins, or is
/// answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It begins.
    Begun(usize),
    /// It was performed.
    Done(usize),
    /// Its sequence was refused as taken.
    Taken(usize),
    /// It failed, or nobody waited for it.
    Unknown(usize),
}

/// Performs a script on the store that `open` opens, and reports the progress.
///
/// # Errors
///
/// If the store does not open or does not answer. The rest of the script is left out.
pub fn perform(
    script: &Script,
    open: impl Fn(SimRuntime) -> Result<Box<dyn CheckpointStore>, Error>,
    mut say: impl FnMut(Progress),
) -> Result<(), String> {
    // The position of another process's disk is unknown.
    let nowhere: Position = Arc::new(|| 0);
    let mut machine = Machine::concurrent(&open)?;
    for group in script.requests() {
        let Requests::Together(requests) = group else {
            drop(machine);
            machine = Machine::concurrent(&open)?;
            continue;
        };
        for request in &requests {
            say(Progress::Begun(request.index));
        }
        machine.perform(&requests, &nowhere, |request, answer, _| {
            say(match answer {
                Answer::Done | Answer::Rows(_) => Progress::Done(request.index),
                Answer::Taken => Progress::Taken(request.index),
                Answer::Unknown => Progress::Unknown(request.index),
            });
        })?;
    }
    Ok(())
}

/// Opens the store after a crash and checks it against the reports until then. Returns the rows of
/// each run.
///
/// # Errors
///
/// How the content breaks the store's promise, in words.
pub fn verify(
    script: &Script,
    reports: &[Progress],
    open: impl Fn(SimRuntime) -> Result<Box<dyn CheckpointStore>, Error>,
) -> Result<BTreeMap<String, Vec<CheckpointRow>>, String> {
    let requests = requests(script);
    let mut model = Model::default();
    for report in reports {
        apply(&mut model, &requests, *report)?;
    }
    let machine = Machine::concurrent(open)?;
    let runs: Vec<String> = requests.iter().map(|request| request.run.clone()).collect();
    let found = machine.read(&runs)?;
    // An operation that had not begun must not be there either.
    match contradiction(&model.possible(), &found) {
        Some(contradiction) => Err(contradiction),
        None => {
            machine.probe(&found)?;
            let unshared = |(run, log): (String, Log)| {
                (run, log.into_iter().map(Arc::unwrap_or_clone).collect())
            };
            Ok(found.into_iter().map(unshared).collect())
        }
    }
}

fn requests(script: &Script) -> Vec<Request> {
    let groups = script.requests().into_iter();
    let requests = groups.flat_map(|group| match group {
        Requests::Together(requests) => requests,
        Requests::Reopen => Vec::new(),
    });
    requests.collect()
}

fn apply(model: &mut Model, requests: &[Request], report: Progress) -> Result<(), Complaint> {
    let request = |index: usize| {
        let request = requests.get(index);
        request.ok_or_else(|| format!("the script has no operation {index}"))
    };
    match report {
        Progress::Begun(index) => {
            model.begin(request(index)?);
            Ok(())
        }
        Progress::Done(index) => model.end(request(index)?, &Answer::Done),
        Progress::Taken(index) => model.end(request(index)?, &Answer::Taken),
        Progress::Unknown(index) => model.end(request(index)?, &Answer::Unknown),
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun(index) => write!(f, "begun {index}"),
            Self::Done(index) => write!(f, "done {index}"),
            Self::Taken(index) => write!(f, "taken {index}"),
            Self::Unknown(index) => write!(f, "unknown {index}"),
        }
    }
}

/// A line that is not a report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a report of an operation")]
pub struct BadProgress(String);

impl FromStr for Progress {
    type Err = BadProgress;

    fn from_str(line: &str) -> Result<Self, BadProgress> {
        let parsed = || {
            let (what, index) = line.split_once(' ')?;
            let index = index.parse().ok()?;
            Some(match what {
                "begun" => Self::Begun(index),
                "done" => Self::Done(index),
                "taken" => Self::Taken(index),
                "unknown" => Self::Unknown(index),
                _ => return None,
            })
        };
        parsed().ok_or_else(|| BadProgress(line.to_owned()))
    }
}
