//! The engine's operations over a store with several runs: `Recovery::resume_all`, `purge`,
//! `unfinished`, `status`, `run_or_resume` and `retry_stuck`.
//!
//! A [simulation](simulate) begins with a [fleet](fleet::Run) of runs: healthy and damaged, ended
//! and stuck, some whose task panics, one of an unknown workflow. Two or three operations are drawn. Each
//! begins at any instant of another, in the same process or in another one, and they alternate as
//! drawn. A process may crash at any instant, and a call of the store may fail. Over the embedded store
//! on a simulated disk, the power may fail, and a sync. At last a new process recovers what is left, and [oracles](oracle), a file for each promise, judge the history.
//!
//! The rest of the simulator crashes one run in depth. Here a life is short, and the question is
//! what the operations do to each other's runs and say about them.

mod broken;
mod calls;
mod campaigns;
mod fleet;
mod history;
mod logs;
mod machine;
mod operation;
pub mod oracle;
mod perform;
mod schedule;
mod simulation;
mod state;
mod storage;
mod store;
mod workflow;

pub use broken::{BROKEN, Broken};
pub use campaigns::{ABOUT, DEFAULT_CRASHES, NAME, SAMPLES, beyond, campaigns};
pub use fleet::{Health, RUNS, Run};
pub use history::{Answer, Ending, Entry, Failed, History, What};
pub(crate) use operation::THREE;
pub use operation::{OPERATIONS, Operation};
pub use schedule::{BadOperationsSchedule, OperationsSchedule};
pub use simulation::{Simulation, simulate};
pub use state::Placement;
