//! What the benchmarks share: a clock, a comparison of peers, and a store that keeps nothing.
//!
//! A number means little by itself, so what is compared runs in turns within one process, and the
//! ratio is printed with the names of both.

mod comparison;
mod forgetful;

pub use comparison::{Comparison, elapsed};
pub use forgetful::ForgetfulStore;
