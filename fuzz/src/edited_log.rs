//! Legal logs chosen by bytes, and edits to them.
//!
//! Each byte picks one of the events that may follow. [`EDIT`] or the end of the run begins the edits.
//! So a fuzzer soon reaches long legal logs, which it would hardly find as rows.

use crashpoint::{
    Cause, CauseKind, CheckpointRow, ClaimRecord, Event, IdHash, Label, Nonce, Phase, Polled,
    Rollback, RowKind, RunState, Visit,
};

/// Ends the choices. As a choice it would be another claim.
const EDIT: u8 = 0xff;
const STATES: [&str; 3] = ["Charge", "Import", "Ship"];
const TASKS: [&str; 3] = ["charge", "import", "ship"];
const EXIT: &str = "Done";
/// The most chosen rows. The check of every prefix is quadratic.
const ROWS_MAX: usize = 64;

pub(crate) fn rows(choices: &[u8]) -> Vec<CheckpointRow> {
    let mut state = RunState::new();
    let mut rows = Vec::new();
    let mut rest = choices;
    while let [choice, tail @ ..] = rest {
        rest = tail;
        if *choice == EDIT || rows.len() == ROWS_MAX {
            break;
        }
        let Some(event) = event(&state, *choice) else {
            break;
        };
        rows.push(event.to_row(state.next_sequence()));
        let legal = state.apply(&event);
        assert_eq!(legal, Ok(()), "{event:?} was chosen as a legal event");
        assert_eq!(
            state.next_sequence(),
            rows.len() as u64,
            "the state is the fold of the chosen rows"
        );
    }
    edit(&mut rows, rest);
    rows
}

/// One of the events that may follow, or none after a terminal row.
fn event(state: &RunState, choice: u8) -> Option<Event> {
    let claim = |name: &Label| Event::Claimed {
        state: name.clone(),
        claim: repeated_claim(state, choice),
    };
    match state.phase() {
        Phase::Unclaimed => Some(first_claim(choice)),
        Phase::Forward(visit) if choice % 16 == 15 => Some(claim(&visit.state)),
        Phase::Forward(visit) => Some(forward(visit, choice)),
        Phase::RollingBack(rollback) if choice % 8 == 7 => Some(claim(&rollback.state)),
        Phase::RollingBack(rollback) => Some(match undo(rollback, choice) {
            Some(undo) => undo,
            None if rollback.is_stuck() => claim(&rollback.state),
            None => Event::RolledBack,
        }),
        Phase::Done { .. } | Phase::RolledBack { .. } => None,
    }
}

fn first_claim(choice: u8) -> Event {
    let nonce = Nonce([choice; 16]);
    let claim = ClaimRecord {
        id_hash: (choice % 2 == 1).then_some(IdHash([choice; 16])),
        run_id: nonce,
        nonce,
        definition: "order".into(),
        version: choice.into(),
        fingerprint: 7,
        unix_ms: 1_700_000_000_000,
        exits: Box::new([EXIT.into()]),
        input: Some(b"1999"[..usize::from(choice % 5)].into()),
    };
    let state = pick(STATES, choice);
    Event::Claimed { state, claim }
}

fn repeated_claim(state: &RunState, choice: u8) -> ClaimRecord {
    let header = state.header().expect("a claimed run has a header");
    ClaimRecord {
        nonce: Nonce([choice ^ 0x55; 16]),
        version: choice.into(),
        ..header.claim.clone()
    }
}

fn forward(visit: &Visit, choice: u8) -> Event {
    let (kind, name) = (choice % 16, choice / 16);
    let task = pick(TASKS, name);
    let state = match name {
        15 => EXIT.into(),
        _ => pick(STATES, name / 3),
    };
    match kind {
        0..=1 => Event::Entered { state, task },
        2 => Event::Produced {
            state,
            task,
            output: [choice].into(),
        },
        3 => Event::Routed { state, task },
        4..=8 => Event::Completed {
            state,
            task,
            output: [choice].into(),
        },
        9 if visit.deadline_unix_ms.is_none() => Event::TimerStarted {
            state: visit.state.clone(),
            task,
            deadline_unix_ms: choice.into(),
        },
        10 => Event::Polled {
            state: visit.state.clone(),
            task,
            polled: Polled {
                rounds: visit.polled.map_or(0, |before| before.rounds + 1),
                deadline_unix_ms: visit.polled.and_then(|before| before.deadline_unix_ms),
            },
        },
        9 | 11 => Event::StepAdvanced {
            state: visit.state.clone(),
            task,
            cursor: [choice].into(),
        },
        _ => {
            let (kind, message) = [
                (CauseKind::Failure, "no stock"),
                (CauseKind::Timeout, ""),
                (CauseKind::Cancelled, ""),
            ][usize::from(kind % 3)];
            let message = message.into();
            Event::RollbackStarted {
                state: visit.state.clone(),
                task,
                cause: Cause { kind, message },
                undo_open_visit: name % 2 == 0,
            }
        }
    }
}

fn undo(rollback: &Rollback, choice: u8) -> Option<Event> {
    let due = rollback.pending.last()?;
    let (task, undone) = (due.task.clone(), due.undone);
    Some(match choice % 8 {
        0..=4 => Event::Compensated { task, undone },
        _ => Event::CompensationFailed {
            task,
            undone,
            error: "refused".into(),
        },
    })
}

fn pick(names: [&str; 3], choice: u8) -> Label {
    names[usize::from(choice) % names.len()].into()
}

/// Edits the log. Each edit is three bytes: its kind, its row, and a detail.
fn edit(rows: &mut Vec<CheckpointRow>, edits: &[u8]) {
    for [edit, row, detail] in edits.as_chunks().0 {
        if rows.is_empty() || rows.len() > 2 * ROWS_MAX {
            return;
        }
        let index = usize::from(*row) % rows.len();
        let other = usize::from(*detail) % rows.len();
        match edit % 9 {
            0 => drop(rows.remove(index)),
            1 => rows.insert(other, rows[index].clone()),
            2 => rows.swap(index, other),
            3 => rows[index].kind = RowKind::ALL[usize::from(*detail) % RowKind::ALL.len()],
            4 => cut(&mut rows[index], usize::from(*detail)),
            5 => flip(&mut rows[index], usize::from(*detail)),
            6 => rows[index].state = rows[other].state.clone(),
            7 => rows[index].task_id = rows[other].task_id.clone(),
            _ => renumber(rows),
        }
    }
}

fn cut(row: &mut CheckpointRow, length: usize) {
    match &mut row.output_blob {
        Some(blob) if length < blob.len() => blob.truncate(length),
        blob => *blob = None,
    }
}

fn flip(row: &mut CheckpointRow, bit: usize) {
    let blob = row.output_blob.get_or_insert_default();
    match blob.get_mut(bit / 2) {
        Some(byte) => *byte ^= 1 << (bit % 8),
        None => blob.push(0),
    }
}

/// Makes the sequences dense again, so that the content of the edited rows is checked.
fn renumber(rows: &mut [CheckpointRow]) {
    for (sequence, row) in (0..).zip(rows) {
        row.sequence = sequence;
    }
}
