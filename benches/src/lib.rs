//! Code that the benchmarks share: a clock, a comparison of peers, a store that keeps nothing, the
//! type of a file system, and a model of a store's file after its process was killed.
//!
//! A number means little by itself. So peers run in turns within one process, and the ratio is
//! printed with the names of both.

mod comparison;
mod file_system;
mod forgetful;
mod soak_model;
pub mod transition;
mod turn_order;

pub use comparison::{Comparison, elapsed};
pub use file_system::file_system_of;
pub use forgetful::ForgetfulStore;
pub use soak_model::{ROWS_OF_A_RUN, RunId, SoakModel, Stage, row_of};
pub use turn_order::turn_order;
