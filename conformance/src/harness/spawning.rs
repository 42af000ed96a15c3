//! Keeps starts of child processes and openings of stores apart.
//!
//! Between its fork and its first instruction a child holds every file that its parent had open, with the
//! locks of these files. A store that was dropped meanwhile has not released its lock, and its place does not
//! open. So an opening that fails waits until the children that the kit has started beside it have been heard.
//! Of children that others start in this process, a test or a library, the kit knows nothing: it tries a bounded
//! number of times.

use std::collections::BTreeSet;
use std::io;
use std::process::{Child, Command};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::runtime::clock::Stopwatch;

/// The children that have started and were not heard yet, by number.
static STARTING: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());
static HEARD: Condvar = Condvar::new();

/// How long an opening waits for children. A child prints its first line before it opens a store.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// How many times an opening is tried, and the time between two of them: a second in all. A child begins its
/// program within milliseconds.
pub(crate) const OPENINGS: u32 = 20;
pub(crate) const BETWEEN_OPENINGS: Duration = Duration::from_millis(50);

/// An opening that takes longer than this is not tried again.
pub(crate) const OPENING_MAX: Duration = Duration::from_millis(500);

fn starting() -> MutexGuard<'static, BTreeSet<u64>> {
    STARTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A child that has started, or a hook of the harness that starts a server. Drop this when something was heard of
/// the child, or its end; or when the hook has returned.
pub(crate) struct Starting(u64);

impl Starting {
    pub(crate) fn begin() -> Self {
        let mut starting = starting();
        let number = starting.last().map_or(0, |last| last + 1);
        starting.insert(number);
        Self(number)
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        let was_starting = starting().remove(&self.0);
        assert!(was_starting, "a child starts once");
        HEARD.notify_all();
    }
}

/// Starts a child process.
pub(crate) fn start(command: &mut Command) -> io::Result<(Child, Starting)> {
    let starting = Starting::begin();
    Ok((command.spawn()?, starting))
}

/// The children that are starting now.
pub(crate) struct Beside(BTreeSet<u64>);

impl Beside {
    pub(crate) fn now() -> Self {
        Self(starting().clone())
    }

    /// Waits until each of them was heard.
    pub(crate) fn wait(&self) {
        let watch = Stopwatch::start();
        let mut starting = starting();
        while !starting.is_disjoint(&self.0) {
            let Some(left) = WAIT_MAX.checked_sub(watch.elapsed()) else {
                break;
            };
            let woken = HEARD.wait_timeout(starting, left);
            starting = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
