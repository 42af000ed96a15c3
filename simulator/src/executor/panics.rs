//! Silences the panics that are part of a simulation.
//!
//! The engine catches a task's panic and treats it as the task's failure. An exploration of every
//! crash point has thousands of such panics, and the default hook would print a message and a
//! backtrace for each. While a simulated task is polled, panics of this thread are silent; every
//! other panic is reported as usual.
//!
//! tokio also catches the panic of a spawned task. It reports the panic to whoever joins the task,
//! and to nobody if nobody does. The hook sees it in any case.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
    static FIRST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
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
            FIRST_PANIC.with_borrow_mut(|first| {
                first.get_or_insert_with(|| message_of(panic.payload()));
            });
        }));
    });
    let _restore = Restore(QUIET.replace(true));
    poll()
}

/// As [`quietly`]; also returns the message of the first panic meanwhile, caught or not.
pub(crate) fn quietly_noting_panics<T>(poll: impl FnOnce() -> T) -> (T, Option<String>) {
    FIRST_PANIC.take();
    let polled = quietly(poll);
    (polled, FIRST_PANIC.take())
}

/// Restores the former setting, even if the poll panics.
struct Restore(bool);

impl Drop for Restore {
    fn drop(&mut self) {
        QUIET.set(self.0);
    }
}

/// The message of a panic.
pub(crate) fn message_of(panic: &(dyn Any + Send)) -> String {
    let literal = || panic.downcast_ref::<&str>().map(ToString::to_string);
    let message = panic.downcast_ref::<String>().cloned();
    message.or_else(literal).unwrap_or_default()
}
