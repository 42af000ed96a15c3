//! Kills a child at one of its system calls.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::syncs::names_in;
use super::{Action, Call, Watch, follow};
use crate::child::{Message, Running};
use crate::finding::expect::{Failure, broken};

/// How a traced child ended.
pub(crate) enum End {
    /// It was killed at this system call, after this number of acknowledged steps.
    Killed { call: &'static str, steps: u64 },
    /// It ended before, since it had fewer system calls.
    Whole,
}

struct Killer {
    /// Calls before the kill.
    left: usize,
    killed_at: Option<&'static str>,
}

impl Watch for Killer {
    fn before(&mut self, call: &Call) -> Action {
        if self.killed_at.is_some() {
            return Action::GoOn;
        }
        if self.left == 0 {
            self.killed_at = Some(call.name);
            return Action::Kill;
        }
        self.left -= 1;
        Action::GoOn
    }
}

/// Lets a ready child continue, and kills it before its system call number `fatal`, counted from 0 among
/// the calls that change a file system.
pub(crate) fn kill_at(mut running: Running<'_>, fatal: usize) -> Result<End, Failure> {
    let mut killer = Killer {
        left: fatal,
        killed_at: None,
    };
    follow(&mut running, &mut killer)?;
    let (mut steps, mut ended) = (0, false);
    for message in running.last_words() {
        match message {
            Message::Acknowledged(step) => steps = step + 1,
            Message::Ended => ended = true,
            Message::Refused(message) => {
                return Err(broken(format!("in a child process: {message}")));
            }
            _ => {}
        }
    }
    match killer.killed_at {
        Some(call) => Ok(End::Killed { call, steps }),
        None if ended => Ok(End::Whole),
        None => Err(running.silent()),
    }
}

/// What a child does in each of its steps.
#[derive(Debug, Default)]
pub(crate) struct Course {
    /// The step of each call that changes the file system.
    pub(crate) calls: Vec<u64>,
    /// The steps after which a file has a new name.
    pub(crate) names: BTreeSet<u64>,
}

struct Survey<'a> {
    place: &'a Path,
    step: u64,
    names: BTreeSet<PathBuf>,
    course: Course,
}

impl Watch for Survey<'_> {
    fn before(&mut self, _call: &Call) -> Action {
        self.course.calls.push(self.step);
        Action::GoOn
    }

    fn on_message(&mut self, nth: u64) {
        let names = names_in(self.place);
        if !names.is_subset(&self.names) {
            self.course.names.insert(self.step);
        }
        self.names = names;
        self.step = nth + 1;
    }
}

/// Lets a ready child continue, and returns what it did.
pub(crate) fn survey(mut running: Running<'_>, place: &Path) -> Result<Course, Failure> {
    let mut survey = Survey {
        place,
        step: 0,
        names: names_in(place),
        course: Course::default(),
    };
    follow(&mut running, &mut survey)?;
    match running.last_words().last() {
        Some(Message::Ended) => Ok(survey.course),
        Some(Message::Refused(message)) => Err(broken(format!("in a child process: {message}"))),
        _ => Err(running.silent()),
    }
}
