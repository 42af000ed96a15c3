//! SIGKILL at every system call that changes a file system: it hits windows that a kill by time misses.

use super::aftermath::goes_on;
use super::killed::judge_at;
use super::script::{Answer, judge};
use crate::case::Case;
use crate::child::traced::{End, kill_at};
use crate::child::{Role, Running, script};
use crate::finding::expect::{Checked, Failure};

/// The most system calls of a child that are tried one by one.
pub(super) const CALLS_MAX: usize = 400;

pub(crate) fn dur_07_a_kill_at_every_system_call_is_survived(case: &Case) -> Checked {
    for fatal in 0..CALLS_MAX {
        let place = case.another_place()?;
        let running = Running::start(case, Role::Script, &place)?;
        let (call, steps) = match kill_at(running, fatal)? {
            End::Killed { call, steps } => (call, steps),
            End::Whole if fatal == 0 => {
                let message = "the child made no system call that changes a file: does the store \
                               keep its rows elsewhere?";
                return Err(Failure::Inconclusive(message.to_owned()));
            }
            End::Whole => return Ok(()),
        };
        let when = format!("killed at its {call} number {fatal}, after {steps} acknowledged steps");
        // One step was under way; the rest never began.
        let mut answers = vec![Answer::Done; steps as usize];
        answers.push(Answer::Unknown);
        answers.truncate(script().len());
        let after = format!("SIGKILL of a child, {when}");
        judge_at(case, &place, &after, async |store| {
            judge(&store, &answers, &when).await?;
            goes_on(case, &place, store, &answers, &after).await
        })?;
    }
    Err(too_many())
}

pub(super) fn too_many() -> Failure {
    Failure::Inconclusive(format!(
        "the child makes more than {CALLS_MAX} such system calls; the first {CALLS_MAX} were tried"
    ))
}
