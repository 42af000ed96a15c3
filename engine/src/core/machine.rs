//! The view of a life for the driver, and for every other caller that performs commands.

use std::fmt::Debug;
use std::hash::Hash;

use crate::core::claim::Nonce;
use crate::core::command::{Command, Reply};
use crate::core::life_options::LifeOptions;
use crate::core::run_state::RunState;

/// What a run waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// For the deadline of a timer.
    Deadline {
        /// The deadline: wall clock, in milliseconds since 1970-01-01 UTC.
        deadline_unix_ms: u64,
    },
    /// For the next round of a polling task.
    Round {
        /// The number of rounds that are over.
        rounds: u64,
    },
}

/// A machine of commands and replies that owns a run: a [`Life`](crate::core::Life), or a mutant
/// that wraps one.
pub trait Machine: Debug + Clone + PartialEq + Eq + Hash + Send + Sync + 'static {
    /// The command to perform now.
    fn command(&self) -> Command<'_>;

    /// Takes the reply to the present command.
    ///
    /// # Panics
    ///
    /// If `reply` does not answer the present command. That is a bug of the driver.
    fn on(&mut self, reply: Reply, options: LifeOptions<'_>);

    /// Asks for a rollback. It starts at the next decision while the run goes forward: an
    /// append in flight is resolved first, and if that append enters an exit, the exit wins.
    fn cancel(&mut self, options: LifeOptions<'_>);

    /// The run as this life knows it: the fold of the acknowledged rows.
    fn state(&self) -> &RunState;

    /// Whether the life loads the log for the first time, before it claims.
    fn is_opening(&self) -> bool;

    /// Whether a cancellation ends the pause that the life asks for. Only the pause before the next
    /// attempt of a forward action ends early; the store and the undos get their time.
    fn cancellation_ends_pause(&self) -> bool;

    /// What the run waits for in the pause that the life asks for; none if the life pauses for the store or
    /// before another attempt.
    fn wait(&self) -> Option<Wait>;

    /// The run id that idempotency keys are derived from.
    ///
    /// # Panics
    ///
    /// If the run is not claimed yet: only a claimed run performs an action.
    fn key_run_id(&self) -> Nonce {
        let header = self.state().header();
        header.expect("only a claimed run performs").run_id
    }

    /// Whether a cancellation drops the append in flight. Never, by the protocol.
    fn cancellation_drops_append(&self) -> bool {
        false
    }

    /// Whether a cancelled life begins no further forward action. Always, by the protocol.
    fn heeds_cancellation(&self) -> bool {
        true
    }
}
