//! Ctrl-C.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::{Exit, Failure};

/// Calls `notify` at the first Ctrl-C, so that the work can end with the results so far. The second
/// Ctrl-C ends the process at once, and so does the first if `notify` returns false.
pub(crate) fn on_ctrl_c(notify: impl Fn() -> bool + Send + 'static) -> Result<(), Failure> {
    let pressed = AtomicBool::new(false);
    let set = ctrlc::set_handler(move || {
        let again = pressed.swap(true, Ordering::Relaxed);
        if again || !notify() {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
    });
    set.map_err(|error| Failure::Harness(format!("can't listen for Ctrl-C: {error}")))
}

/// A flag that the first Ctrl-C sets, for work that polls it.
pub(crate) fn interrupt_flag() -> Result<Arc<AtomicBool>, Failure> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    on_ctrl_c(move || {
        flag.store(true, Ordering::Relaxed);
        true
    })?;
    Ok(interrupted)
}
