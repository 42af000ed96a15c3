//! An FSM and saga engine whose runs survive a crash at every point.
//!
//! A [`Workflow`] is a graph of states, each with a task; a *run* of it is a log of
//! [`CheckpointRow`]s in a [`CheckpointStore`]. The live engine changes its state only by applying
//! an event that the store has acknowledged, with the same function that rebuilds the state when
//! the run is resumed, so resuming reproduces the state.
//!
//! ```
//! use crashpoint::{
//!     CompensatableTask, Ctx, Engine, Outcome, Recovery, RedbCheckpointStore, State, TaskError,
//!     Workflow,
//! };
//!
//! #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
//! enum Order {
//!     Charge,
//!     Pack,
//!     Shipped,
//! }
//!
//! struct Charge;
//!
//! impl CompensatableTask<Order> for Charge {
//!     type Output = String;
//!
//!     async fn run(&self, ctx: Ctx) -> Result<(Order, String), TaskError> {
//!         let cents: u64 = ctx.input()?;
//!         // A payment service gets `ctx.idempotency_key()` with the request.
//!         Ok((Order::Pack, format!("receipt for {cents}")))
//!     }
//!
//!     async fn compensate(&self, _ctx: Ctx, receipt: String) -> Result<(), TaskError> {
//!         assert_eq!(receipt, "receipt for 1999");
//!         Ok(())
//!     }
//! }
//!
//! async fn pack(ctx: Ctx) -> Result<Order, TaskError> {
//!     let _receipt: String = ctx.output("charge")?;
//!     Ok(Order::Shipped)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let workflow = Workflow::builder("order", 1)
//!     .compensatable(Order::Charge, "charge", Charge)
//!     .to([Order::Pack])
//!     .task(Order::Pack, "pack", pack)
//!     .exit(Order::Shipped)
//!     .build()?;
//! // A service has a folder that stays.
//! let folder = tempfile::tempdir()?;
//! let engine = Engine::new(RedbCheckpointStore::new(folder.path().join("orders.redb"))?);
//!
//! // At start-up: whatever an earlier process left behind goes on where its log ends.
//! let report = Recovery::new(&engine).workflow(&workflow).resume_all().await?;
//! for (workflow_id, error) in report.errors() {
//!     eprintln!("{workflow_id}: {error}");
//! }
//!
//! let outcome = engine.run(&workflow, "order-42", Order::Charge, &1999_u64).await?;
//! assert_eq!(outcome, Outcome::Done(Order::Shipped));
//! # Ok(())
//! # }
//! ```
//!
//! # What is promised
//!
//! An outcome ([`Outcome`]) is durable: any number of resumes give the same one. An [`Error`] says
//! that the run has not ended. A task runs at least once; it runs at most once more for each crash
//! or takeover, and never again once its completion is durable. [`Ctx::idempotency_key`] is how an
//! outside effect becomes exactly-once.

mod cancel;
mod core;
mod driver;
mod engine;
mod error;
mod observe;
pub mod recovery;
mod runtime;
mod scope;
mod state;
mod store;
mod task;
mod workflow;

pub use crate::cancel::CancelToken;
pub use crate::core::{
    AppendRetry, BlobFault, Bytes, Cause, CauseKind, ClaimRecord, Completion, Direction, Event,
    FailedUndo, IllegalEvent, Label, LogFault, Mismatch, Nonce, Phase, RebuildError, Retention,
    RetryPolicy, Rollback, RowFault, RunHeader, RunState, TaskKind, Undo, Undone, Visit, rebuild,
};
pub use crate::engine::{
    Engine, Leftover, Outcome, PurgeReport, Recovery, RecoveryReport, RolledBack, Status,
    StatusPhase, Stuck, UnfinishedRun,
};
pub use crate::error::{Error, StoreError, StoreErrorKind};
#[cfg(feature = "tracing")]
pub use crate::observe::TracingObserver;
pub use crate::observe::{Observation, Observer};
pub use crate::recovery::{CheckpointRow, CheckpointStore, ListRuns, RowKind, UnknownRowKind};
pub use crate::runtime::{Runtime, TokioRuntime};
pub use crate::scope::ScopeId;
pub use crate::state::State;
pub use crate::store::MemoryCheckpointStore;
#[cfg(feature = "redb")]
pub use crate::store::{RedbCheckpointStore, RedbReader};
pub use crate::task::{
    BoxError, CompensatableTask, Ctx, StepOutcome, SteppedTask, Task, TaskError,
};
pub use crate::workflow::{BuildError, Workflow, WorkflowBuilder};
pub use crashpoint_macros::{State, checkpoint_store};

/// The machine itself, for the instruments that take it apart: the simulator's protocol check and
/// its mutants. Not covered by any promise of stability.
#[doc(hidden)]
pub mod protocol {
    pub use crate::core::{
        Command, Decision, Definition, Ended, Failure, FailureKind, Faithful, Halt, Life, Machine,
        Mutant, Opening, Performed, Plan, Policy, Reply, Role, Rule, Rules, StateDefinition,
        StoreFailed, TaskDefinition, Verdict, Without, Work, decide, idempotency_key,
    };
    pub use crate::engine::RuledEngine;
    pub use crate::task::{Attempted, Interposer};
}

/// Where the embedded store keeps its file and how it writes a row there: for simulated disks, for
/// real ones that are watched, and for fuzzing. Not covered by any promise of stability.
#[cfg(feature = "redb")]
#[doc(hidden)]
pub mod disk {
    pub use crate::store::{Directory, Disk, OpenCheck, row_format};
}

/// What the macros expand to.
#[doc(hidden)]
pub mod __private {
    pub use async_trait::async_trait;
}
