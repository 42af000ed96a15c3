//! A real child process, to be killed: the binary of the tests started again with the law's own name,
//! which then opens the store at the same place and plays the part that the law gives it.
//!
//! The child tells on its standard output what it has been acknowledged. What the parent has read there
//! before the child died is what the store had promised by then.

mod message;
mod played;
mod running;
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
pub(crate) mod traced;

use crate::harness::Subject;
use crate::harness::place::Place;

pub(crate) use self::message::Message;
use self::played::play;
pub(crate) use self::played::{
    CLEARED_ROWS, CONTENDED, CONTENDED_ROWS, IN_TURN, Step, WRITTEN, cleared_run, contended,
    script, wide,
};
pub(crate) use self::running::{Running, Started};

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
