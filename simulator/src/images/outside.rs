//! The same scripts and the same check for a store that is on no simulated disk: one in another
//! process, which says what it does and is killed.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crashpoint::{CheckpointRow, CheckpointStore, Error};

use crate::executor::SimRuntime;
use crate::images::machine::{Complaint, Machine, Position};
use crate::images::model::{Answer, Model, contradiction};
use crate::images::script::{Request, Requests, Script};

/// What the performer of a script says: the operation of this number begins, or is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// It begins.
    Begun(usize),
    /// It was performed.
    Done(usize),
    /// Its sequence was refused as taken.
    Taken(usize),
    /// It failed, or nobody waited for it.
    Unknown(usize),
}

/// Performs a script on a store that `open` opens, and says what it does while it does it.
///
/// # Errors
///
/// Where the store fails to open or to answer; the rest of the script is left out.
pub fn perform(
    script: &Script,
    open: impl Fn(SimRuntime) -> Result<Box<dyn CheckpointStore>, Error>,
    mut say: impl FnMut(Said),
) -> Result<(), String> {
    // Nobody knows how far the disk of another process has come.
    let nowhere: Position = Arc::new(|| 0);
    let mut machine = Machine::concurrent(&open)?;
    for group in script.requests() {
        let Requests::Together(requests) = group else {
            drop(machine);
            machine = Machine::concurrent(&open)?;
            continue;
        };
        for request in &requests {
            say(Said::Begun(request.index));
        }
        machine.perform(&requests, &nowhere, |request, answer, _| {
            say(match answer {
                Answer::Done | Answer::Rows(_) => Said::Done(request.index),
                Answer::Taken => Said::Taken(request.index),
                Answer::Unknown => Said::Unknown(request.index),
            });
        })?;
    }
    Ok(())
}

/// Opens the store after a crash and holds it against what was said until then; the rows of each
/// run.
///
/// # Errors
///
/// In words, what of it breaks the store's promise.
pub fn verify(
    script: &Script,
    said: &[Said],
    open: impl Fn(SimRuntime) -> Result<Box<dyn CheckpointStore>, Error>,
) -> Result<BTreeMap<String, Vec<CheckpointRow>>, String> {
    let requests = requests(script);
    let mut model = Model::default();
    for said in said {
        hear(&mut model, &requests, *said)?;
    }
    let machine = Machine::concurrent(open)?;
    let runs: Vec<String> = requests.iter().map(|request| request.run.clone()).collect();
    let found = machine.read(&runs)?;
    // An operation that had not begun may not be there either.
    match contradiction(&model.possible(), &found) {
        Some(contradiction) => Err(contradiction),
        None => machine.probe(&found).map(|()| found),
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

fn hear(model: &mut Model, requests: &[Request], said: Said) -> Result<(), Complaint> {
    let request = |index: usize| {
        let request = requests.get(index);
        request.ok_or_else(|| format!("the script has no operation {index}"))
    };
    match said {
        Said::Begun(index) => {
            model.begin(request(index)?);
            Ok(())
        }
        Said::Done(index) => model.end(request(index)?, &Answer::Done),
        Said::Taken(index) => model.end(request(index)?, &Answer::Taken),
        Said::Unknown(index) => model.end(request(index)?, &Answer::Unknown),
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun(index) => write!(f, "begun {index}"),
            Self::Done(index) => write!(f, "done {index}"),
            Self::Taken(index) => write!(f, "taken {index}"),
            Self::Unknown(index) => write!(f, "unknown {index}"),
        }
    }
}

/// A line in which nobody says anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} says nothing of an operation")]
pub struct NothingSaid(String);

impl FromStr for Said {
    type Err = NothingSaid;

    fn from_str(line: &str) -> Result<Self, NothingSaid> {
        let said = || {
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
        said().ok_or_else(|| NothingSaid(line.to_owned()))
    }
}
