//! Deterministic simulator for `crashpoint-engine`: crashes a workflow at every point, races lives
//! against each other, lets the store fail, and says with oracles whether what came of it is right.
//!
//! Everything that varies in a simulation is drawn from one [`Choices`]; the same choices give the
//! same [`Run`], in any process.

pub mod choices;
mod crash_test;
mod engine_subject;
mod executor;
mod explore;
mod fault;
mod history;
pub mod oracle;
mod panics;
pub mod protocol;
mod recorder;
pub mod render;
mod sim;
mod subject;
mod token;
pub mod workload;
mod world;

pub use choices::Choices;
pub use crash_test::{CrashTest, crash_test};
pub use engine_subject::{EngineSubject, WorkflowFactory};
pub use executor::SimRuntime;
pub use explore::{
    Findings, Part, ReplayError, Violation, explore, explore_part, parts, replay, simulate_with,
};
pub use fault::{BadBudget, Budget, Fault, Fired};
pub use history::{Attempt, Entry, History, Opening, What};
pub use recorder::Recorder;
pub use sim::{Process, Run, Settings, SimObserver, SimStore, simulate};
pub use subject::{LifeEnd, Subject};
pub use token::{BadToken, Token};
pub use world::{Effect, Reception};
