//! A row without the user's data.

use crate::core::{Bytes, Cause, CheckpointRow, ClaimRecord, Event};

/// The row without input, output, cursor and messages of errors. States, tasks, times and what the
/// rules of a log look at stay. A row that can't be decoded loses its blob, and stays undecodable.
pub(super) fn redacted(row: CheckpointRow) -> CheckpointRow {
    let nothing = || Bytes::from(Vec::new());
    let Ok(event) = Event::from_row(&row) else {
        return CheckpointRow {
            output_blob: None,
            ..row
        };
    };
    let event = match event {
        Event::Claimed { state, claim } => Event::Claimed {
            state,
            claim: ClaimRecord {
                input: claim.input.as_ref().map(|_| nothing()),
                ..claim
            },
        },
        Event::Completed { state, task, .. } => Event::Completed {
            state,
            task,
            output: nothing(),
        },
        Event::Produced { state, task, .. } => Event::Produced {
            state,
            task,
            output: nothing(),
        },
        Event::StepAdvanced { state, task, .. } => Event::StepAdvanced {
            state,
            task,
            cursor: nothing(),
        },
        Event::RollbackStarted {
            state,
            task,
            cause,
            undo_open_visit,
        } => Event::RollbackStarted {
            state,
            task,
            cause: Cause {
                message: "".into(),
                ..cause
            },
            undo_open_visit,
        },
        Event::CompensationFailed { task, undone, .. } => Event::CompensationFailed {
            task,
            undone,
            error: "".into(),
        },
        event @ (Event::Entered { .. }
        | Event::TimerStarted { .. }
        | Event::Polled { .. }
        | Event::Routed { .. }
        | Event::Compensated { .. }
        | Event::RolledBack) => event,
    };
    event.to_row(row.sequence)
}
