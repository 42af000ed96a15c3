//! A call that answers an error: the disk's, or that of a full one.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use nix::errno::Errno;

use super::syncs::names_in;
use super::{Action, Call, Does, Watch, follow};
use crate::child::{Message, Running};
use crate::finding::expect::{Failure, broken};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A sync answers EIO, and has not synced.
    SyncFails,
    /// Nothing more fits on the disk: writes answer ENOSPC, from one of them on.
    DiskFull,
}

/// How a child fared with a fault.
pub(crate) struct Faulty {
    /// The call that failed first, and in which step of the child's; none where it had fewer calls.
    pub(crate) failed: Option<(&'static str, u64)>,
    /// Whether the first call that failed was about a file that had no name any more when the step was
    /// answered: the child has given it up, and nothing of it can come back.
    pub(crate) given_up: bool,
    /// What it told, in order.
    pub(crate) messages: Vec<Message>,
}

struct Injector<'a> {
    fault: Fault,
    /// Calls that are let go.
    left: usize,
    step: u64,
    failed: Option<(&'static str, u64)>,
    place: &'a Path,
    /// The number of the file that met the fault, until its step is answered.
    file: Option<u64>,
    given_up: bool,
}

impl Injector<'_> {
    /// Whether a file, by its number, has a name at the place.
    fn is_named(&self, file: u64) -> bool {
        let names = names_in(self.place);
        let mut numbers = names.iter().flat_map(fs::symlink_metadata);
        numbers.any(|about| about.ino() == file)
    }
}

impl Watch for Injector<'_> {
    fn before(&mut self, call: &Call) -> Action {
        let (does, errno) = match self.fault {
            Fault::SyncFails => (Does::Sync, Errno::EIO),
            Fault::DiskFull => (Does::Write, Errno::ENOSPC),
        };
        // Where a descriptor is no file's, as that of a runtime's alarm clock, a disk has no say.
        let is_file = call
            .path()
            .is_some_and(|path| path.is_absolute() && path.exists());
        if call.does != does || !is_file {
            return Action::GoOn;
        }
        if self.left > 0 {
            self.left -= 1;
            return Action::GoOn;
        }
        let again = self.failed.is_some();
        if !again {
            self.failed = Some((call.name, self.step));
            // A folder is not given up.
            let about = fs::metadata(call.link()).ok().filter(fs::Metadata::is_file);
            self.file = about.map(|about| about.ino());
        }
        match self.fault {
            // The kernel tells it once.
            Fault::SyncFails if again => Action::GoOn,
            _ => Action::Fail(errno),
        }
    }

    fn on_message(&mut self, nth: u64) {
        self.step = nth + 1;
        if let Some(file) = self.file.take() {
            self.given_up = !self.is_named(file);
        }
    }
}

/// Lets a child that stands ready go on; its call number `nth` of the kind meets the fault.
pub(crate) fn run_with_a_fault(
    mut running: Running<'_>,
    fault: Fault,
    nth: usize,
    place: &Path,
) -> Result<Faulty, Failure> {
    let mut injector = Injector {
        fault,
        left: nth,
        step: 0,
        failed: None,
        place,
        file: None,
        given_up: false,
    };
    follow(&mut running, &mut injector)?;
    let messages = running.last_words();
    let (failed, given_up) = (injector.failed, injector.given_up);
    if messages.contains(&Message::Ended) {
        return Ok(Faulty {
            failed,
            given_up,
            messages,
        });
    }
    match failed {
        Some((call, step)) => Err(broken(format!(
            "a child whose {call} failed in step {step}: expected errors, got the end of its process"
        ))),
        None => Err(running.no_sign()),
    }
}
