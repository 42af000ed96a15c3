//! Contains the panics of code that is not the engine's: a panic becomes its words.
//!
//! The panic hook has reported each panic before it comes here. With `panic = "abort"` in the profile
//! of the program nothing can be contained.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt as _;

/// Calls `code`. The error has the words of its panic.
pub(crate) fn contained<T>(code: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(code)).map_err(words_of)
}

/// As [`contained`], for a future. After a panic the future is not polled again.
pub(crate) async fn contained_future<F: Future>(future: F) -> Result<F::Output, String> {
    let caught = AssertUnwindSafe(future).catch_unwind().await;
    caught.map_err(words_of)
}

/// Drops a value whose destructor may panic. Nobody is left to report that panic to.
pub(crate) fn drop_contained<T>(dropped: T) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(dropped))) {
        // Its own destructor may panic too.
        std::mem::forget(panic);
    }
}

/// The words of a panic, as `panicked: …`.
pub(crate) fn panicked(words: &str) -> String {
    format!("panicked: {words}")
}

fn words_of(panic: Box<dyn Any + Send>) -> String {
    let words = text_of(&*panic).unwrap_or("no message").to_owned();
    drop_contained(panic);
    words
}

/// The text that a panic was raised with, if it was a text.
pub(crate) fn text_of(panic: &(dyn Any + Send)) -> Option<&str> {
    let literal = panic.downcast_ref::<&'static str>().copied();
    literal.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
}
