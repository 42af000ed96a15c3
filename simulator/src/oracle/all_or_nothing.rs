//! The outcome of a run agrees with the effects of compensatable tasks that the receivers hold. A
//! receiver that honours idempotency keys, and refuses an undone key, is always checked. A receiver
//! that does not is checked only if no two lives overlapped: after a takeover, or with an undo that
//! is repeated late, nobody can promise it anything.
//!
//! Effects of plain tasks are not checked, because nothing undoes them. If the id had an earlier
//! run whose log was cleared, neither its effects nor its returned outcome are checked.

use std::collections::{BTreeMap, BTreeSet};

use crashpoint::{Direction, Event, TaskKind, Undone};

use crate::history::{Effect, LifeEnd, Receiver, Reception};
use crate::oracle::{Case, Kind, Log, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "all-or-nothing",
    promise: "a done run has every effect, a rolled back run none, a stuck run those that it reports",
    kind: Kind::Safety,
    advice: Some(
        "let the undo undo every effect that the task may have had, by ctx.do_idempotency_key(). A visit of unknown \
         outcome is undone by compensate_in_doubt, which does nothing by default",
    ),
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    let newest = newest_run(case);
    let of_newest = |place, life| newest.is_none_or(|log| is_answer_about(case, log, place, life));
    let Some((_, _, outcome)) = case
        .history()
        .returned()
        .filter(|(place, life, end)| end.is_outcome() && of_newest(*place, *life))
        .last()
    else {
        return Ok(());
    };
    let effects = compensatable(case);
    let judge = |receiver, effects: &[&Effect], held| {
        judge(case, outcome, receiver, &held, &completed(case, effects))
    };
    // A receiver is asked for its own effects.
    let of = |kept: fn(&Receiver) -> bool| {
        let effects = effects.iter().copied();
        effects.filter(|it| kept(&it.receiver)).collect::<Vec<_>>()
    };
    let with_keys = of(|it| !matches!(it, Receiver::WithoutKeys(_)));
    let without_keys = of(|it| !matches!(it, Receiver::Service(_)));
    judge("that honours keys", &with_keys, honoured(&with_keys))?;
    if case.lives_overlapped() {
        Ok(())
    } else {
        judge(
            "that repeats everything",
            &without_keys,
            naive(&without_keys),
        )
    }
}

/// The task and the visit of each effect that a receiver holds at the end, with its service; the
/// simulated world has no name.
type Held<'a> = BTreeSet<(&'a str, u64, &'a str)>;

/// What an effect leaves at its receiver.
fn trace_of(effect: &Effect) -> (&str, u64, &str) {
    let service = effect.receiver.service();
    (&effect.task, effect.visit, service.map_or("", |name| name))
}

fn honoured<'a>(effects: &[&'a Effect]) -> Held<'a> {
    let mut held = BTreeMap::new();
    for effect in effects {
        let key = (&effect.receiver, &effect.do_key);
        match (effect.direction, effect.reception) {
            (Direction::Do, Reception::Performed) => {
                held.insert(key, trace_of(effect));
            }
            (Direction::Undo, _) => {
                held.remove(&key);
            }
            (Direction::Do, _) => {}
        }
    }
    held.into_values().collect()
}

/// The last request wins.
fn naive<'a>(effects: &[&'a Effect]) -> Held<'a> {
    let mut held = Held::new();
    for effect in effects {
        match effect.direction {
            Direction::Do => held.insert(trace_of(effect)),
            Direction::Undo => held.remove(&trace_of(effect)),
        };
    }
    held
}

/// The effects of compensatable tasks in the newest run.
fn compensatable<'a>(case: &'a Case<'_>) -> Vec<&'a Effect> {
    let began = newest_run(case).map_or(0, Log::began);
    let effects = case.history().effects().filter(|(place, life, effect)| {
        *place >= began && case.kind(*life, &effect.task) == Some(TaskKind::Compensatable)
    });
    effects.map(|(_, _, effect)| effect).collect()
}

/// The log of the newest run.
fn newest_run<'a>(case: &'a Case<'_>) -> Option<&'a Log> {
    let first_claim =
        |event: &Event| matches!(event, Event::Claimed { claim, .. } if claim.input.is_some());
    let mut logs = case.logs().iter().rev();
    logs.find(|log| {
        log.rows
            .first()
            .is_some_and(|stored| first_claim(&stored.event))
    })
}

