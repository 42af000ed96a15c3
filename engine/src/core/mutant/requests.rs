//! Falsifies the requests of a mutant's life.

use crate::core::command::{Halt, Work};
use crate::core::definition::TaskKind;
use crate::core::event::{Event, Undone};
use crate::core::life::{Stage, undo_work, whole_ms};
use crate::core::life_options::LifeOptions;
use crate::core::mutant::{Before, Mutant};
use crate::core::pinned::Pinned;
use crate::core::rules::Rule;
use crate::core::run_state::{Phase, Rollback, Undo, Visit};

impl Mutant {
    /// Changes the life's request after a reply, if the broken rule concerns it.
    pub(super) fn falsify_request(&mut self, before: Before, options: LifeOptions<'_>) {
        match self.broken {
            Rule::RollbackIsJournaled => self.defer_or_catch_up(options),
            Rule::CompletionIsOneRow => self.split_completion(before),
            Rule::OpenVisitIsUndone => self.leave_open_visit_out(),
            Rule::OutputIsInItsRow => self.leave_output_out(),
            Rule::DeadlineIsOriginal if self.restarted.is_none() => self.set_timer_again(options),
            Rule::RoundsAreKept if !self.recounted => self.count_rounds_anew(),
            Rule::CursorBelongsToVisit => {
                if let Stage::Appending(pinned) = &self.life.stage {
                    let event = pinned.event.clone();
                    self.remember_cursor(&event);
                }
                self.shown = self.visit_with_cursor_of_state(options);
            }
            Rule::UndoInReverse | Rule::UndoGetsItsOutput => self.shown = self.wrong_undo(options),
            Rule::RollbackIsFinal if !self.redone => {
                self.shown = self.visit_cut_short(options);
                self.redone = self.shown.is_some();
            }
            Rule::TerminalAbsorbs if before.opening => self.claim_what_has_ended(options),
            Rule::MismatchBeforeClaim if before.opening => {
                if matches!(self.life.stage, Stage::Finished(Err(Halt::Mismatch(_)))) {
                    self.life.open_existing(options);
                }
            }
            Rule::RollbackResumes if before.opening => {
                let claims = matches!(self.life.stage, Stage::Appending(_));
                if claims && self.rollback().is_some() {
                    self.life.finish(Err(Halt::Suspended { in_doubt: None }));
                }
            }
            Rule::StorageFaultSuspends => {
                let suspended = matches!(
                    self.life.stage,
                    Stage::Finished(Err(Halt::Suspended { .. }))
                );
                if suspended && self.life.may_start_rollback() {
                    self.start_rollback("the store failed", options);
                }
            }
            Rule::FencedStops if self.undos_as_loser.is_none() => {
                let fenced = matches!(self.life.stage, Stage::Finished(Err(Halt::Fenced)));
                if fenced && self.life.may_start_rollback() {
                    let completed = self.life.state.completed();
                    self.undos_as_loser = Some(completed.iter().map(Undo::completed).collect());
                    self.undo_as_loser(options);
                }
            }
            _ => {}
        }
    }

    /// A completion that enters its own state again, and then an entry into the next one.
    fn split_completion(&mut self, before: Before) {
        if self.life.state.next_sequence() > before.rows
            && let Some(entry) = self.entry.take()
        {
            return self.life.pin(entry);
        }
        let open = self.life.state.current_state().cloned();
        if self.entry.is_none()
            && let Stage::Appending(pinned) = &mut self.life.stage
            && let Event::Completed {
                state,
                task,
                output,
            } = &pinned.event
            && let Some(open) = open
        {
            self.entry = Some(Event::Entered {
                state: state.clone(),
                task: task.clone(),
            });
            let (task, output) = (task.clone(), output.clone());
            let stays = Event::Completed {
                state: open,
                task,
                output,
            };
            *pinned = Pinned::new(stays, pinned.row.sequence);
        }
    }

    fn leave_open_visit_out(&mut self) {
        if let Stage::Appending(pinned) = &mut self.life.stage
            && let Event::RollbackStarted {
                undo_open_visit, ..
            } = &mut pinned.event
            && *undo_open_visit
        {
            *undo_open_visit = false;
            *pinned = Pinned::new(pinned.event.clone(), pinned.row.sequence);
        }
    }

