//! Timers: states that wait.

use std::sync::Arc;
use std::time::Duration;

use crate::core::whole_ms;
use crate::runtime::Runtime;
use crate::task::{RunData, TaskError};

/// The wait of a state, until an instant or for a duration. [`WorkflowBuilder::timer`] gives it to a state.
///
/// The deadline is durable in a row of its own before the wait begins. The timer never ends before the
/// wall clock has reached it, whatever jumps, and every later life waits for the same deadline. A run
/// whose deadline has passed while no process had it goes on at once when it is resumed.
///
/// [`WorkflowBuilder::timer`]: crate::WorkflowBuilder::timer
///
/// ```
/// use std::time::Duration;
///
/// use crashpoint::{Ctx, RunData, State, TaskError, Timer, Wake, Workflow};
///
/// #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
/// enum Reminder { Remind, Wait, Call, Until, Called }
///
/// async fn remind(_ctx: Ctx) -> Result<Reminder, TaskError> {
///     Ok(Reminder::Wait)
/// }
///
/// async fn call(_ctx: Ctx) -> Result<Reminder, TaskError> {
///     Ok(Reminder::Until)
/// }
///
/// // The input is the instant at which the case is closed.
/// let closing = |data: &RunData| Ok(Wake::AtUnixMs(data.input()?));
/// let workflow = Workflow::builder("reminder", 1)
///     .task(Reminder::Remind, "remind", remind)
///     .timer(Reminder::Wait, "wait a week", Timer::after(Duration::from_secs(7 * 24 * 60 * 60)), Reminder::Call)
///     .task(Reminder::Call, "call", call)
///     .timer(Reminder::Until, "until closing", Timer::by(closing), Reminder::Called)
///     .exit(Reminder::Called)
///     .build()?;
/// # let _ = workflow;
/// # Ok::<(), crashpoint::BuildError>(())
/// ```
#[derive(Clone)]
pub struct Timer(Arc<WakeBy>);

type WakeBy = dyn Fn(&RunData) -> Result<Wake, TaskError> + Send + Sync;

/// The end of a timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wake {
    /// So long after the timer was set, in whole milliseconds. A fraction counts as a whole.
    After(Duration),
    /// When the wall clock has reached this instant, in milliseconds since 1970-01-01 UTC. If that has
    /// passed, the timer ends at once.
    AtUnixMs(u64),
}

impl Timer {
    /// A timer that waits for `duration`.
    pub fn after(duration: Duration) -> Self {
        Self::by(move |_| Ok(Wake::After(duration)))
    }

    /// A timer whose end depends on the data of the run. `wake` has no outside effect. It is called again
    /// if a crash comes before its result is durable, and as the timer's retry policy says.
    pub fn by(wake: impl Fn(&RunData) -> Result<Wake, TaskError> + Send + Sync + 'static) -> Self {
        Self(Arc::new(wake))
    }

    /// The wall clock at which the timer ends if it is set now.
    pub(super) fn deadline_unix_ms(
        &self,
        data: &RunData,
        runtime: &dyn Runtime,
    ) -> Result<u64, TaskError> {
        Ok(match (self.0)(data)? {
            Wake::AtUnixMs(unix_ms) => unix_ms,
            Wake::After(duration) => runtime.unix_ms().saturating_add(whole_ms(duration)),
        })
    }
}

impl std::fmt::Debug for Timer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Timer").finish_non_exhaustive()
    }
}
