//! The messages of a child to its parent: lines on standard output.

use std::fmt;
use std::io::Write;

/// Distinguishes the child's lines from the other output of the tests.
const MARK: &str = "@crashpoint ";

/// A message of a child process to its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    /// It waits for [`Running::go`](super::Running::go).
    Ready,
    /// Step `0..` is acknowledged.
    Acknowledged(u64),
    /// Step `0..` returned an error, and the child continues.
    Failed(u64),
    /// Step `0..` returned a conflict, and the child continues.
    Conflicted(u64),
    /// A load showed this number of rows; `None` for an error.
    Loaded(Option<u64>),
    /// The role is over.
    Ended,
    /// An operation returned an error, and the child ends.
    Refused(String),
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::Acknowledged(step) => write!(f, "ack {step}"),
            Self::Failed(step) => write!(f, "nak {step}"),
            Self::Conflicted(step) => write!(f, "conflict {step}"),
            Self::Loaded(Some(count)) => write!(f, "loaded {count}"),
            Self::Loaded(None) => f.write_str("loaded none"),
            Self::Ended => f.write_str("ended"),
            Self::Refused(message) => write!(f, "refused {}", message.replace('\n', " ")),
        }
    }
}

impl Message {
    /// Reads a line of the child; `None` if it is not a message.
    pub(super) fn of(line: &str) -> Option<Self> {
        let word = line.split_once(MARK)?.1;
        match word.split_once(' ') {
            None if word == "ready" => Some(Self::Ready),
            None if word == "ended" => Some(Self::Ended),
            Some(("ack", step)) => step.parse().ok().map(Self::Acknowledged),
            Some(("nak", step)) => step.parse().ok().map(Self::Failed),
            Some(("conflict", step)) => step.parse().ok().map(Self::Conflicted),
            Some(("loaded", count)) => Some(Self::Loaded(count.parse().ok())),
            Some(("refused", message)) => Some(Self::Refused(message.to_owned())),
            _ => None,
        }
    }

    /// Sends the message. If nobody listens any more, the child ends.
    pub(super) fn send(&self) {
        // Of a refusal only the line breaks of its text are lost.
        let read = Self::of(&format!("{MARK}{self}"));
        assert!(
            read.as_ref() == Some(self) || matches!(read, Some(Self::Refused(_))),
            "the parent reads what the child sends: {self}"
        );
        let mut out = std::io::stdout().lock();
        // On its own line, whatever the test runner has begun. In one write, since the tracer of this
        // process counts writes.
        let line = format!("\n{MARK}{self}\n");
        let sent = out.write_all(line.as_bytes()).and_then(|()| out.flush());
        if sent.is_err() {
            std::process::exit(1);
        }
    }
}