    fn leave_output_out(&mut self) {
        if let Stage::Appending(pinned) = &mut self.life.stage
            && let Event::Produced { state, task, .. } = &pinned.event
        {
            let (state, task) = (state.clone(), task.clone());
            *pinned = Pinned::new(Event::Entered { state, task }, pinned.row.sequence);
        }
    }

    /// A life that resumes asks the timer for its deadline although the row has it.
    fn set_timer_again(&mut self, options: LifeOptions<'_>) {
        if self.resumed()
            && matches!(self.life.stage, Stage::ReadingClock(_))
            && let Phase::Forward(visit) = self.life.state.phase()
            && let Some(state) = options.definition.state_of_label(&visit.state)
        {
            let visit = visit.clone();
            self.life.stage = Stage::Performing {
                work: Work::Do { state, visit },
                attempt: 1,
            };
        }
    }

    /// Whether the life resumed its run.
    pub(super) fn resumed(&self) -> bool {
        let header = self.life.state.header();
        header.is_some_and(|header| header.lives > 1)
    }

    /// The time limit of the open visit, in milliseconds, if its task polls.
    pub(super) fn limit_of_poll(&self, options: LifeOptions<'_>) -> Option<u64> {
        let Stage::CheckingDeadline { round, .. } = &self.life.stage else {
            return None;
        };
        let state = options.definition.state_of_label(&round.visit.state)?;
        let limit = options.definition.task(state)?.policy.poll_limit;
        limit.map(whole_ms)
    }

    /// A life that resumes begins with the first round although the log has a number of rounds.
    fn count_rounds_anew(&mut self) {
        if self.resumed()
            && let Stage::Performing {
                work: Work::Do { visit, .. },
                ..
            } = &mut self.life.stage
            && let Some(polled) = &mut visit.polled
        {
            polled.rounds = 0;
            self.recounted = true;
        }
    }

    /// The life's visit, with the newest cursor of its state where the visit has none.
    fn visit_with_cursor_of_state(&self, options: LifeOptions<'_>) -> Option<Work> {
        let Stage::Performing {
            work: Work::Do { state, visit },
            ..
        } = &self.life.stage
        else {
            return None;
        };
        let stepped = options.definition.task(*state)?.kind == TaskKind::Stepped;
        if !stepped || visit.cursor.is_some() {
            return None;
        }
        let newest = self.cursors.iter().find(|(of, _)| *of == visit.state);
        let (_, cursor) = newest?;
        let visit = Visit {
            cursor: Some(cursor.clone()),
            ..visit.clone()
        };
        let state = *state;
        Some(Work::Do { state, visit })
    }

    /// The oldest pending undo, or the due one with the output of the newest completion.
    fn wrong_undo(&self, options: LifeOptions<'_>) -> Option<Work> {
        let Stage::Performing {
            work: Work::Undo { undo, .. },
            ..
        } = &self.life.stage
        else {
            return None;
        };
        let wrong = match (self.broken, &undo.output) {
            (Rule::UndoInReverse, _) => self.rollback()?.pending.first()?.clone(),
            (_, None) => return None,
            (_, Some(_)) => {
                let newest = self.life.state.completed().last();
                Undo {
                    output: newest.map(|newest| newest.output.clone()),
                    ..undo.clone()
                }
            }
        };
        Some(undo_work(&wrong, options))
    }

    /// The visit that the rollback cut short, if its undo is due.
    fn visit_cut_short(&self, options: LifeOptions<'_>) -> Option<Work> {
        let Stage::Performing {
            work: Work::Undo { undo, .. },
            ..
        } = &self.life.stage
        else {
            return None;
        };
        if !matches!(undo.undone, Undone::InDoubt(_)) {
            return None;
        }
        let Rollback { state, .. } = self.rollback()?;
        let visit = Visit {
            id: undo.visit,
            state: state.clone(),
            cursor: None,
            cursors: 0,
            deadline_unix_ms: None,
            polled: None,
        };
        let state = options.definition.state_of_label(&visit.state)?;
        Some(Work::Do { state, visit })
    }

    fn claim_what_has_ended(&mut self, options: LifeOptions<'_>) {
        let ends = matches!(
            &self.life.stage,
            Stage::Finished(Ok(_)) | Stage::Clearing(_)
        );
        if ends && self.life.state.is_terminal() {
            self.life.claim_existing(options);
        }
    }
}
