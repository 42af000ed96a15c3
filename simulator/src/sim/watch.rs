//! Notices a task that waits for something outside of the simulation: a thread, a sleep of the system, a
//! socket.
//!
//! The system counts how often a thread gave its processor away because it had to wait. A poll of a task
//! in a simulation never waits, so a poll in which the number grows waited for something else. The number
//! is advice: it decides nothing, because the system may let a thread wait for reasons of its own. Reading
//! it takes some microseconds, so only a run that is repeated is watched. Only Linux has it.

use std::fs;
use std::future::poll_fn;

use crashpoint::Ctx;
use crashpoint::TaskError;
use crashpoint::protocol::{Attempted, Performed};

use crate::executor::lock;
use crate::sim::{Activity, Process, Watch};

impl Process {
    /// An attempt of a task whose polls are watched, if the simulation is.
    pub(super) async fn watched(
        &self,
        ctx: &Ctx,
        mut attempt: Attempted<'_>,
    ) -> Result<Performed, TaskError> {
        let Watch::Into(waited) = &self.sim().watch else {
            return attempt.await;
        };
        poll_fn(|context| {
            let before = waits_of_this_thread();
            let polled = attempt.as_mut().poll(context);
            if before < waits_of_this_thread() {
                lock(waited).insert(Activity::of(ctx).to_string());
            }
            polled
        })
        .await
    }
}

/// How often this thread has waited for the system so far; `None` where the system does not say.
fn waits_of_this_thread() -> Option<u64> {
    /// The line of `/proc/thread-self/status` that counts it.
    const WAITS: &str = "voluntary_ctxt_switches:";
    let status = fs::read_to_string("/proc/thread-self/status").ok()?;
    let waits = status.lines().find_map(|line| line.strip_prefix(WAITS))?;
    waits.trim().parse().ok()
}
