//! The pure machine: what a log means and what to do next.
//!
//! Nothing in this folder awaits, reads a clock, a file or a random source, or knows a store. It is
//! read in this order:
//!
//! 1. a store keeps [`CheckpointRow`]s; [`Event`] is the meaning of a row, with the codec between
//!    the two;
//! 2. [`RunState`] is the fold of a log; [`RunState::apply`] is the one transition function, used
//!    live and on resume;
//! 3. [`Definition`] is the workflow as the machine sees it: labels and policies, no code;
//! 4. [`decide`] says what a run needs next;
//! 5. [`LifeOptions`] has the settings of a life, [`Command`] its requests, [`Reply`] the answers;
//! 6. [`Life`] is one process's ownership of a run as a machine of commands and replies: claims,
//!    pinned appends, reading back, fences, retries. The driver performs its commands, and the
//!    protocol check explores the same machine exhaustively. [`Machine`] is their common view;
//! 7. [`Rule`] names each decision of the protocol, and a [`Mutant`] breaks one: it wraps a life and
//!    falsifies its replies and its requests.

mod atoms;
mod claim;
mod command;
mod completions;
mod decide;
mod definition;
mod digest;
mod event;
mod idempotency;
mod life;
mod life_options;
mod machine;
mod mutant;
mod outputs;
mod pinned;
mod row;
mod rules;
mod run_state;
mod transition;
mod wire;

pub use atoms::{Bytes, Label};
pub use claim::{ClaimRecord, IdHash, Nonce};
pub use command::{
    Command, Failure, FailureKind, Halt, Performed, Reply, StoreFailed, Verdict, Work,
};
pub use completions::{Completion, Completions};
pub use decide::{Decision, Ended, decide};
pub use definition::{
    Definition, Mismatch, Policy, RetryPolicy, Role, StateDefinition, TaskDefinition, TaskKind,
};
pub use event::{Cause, CauseKind, Event, Polled, RowFault, Undone};
pub use idempotency::{Direction, idempotency_key};
pub use life::Life;
pub(crate) use life::whole_ms;
pub use life_options::{AppendRetry, LifeOptions, Opening, Retention};
pub use machine::{Machine, Wait};
pub use mutant::{Mutant, Without};
pub use outputs::{Outputs, TaskOutput};
pub use row::{CheckpointRow, RowKind, UnknownRowKind};
pub use rules::{Faithful, Rule, Rules};
pub use run_state::{FailedUndo, Phase, Rollback, RunHeader, RunState, Undo, Visit};
pub use transition::{IllegalEvent, LogFault, RebuildError, rebuild, rebuild_run};
pub use wire::BlobFault;
