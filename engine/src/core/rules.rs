//! The protocol's rules by name, and the choice between an engine that keeps them and a mutant.
//!
//! Each rule exists because leaving it out loses, repeats or contradicts something. The simulator
//! proves that: it runs mutants that break a rule and an oracle must catch each. The engine itself
//! runs [`Faithful`] lives, which know nothing of this file.

use crate::core::claim::Nonce;
use crate::core::life::Life;
use crate::core::life_options::{LifeOptions, Opening};
use crate::core::machine::Machine;

/// One rule of the protocol. The docs of a variant say how a mutant breaks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A completion and the entry into the next state are one row. Broken: two rows.
    CompletionIsOneRow,
    /// A rollback's start and each undo are durable before the next undo. Broken: the rows of a
    /// rollback are written when it is over.
    RollbackIsJournaled,
    /// The open visit of a compensatable task is undone first. Broken: only completed visits are undone.
    OpenVisitIsUndone,
    /// Nothing follows a terminal row. Broken: resuming claims an ended run.
    TerminalAbsorbs,
    /// An outcome is returned after its row is resolved. Broken: as soon as the row is sent.
    OutcomeAfterRow,
    /// A fenced life stops. Broken: it compensates its completed visits.
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
    /// Only the identical row is sent again. Broken: the run is rolled back instead.
    PinnedRowIsFinal,
    /// A cursor belongs to a visit. Broken: to a state's name.
    CursorBelongsToVisit,
    /// The log is checked against the definition before the claim. Broken: after it.
    MismatchBeforeClaim,
    /// An idempotency key depends on the run. Broken: on the workflow id alone.
    KeyNamesTheRun,
    /// A corrupt log stops everything. Broken: the life resumes from its legal prefix.
    CorruptionStops,
    /// A cancellation waits for the append in flight. Broken: it drops it.
    CancelWaitsForAppend,
    /// A log is cleared only where no other life can exist. Broken: always, when the run is done.
    ClearNeedsExclusivity,
    /// The newest completion is undone first. Broken: the oldest is, and the records say otherwise.
    UndoInReverse,
    /// An undo that succeeded is recorded. Broken: it is performed again until its attempts are used
    /// up, and once more.
    UndoRunsOnce,
    /// An undo receives the output of its own visit. Broken: that of the newest completion.
    UndoGetsItsOutput,
    /// No task runs after a rollback has started. Broken: the open visit runs again first.
    RollbackIsFinal,
    /// An interrupted rollback is resumed. Broken: it is left as it is.
    RollbackResumes,
    /// A step begins when the cursor before it is durable. Broken: every second cursor is only
    /// remembered.
    StepWaitsForCursor,
    /// A cancelled life only performs undos. Broken: it goes on.
    CancelIsHeeded,
    /// A life is fenced by another life's row. Broken: by an append that did not arrive as well.
    FenceNeedsARival,
    /// The live state is the fold of the durable rows. Broken: it has another clock.
    StateIsTheFold,
    /// An idempotency key is the same in every life. Broken: it depends on the life's claim.
    KeyOutlivesTheLife,
    /// The output of a plain task is in the row of its completion. Broken: the row has none.
    OutputIsInItsRow,
    /// A timer, or a visit of a polling task, keeps the deadline in its row. Broken: a life that resumes
    /// sets a deadline of its own.
    DeadlineIsOriginal,
    /// A timer ends when the clock has reached its deadline. Broken: when its wait is over.
    TimerReadsTheClock,
    /// A polling task goes on with the recorded rounds. Broken: a life that resumes counts from the first.
    RoundsAreKept,
    /// No round begins at the deadline of its visit or later. Broken: the rounds go on.
    PollHeedsDeadline,
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
        Self::UndoInReverse,
        Self::UndoRunsOnce,
        Self::UndoGetsItsOutput,
        Self::RollbackIsFinal,
        Self::RollbackResumes,
        Self::StepWaitsForCursor,
        Self::CancelIsHeeded,
        Self::FenceNeedsARival,
        Self::StateIsTheFold,
        Self::KeyOutlivesTheLife,
        Self::OutputIsInItsRow,
        Self::DeadlineIsOriginal,
        Self::TimerReadsTheClock,
        Self::RoundsAreKept,
        Self::PollHeedsDeadline,
    ];
}

const _: () = {
    let mut index = 0;
    while index < Rule::ALL.len() {
        assert!(
            Rule::ALL[index] as usize == index,
            "ALL has each rule once, in the order of the variants"
        );
        index += 1;
    }
    assert!(
        Rule::ALL.len() == Rule::PollHeedsDeadline as usize + 1,
        "ALL ends with the last rule"
    );
};

/// Which machine owns the runs of an engine, and which rule that machine breaks.
pub trait Rules: Clone + Send + Sync + 'static {
    /// The machine.
    type Life: Machine;

    /// A machine that has asked for nothing yet; see [`Life::new`].
    fn begin(
        &self,
        opening: Opening,
        nonce: Nonce,
        unix_ms: u64,
        options: LifeOptions<'_>,
    ) -> Self::Life;

    /// Whether `rule` is kept.
    fn keeps(&self, rule: Rule) -> bool;
}

/// Keeps every rule: the engine, whose machine is a plain [`Life`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Faithful;

impl Rules for Faithful {
    type Life = Life;

    fn begin(
        &self,
        opening: Opening,
        nonce: Nonce,
        unix_ms: u64,
        options: LifeOptions<'_>,
    ) -> Life {
        Life::new(opening, nonce, unix_ms, options)
    }

    fn keeps(&self, _: Rule) -> bool {
        true
    }
}
