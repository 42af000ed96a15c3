//! The protocol's rules by name, and the seam through which one can be broken on purpose.
//!
//! Each rule exists because leaving it out loses, repeats or contradicts something. The simulator
//! proves that: it runs lives that break a rule and watches an oracle catch them. The engine itself
//! only ever runs [`Faithful`] lives, for which every question below is answered at compile time.

/// One rule of the protocol. The variants' docs say what breaking it looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A completion and the entry into the next state are one row. Broken: two rows.
    CompletionIsOneRow,
    /// A rollback's start and each undo are durable before the next undo. Broken: the rows of a
    /// rollback are written when it is over.
    RollbackIsJournaled,
    /// The open visit of a compensatable task is undone first. Broken: only what completed is.
    OpenVisitIsUndone,
    /// Nothing follows a terminal row. Broken: resuming claims an ended run.
    TerminalAbsorbs,
    /// An outcome is told after its row is resolved. Broken: as soon as the row is sent.
    OutcomeAfterRow,
    /// A fenced life stops. Broken: it compensates what it completed.
    FencedStops,
    /// Every claim carries a nonce of its own. Broken: all nonces are zero.
    ClaimsAreUnique,
    /// An append error is read back. Broken: it counts as a failure of the task.
    AppendErrorIsNoTaskFailure,
    /// A storage fault suspends. Broken: it starts a rollback once the budget is spent.
    StorageFaultSuspends,
    /// An append in doubt is read back before it is sent again. Broken: it is sent again blindly,
    /// and a second error counts as success.
    ReadBackBeforeResend,
    /// Reading back looks at the whole log. Broken: at the row alone.
    ReadBackSeesAll,
    /// Only the identical row is sent again. Broken: the run turns around instead.
    PinnedRowIsFinal,
    /// A cursor belongs to a visit. Broken: to a state's name.
    CursorBelongsToVisit,
    /// The log is checked against the definition before the claim. Broken: after it.
    MismatchBeforeClaim,
    /// An idempotency key depends on the run. Broken: on the workflow id alone.
    KeyNamesTheRun,
    /// A corrupt log stops everything. Broken: its legal beginning is gone on with.
    CorruptionStops,
    /// A cancellation waits for the append in flight. Broken: it drops it.
    CancelWaitsForAppend,
    /// A log is cleared only where no other life can exist. Broken: always, when the run is done.
    ClearNeedsExclusivity,
}

impl Rule {
    /// Every rule.
    pub const ALL: &'static [Self] = &[
        Self::CompletionIsOneRow,
        Self::RollbackIsJournaled,
        Self::OpenVisitIsUndone,
        Self::TerminalAbsorbs,
        Self::OutcomeAfterRow,
        Self::FencedStops,
        Self::ClaimsAreUnique,
        Self::AppendErrorIsNoTaskFailure,
        Self::StorageFaultSuspends,
        Self::ReadBackBeforeResend,
        Self::ReadBackSeesAll,
        Self::PinnedRowIsFinal,
        Self::CursorBelongsToVisit,
        Self::MismatchBeforeClaim,
        Self::KeyNamesTheRun,
        Self::CorruptionStops,
        Self::CancelWaitsForAppend,
        Self::ClearNeedsExclusivity,
    ];
}

/// Which rules a life keeps.
pub trait Rules: Clone + Send + Sync + 'static {
    /// Whether `rule` is kept.
    fn keeps(&self, rule: Rule) -> bool;
}

/// Keeps every rule: the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Faithful;

impl Rules for Faithful {
    #[inline]
    fn keeps(&self, _: Rule) -> bool {
        true
    }
}

/// Breaks one rule: a mutant that the instruments must catch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Without(pub Rule);

impl Rules for Without {
    fn keeps(&self, rule: Rule) -> bool {
        rule != self.0
    }
}
