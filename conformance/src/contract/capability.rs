//! What a store may claim beyond the contract: the list of capabilities, in one place.

/// A capability that a store declares. Nothing is detected: a law that needs a claim is run only
/// where the claim is made, and then it has to hold. Two claims are made for every store that does
/// not say that it [lacks](crate::Plan::lacks) them: [`EngineKinds`](Self::EngineKinds) and
/// [`AtomicCancellation`](Self::AtomicCancellation).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Claim {
    /// Rows survive dropping the store and opening its place again.
    Reopen,
    /// The store takes blobs up to the limit in [`Options::blob_bytes_max`](crate::Options), 16 MiB
    /// where it declares none, and refuses longer ones with an error.
    Limits,
    /// The store works under any executor, without a tokio runtime.
    AnyExecutor,
    /// The store declares an [`exclusive_scope`](crashpoint::CheckpointStore::exclusive_scope),
    /// so that the engine may clear the logs of ended runs.
    ExclusiveScope,
    /// The store keeps every kind of row, also those that the engine journals beyond the three of the
    /// reference contract. Assumed: a store without it can run no workflow. A store that was written
    /// for the reference crate says that it lacks it.
    EngineKinds,
    /// An append or a clear whose future is dropped has taken effect as a whole, or not at all.
    /// Assumed: it is a clause of the contract.
    AtomicCancellation,
    /// An append whose future was dropped does not land once a later clear has returned.
    FencedCancellation,
    /// Nothing lands late: once a load has returned without a row whose append was dropped, the row
    /// never appears. A store with an [exclusive scope](Self::ExclusiveScope) has to claim it.
    Settled,
    /// Rows survive SIGKILL of the process once they are acknowledged, and the place opens again
    /// unaided.
    ProcessCrash,
    /// Rows survive a power loss once they are acknowledged, and a store whose disk has refused a
    /// sync says so until it is opened again.
    PowerLoss,
    /// The store goes on working when the runtime that opened it has ended, on another one.
    OutlivesRuntime,
    /// One place can be opened several times within a process, and the stores keep the contract
    /// together.
    ManyHandles,
    /// Several processes may open one place: their stores keep the contract together, or every
    /// opening after the first is refused with an error.
    ManyProcesses,
    /// A backend that is down is an error, and one that comes back is used again. The harness offers
    /// [`break_backend`](crate::Harness::break_backend) and
    /// [`heal_backend`](crate::Harness::heal_backend).
    Outage,
    /// A row that was damaged where it is kept is an error. The harness offers
    /// [`corrupt`](crate::Harness::corrupt).
    Corruption,
    /// The store keeps its rows in files below [`Place::path`](crate::Place::path), so that their
    /// size can be seen.
    OnDisk,
}

impl Claim {
    /// Every claim there is.
    pub const ALL: &'static [Self] = &[
        Self::Reopen,
        Self::Limits,
        Self::AnyExecutor,
        Self::ExclusiveScope,
        Self::EngineKinds,
        Self::AtomicCancellation,
        Self::FencedCancellation,
        Self::Settled,
        Self::ProcessCrash,
        Self::PowerLoss,
        Self::OutlivesRuntime,
        Self::ManyHandles,
        Self::ManyProcesses,
        Self::Outage,
        Self::Corruption,
        Self::OnDisk,
    ];

    /// The word that [`certify!`](crate::certify) knows the claim by.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reopen => "reopen",
            Self::Limits => "limits",
            Self::AnyExecutor => "any_executor",
            Self::ExclusiveScope => "exclusive_scope",
            Self::EngineKinds => "engine_kinds",
            Self::AtomicCancellation => "atomic_cancellation",
            Self::FencedCancellation => "fenced_cancellation",
            Self::Settled => "settled",
            Self::ProcessCrash => "process_crash",
            Self::PowerLoss => "power_loss",
            Self::OutlivesRuntime => "outlives_runtime",
            Self::ManyHandles => "many_handles",
            Self::ManyProcesses => "many_processes",
            Self::Outage => "outage",
            Self::Corruption => "corruption",
            Self::OnDisk => "on_disk",
        }
    }

    /// Whether the claim is made for a store that says nothing about it.
    pub const fn is_assumed(self) -> bool {
        matches!(self, Self::EngineKinds | Self::AtomicCancellation)
    }
}
