//! SIGKILL and power losses while a log of several MiB is rotated and compacted.
//!
//! A long script makes too many system calls to try each. A store does the same in most steps, so that the
//! short script of DUR-07 and DUR-15 has tried them. What is left are the steps in which it does more.

use std::collections::BTreeSet;

use super::power::opens;
use super::script::ended_after;
use super::traced::survives;
use crate::case::Case;
use crate::child::traced::{Course, End, Moments, kill_at, lose_power, survey};
use crate::child::{Role, Running, Script, Step};
use crate::finding::expect::{Checked, Failure};

/// The kills in steps in which the store does more, and in all others.
const KILLS_IN_BUSY_STEPS: usize = 24;
const KILLS_ELSEWHERE: usize = 6;
/// The steps without maintenance in which power is lost.
const LOSSES: usize = 5;

/// The steps in which a store does more than usual: it is told to maintain itself, or does so unasked.
struct Busy {
    course: Course,
    /// It makes more calls than usual, or a file has a new name.
    unasked: BTreeSet<u64>,
    maintenance: BTreeSet<u64>,
}

impl Busy {
    fn of(case: &Case, script: &Script) -> Result<Self, Failure> {
        let place = case.another_place()?;
        let running = Running::start(case, Role::LongScript, &place)?;
        let course = survey(running, place.path())?;
        case.discard(&place)?;
        if course.calls.is_empty() {
            let message = "the child made no system call that changes a file: does the store keep its rows \
                           elsewhere?";
            return Err(Failure::Inconclusive(message.to_owned()));
        }
        let numbered = || (0..).zip(&script.steps);
        let of_kind = |is: fn(&Step) -> bool| {
            let steps = numbered().filter(move |(_, step)| is(step));
            steps.map(|(number, _)| number)
        };
        let calls_in = |step: u64| course.calls.iter().filter(|of| **of == step).count();
        let is_append = |step: &Step| matches!(step, Step::Append(..));
        let mut counts: Vec<usize> = of_kind(is_append).map(calls_in).collect();
        counts.sort_unstable();
        let usual = counts[counts.len() / 2];
        let is_busy = |step: &u64| calls_in(*step) > usual || course.names.contains(step);
        let unasked = of_kind(is_append).filter(is_busy).collect();
        let maintenance = of_kind(|step| matches!(step, Step::Maintain)).collect();
        Ok(Self {
            unasked,
            maintenance,
            course,
        })
    }

    /// The calls at which a child is killed.
    fn kills(&self) -> Vec<usize> {
        let is_busy = |call: &usize| {
            let step = self.course.calls[*call];
            self.unasked.contains(&step) || self.maintenance.contains(&step)
        };
        let (busy, rest): (Vec<usize>, Vec<usize>) =
            (0..self.course.calls.len()).partition(is_busy);
        let mut kills = some_of(&busy, KILLS_IN_BUSY_STEPS);
        kills.extend(some_of(&rest, KILLS_ELSEWHERE));
        kills
    }

    /// The steps in which power is lost, each with the step after it.
    fn losses(&self) -> BTreeSet<u64> {
        let unasked: Vec<u64> = self.unasked.iter().copied().collect();
        let steps = some_of(&unasked, LOSSES);
        let steps = steps.into_iter().chain(self.maintenance.iter().copied());
        steps.flat_map(|step| [step, step + 1]).collect()
    }
}

/// At most `most` of them, spread evenly, the first and the last included.
fn some_of<T: Copy>(all: &[T], most: usize) -> Vec<T> {
    if all.len() <= most {
        return all.to_vec();
    }
    let spread = (0..most).map(|nth| nth * (all.len() - 1) / (most - 1));
    spread.map(|at| all[at]).collect()
}

pub(crate) fn dur_18_a_kill_while_a_large_log_is_maintained_is_survived(case: &Case) -> Checked {
    let script = Script::long();
    for fatal in Busy::of(case, &script)?.kills() {
        let place = case.another_place()?;
        let running = Running::start(case, Role::LongScript, &place)?;
        // A store with threads makes some calls fewer at times.
        if let End::Killed { call, steps } = kill_at(running, fatal)? {
            let when = format!(
                "with a log of several MiB, killed at its {call} number {fatal}, after {steps} acknowledged \
                 steps"
            );
            survives(case, &place, (&script, &ended_after(steps, &script)), &when)?;
        }
        case.discard(&place)?;
    }
    Ok(())
}

pub(crate) fn dur_19_a_power_loss_while_a_large_log_is_maintained_is_survived(
    case: &Case,
) -> Checked {
    let script = Script::long();
    let steps = Busy::of(case, &script)?.losses();
    let (place, stash) = (case.another_place()?, case.another_place()?);
    let running = Running::start(case, Role::LongScript, &place)?;
    let images = lose_power(running, &place, stash.path(), Moments::InSteps(&steps))?;
    for used in [&place, &stash] {
        case.discard(used)?;
    }
    for image in images {
        let place = image.place.clone();
        opens(case, &script, image)?;
        case.discard(&place)?;
    }
    Ok(())
}