/// Whether a result returned at this place belongs to the run with this log. It does not if the log
/// was still empty, or if the life had claimed an earlier run.
fn is_answer_about(case: &Case<'_>, log: &Log, place: usize, life: u32) -> bool {
    let earlier = case.logs().iter().take_while(|it| it.began() < log.began());
    let claimed = earlier.into_iter().any(|it| it.claimed_at(life).is_some());
    let opened = log.rows.first().is_some_and(|stored| stored.place < place);
    opened && !claimed
}

fn judge(
    case: &Case<'_>,
    outcome: &LifeEnd,
    receiver: &str,
    held: &Held<'_>,
    completed: &Held<'_>,
) -> Result<(), String> {
    let expected = match outcome {
        LifeEnd::Done(_) => completed.clone(),
        LifeEnd::Stuck(left) => {
            let is_left = |task: &str| left.iter().any(|left| left == task);
            let held = held.iter().filter(|(task, ..)| is_left(task));
            held.copied().collect()
        }
        _ => Held::new(),
    };
    let show = |what: BTreeSet<&(&str, u64, &str)>| {
        let words = what.iter().map(|(task, visit, service)| match *service {
            "" => format!("{task} (visit {visit})"),
            service => format!("{task} (visit {visit}) at {service}"),
        });
        words.collect::<Vec<_>>().join(", ")
    };
    let missing: BTreeSet<_> = expected.difference(held).collect();
    if !missing.is_empty() {
        return Err(format!(
            "{outcome}, but the receiver {receiver} lacks {}",
            show(missing)
        ));
    }
    let extra: BTreeSet<_> = held.difference(&expected).collect();
    if extra.is_empty() {
        return Ok(());
    }
    let advice = extra.iter().find_map(|what| advice(case, what));
    let advice = advice.unwrap_or_default();
    Err(format!(
        "{outcome}, but the receiver {receiver} still holds {}{advice}",
        show(extra)
    ))
}

/// Why an effect may remain although its undo succeeded.
fn advice(case: &Case<'_>, &(task, visit, service): &(&str, u64, &str)) -> Option<String> {
    let log = last_log(case)?;
    let closed_by = log.visit(visit).and_then(|visit| visit.closed_by);
    let completed = closed_by.map(|stored| Undone::Completion(stored.row.sequence));
    let is_of = |undone| undone == Undone::InDoubt(visit) || Some(undone) == completed;
    let (undone, in_doubt) = log.rows.iter().find_map(|stored| match stored.event {
        Event::Compensated { undone, .. } if is_of(undone) => {
            Some((stored.place, undone == Undone::InDoubt(visit)))
        }
        _ => None,
    })?;
    let later = case.history().effects().any(|(place, _, effect)| {
        let is_of = trace_of(effect) == (task, visit, service);
        place > undone && is_of && effect.direction == Direction::Do
    });
    if later {
        return Some(format!(
            "; {task} had an effect after it was undone: work that it had begun went on by itself"
        ));
    }
    in_doubt.then(|| {
        format!("; whether {task} was done was in doubt, and its compensate_in_doubt left it")
    })
}

/// The newest log with a row.
fn last_log<'a>(case: &'a Case<'_>) -> Option<&'a Log> {
    case.logs().iter().rev().find(|log| !log.rows.is_empty())
}

/// The completed tasks of the log, of those that had an effect.
fn completed<'a>(case: &'a Case<'_>, effects: &[&'a Effect]) -> Held<'a> {
    let acted: Held<'_> = effects.iter().map(|effect| trace_of(effect)).collect();
    let Some(log) = last_log(case) else {
        return Held::new();
    };
    let done = log
        .visits()
        // A plain task counts, too: in another release it may have been compensatable.
        .filter_map(|visit| {
            let (_, task) = visit.closed_by?.event.entry()?;
            Some((&**task, visit.id))
        });
    let done: BTreeSet<(&str, u64)> = done.collect();
    let is_done = |(task, visit, _): &(&'a str, u64, &'a str)| done.contains(&(*task, *visit));
    acted.into_iter().filter(is_done).collect()
}
