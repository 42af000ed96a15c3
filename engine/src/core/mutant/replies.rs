//! Falsifies the replies to a mutant's life.

use crate::core::command::{Halt, Performed, Reply, StoreFailed, Work};
use crate::core::event::{Cause, CauseKind, Event};
use crate::core::life::{Stage, WAIT_MAX, Waiting};
use crate::core::life_options::LifeOptions;
use crate::core::mutant::Mutant;
use crate::core::pinned::Standing;
use crate::core::row::CheckpointRow;
use crate::core::rules::Rule;
use crate::core::run_state::RunState;

impl Mutant {
    /// The reply that the life hears; none where the mutant has steered the life itself.
    pub(super) fn falsified_reply(
        &mut self,
        reply: Reply,
        options: LifeOptions<'_>,
    ) -> Option<Reply> {
        let standing = self.standing(&reply);
        match reply {
            Reply::Loaded(Ok(log)) => self.falsified_log(log, standing, options),
            Reply::Appended(Err(StoreFailed)) => self.falsified_append_error(options),
            Reply::Appended(Ok(())) => self.falsified_durability(options).then_some(reply),
            Reply::Performed(performed) => self.falsified_action(performed, options),
            Reply::Paused if self.deferral_records(&reply, options) => None,
            Reply::Paused => {
                self.waited |= matches!(
                    self.life.stage,
                    Stage::WaitingForDeadline(_, left) if left < WAIT_MAX
                );
                Some(reply)
            }
            Reply::Clock { unix_ms } => Some(Reply::Clock {
                unix_ms: self.falsified_clock(unix_ms, options),
            }),
            reply => Some(reply),
        }
    }

    fn falsified_log(
        &mut self,
        mut log: Vec<CheckpointRow>,
        standing: Option<Standing>,
        options: LifeOptions<'_>,
    ) -> Option<Reply> {
        match (self.broken, standing) {
            (Rule::CorruptionStops, None) => log.truncate(legal_prefix(&log)),
            (Rule::CursorBelongsToVisit, None) => {
                let events = log.iter().filter_map(|row| Event::from_row(row).ok());
                events.for_each(|event| self.remember_cursor(&event));
            }
            (Rule::ReadBackSeesAll, Some(_)) => self.truncate_to_pinned(&mut log),
            (Rule::PinnedRowIsFinal, Some(Standing::Absent)) if self.life.may_start_rollback() => {
                self.start_rollback("the append failed", options);
                return None;
            }
            (Rule::FenceNeedsARival, Some(Standing::Absent)) => {
                self.life.finish(Err(Halt::Fenced));
                return None;
            }
            (_, Some(Standing::Durable)) if !self.falsified_durability(options) => return None,
            _ => {}
        }
        Some(Reply::Loaded(Ok(log)))
    }

    /// The log up to the row in flight, as if nothing could follow it.
    fn truncate_to_pinned(&self, log: &mut Vec<CheckpointRow>) {
        if let Stage::ReadingBack(pinned) = &self.life.stage {
            let rows = usize::try_from(pinned.row.sequence + 1);
            log.truncate(rows.expect("a log fits into memory"));
        }
    }

    /// Whether the life hears that its row is durable.
    fn falsified_durability(&mut self, options: LifeOptions<'_>) -> bool {
        let (Stage::Appending(pinned) | Stage::ReadingBack(pinned)) = &mut self.life.stage else {
            return true;
        };
        match self.broken {
            Rule::StateIsTheFold => {
                if let Event::Claimed { claim, .. } = &mut pinned.event {
                    claim.unix_ms += 1;
                }
                true
            }
            Rule::TerminalAbsorbs if self.life.state.is_terminal() => {
                let ended = self.life.state.ended();
                let ended = ended.expect("a terminal state is an ending");
                self.life.finish(Ok(ended));
                false
            }
            Rule::MismatchBeforeClaim if !self.life.owner => {
                let pinned = pinned.clone();
                self.life.apply_durable(&pinned);
                let fits = options
                    .definition
                    .check::<CheckpointRow>(&[], &self.life.state);
                match fits {
                    Ok(()) => self.life.advance(options),
                    Err(mismatch) => self.life.finish(Err(Halt::Mismatch(mismatch))),
                }
                false
            }
            _ => true,
        }
    }

