//! The clauses of the contract, in the kit's words, each with the place where it is written.

/// A clause of the contract, or what stands in for one.
///
/// The contract is the documentation of [`CheckpointStore`](crashpoint::CheckpointStore),
/// which follows the module `recovery` of the crate `cano` 0.12.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Clause {
    /// Ok from an append means that the row is kept and can be loaded.
    Append,
    /// A taken sequence is refused and stays as it was.
    Fence,
    /// Any sequence that is free is accepted.
    AnySequence,
    /// A load answers every row in ascending order.
    Load,
    /// A load of an unknown id is empty.
    UnknownId,
    /// A row that was shown stays.
    ShownStays,
    /// The fields of a row are the engine's.
    Row,
    /// A clear removes one run.
    Clear,
    /// Operations may run at once.
    Concurrent,
    /// One store is shared between threads and tasks.
    Shared,
    /// An error leaves the outcome open, and says so.
    Errors,
    /// A dropped future leaves its row whole or absent.
    Dropped,
    /// A store with an exclusive scope has its place to itself.
    Scope,
    /// What a claim says.
    Claim,
    /// What the engine does with a store.
    Engine,
    /// What the kit asks of a harness.
    Harness,
    /// What is good for a store, and asked of none.
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

    /// What it says.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Append => {
                "once an append has answered Ok, its row is durable and every load shows it"
            }
            Self::Fence => {
                "a second row at a taken sequence of an id is refused with an error, and the first \
                 stays as it was"
            }
            Self::AnySequence => {
                "an append accepts every sequence that is free: gaps are the engine's business"
            }
            Self::Load => "a load answers every row of the id, in ascending order of the sequence",
            Self::UnknownId => {
                "a load of an id that the store does not know is an empty run, not an error"
            }
            Self::ShownStays => {
                "a row that a load has shown disappears by a clear and by nothing else"
            }
            Self::Row => {
                "the id, the texts and the blob of a row are opaque: they come back as they were given"
            }
            Self::Clear => {
                "a clear removes every row of its id and touches no other; an unknown id is no error"
            }
            Self::Concurrent => "all operations may run at the same time, for one id and for many",
            Self::Shared => {
                "a store is `Send + Sync + 'static` and is shared as `Arc<dyn CheckpointStore>`"
            }
            Self::Errors => {
                "an error of an append leaves open whether the row is there; the log says it"
            }
            Self::Dropped => "an append whose future is dropped has left its row whole or absent",
            Self::Scope => {
                "a store with an exclusive scope has its place to itself, and nothing that was given up \
                 lands later"
            }
            Self::Claim => "the store claims it, and a claim is held to its word",
            Self::Engine => "no clause says it, and the engine's promises rest on it",
            Self::Harness => "the kit's own condition: each law has a place to itself",
            Self::Advice => "no clause says it: it is reported, and no store fails for it",
        }
    }

    /// Where it is written: in this contract, and in that of `cano` 0.12.0 where it comes from there.
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
                "`CheckpointStore`, \"The contract\", second item; cano does not say it"
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
                "`CheckpointStore`, below the items, and `CheckpointStore::append`; cano does not say it"
            }
            Self::Dropped => "`CheckpointStore`, below the items; cano does not say it",
            Self::Scope => "`CheckpointStore::exclusive_scope`; cano has none",
            Self::Claim => "`crashpoint_conformance::Claim`, under the word of the claim",
            Self::Engine => "docs/design/conformance.md, \"Why do some laws run workflows?\"",
            Self::Harness => "`crashpoint_conformance::Harness` and `Place`",
            Self::Advice => "`crashpoint_conformance::Kind`, under `Advisory`",
        }
    }
}
