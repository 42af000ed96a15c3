//! What a child tells its parent: lines on standard output.

use std::io::Write;

/// Marks the child's lines among those of whatever runs the tests.
const MARK: &str = "@crashpoint ";

/// Tells the parent. Where nobody listens any more the child has no reason to go on.
pub(super) fn tell(word: &str) {
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
    pub(super) fn of(line: &str) -> Option<Self> {
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
