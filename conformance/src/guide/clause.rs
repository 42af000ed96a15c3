//! The clauses of the contract in the kit's words, each with its source.

/// A clause of the contract, or another ground for a law.
///
/// The contract is the documentation of [`CheckpointStore`](crashpoint::CheckpointStore),
/// which follows the module `recovery` of the crate `cano` 0.12.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Clause {
    /// Ok from an append means that the row is durable and every load shows it.
    Append,
    /// A second row at a taken sequence is rejected, and the first stays unchanged.
    Fence,
    /// Any free sequence is accepted.
    AnySequence,
    /// A load returns every row in ascending order.
    Load,
    /// A load of an unknown id is empty.
    UnknownId,
    /// A row that a load has shown stays.
    ShownStays,
    /// The fields of a row belong to the engine.
    Row,
    /// A clear removes exactly one run.
    Clear,
    /// Operations may run at the same time.
    Concurrent,
    /// Threads and tasks share one store.
    Shared,
    /// An error leaves the outcome open.
    Errors,
    /// A dropped append leaves its row whole or absent.
    Dropped,
    /// A store with an exclusive scope has its place to itself.
    Scope,
    /// A claim of the store.
    Claim,
    /// A need of the engine that no clause states.
    Engine,
    /// A requirement of the kit on a harness.
    Harness,
    /// Advice, which no store has to follow.
    Advice,
}

impl Clause {
    /// Every clause, in the order of the contract.
    pub const ALL: &'static [Self] = &[
        Self::Append,
        Self::Fence,
        Self::AnySequence,
        Self::Load,
        Self::UnknownId,
        Self::ShownStays,
        Self::Row,
        Self::Clear,
        Self::Concurrent,
        Self::Shared,
        Self::Errors,
        Self::Dropped,
        Self::Scope,
        Self::Claim,
        Self::Engine,
        Self::Harness,
        Self::Advice,
    ];

    /// What the clause requires.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Append => {
                "once an append has returned Ok, its row is durable and every load shows it"
            }
            Self::Fence => {
                "a second row at a taken sequence of an id is rejected with an error, and the first \
                 stays unchanged"
            }
            Self::AnySequence => {
                "an append accepts every free sequence: gaps are the engine's business"
            }
            Self::Load => "a load returns every row of the id, in ascending order of the sequence",
            Self::UnknownId => "a load of an unknown id returns an empty run, not an error",
            Self::ShownStays => "only a clear removes a row that a load has shown",
            Self::Row => {
                "the id, the texts and the blob of a row are opaque, and come back unchanged"
            }
            Self::Clear => {
                "a clear removes every row of its id and no other; an unknown id is not an error"
            }
            Self::Concurrent => "all operations may run at the same time, for one id and for many",
            Self::Shared => {
                "a store is `Send + Sync + 'static` and is shared as `Arc<dyn CheckpointStore>`"
            }
            Self::Errors => {
                "after an error of an append the row may be there or not; only the log tells"
            }
            Self::Dropped => "an append whose future is dropped leaves its row whole or absent",
            Self::Scope => {
                "a store with an exclusive scope has its place to itself, and no abandoned append \
                 lands later"
            }
            Self::Claim => "the store claims it, and the kit checks each claim",
            Self::Engine => "no clause states it, but the engine's guarantees depend on it",
            Self::Harness => "a condition of the kit: each law has a place to itself",
            Self::Advice => "no clause states it; it is reported, and no store fails because of it",
        }
    }

    /// Where the clause is written: in this contract, and in that of `cano` 0.12.0 if it comes from there.
    pub const fn place(self) -> &'static str {
        match self {
            Self::Append => {
                "`CheckpointStore`, \"The contract\", first item; cano `CheckpointStore`, item `append`"
            }
            Self::Fence => {
                "`CheckpointStore`, \"The contract\", first item; cano `CheckpointStore`, item `append` \
                 (\"must reject a duplicate\")"
            }
            Self::AnySequence => {
                "`CheckpointStore`, \"The contract\", end of the first item; cano leaves density to its \
                 engine, item `append`"
            }
            Self::Load => {
                "`CheckpointStore`, \"The contract\", second item; cano `CheckpointStore`, item `load_run` \
                 (\"every row ever appended\")"
            }
            Self::UnknownId => {
                "`CheckpointStore`, \"The contract\", second item; cano `CheckpointStore`, item `load_run`, \
                 its end"
            }
            Self::ShownStays => {
                "`CheckpointStore`, \"The contract\", second item; cano does not state it"
            }
            Self::Row => "`CheckpointRow` and its fields; cano `CheckpointRow` (\"opaque bytes\")",
            Self::Clear => {
                "`CheckpointStore`, \"The contract\", third item; cano `CheckpointStore`, item `clear`"
            }
            Self::Concurrent => {
                "`CheckpointStore`, below the items; cano `CheckpointStore`, below the items (\"called \
                 concurrently\")"
            }
            Self::Shared => {
                "the trait's bounds; cano `CheckpointStore`, below the items (\"`Send + Sync + 'static`\")"
            }
            Self::Errors => {
                "`CheckpointStore`, below the items, and `CheckpointStore::append`; cano does not state it"
            }
            Self::Dropped => "`CheckpointStore`, below the items; cano does not state it",
            Self::Scope => "`CheckpointStore::exclusive_scope`; cano has none",
            Self::Claim => "`crashpoint_conformance::Claim`, under the word of the claim",
            Self::Engine => "docs/design/conformance.md, \"Why do some laws run workflows?\"",
            Self::Harness => "`crashpoint_conformance::Harness` and `Place`",
            Self::Advice => "`crashpoint_conformance::Kind`, under `Advisory`",
        }
    }
}
