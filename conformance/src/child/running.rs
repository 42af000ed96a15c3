//! A child process as its parent sees it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::message::Message;
use super::{HARNESS, PLACE, ROLE, Role};
use crate::case::{Blame, Case};
use crate::finding::expect::{Failure, broken};
use crate::harness::place::Place;
use crate::harness::spawning;
use crate::runtime::clock::Stopwatch;

/// A running child, which is killed when this is dropped.
pub(crate) struct Running<'a> {
    pub(super) case: &'a Case,
    child: Child,
    messages: Receiver<Message>,
    arguments: Vec<String>,
    /// The first lines of its standard error, each after a line break.
    complaints: Arc<Mutex<String>>,
}

/// A child that has started.
pub(crate) enum Started<'a> {
    /// It has opened the store.
    Ready(Running<'a>),
    /// It could not open the store, for this reason.
    Refused(String),
}

/// How much of a child's standard error is kept: enough for the message of a panic.
const COMPLAINTS_BYTES_MAX: usize = 2000;

/// How long one look for a message takes.
const LOOK: Duration = Duration::from_millis(50);

impl<'a> Running<'a> {
    /// Starts a child that plays `role` at `place`, and waits until it is ready.
    pub(crate) fn start(case: &'a Case, role: Role, place: &Place) -> Result<Self, Failure> {
        match Self::try_start(case, role, place)? {
            Started::Ready(running) => Ok(running),
            Started::Refused(message) => Err(broken(format!("in a child process: {message}"))),
        }
    }

    /// Does the same for a child that may find its place taken.
    pub(crate) fn try_start(
        case: &'a Case,
        role: Role,
        place: &Place,
    ) -> Result<Started<'a>, Failure> {
        // The child looks its role up by this word.
        let mut same_word = Role::ALL
            .iter()
            .filter(|of_child| of_child.word() == role.word());
        assert_eq!(same_word.next(), Some(&role), "a word names one role");
        assert!(same_word.next().is_none(), "a word names one role");
        let arguments = case.subject.again.clone().ok_or_else(|| {
            let message =
                "the kit does not know how to start this process again: set `Plan::again`";
            Failure::NotRun(message.to_owned())
        })?;
        case.progress
            .step(Blame::Harness, "starting a child process");
        place.note_use();
        let started = std::env::current_exe().and_then(|program| {
            let mut command = Command::new(program);
            command
                .args(&arguments)
                .env(ROLE, role.word())
                .env(HARNESS, case.subject.name)
                .env(PLACE, place.root())
                .env("CRASHPOINT_REPORT", "")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            spawning::start(&mut command)
        });
        let no_child = |error| Failure::Harness(format!("no child process: {error}"));
        let (mut child, starting) = started.map_err(no_child)?;
        let (sender, messages) = channel();
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let complaints: Arc<Mutex<String>> = Arc::default();
        let heard = Arc::clone(&complaints);
        std::thread::Builder::new()
            .name("crashpoint child".to_owned())
            .spawn(move || {
                let lines = err.into_iter().flat_map(|err| BufReader::new(err).lines());
                for line in lines.map_while(Result::ok) {
                    let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                    if heard.len() < COMPLAINTS_BYTES_MAX && !line.is_empty() {
                        heard.push_str("\n  ");
                        heard.push_str(&line);
                    }
                }
            })
            .map_err(no_child)?;
        std::thread::Builder::new()
            .name("crashpoint child".to_owned())
            .spawn(move || {
                let lines = out.into_iter().flat_map(|out| BufReader::new(out).lines());
                let mut starting = Some(starting);
                let lines = lines
                    .map_while(Result::ok)
                    .inspect(|_| drop(starting.take()));
                // The law may have killed the child and stopped listening.
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
            complaints,
        };
        match running.receive()? {
            Some(Message::Ready) => Ok(Started::Ready(running)),
            Some(Message::Refused(message)) => Ok(Started::Refused(message)),
            // This says nothing about the store: the arguments may run another test, or none.
            _ => Err(running.silent()),
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

    /// The next message; `None` if the child has ended.
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
                // A process needs time to start.
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

    /// The next message, if it comes within `limit`.
    pub(crate) fn receive_within(&mut self, limit: Duration) -> Option<Message> {
        self.messages.recv_timeout(limit).ok()
    }

    /// Receives messages until `count` steps are acknowledged. Returns the number of acknowledged steps.
    pub(crate) fn receive_steps(&mut self, count: u64) -> Result<u64, Failure> {
        loop {
            match self.receive()? {
                Some(Message::Acknowledged(step)) if step + 1 >= count => return Ok(step + 1),
                Some(
                    Message::Acknowledged(_)
                    | Message::Ready
                    | Message::Failed(_)
                    | Message::Conflicted(_)
                    | Message::Loaded(_),
                ) => {}
                Some(Message::Refused(message)) => {
                    return Err(broken(format!("in a child process: {message}")));
                }
                Some(Message::Ended) | None => return Err(self.silent()),
            }
        }
    }

    /// Lets a child with [`Role::Loads`] begin. Returns how many rows it saw, or why it saw none.
    pub(crate) fn rows_seen(mut self) -> Result<Result<u64, String>, Failure> {
        self.go()?;
        loop {
            match self.receive()? {
                Some(Message::Loaded(Some(rows))) => return Ok(Ok(rows)),
                Some(Message::Refused(message)) => return Ok(Err(message)),
                Some(Message::Ended) | None => return Err(self.silent()),
                Some(_) => {}
            }
        }
    }

    /// Kills the child with SIGKILL. Returns the number of acknowledged steps, of which `heard` are known.
    pub(crate) fn kill(mut self, heard: u64) -> Result<u64, Failure> {
        self.case
            .progress
            .step(Blame::Harness, "killing the child process");
        let killed = self.child.kill().and_then(|()| self.child.wait());
        killed.map_err(|error| Failure::Harness(format!("the child can't be killed: {error}")))?;
        Ok(self.rest(heard))
    }

    /// The number of steps that a dead child had acknowledged, of which `heard` are known.
    pub(crate) fn rest(&mut self, mut heard: u64) -> u64 {
        while let Ok(message) = self.messages.recv() {
            if let Message::Acknowledged(step) = message {
                heard = step + 1;
            }
        }
        heard
    }

    /// The messages of a dead child that are not yet received.
    #[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
    pub(super) fn last_words(&self) -> Vec<Message> {
        self.messages.iter().collect()
    }

    pub(super) fn silent(&self) -> Failure {
        let arguments = self.arguments.join(" ");
        let complaints = self.complaints.lock();
        let complaints = complaints.unwrap_or_else(PoisonError::into_inner);
        if complaints.is_empty() {
            return Failure::Harness(format!(
                "the child process ended without a message: is there a test that `{arguments}` runs?"
            ));
        }
        Failure::Harness(format!(
            "the child process (`{arguments}`) ended without a message. On its standard error: {complaints}"
        ))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // It may be dead, so errors are ignored.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
