//! A real child process that can be killed: the test binary, started again with the name of the law. It
//! opens the store at the same place and plays a role.
//!
//! The child reports acknowledged steps on its standard output. What the parent reads there before the
//! child dies is what the store had acknowledged.

mod message;
mod played;
mod running;
mod script;
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
pub(crate) mod traced;

use crate::harness::Subject;
use crate::harness::place::Place;

pub(crate) use self::message::Message;
use self::played::play;
pub(crate) use self::played::{
    CLEARED_ROWS, CONTENDED, CONTENDED_ROWS, IN_TURN, LARGE, LARGE_ROWS, SHOWN, WRITTEN,
    cleared_run, contended,
};
pub(crate) use self::running::{Running, Started};
pub(crate) use self::script::{Script, Step, wide};

/// The role of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Appends wide rows to one run until it is killed.
    Writes,
    /// Appends rows to three runs in turn until it is killed.
    WritesInTurn,
    /// Fills and clears one run after another until it is killed.
    Clears,
    /// Fills a large run and clears it.
    ClearsLarge,
    /// Opens the store, performs a short script and ends.
    Script,
    /// Opens the store, performs a long script and ends.
    LongScript,
    /// Performs the script on a store that is open, and continues after errors.
    ScriptWithFaults,
    /// Loads a run once.
    Loads,
    /// Appends rows to a run, and loads it while each append is under way.
    LoadsBesideAppends,
    /// Appends its own rows to a run that another child appends to, and continues after errors.
    Contends(u8),
}

impl Role {
    const ALL: [Self; 11] = [
        Self::Writes,
        Self::WritesInTurn,
        Self::Clears,
        Self::ClearsLarge,
        Self::Script,
        Self::LongScript,
        Self::ScriptWithFaults,
        Self::Loads,
        Self::LoadsBesideAppends,
        Self::Contends(0),
        Self::Contends(1),
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Writes => "writes",
            Self::WritesInTurn => "writes_in_turn",
            Self::Clears => "clears",
            Self::ClearsLarge => "clears_large",
            Self::Script => "script",
            Self::LongScript => "long_script",
            Self::ScriptWithFaults => "script_with_faults",
            Self::Loads => "loads",
            Self::LoadsBesideAppends => "loads_beside_appends",
            Self::Contends(0) => "contends",
            Self::Contends(_) => "contends_too",
        }
    }
}

// Variables in the child's environment: its role, its harness and its place.
const ROLE: &str = "CRASHPOINT_CHILD_ROLE";
const HARNESS: &str = "CRASHPOINT_CHILD_HARNESS";
const PLACE: &str = "CRASHPOINT_CHILD_PLACE";

/// Plays the role and ends the process, if this process is a child of the harness.
pub(crate) fn run_role_if_child(subject: &Subject) {
    if let Some((role, place)) = assigned(subject.name) {
        play(subject, role, &place);
    }
}

/// The role and the place of this process, if it is a child of the harness `name`.
fn assigned(name: &str) -> Option<(Role, Place)> {
    let variable = |name| std::env::var(name).ok();
    if variable(HARNESS).as_deref() != Some(name) {
        return None;
    }
    let word = variable(ROLE)?;
    let role = Role::ALL.into_iter().find(|role| role.word() == word)?;
    let place = Place::of_parent(std::env::var_os(PLACE)?.into())?;
    Some((role, place))
}
