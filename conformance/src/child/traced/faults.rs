//! Makes a system call return an error, as a failing or a full disk does.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use nix::errno::Errno;

use super::syncs::names_in;
use super::{Action, Call, Does, Watch, follow};
use crate::child::{Message, Running};
use crate::finding::expect::{Failure, broken};

/// The fault of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A sync returns EIO and syncs nothing.
    SyncFails,
    /// The disk is full: from one write on, all writes return ENOSPC.
    DiskFull,
    /// The disk becomes full: half of one write has room, and later writes return ENOSPC.
    DiskFills,
}

impl Fault {
    /// What is said of the first call that meets the fault.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::SyncFails | Self::DiskFull => "failed",
            Self::DiskFills => "had room for half",
        }
    }
}

/// The result of a child with a fault.
pub(crate) struct Faulty {
    /// The first call that failed; `None` if the child had fewer calls.
    pub(crate) failed: Option<FailedCall>,
    /// Whether the file of that call had no name any more when its step was answered. The child has then
    /// abandoned the file, and nothing in it can come back.
    pub(crate) given_up: bool,
    /// Its messages, in order.
    pub(crate) messages: Vec<Message>,
}

/// A call that met a fault.
#[derive(Debug, Clone)]
pub(crate) struct FailedCall {
    /// Its name, and the file below the place.
    pub(crate) call: String,
    /// Its step of the child.
    pub(crate) step: u64,
}

struct Injector<'a> {
    fault: Fault,
    /// Calls before the fault.
    left: usize,
    step: u64,
    failed: Option<FailedCall>,
    place: &'a Path,
    /// The inode of the file that met the fault, until its step is answered.
    file: Option<u64>,
    given_up: bool,
}

impl Injector<'_> {
    /// Whether the file with this inode has a name at the place.
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
            Fault::DiskFull | Fault::DiskFills => (Does::Write, Errno::ENOSPC),
        };
        // A descriptor may not be a file, such as the eventfd of a runtime.
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
            let path = call.path().unwrap_or_default();
            let below = path.strip_prefix(self.place).unwrap_or(&path);
            let name = if below.as_os_str().is_empty() {
                "the place".to_owned()
            } else {
                format!("{:?}", below.display().to_string())
            };
            self.failed = Some(FailedCall {
                call: format!("{} of {name}", call.name),
                step: self.step,
            });
            // A directory is never abandoned.
            let about = fs::metadata(call.link()).ok().filter(fs::Metadata::is_file);
            self.file = about.map(|about| about.ino());
        }
        match self.fault {
            // The kernel reports it once.
            Fault::SyncFails if again => Action::GoOn,
            Fault::DiskFills if !again && call.has_halves() => Action::Halve,
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

/// Lets a ready child continue; its call number `nth` of the kind meets the fault.
pub(crate) fn run_with_a_fault(
    mut running: Running<'_>,
    fault: Fault,
    nth: usize,
    place: &Path,
) -> Result<Faulty, Failure> {
    let place = place.canonicalize();
    let place = &place.map_err(|error| Failure::Harness(format!("no place: {error}")))?;
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
    // Only a call that failed has set the file.
    assert!(
        !given_up || failed.is_some(),
        "a file is given up after a fault"
    );
    if messages.contains(&Message::Ended) {
        return Ok(Faulty {
            failed,
            given_up,
            messages,
        });
    }
    match failed {
        Some(FailedCall { call, step }) => Err(broken(format!(
            "a child whose {call} failed in step {step}: expected errors, got the end of its process"
        ))),
        None => Err(running.silent()),
    }
}
