//! A rollback whose rows are sent when it is over.
//!
//! At the turn the mutant has two lives. The one ahead hears that each of its appends is durable,
//! and performs the whole rollback. The one behind then hears the same replies again, and its
//! appends reach the store.

use std::collections::VecDeque;

use crate::core::command::{Command, Reply};
use crate::core::event::Event;
use crate::core::life::{Life, Stage};
use crate::core::life_options::LifeOptions;
use crate::core::machine::Machine as _;
use crate::core::mutant::Mutant;
use crate::core::run_state::RunState;

/// The life ahead, and the replies that only it has heard.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Deferral {
    ahead: Life,
    replies: VecDeque<Reply>,
}

impl Deferral {
    /// Whether the rollback is over, so that its rows are due.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.ahead.stage, Stage::Clearing(_) | Stage::Finished(_))
    }

    pub(super) fn command(&self) -> Command<'_> {
        self.ahead.command()
    }

    pub(super) fn state(&self) -> &RunState {
        self.ahead.state()
    }

    fn believe_appends(&mut self, options: LifeOptions<'_>) {
        while matches!(self.ahead.stage, Stage::Appending(_)) {
            self.ahead.on(Reply::Appended(Ok(())), options);
        }
    }
}

impl Mutant {
    /// Whether `reply` is for the life ahead.
    pub(super) fn deferral_records(&mut self, reply: &Reply, options: LifeOptions<'_>) -> bool {
        let Some(deferral) = self.deferral.as_mut().filter(|it| !it.is_over()) else {
            return false;
        };
        deferral.replies.push_back(reply.clone());
        deferral.ahead.on(reply.clone(), options);
        deferral.believe_appends(options);
        true
    }

    /// Splits the life at the start of a rollback; lets the one behind catch up with the one ahead.
    pub(super) fn defer_or_catch_up(&mut self, options: LifeOptions<'_>) {
        let Some(deferral) = &mut self.deferral else {
            let turns = matches!(
                &self.life.stage,
                Stage::Appending(pinned) if matches!(pinned.event, Event::RollbackStarted { .. })
            );
            if turns {
                let mut deferral = Deferral {
                    ahead: self.life.clone(),
                    replies: VecDeque::new(),
                };
                deferral.believe_appends(options);
                self.deferral = Some(deferral);
            }
            return;
        };
        // A pause before a resend is one of the life behind; it is no reply that the other heard.
        while matches!(
            self.life.stage,
            Stage::Performing { .. } | Stage::PausingBeforeRetry { .. }
        ) {
            let reply = deferral.replies.pop_front();
            let reply = reply.expect("the life ahead heard what the life behind needs");
            self.life.on(reply, options);
        }
    }
}
