//! The pure machine: what a log means and what to do next.
//!
//! Nothing in this folder awaits, reads a clock, a file or a random source, or knows a store. It is
//! read in this order:
//!
//! 1. [`Event`] is what a row says, with the codec between the two;
//! 2. [`RunState`] is what a log amounts to; [`RunState::apply`] is the one transition function,
//!    used live and on resume;
//! 3. [`Definition`] is the workflow as the machine sees it: labels and policies, no code;
//! 4. [`decide`] says what a run needs next;
//! 5. [`Life`] is one process's ownership of a run as a machine of commands and replies: claims,
//!    pinned appends, reading back, fences, retries. The driver performs its commands, and the
//!    simulator's protocol check explores the very same machine exhaustively;
//! 6. [`Rule`] names each decision of the protocol, so that it can be broken on purpose.

mod claim;
mod decide;
mod definition;
mod digest;
mod event;
mod idempotency;
mod life;
mod pinned;
mod rules;
mod run_state;
mod sabotage;
mod transition;
mod wire;

pub use claim::{ClaimRecord, Nonce};
pub use decide::{Decision, Ended, decide};
pub use definition::{
    Definition, Mismatch, Policy, RetryPolicy, Role, StateDefinition, TaskDefinition, TaskKind,
};
pub use event::{BlobFault, Bytes, Cause, CauseKind, Event, Label, RowFault, Undone};
pub use idempotency::{Direction, idempotency_key};
pub use life::{
    AppendRetry, Command, Failure, FailureKind, Halt, Life, Opening, Performed, Plan, Reply,
    Retention, StoreFailed, Verdict, Work,
};
pub use rules::{Faithful, Rule, Rules, Without};
pub use run_state::{Completion, FailedUndo, Phase, Rollback, RunHeader, RunState, Undo, Visit};
pub use transition::{IllegalEvent, LogFault, RebuildError, rebuild};
