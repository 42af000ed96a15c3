//! The engine's operations over a store with several runs: `Recovery::resume_all`, `purge`, `status`,
//! `run_or_resume` and `retry_stuck`.
//!
//! A [simulation](simulate) begins with a [fleet](fleet::Run) of runs: healthy and damaged, ended
//! and stuck, some whose task panics, one of an unknown workflow. Two operations are drawn. The second
//! begins at any instant of the first, in the same process or in another one, and the two alternate
//! as drawn. A process may crash at any instant, and a call of the store may fail. At last a new
//! process recovers what is left, and [oracles](oracle), a file for each promise, judge the history.
//!
//! The rest of the simulator crashes one run in depth. Here a life is short, and the question is
//! what the operations do to each other's runs and say about them.

mod broken;
mod fleet;
mod history;
mod operation;
pub mod oracle;
mod report;
mod simulation;
mod state;
mod store;
mod workflow;

pub use broken::{BROKEN, Broken, Objection};
pub use fleet::{Health, RUNS, Run};
pub use history::{Answer, Ending, Entry, Failed, History, What};
pub use operation::{OPERATIONS, Operation};
pub(crate) use report::{Part, exhaust, parts, sampled};
pub use report::{Report, Violation, campaigns};
pub use simulation::{Simulation, simulate};
pub use state::{Bounds, Placement};
