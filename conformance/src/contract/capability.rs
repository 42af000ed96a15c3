//! What a store may claim beyond the contract.

/// A capability that a store declares. The kit detects none: a law that needs a claim runs only if the
/// claim is made, and must then hold. [`EngineKinds`](Self::EngineKinds) and
/// [`AtomicCancellation`](Self::AtomicCancellation) are assumed unless a store
/// [lacks](crate::Plan::lacks) them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Claim {
    /// Rows survive dropping the store and opening its place again.
    Reopen,
    /// The store accepts blobs up to [`Options::blob_bytes_max`](crate::Options), or 16 MiB if it declares
    /// no limit, and rejects longer blobs with an error.
    Limits,
    /// The store works under any executor, without tokio.
    AnyExecutor,
    /// The store declares an [`exclusive_scope`](crashpoint::CheckpointStore::exclusive_scope),
    /// so that the engine may clear the logs of ended runs.
    ExclusiveScope,
    /// The store keeps every kind of row, also the kinds of the engine beyond the three of the reference
    /// contract. Assumed, because a store without it can't run a workflow. A store that was written for
    /// the reference crate lacks it.
    EngineKinds,
    /// An append or a clear whose future is dropped takes effect as a whole or not at all. Assumed,
    /// because it is a clause of the contract.
    AtomicCancellation,
    /// An append whose future was dropped does not land after a later clear has returned.
    FencedCancellation,
    /// Nothing lands late: if a load returned without a row whose append was dropped, the row never
    /// appears. A store with an [exclusive scope](Self::ExclusiveScope) must claim this.
    Settled,
    /// Acknowledged rows survive SIGKILL of the process of the store, which for a store on a server is its
    /// client, and the place opens again unaided.
    ProcessCrash,
    /// Acknowledged rows survive a power loss, and after a failed sync a store returns errors until it is
    /// opened again. For a store that syncs files itself; the kit watches its system calls. A store whose rows
    /// are a server's claims [`ServerCrash`](Self::ServerCrash).
    PowerLoss,
    /// Rows that the server of the store has acknowledged survive its kill without a shutdown. The harness
    /// implements [`crash_backend`](crate::Harness::crash_backend) and
    /// [`start_backend`](crate::Harness::start_backend). A store that does not claim
    /// [`PowerLoss`](Self::PowerLoss) reaches level L4 with it.
    ServerCrash,
    /// The backend has several nodes, and goes on when its leader is gone. Meanwhile operations may answer
    /// [`Unavailable`](crashpoint::StoreErrorKind::Unavailable) or
    /// [`UnknownOutcome`](crashpoint::StoreErrorKind::UnknownOutcome); no acknowledged row is lost, reads do not
    /// go backwards, and operations succeed again within [`Options::failover_max`](crate::Options). The harness
    /// implements [`stop_leader`](crate::Harness::stop_leader) and [`start_node`](crate::Harness::start_node).
    Failover,
    /// The store works on another runtime after the runtime that opened it has ended.
    OutlivesRuntime,
    /// One place can be opened several times in one process, and these stores keep the contract together.
    ManyHandles,
    /// Several processes may open one place: their stores keep the contract together, or every opening
    /// after the first fails with an error.
    ManyProcesses,
    /// Operations fail while the backend is down, and work again when it is back. The harness implements
    /// [`break_backend`](crate::Harness::break_backend) and
    /// [`heal_backend`](crate::Harness::heal_backend).
    Outage,
    /// Loading a row that was damaged in storage is an error. The harness implements
    /// [`corrupt`](crate::Harness::corrupt).
    Corruption,
    /// The store lists its runs, by
    /// [`as_listing`](crashpoint::CheckpointStore::as_listing).
    Listing,
    /// The store keeps its rows in files below [`Place::path`](crate::Place::path), so that the kit can
    /// measure them.
    OnDisk,
}

impl Claim {
    /// All claims.
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
        Self::ServerCrash,
        Self::Failover,
        Self::OutlivesRuntime,
        Self::ManyHandles,
        Self::ManyProcesses,
        Self::Outage,
        Self::Corruption,
        Self::Listing,
        Self::OnDisk,
    ];

    /// The word for the claim in [`certify!`](crate::certify).
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
            Self::ServerCrash => "server_crash",
            Self::Failover => "failover",
            Self::OutlivesRuntime => "outlives_runtime",
            Self::ManyHandles => "many_handles",
            Self::ManyProcesses => "many_processes",
            Self::Outage => "outage",
            Self::Corruption => "corruption",
            Self::Listing => "listing",
            Self::OnDisk => "on_disk",
        }
    }

    /// Whether its laws take the backend of a place away.
    pub(crate) const fn takes_backend_away(self) -> bool {
        matches!(self, Self::Outage | Self::ServerCrash | Self::Failover)
    }

    /// Whether the claim is made for stores that do not mention it.
    pub const fn is_assumed(self) -> bool {
        matches!(self, Self::EngineKinds | Self::AtomicCancellation)
    }
}
