//! What the benchmarks share: a clock, a comparison of peers, a store that keeps nothing, a look
//! at where files are, and what a store has to keep of what was said before a kill.
//!
//! A number means little by itself, so what is compared runs in turns within one process, and the
//! ratio is printed with the names of both.

mod comparison;
mod file_system;
mod forgetful;
mod order;
mod told;
pub mod transition;

pub use comparison::{Comparison, elapsed};
pub use file_system::file_system_of;
pub use forgetful::ForgetfulStore;
pub use order::order_of_turns;
pub use told::{ROWS_OF_A_RUN, RunId, Stage, Told, row_of};
