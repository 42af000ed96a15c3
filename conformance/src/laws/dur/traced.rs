//! SIGKILL at every system call that changes a file system: it hits windows that a kill by time misses.

use std::sync::Arc;

use super::aftermath::goes_on;
use super::killed::judge_at;
use super::script::{Answer, ended_after, judge};
use crate::case::Case;
use crate::child::traced::{End, kill_at};
use crate::child::{Role, Running, Script};
use crate::finding::expect::{Checked, Failure};
use crate::harness::place::Place;

/// The most system calls of a child that are tried one by one.
pub(super) const CALLS_MAX: usize = 400;

pub(crate) fn dur_07_a_kill_at_every_system_call_is_survived(case: &Case) -> Checked {
    let script = Script::short();
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
        survives(case, &place, (&script, &ended_after(steps, &script)), &when)?;
    }
    Err(too_many())
}

/// Opens the place of a child that was killed, judges it and goes on. `when` completes "a child ...".
pub(super) fn survives(
    case: &Case,
    place: &Arc<Place>,
    (script, answers): (&Script, &[Answer]),
    when: &str,
) -> Checked {
    let after = format!("SIGKILL of a child, {when}");
    judge_at(case, place, &after, async |store| {
        judge(case, &store, script, answers, when).await?;
        goes_on(case, place, store, (script, answers), &after).await
    })
}

pub(super) fn too_many() -> Failure {
    Failure::Inconclusive(format!(
        "the child makes more than {CALLS_MAX} such system calls; the first {CALLS_MAX} were tried"
    ))
}
