#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod cancel;
mod core;
mod driver;
mod engine;
mod error;
mod export;
mod foreign;
mod observe;
pub mod recovery;
mod runtime;
mod scope;
mod state;
mod store;
mod task;
#[cfg(feature = "testing")]
pub mod testing;
mod workflow;

pub use crate::cancel::CancelToken;
pub use crate::core::{
    AppendRetry, BlobFault, Bytes, Cause, CauseKind, ClaimRecord, Completion, Completions,
    Direction, Event, FailedUndo, IdHash, IllegalEvent, Label, LogFault, Mismatch, Nonce, Outputs,
    Phase, Polled, RebuildError, Retention, RetryPolicy, Rollback, RowFault, RunHeader, RunState,
    TaskKind, TaskOutput, Undo, Undone, Visit, rebuild, rebuild_run,
};
pub use crate::engine::{
    Engine, Leftover, Outcome, PurgeReport, Recovery, RecoveryReport, RolledBack, Status,
    StatusPhase, Stuck, UnfinishedRun,
};
pub use crate::error::{Error, StoreError, StoreErrorKind};
pub use crate::export::{
    ExportError, ExportFault, ExportLimits, ExportReader, ExportWriter, ExportedRun, LogCheck,
    LogProblem, MisfitLog, Payloads, check_logs,
};
#[cfg(feature = "metrics")]
pub use crate::observe::MetricsObserver;
#[cfg(feature = "tracing")]
pub use crate::observe::TracingObserver;
pub use crate::observe::{LifeId, Observation, Observer};
pub use crate::recovery::{CheckpointRow, CheckpointStore, ListRuns, RowKind, UnknownRowKind};
pub use crate::runtime::{Runtime, TokioRuntime};
pub use crate::scope::ScopeId;
pub use crate::state::State;
pub use crate::store::MemoryCheckpointStore;
#[cfg(feature = "redb")]
pub use crate::store::{RedbCheckpointStore, RedbOptions, RedbReader};
pub use crate::task::{
    BoxError, CompensatableTask, Ctx, PollOutcome, PollTask, Router, RunData, StepOutcome,
    SteppedTask, Task, TaskError, TaskWithOutput, Timer, Wake,
};
pub use crate::workflow::{BuildError, Workflow, WorkflowBuilder};
pub use crashpoint_macros::{State, checkpoint_store};

/// The pure machine and its mutants, for the simulator and the protocol check. It has no promise of
/// stability.
#[doc(hidden)]
pub mod protocol {
    pub use crate::core::{
        Command, Decision, Definition, Ended, Failure, FailureKind, Faithful, Halt, Life,
        LifeOptions, Machine, Mutant, Opening, Performed, Policy, Reply, Role, Rule, Rules,
        StateDefinition, StoreFailed, TaskDefinition, Verdict, Wait, Without, Work, decide,
        idempotency_key,
    };
    pub use crate::engine::RuledEngine;
    pub use crate::task::{Attempted, Interposer};
}

/// The place and the row format of the embedded store's file, for simulated disks, for instrumented
/// real disks, and for fuzzing. It has no promise of stability.
#[cfg(feature = "redb")]
#[doc(hidden)]
pub mod disk {
    pub use crate::store::{Directory, Disk, OpenCheck, row_format};
}

/// Names that the macros expand to.
#[doc(hidden)]
pub mod __private {
    pub use async_trait::async_trait;
}
