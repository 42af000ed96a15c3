//! SIGKILL at one of the calls.

use super::{Action, Call, Watch, follow};
use crate::child::{Message, Running};
use crate::finding::expect::{Failure, broken};

/// How a traced child came to its end.
pub(crate) enum End {
    /// Killed at this system call, when so many steps had been acknowledged.
    Killed { call: &'static str, steps: u64 },
    /// It had fewer system calls than that.
    Whole,
}

struct Killer {
    /// Calls that are let go.
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

/// Lets a child that stands ready go on, and kills it when it is about to do its system call number
/// `fatal`, counted from 0 among those that change what a file system holds.
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
        None => Err(running.no_sign()),
    }
}
