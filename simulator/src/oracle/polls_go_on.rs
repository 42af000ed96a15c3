//! A poll goes on where the log has it: no round begins at the deadline of its visit or later, and a life
//! counts on from the rounds that are recorded, which are at least half of those that are over.
//!
//! Another attempt of a round may begin later than the round.

use crate::history::What;
use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "polls-go-on",
    promise: "a poll keeps its deadline and its recorded rounds in every life",
    kind: Kind::Safety,
    advice: None,
    check,
};

/// The rounds that a visit may have without a record of them.
const UNRECORDED_MAX: u64 = 3;

fn check(case: &Case<'_>) -> Result<(), String> {
    check_deadlines(case)?;
    for (place, life, attempt) in case.history().started() {
        let (round, task, visit) = (attempt.round, &attempt.task, attempt.visit);
        if round == 0 || attempt.attempt > 1 {
            continue;
        }
        let polled = case.log_at(place).and_then(|log| log.polled(visit, place));
        let polled = polled.unwrap_or_default();
        match polled.deadline_unix_ms {
            None if case.limits_polls(life, task) => {
                return Err(format!(
                    "life {life} polls {task} of visit {visit}, which has no durable deadline"
                ));
            }
            Some(deadline) if attempt.unix_ms >= deadline => {
                let late = attempt.unix_ms - deadline;
                return Err(format!(
                    "life {life} began round {round} of {task} {late} ms after the deadline of visit {visit}"
                ));
            }
            _ => {}
        }
        let (over, recorded) = (round - 1, polled.rounds);
        if over < recorded {
            return Err(format!(
                "life {life} began round {round} of {task} although {recorded} rounds of visit {visit} are recorded"
            ));
        }
        if over > UNRECORDED_MAX && over >= 2 * recorded {
            return Err(format!(
                "life {life} began round {round} of {task} with {recorded} rounds of visit {visit} recorded"
            ));
        }
    }
    Ok(())
}

/// A poll is out of time only when the clock has reached the durable deadline. An attempt that exceeds its
/// own time limit is a timeout, too.
fn check_deadlines(case: &Case<'_>) -> Result<(), String> {
    for (place, entry) in case.history().0.iter().enumerate() {
        let What::PollTimedOut {
            task,
            visit,
            unix_ms,
        } = &entry.what
        else {
            continue;
        };
        let life = entry.life;
        let before = case.history().0[..place].iter().rev();
        let mut own = before.filter(|entry| entry.life == life);
        let failed = own.find_map(|entry| match entry.what {
            What::Finished { succeeded, .. } => Some(!succeeded),
            What::Began(_) => Some(false),
            _ => None,
        });
        let polled = case.log_at(place).and_then(|log| log.polled(*visit, place));
        let deadline = polled.and_then(|polled| polled.deadline_unix_ms);
        if failed == Some(false) && deadline.is_none_or(|deadline| *unix_ms < deadline) {
            return Err(format!(
                "life {life} gave {task} of visit {visit} up before its deadline"
            ));
        }
    }
    Ok(())
}
