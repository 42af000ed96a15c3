//! Panics that are part of a simulation print nothing.
//!
//! The engine catches a task's panic and makes it the task's failure. Explored at every crash point
//! that is thousands of panics, each with a message and a backtrace from the default hook. While a
//! simulated task is polled this thread's panics are silent; every other panic is reported as ever.
//!
//! tokio catches a panic of what was spawned on it as well, and tells whoever waits for that, which may
//! be nobody. The hook hears of it all the same.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
    static HEARD: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `poll` with this thread's panics silenced.
pub(crate) fn quietly<T>(poll: impl FnOnce() -> T) -> T {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                return report(panic);
            }
            HEARD.with_borrow_mut(|heard| {
                heard.get_or_insert_with(|| message_of(panic.payload()));
            });
        }));
    });
    let _restore = Restore(QUIET.replace(true));
    poll()
}

/// As [`quietly`], and what was panicked with first meanwhile, caught or not.
pub(crate) fn overheard<T>(poll: impl FnOnce() -> T) -> (T, Option<String>) {
    HEARD.take();
    let polled = quietly(poll);
    (polled, HEARD.take())
}

/// Puts the former setting back, also when the poll panics.
struct Restore(bool);

impl Drop for Restore {
    fn drop(&mut self) {
        QUIET.set(self.0);
    }
}

/// What a panic said.
pub(crate) fn message_of(panic: &(dyn Any + Send)) -> String {
    let literal = || panic.downcast_ref::<&str>().map(ToString::to_string);
    let message = panic.downcast_ref::<String>().cloned();
    message.or_else(literal).unwrap_or_default()
}
