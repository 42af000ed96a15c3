//! When a fault happens, as a sentence: the name of an instant for people.

use crashpoint::{CheckpointRow, Event};

use crate::fault::{Fired, Schedule};
use crate::history::{History, What};
use crate::report::render::escaped;

/// The sentence of a fault: `life 1 has sent row 3, which is not durable yet: the process crashes`. An
/// instant without a sentence keeps its name.
///
/// ```
/// use crashpoint_simulator::{Schedule, render};
///
/// let schedule: Schedule = "at life2/undo charge:after-effect: crash".parse()?;
/// assert_eq!(
///     render::window(&schedule.0[0]),
///     "life 2 undoes charge, and its effect has happened: the process crashes"
/// );
/// # Ok::<(), crashpoint_simulator::BadSchedule>(())
/// ```
pub fn window(fired: &Fired) -> String {
    told(fired, None)
}

fn told(fired: &Fired, history: Option<&History>) -> String {
    let place = in_words(&fired.point, history);
    let place = place.unwrap_or_else(|| format!("at {}", escaped(&fired.point)));
    format!("{place}: {}", fired.fault.prose())
}

/// When the faults of a schedule happen, as sentences.
///
/// ```
/// use crashpoint_simulator::{Schedule, render};
///
/// assert_eq!(
///     render::windows(&Schedule::default()),
///     "in every schedule; nothing has to go wrong"
/// );
/// ```
pub fn windows(schedule: &Schedule) -> String {
    joined(&schedule.0.iter().map(window).collect::<Vec<_>>())
}

/// The same for a simulation, whose rows are known: `row 1 (charge -> Ship)`.
pub fn windows_of(history: &History) -> String {
    let schedule = Schedule::of(history);
    let faults = schedule.0.iter();
    let windows = faults.map(|fired| told(fired, Some(history)));
    joined(&windows.collect::<Vec<_>>())
}

fn joined(windows: &[String]) -> String {
    match windows.is_empty() {
        true => "in every schedule; nothing has to go wrong".to_owned(),
        false => windows.join("; then "),
    }
}

fn in_words(point: &str, history: Option<&History>) -> Option<String> {
    let (life, rest) = point.strip_prefix("life")?.split_once('/')?;
    // Where a simulation has several runs, the name says which.
    let (life, of_run) = match life.split_once('@') {
        Some((life, run)) => (life, format!(" of {}", escaped(run))),
        None => (life, String::new()),
    };
    let (what, when) = rest.rsplit_once(':')?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let when = &escaped(when);
    // The second time that a life comes to the same instant.
    let (what, times) = match what.rsplit_once('.') {
        Some((what, times)) if is_number(times) => (what, format!(" (time {times})")),
        _ => (what, String::new()),
    };
    let words = match (
        what,
        what.strip_prefix("append#"),
        what.strip_prefix("undo "),
    ) {
        _ if !is_number(life) => return None,
        (_, Some(row), _) if is_number(row) => {
            let said = history.and_then(|history| sent(history, life, row));
            row_in_words(&format!("{row}{}", said.unwrap_or_default()), when)?
        }
        (_, Some(_), _) => return None,
        (_, _, Some(task)) => action_in_words(&format!("undoes {}", escaped(task)), when)?,
        ("load", ..) => format!("loads the log ({when})"),
        ("open", ..) => format!("opens the store ({when})"),
        ("close", ..) => format!("closes the store ({when})"),
        ("clear", ..) => format!("clears the log ({when})"),
        ("begin", ..) => format!("begins ({when})"),
        (task, None, None) => action_in_words(&format!("runs {}", escaped(task)), when)?,
    };
    Some(format!("life {life}{of_run} {words}{times}"))
}

/// What a row of a life says, in parentheses.
fn sent(history: &History, life: &str, sequence: &str) -> Option<String> {
    let (life, sequence) = (life.parse::<u32>().ok()?, sequence.parse::<u64>().ok()?);
    let mut rows = history.select(move |what| match what {
        What::Sent(row) if row.sequence == sequence => Some(row),
        _ => None,
    });
    let (.., row) = rows.find(|(_, by, _)| *by == life)?;
    Some(format!(" ({})", said(row)?))
}

fn said(row: &CheckpointRow) -> Option<String> {
    Some(match Event::from_row(row).ok()? {
        Event::Claimed { .. } => "the claim of the run".to_owned(),
        Event::Entered { state, task }
        | Event::Routed { state, task }
        | Event::Produced { state, task, .. }
        | Event::Completed { state, task, .. } => {
            format!("{} -> {}", escaped(&task), escaped(&state))
        }
        Event::StepAdvanced { task, .. } => format!("a cursor of {}", escaped(&task)),
        Event::TimerStarted { task, .. } => format!("the timer {} starts", escaped(&task)),
        Event::Polled { task, .. } => format!("the rounds of {}", escaped(&task)),
        Event::RollbackStarted { .. } => "the rollback starts".to_owned(),
        Event::Compensated { task, .. } => format!("{} is undone", escaped(&task)),
        Event::CompensationFailed { task, .. } => {
            format!("the undo of {} has failed", escaped(&task))
        }
        Event::RolledBack => "the run is rolled back".to_owned(),
    })
}

fn row_in_words(row: &str, when: &str) -> Option<String> {
    Some(match when {
        "before" => format!("has sent row {row}, which is not durable yet"),
        "unacked" => format!("has sent row {row}, which is durable, and does not know it yet"),
        "acked" => format!("knows that row {row} is durable, and has not acted on it"),
        other => format!("appends row {row} ({other})"),
    })
}

fn action_in_words(action: &str, when: &str) -> Option<String> {
    Some(match when {
        "attempt" => format!("{action}, and the attempt begins"),
        "before-effect" => format!("{action}, and its effect has not happened yet"),
        "after-effect" => format!("{action}, and its effect has happened"),
        "before-call" => format!("{action}, and has not called the service yet"),
        "after-call" => format!("{action}, and does not have the answer of the service yet"),
        "pending" => format!("{action}, and waits"),
        "spawned" => format!("{action}, and its spawned tasks have run"),
        _ => return None,
    })
}
