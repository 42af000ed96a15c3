//! Deterministic simulator for `crashpoint`. It crashes a workflow at every point, races lives
//! against each other, lets the store fail, and checks the result with oracles.
//!
//! Everything that varies in a simulation is drawn from one [`Choices`]; the same choices give the
//! same [`Run`], in any process.
//!
//! [`crash_test`] crash-tests your own workflow. Its tasks act on the outside world through
//! [`Process::effect`], whose ledger survives every crash:
//!
//! ```
//! use crashpoint::{CompensatableTask, Ctx, State, TaskError, Workflow};
//! use crashpoint_simulator::{Process, crash_test};
//!
//! #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
//! enum Order {
//!     Charge,
//!     Charged,
//! }
//!
//! struct Charge(Process);
//!
//! impl CompensatableTask<Order> for Charge {
//!     type Output = String;
//!
//!     async fn run(&self, ctx: Ctx) -> Result<(Order, String), TaskError> {
//!         self.0.effect(&ctx, "charge the card", "19.99").await;
//!         Ok((Order::Charged, "receipt".to_owned()))
//!     }
//!
//!     async fn compensate(&self, ctx: Ctx, receipt: String) -> Result<(), TaskError> {
//!         self.0.effect(&ctx, "refund the card", &receipt).await;
//!         Ok(())
//!     }
//!
//!     async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
//!         self.0.effect(&ctx, "refund whatever was charged", "").await;
//!         Ok(())
//!     }
//! }
//!
//! crash_test(Order::Charge, &(), |process| {
//!     Workflow::builder("order", 1)
//!         .compensatable(Order::Charge, "charge", Charge(process.clone()))
//!         .exit(Order::Charged)
//!         .build()
//!         .expect("the workflow is well defined")
//! })
//! .run();
//! ```
//!
//! Tasks wait through their [`Ctx`](crashpoint::Ctx). Tasks that use tokio's time, or spawn on
//! tokio, need the feature `tokio` and `CrashTest::tokio`, which puts a runtime with a paused clock
//! around each process. Other workflows are tested faster without it.
//!
//! The promises that it checks are in [`oracle`], one file for each.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod choices;
mod crash_test;
pub mod disk;
mod executor;
mod explore;
mod fault;
mod history;
pub mod images;
#[cfg(madsim)]
pub mod madsim_lane;
pub mod operations;
pub mod oracle;
mod record;
mod report;
mod sim;
pub mod workload;

pub use choices::Choices;
pub use choices::scheduled::{Scheduled, Unfired};
pub use choices::swarm::{Possible, Swarm, swarm};
pub use crash_test::{
    CrashTest, Mergeable, OwnTest, UpgradeFrom, UpgradeReport, UpgradeTest, crash_test,
    crash_test_in, replay_in, upgrade_test, upgrade_test_in,
};
pub use executor::SimRuntime;
pub use explore::{
    CONTINUATIONS, Findings, NoReturn, Nondeterminism, OperationsPart, Outlook, Part, Pool,
    ResumedLogs, Resumptions, SHRINK_RUNS_MAX, ShrinkError, Shrunk, Violation, explore, explore_on,
    explore_operations, explore_operations_part, explore_part, explore_seeds, explore_seeds_on,
    moment, parts, shrink, shrink_recording, vacuity,
};
pub use fault::{
    AttemptFault, BadBudget, BadFault, BadSchedule, Breach, Budget, ClockFault, Crash, DiskFault,
    Fault, Fired, Group, Kinds, LeftOut, Schedule, ServiceFault, StoreFault,
};
pub use history::{
    Attempt, CrashPlace, Effect, Ending, Entry, History, LifeEnd, Opening, Receiver, Reception,
    Recorder, Refusal, Stopped, What,
};
pub use record::{
    BadFile, BadLine, BadRecording, BadTape, BadToken, Divergence, Draws, HashedTrace, Judged,
    Operations, OperationsTrial, Recording, ReplayError, Simulated, Source, TOKEN_LENGTH_MAX,
    TapeFile, TextLimits, Token, TooLong, Trial, replay, replay_recording, run_schedule, run_seed,
};
pub use report::{render, scrubber, steps, trace};
pub use sim::{
    BrokenInvariant, Lane, LogPhase, LogPlace, OwnStore, PermittedRefusals, Process, Release,
    Repeat, Resumption, Rollout, Run, RunOfLife, Service, ServiceError, Settings, SimObserver,
    SimStore, Snapshot, Snapshots, StoreKind, Subject, Took, UnknownRollout, UnknownStore, Upgrade,
    Watch, simulate, simulate_with,
};
pub use smol_str::SmolStr;
pub use workload::engine_subject::{EngineSubject, WorkflowFactory};
