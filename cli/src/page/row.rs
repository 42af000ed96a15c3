//! A row in words, and the token that links it to the events about it.

use crashpoint::{CheckpointRow, Event, Undone};
use maud::{Markup, html};

use crate::page::words::{message, shown};
use crate::text::blob;

/// The token of a row and of the events about it, which are highlighted together.
pub(super) fn token(log: usize, sequence: u64) -> String {
    format!("r{log}-{sequence}")
}

/// The meaning of a row.
pub(super) fn row_words(row: &CheckpointRow) -> Markup {
    let event = match Event::from_row(row) {
        Ok(event) => event,
        Err(fault) => return html! { span.bad { "undecodable: " (message(&fault.to_string())) } },
    };
    match &event {
        Event::Claimed { state, claim } => html! {
            b.claim { "claim" } " at " (shown(state))
            @if let Some(input) = &claim.input { ", input " (bytes(input)) }
        },
        Event::Entered { state, task } => html! {
            (shown(task)) " is done, enters " b { (shown(state)) }
        },
        Event::Routed { state, task } => html! {
            (shown(task)) " chose " b { (shown(state)) }
        },
        Event::Produced {
            state,
            task,
            output,
        }
        | Event::Completed {
            state,
            task,
            output,
        } => html! {
            (shown(task)) " is done, enters " b { (shown(state)) } ", output " (bytes(output))
        },
        Event::StepAdvanced { task, cursor, .. } => html! {
            (shown(task)) " advances, cursor " (bytes(cursor))
        },
        Event::TimerStarted {
            task,
            deadline_unix_ms,
            ..
        } => html! {
            (shown(task)) " waits until " (deadline_unix_ms) " ms"
        },
        Event::Polled { task, polled, .. } => html! {
            (shown(task)) " has polled " (polled.rounds) " times"
        },
        Event::RollbackStarted { task, cause, .. } => html! {
            b.back { "rolls back" } " at " (shown(task)) ": " (message(&cause.to_string()))
        },
        Event::Compensated { task, undone } => html! { (shown(task)) " is undone, " (of(*undone)) },
        Event::CompensationFailed {
            task,
            undone,
            error,
        } => html! {
            (shown(task)) " is " span.bad { "not undone" } ", " (of(*undone)) ": " (message(error))
        },
        Event::RolledBack => html! { b { "rolled back" } },
    }
}

/// A user's bytes in one line.
fn bytes(bytes: &[u8]) -> Markup {
    html! { code { (shown(&blob(bytes))) } }
}

fn of(undone: Undone) -> Markup {
    match undone {
        Undone::Completion(sequence) => html! { "row #" (sequence) },
        Undone::InDoubt(visit) => html! { "visit " (visit) ", in doubt" },
    }
}
