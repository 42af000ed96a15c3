//! Ctrl-C.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::{Exit, Failure};

/// The first Ctrl-C is told, so that the work ends with what was found until then; the second ends
/// the process at once, as the first does where `tell` says that nobody listens.
pub(crate) fn at_ctrl_c(tell: impl Fn() -> bool + Send + 'static) -> Result<(), Failure> {
    let pressed = AtomicBool::new(false);
    let set = ctrlc::set_handler(move || {
        let again = pressed.swap(true, Ordering::Relaxed);
        if again || !tell() {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
    });
    set.map_err(|error| Failure::Harness(format!("can't listen for Ctrl-C: {error}")))
}
