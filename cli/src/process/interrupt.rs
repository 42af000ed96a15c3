//! Ctrl-C.

use std::sync::Arc;
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

/// A flag that the first Ctrl-C sets, for work that looks at it now and then.
pub(crate) fn flag_at_ctrl_c() -> Result<Arc<AtomicBool>, Failure> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    at_ctrl_c(move || {
        flag.store(true, Ordering::Relaxed);
        true
    })?;
    Ok(interrupted)
}