    fn falsified_clock(&mut self, unix_ms: u64, options: LifeOptions<'_>) -> u64 {
        let deadline = match &self.life.stage {
            Stage::ReadingClock(waiting) => waiting.deadline_unix_ms,
            Stage::CheckingDeadline { round, .. } => match round.polled().deadline_unix_ms {
                Some(deadline) => deadline,
                None => return unix_ms,
            },
            _ => unreachable!("only a look at the clock is answered so"),
        };
        if self.broken == Rule::DeadlineIsOriginal && self.restarted.is_none() && self.resumed() {
            self.restarted = self
                .limit_of_poll(options)
                .map(|limit| unix_ms.saturating_add(limit));
        }
        match (self.broken, self.restarted) {
            (Rule::PollHeedsDeadline, _) => unix_ms.min(deadline.saturating_sub(1)),
            (Rule::TimerReadsTheClock, _) if std::mem::take(&mut self.waited) => {
                unix_ms.max(deadline)
            }
            (_, Some(restarted)) => unix_ms.saturating_sub(restarted.saturating_sub(deadline)),
            _ => unix_ms,
        }
    }

    fn falsified_append_error(&mut self, options: LifeOptions<'_>) -> Option<Reply> {
        let may_start_rollback = self.life.may_start_rollback();
        let Stage::Appending(pinned) = &mut self.life.stage else {
            unreachable!("only an append is answered so");
        };
        match self.broken {
            Rule::OutcomeAfterRow => {
                let mut after = self.life.state.clone();
                let applied = after.apply(&pinned.event);
                if let Some(ended) = applied.ok().and_then(|()| after.ended()) {
                    self.life.end(ended, options);
                    return None;
                }
            }
            Rule::AppendErrorIsNoTaskFailure if may_start_rollback => {
                self.start_rollback("the append failed", options);
                return None;
            }
            Rule::ReadBackBeforeResend if pinned.sends > 1 => return Some(Reply::Appended(Ok(()))),
            Rule::ReadBackBeforeResend => {
                pinned.sends += 1;
                return None;
            }
            _ => {}
        }
        Some(Reply::Appended(Err(StoreFailed)))
    }

    fn falsified_action(
        &mut self,
        performed: Performed,
        options: LifeOptions<'_>,
    ) -> Option<Reply> {
        if self.undos_as_loser.is_some() {
            self.undo_as_loser(options);
            return None;
        }
        let redone = matches!(self.shown, Some(Work::Do { .. }));
        if self.broken == Rule::RollbackIsFinal && redone {
            self.shown = None;
            return None;
        }
        if self.goes_on_alone(&performed, options) {
            return None;
        }
        let reply = Reply::Performed(performed);
        (!self.deferral_records(&reply, options)).then_some(reply)
    }

    /// Whether the life performs the next action without a row for this one.
    fn goes_on_alone(&mut self, performed: &Performed, options: LifeOptions<'_>) -> bool {
        let Stage::Performing { work, attempt } = &mut self.life.stage else {
            return false;
        };
        match (self.broken, work, performed) {
            (Rule::UndoRunsOnce, Work::Undo { state, .. }, Performed::Undone) => {
                let task = options.definition.task(*state);
                let policy = task.expect("an undo belongs to a task").policy;
                let again = *attempt <= policy.undo_retry.attempts;
                *attempt += u32::from(again);
                again
            }
            (Rule::StepWaitsForCursor, Work::Do { visit, .. }, Performed::Stepped { cursor })
                if visit.cursors % 2 == 0 =>
            {
                visit.cursor = Some(cursor.clone());
                visit.cursors += 1;
                *attempt = 1;
                true
            }
            (
                Rule::DeadlineIsOriginal,
                Work::Do { state, visit },
                Performed::Waits { deadline_unix_ms },
            ) if visit.deadline_unix_ms.is_some() => {
                self.restarted = Some(*deadline_unix_ms);
                let waiting = Waiting::of(*state, visit);
                self.life.stage = Stage::ReadingClock(waiting.expect("the timer was set"));
                true
            }
            _ => false,
        }
    }

    pub(super) fn start_rollback(&mut self, reason: &str, options: LifeOptions<'_>) {
        let cause = Cause::new(CauseKind::Failure, reason);
        self.life.start_rollback(cause, options);
    }

    pub(super) fn remember_cursor(&mut self, event: &Event) {
        if let Event::StepAdvanced { state, cursor, .. } = event {
            self.cursors.retain(|(known, _)| known != state);
            self.cursors.push((state.clone(), cursor.clone()));
        }
    }
}

/// How many rows of `log` can be applied.
fn legal_prefix(log: &[CheckpointRow]) -> usize {
    let mut state = RunState::new();
    log.iter()
        .take_while(|row| state.apply_row(row).is_ok())
        .count()
}
