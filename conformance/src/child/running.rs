//! A child process as its parent sees it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use super::message::Message;
use super::{HARNESS, PART, PLACE, Role};
use crate::case::{Blame, Case};
use crate::finding::expect::{Failure, broken};
use crate::harness::place::Place;
use crate::runtime::clock::Stopwatch;

/// A child at work. It is killed when this is dropped.
pub(crate) struct Running<'a> {
    pub(super) case: &'a Case,
    child: Child,
    messages: Receiver<Message>,
    arguments: Vec<String>,
}

/// A child that was started.
pub(crate) enum Started<'a> {
    /// It has opened the store.
    Ready(Running<'a>),
    /// The store could not be opened, for this reason.
    Refused(String),
}

/// How long one look at what the child says takes.
const LOOK: Duration = Duration::from_millis(50);

impl<'a> Running<'a> {
    /// Starts a child that plays `part` at `place`, and waits until it stands ready.
    pub(crate) fn start(case: &'a Case, role: Role, place: &Place) -> Result<Self, Failure> {
        match Self::try_start(case, role, place)? {
            Started::Ready(running) => Ok(running),
            Started::Refused(message) => Err(broken(format!("in a child process: {message}"))),
        }
    }

    /// The same for a child that may find its place taken.
    pub(crate) fn try_start(
        case: &'a Case,
        role: Role,
        place: &Place,
    ) -> Result<Started<'a>, Failure> {
        let arguments = case.subject.again.clone().ok_or_else(|| {
            let message = "how to start this process again is not known: say so with `Plan::again`";
            Failure::NotRun(message.to_owned())
        })?;
        case.progress
            .step(Blame::Harness, "starting a child process");
        let started = std::env::current_exe().and_then(|program| {
            Command::new(program)
                .args(&arguments)
                .env(PART, role.word())
                .env(HARNESS, case.subject.name)
                .env(PLACE, place.root())
                .env("CRASHPOINT_REPORT", "")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
        });
        let no_child = |error| Failure::Harness(format!("no child process: {error}"));
        let mut child = started.map_err(no_child)?;
        let (sender, messages) = channel();
        let out = child.stdout.take();
        std::thread::Builder::new()
            .name("crashpoint child".to_owned())
            .spawn(move || {
                let lines = out.into_iter().flat_map(|out| BufReader::new(out).lines());
                let lines = lines.map_while(Result::ok);
                // Whoever has killed the child may have stopped to listen.
                let _ = lines
                    .filter_map(|line| Message::of(&line))
                    .try_for_each(|message| sender.send(message));
            })
            .map_err(no_child)?;
        let mut running = Self {
            case,
            child,
            messages,
            arguments,
        };
        match running.receive()? {
            Some(Message::Ready) => Ok(Started::Ready(running)),
            Some(Message::Refused(message)) => Ok(Started::Refused(message)),
            // No word of it is no sign of the store's: the wrong test may have been run, or none.
            _ => Err(running.no_sign()),
        }
    }

    #[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Lets the child begin.
    pub(crate) fn go(&mut self) -> Result<(), Failure> {
        let mut to_child = self.child.stdin.take();
        let said = to_child
            .iter_mut()
            .try_for_each(|pipe| pipe.write_all(b"go\n"));
        said.map_err(|error| Failure::Harness(format!("the child does not listen: {error}")))
    }

    /// What the child says next; `None` where it has ended.
    pub(crate) fn receive(&mut self) -> Result<Option<Message>, Failure> {
        let watch = Stopwatch::start();
        let limit = self.case.options().operation_max;
        loop {
            match self.messages.recv_timeout(LOOK) {
                Ok(message) => {
                    self.case.progress.beat();
                    return Ok(Some(message));
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                // A process takes its time to start, and that is nobody's fault.
                Err(RecvTimeoutError::Timeout) if watch.elapsed() < limit => {
                    self.case.progress.beat();
                }
                Err(RecvTimeoutError::Timeout) => {
                    return Err(broken(format!(
                        "in a child process: expected an answer within {limit:?}, got nothing"
                    )));
                }
            }
        }
    }

    /// Hears the child out until it has been acknowledged `count` steps; the number of steps that
    /// were.
    pub(crate) fn receive_steps(&mut self, count: u64) -> Result<u64, Failure> {
        loop {
            match self.receive()? {
                Some(Message::Acknowledged(step)) if step + 1 >= count => return Ok(step + 1),
                Some(
                    Message::Acknowledged(_)
                    | Message::Ready
                    | Message::Failed(_)
                    | Message::Loaded(_),
                ) => {}
                Some(Message::Refused(message)) => {
                    return Err(broken(format!("in a child process: {message}")));
                }
                Some(Message::Ended) | None => return Err(self.no_sign()),
            }
        }
    }

    /// SIGKILL, and what was acknowledged until then, of which `heard` is known.
    pub(crate) fn kill(mut self, heard: u64) -> Result<u64, Failure> {
        self.case
            .progress
            .step(Blame::Harness, "killing the child process");
        let killed = self.child.kill().and_then(|()| self.child.wait());
        killed.map_err(|error| Failure::Harness(format!("the child can't be killed: {error}")))?;
        Ok(self.rest(heard))
    }

    /// What a child that is dead had been acknowledged, of which `heard` is known.
    pub(crate) fn rest(&mut self, mut heard: u64) -> u64 {
        while let Ok(message) = self.messages.recv() {
            if let Message::Acknowledged(step) = message {
                heard = step + 1;
            }
        }
        heard
    }

    /// All that a child that is dead has told and nobody has heard.
    #[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
    pub(super) fn last_words(&self) -> Vec<Message> {
        self.messages.iter().collect()
    }

    pub(super) fn no_sign(&self) -> Failure {
        let arguments = self.arguments.join(" ");
        Failure::Harness(format!(
            "the child process ended without a sign of life: is there a test that `{arguments}` runs?"
        ))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
