//! A step as text.

use std::hash::Hash;

use crashpoint::Event;
use crashpoint::protocol::{Command, Ended, Halt, Rules, Work};

use crate::lives::Ask;
use crate::model::{AppendFate, Fate, Model, PerformFate, Step};
use crate::world::{Answer, RowId, World};

/// The step `step` in `world`, in words. Lives are numbered from `1`.
pub(super) fn step<R: Rules + Copy + Eq + Hash>(
    model: &Model<R>,
    world: &World,
    step: Step,
) -> String {
    let name = |life: u8| format!("life {}", life + 1);
    match step {
        Step::Begin { life, by_run: true } => format!("{} begins by run", name(life)),
        Step::Begin { life, .. } => format!("{} begins by resume_from", name(life)),
        Step::Crash { life } => format!("{} crashes", name(life)),
        Step::Cancel { life } => format!("{} is cancelled", name(life)),
        Step::Load { life, fate } => match fate {
            Fate::Fails => format!("{} loads the log: an error", name(life)),
            Fate::Succeeds | Fate::Unacknowledged => {
                let rows = model.logs.entries(world.log).len();
                format!("{} loads the log: {rows} rows", name(life))
            }
        },
        Step::Append { life, fate } => {
            let machine = world.slots[usize::from(life)].life;
            let Ask::Append(sent) = model.lives.facts(machine).ask else {
                unreachable!("the life appends");
            };
            let fate = match fate {
                AppendFate::Acknowledged => "durable",
                AppendFate::Conflict => "an error, the sequence is taken",
                AppendFate::Unacknowledged => "an error, but durable",
                AppendFate::Lost => "an error, not durable",
                AppendFate::Late => "an error, still in flight",
            };
            format!("{} appends {}: {fate}", name(life), row(model, sent))
        }
        Step::Pause { life } => format!("{} waits", name(life)),
        Step::Perform { life, fate } => {
            let machine = world.slots[usize::from(life)].life;
            let action = work(model, model.lives.work(machine).expect("an action"));
            let fate = match fate {
                PerformFate::Succeeds => "",
                PerformFate::FailsAfterEffect => ": fails for good after its effect",
                PerformFate::FailsBeforeEffect => ": fails for good",
                PerformFate::CancelledAfterEffect => ": cancelled after its effect",
                PerformFate::CancelledBeforeEffect => ": cancelled",
            };
            format!("{} {action}{fate}", name(life))
        }
        Step::Clear { life, fate } => {
            let fate = match fate {
                Fate::Succeeds => "",
                Fate::Fails => ": an error, without effect",
                Fate::Unacknowledged => ": an error, but cleared",
            };
            format!("{} clears the log{fate}", name(life))
        }
        Step::Receive { life } => {
            let slot = world.slots[usize::from(life)];
            let answer = slot.answer.expect("a received answer exists");
            format!("{} learns that {}", name(life), answer_words(answer))
        }
        Step::Return { life } => {
            let machine = world.slots[usize::from(life)].life;
            format!("{} {}", name(life), outcome(model.lives.command(machine)))
        }
        Step::Land => {
            let entry = world.wire.expect("an append is in flight");
            format!("{} of {} lands", row(model, entry.row), name(entry.author))
        }
        Step::Lose => {
            let entry = world.wire.expect("an append is in flight");
            format!(
                "{} of {} is lost",
                row(model, entry.row),
                name(entry.author)
            )
        }
    }
}

fn row<R: Rules + Copy + Eq + Hash>(model: &Model<R>, row: RowId) -> String {
    let what = match model.logs.event(row) {
        Event::Claimed { state, .. } => format!("claim at {state}"),
        Event::Entered { state, task } | Event::Routed { state, task } => {
            format!("{task} done, enters {state}")
        }
        Event::Produced { state, task, .. } | Event::Completed { state, task, .. } => {
            format!("{task} completed, enters {state}")
        }
        Event::StepAdvanced { task, cursor, .. } => format!("{task} stepped to {cursor:?}"),
        Event::TimerStarted { task, .. } => format!("{task} set"),
        Event::Polled { task, polled, .. } => format!("{task} polled {} times", polled.rounds),
        Event::RollbackStarted { cause, .. } => format!("rollback starts, {cause}"),
        Event::Compensated { task, .. } => format!("{task} undone"),
        Event::CompensationFailed { task, .. } => format!("{task} cannot be undone"),
        Event::RolledBack => "rolled back".to_owned(),
    };
    format!("row {} ({what})", model.logs.sequence(row))
}

fn work<R: Rules + Copy + Eq + Hash>(model: &Model<R>, work: &Work) -> String {
    let task = |state| &model.lives.definition().task(state).expect("a task").name;
    match work {
        Work::Do { state, visit } => match &visit.cursor {
            None => format!("does {} of visit {}", task(*state), visit.id),
            Some(cursor) => format!(
                "does {} of visit {} from {cursor:?}",
                task(*state),
                visit.id
            ),
        },
        Work::Undo { state, undo } => format!("undoes {} of visit {}", task(*state), undo.visit),
    }
}

fn answer_words(answer: Answer) -> &'static str {
    match answer {
        Answer::Loaded(_) => "the log is loaded",
        Answer::LoadFailed => "the load failed",
        Answer::Appended => "the append succeeded",
        Answer::AppendFailed => "the append failed",
        Answer::Paused => "the time is over",
        Answer::Succeeded => "the action succeeded",
        Answer::Failed => "the action failed for good",
        Answer::Cancelled => "the action is cancelled",
        Answer::Cleared => "the log is cleared",
    }
}

fn outcome(command: Command<'_>) -> String {
    let Command::Finish(verdict) = command else {
        unreachable!("a life returns a verdict");
    };
    match verdict {
        Ok(Ended::Done { state }) => format!("returns that the run is done in {state}"),
        Ok(Ended::RolledBack { .. }) => "returns that the run is rolled back".to_owned(),
        Ok(Ended::Stuck { .. }) => "returns that the run is stuck".to_owned(),
        Err(Halt::Fenced) => "is fenced".to_owned(),
        Err(Halt::AlreadyExists) => "finds the id taken".to_owned(),
        Err(Halt::NotFound) => "finds no log".to_owned(),
        Err(Halt::Suspended { .. }) => "is suspended".to_owned(),
        Err(halt) => format!("ends: {halt:?}"),
    }
}
