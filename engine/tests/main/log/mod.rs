//! What a log says: the fold of events, the codec of rows, and logs that were tampered with.

mod codec;
mod fold;
mod mutation;

use crashpoint::{
    Cause, CauseKind, CheckpointRow, ClaimRecord, Event, Nonce, Polled, RowKind, Undone,
};

/// The run id of every log here: the nonce of the first claim.
const RUN: Nonce = Nonce([1; 16]);

fn claim_record(nonce: Nonce) -> ClaimRecord {
    ClaimRecord {
        id_hash: None,
        run_id: RUN,
        nonce,
        definition: "order".into(),
        version: 1,
        fingerprint: 7,
        unix_ms: 1000,
        exits: ["shipped".into()].into(),
        input: None,
    }
}

fn first_claim(state: &str) -> Event {
    let input = Some(b"42".as_slice().into());
    Event::Claimed {
        state: state.into(),
        claim: ClaimRecord {
            input,
            ..claim_record(RUN)
        },
    }
}

fn later_claim(state: &str) -> Event {
    Event::Claimed {
        state: state.into(),
        claim: claim_record(Nonce([2; 16])),
    }
}

fn entered(state: &str, task: &str) -> Event {
    Event::Entered {
        state: state.into(),
        task: task.into(),
    }
}

fn completed(state: &str, task: &str, output: &[u8]) -> Event {
    Event::Completed {
        state: state.into(),
        task: task.into(),
        output: output.into(),
    }
}

fn produced(state: &str, task: &str, output: &[u8]) -> Event {
    Event::Produced {
        state: state.into(),
        task: task.into(),
        output: output.into(),
    }
}

fn routed(state: &str, task: &str) -> Event {
    Event::Routed {
        state: state.into(),
        task: task.into(),
    }
}

fn polled(state: &str, task: &str, rounds: u64, deadline_unix_ms: Option<u64>) -> Event {
    Event::Polled {
        state: state.into(),
        task: task.into(),
        polled: Polled {
            rounds,
            deadline_unix_ms,
        },
    }
}

fn timer_started(state: &str, task: &str, deadline_unix_ms: u64) -> Event {
    Event::TimerStarted {
        state: state.into(),
        task: task.into(),
        deadline_unix_ms,
    }
}

fn stepped(state: &str, task: &str, cursor: &[u8]) -> Event {
    Event::StepAdvanced {
        state: state.into(),
        task: task.into(),
        cursor: cursor.into(),
    }
}

fn rollback_started(state: &str, task: &str, undo_open_visit: bool) -> Event {
    Event::RollbackStarted {
        state: state.into(),
        task: task.into(),
        cause: Cause {
            kind: CauseKind::Failure,
            message: "no stock".into(),
        },
        undo_open_visit,
    }
}

fn compensated(task: &str, undone: Undone) -> Event {
    Event::Compensated {
        task: task.into(),
        undone,
    }
}

fn compensation_failed(task: &str, undone: Undone) -> Event {
    Event::CompensationFailed {
        task: task.into(),
        undone,
        error: "refused".into(),
    }
}

/// The rows of `events`, dense from `0`.
fn rows(events: &[Event]) -> Vec<CheckpointRow> {
    (0..)
        .zip(events)
        .map(|(sequence, event)| event.to_row(sequence))
        .collect()
}

fn row(kind: RowKind, state: &str, task: &str, blob: Option<&[u8]>) -> CheckpointRow {
    CheckpointRow {
        kind,
        output_blob: blob.map(<[u8]>::to_vec),
        ..CheckpointRow::new(0, state, task)
    }
}
