//! A real child process, to be killed: the binary of the tests started again with the law's own name,
//! which then opens the store at the same place and plays the part that the law gives it.
//!
//! The child tells on its standard output what it has been acknowledged. What the parent has read there
//! before the child died is what the store had promised by then.

mod played;
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
pub(crate) mod traced;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::case::{Blame, Case};
use crate::finding::expect::{Failure, broken};
use crate::harness::Subject;
use crate::harness::place::Place;
use crate::runtime::clock::Stopwatch;

use self::played::play;
pub(crate) use self::played::{
    CLEARED_ROWS, CONTENDED, CONTENDED_ROWS, IN_TURN, Step, WRITTEN, cleared_run, contended,
    script, wide,
};

/// What a child does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Appends wide rows to one run, until it is killed.
    Writes,
    /// Appends rows to three runs in turn, until it is killed.
    WritesInTurn,
    /// Fills a run and clears it, another one each time, until it is killed.
    Clears,
    /// Opens the store, performs a short script and ends.
    Script,
    /// The same on a store that is open already, whatever is refused.
    ScriptWithFaults,
    /// Appends rows of its own to the run that another child appends to, whatever is refused.
    Contends(u8),
}

impl Role {
    const ALL: [Self; 7] = [
        Self::Writes,
        Self::WritesInTurn,
        Self::Clears,
        Self::Script,
        Self::ScriptWithFaults,
        Self::Contends(0),
        Self::Contends(1),
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Writes => "writes",
            Self::WritesInTurn => "writes_in_turn",
            Self::Clears => "clears",
            Self::Script => "script",
            Self::ScriptWithFaults => "script_with_faults",
            Self::Contends(0) => "contends",
            Self::Contends(_) => "contends_too",
        }
    }
}

/// The part, in the child's environment, with whose store it is and where.
const PART: &str = "CRASHPOINT_CHILD_PART";
const HARNESS: &str = "CRASHPOINT_CHILD_HARNESS";
const PLACE: &str = "CRASHPOINT_CHILD_PLACE";

/// Marks the child's lines among those of whatever runs the tests.
const MARK: &str = "@crashpoint ";

/// Where this process is a child of the harness, its whole business is its part: it ends here.
pub(crate) fn run_role_if_child(subject: &Subject) {
    if let Some((role, place)) = assigned(subject.name) {
        play(subject, role, &place);
    }
}

/// What the environment makes of this process, if it is a child of the harness `name`.
fn assigned(name: &str) -> Option<(Role, Place)> {
    let variable = |name| std::env::var(name).ok();
    if variable(HARNESS).as_deref() != Some(name) {
        return None;
    }
    let word = variable(PART)?;
    let role = Role::ALL.into_iter().find(|role| role.word() == word)?;
    let place = Place::of_parent(std::env::var_os(PLACE)?.into())?;
    Some((role, place))
}

/// Tells the parent. Where nobody listens any more the child has no reason to go on.
fn tell(word: &str) {
    let mut out = std::io::stdout().lock();
    // On a line of its own, whatever the test runner has begun.
    // And at one go: whoever traces this process counts.
    let line = format!("\n{MARK}{word}\n");
    let sent = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    if sent.is_err() {
        std::process::exit(1);
    }
}

/// A message of a child process to its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    /// It has opened the store and waits for [`Running::go`].
    Ready,
    /// Step `0..` has been acknowledged.
    Acknowledged(u64),
    /// Step `0..` was refused, and the child goes on.
    Failed(u64),
    /// A load after a refused step showed so many rows; `None` for an error.
    Loaded(Option<u64>),
    /// The part is over.
    Ended,
    /// An operation was refused, and that is the end.
    Refused(String),
}

impl Message {
    fn of(line: &str) -> Option<Self> {
        let word = line.split_once(MARK)?.1;
        match word.split_once(' ') {
            None if word == "ready" => Some(Self::Ready),
            None if word == "ended" => Some(Self::Ended),
            Some(("ack", number)) => number.parse().ok().map(Self::Acknowledged),
            Some(("nak", number)) => number.parse().ok().map(Self::Failed),
            Some(("loaded", count)) => Some(Self::Loaded(count.parse().ok())),
            Some(("refused", message)) => Some(Self::Refused(message.to_owned())),
            _ => None,
        }
    }
}

/// A child at work. It is killed when this is dropped.
pub(crate) struct Running<'a> {
    case: &'a Case,
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
    fn last_words(&self) -> Vec<Message> {
        self.messages.iter().collect()
    }

    fn no_sign(&self) -> Failure {
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
