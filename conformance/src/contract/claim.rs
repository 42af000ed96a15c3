//! The words of [`certify!`](crate::certify), as paths, so that a misspelled claim does not compile.

#![expect(
    non_upper_case_globals,
    reason = "they are written as words in `claims: [...]` and `lacks: [...]`"
)]

use crate::contract::capability::Claim;

/// [`Claim::Reopen`].
pub const reopen: Claim = Claim::Reopen;
/// [`Claim::Limits`].
pub const limits: Claim = Claim::Limits;
/// [`Claim::AnyExecutor`].
pub const any_executor: Claim = Claim::AnyExecutor;
/// [`Claim::ExclusiveScope`].
pub const exclusive_scope: Claim = Claim::ExclusiveScope;
/// [`Claim::EngineKinds`].
pub const engine_kinds: Claim = Claim::EngineKinds;
/// [`Claim::AtomicCancellation`].
pub const atomic_cancellation: Claim = Claim::AtomicCancellation;
/// [`Claim::FencedCancellation`].
pub const fenced_cancellation: Claim = Claim::FencedCancellation;
/// [`Claim::Settled`].
pub const settled: Claim = Claim::Settled;
/// [`Claim::ProcessCrash`].
pub const process_crash: Claim = Claim::ProcessCrash;
/// [`Claim::PowerLoss`].
pub const power_loss: Claim = Claim::PowerLoss;
/// [`Claim::ServerCrash`].
pub const server_crash: Claim = Claim::ServerCrash;
/// [`Claim::Failover`].
pub const failover: Claim = Claim::Failover;
/// [`Claim::OutlivesRuntime`].
pub const outlives_runtime: Claim = Claim::OutlivesRuntime;
/// [`Claim::ManyHandles`].
pub const many_handles: Claim = Claim::ManyHandles;
/// [`Claim::ManyProcesses`].
pub const many_processes: Claim = Claim::ManyProcesses;
/// [`Claim::Outage`].
pub const outage: Claim = Claim::Outage;
/// [`Claim::Corruption`].
pub const corruption: Claim = Claim::Corruption;
/// [`Claim::Listing`].
pub const listing: Claim = Claim::Listing;
/// [`Claim::OnDisk`].
pub const on_disk: Claim = Claim::OnDisk;
