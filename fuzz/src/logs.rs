//! Seeds of logs: a legal log of each shape, and a log with each fault.

use crashpoint::{
    Cause, CauseKind, CheckpointRow, ClaimRecord, Event, IdHash, Nonce, Polled, RowKind, Undone,
};

use crate::row_bytes::write_rows;
use crate::{Seed, Verdict};

/// A log, as an input of `rebuild_rows`.
#[derive(Debug, Clone)]
pub struct Log {
    /// The name of its file.
    pub name: &'static str,
    /// The input.
    pub input: Vec<u8>,
    /// The expected verdict.
    pub verdict: Verdict,
}

/// A legal log of each shape, and a log with each fault.
pub fn logs() -> Vec<Log> {
    let accepted = |name, rows: Vec<_>| seed(name, Verdict::Accepted, write_rows(&rows));
    let rejected = |name, rows: Vec<_>| seed(name, Verdict::Rejected, write_rows(&rows));
    vec![
        accepted("empty", Vec::new()),
        accepted("claimed", log(&[claim("Charge", 1)])),
        accepted("done", log(&order_done())),
        accepted("resumed-twice", log(&resumed_twice())),
        accepted("import-in-a-loop", log(&import_in_a_loop())),
        accepted("outputs-and-a-router", log(&outputs_and_a_router())),
        accepted("timer", log(&timer())),
        accepted("poll", log(&poll())),
        accepted("rolled-back", log(&rolled_back())),
        accepted("cancelled-without-effects", log(&cancelled())),
        accepted("stuck", log(&stuck())),
        accepted("stuck-then-rolled-back", log(&stuck_then_rolled_back())),
        rejected("gap", without(log(&order_done()), 1)),
        rejected("no-claim", log(&order_done()[1..])),
        rejected(
            "row-after-the-end",
            log(&with(order_done(), entered("Ship", "charge"))),
        ),
        rejected(
            "forward-in-a-rollback",
            log(&with(stuck(), entered("Ship", "charge"))),
        ),
        rejected("undo-out-of-order", log(&undo_out_of_order())),
        rejected(
            "other-run",
            log(&with(resumed_twice(), claim_of(9, "Ship", 9))),
        ),
        rejected("branch-completion", branch_completion()),
        rejected("router-with-an-output", router_with_an_output()),
        rejected("timer-set-twice", log(&timer_set_twice())),
        rejected("poll-goes-back", log(&poll_goes_back())),
        rejected("cut-claim", cut_claim()),
        // Choices of events. From a few, a fuzzer derives others.
        chosen("chosen-exit", Verdict::Accepted, &[4, 0x14, 0xf0]),
        chosen(
            "chosen-rollback",
            Verdict::Accepted,
            &[4, 0x04, 0x24, 0x0c, 0, 7, 5, 0, 7, 0, 0],
        ),
        chosen(
            "chosen-then-edited",
            Verdict::Rejected,
            &[4, 0x04, 0x24, 0x0c, 0, 0, 0xff, 0, 4, 0, 8, 0, 0],
        ),
    ]
}

pub(crate) fn seeds() -> Vec<Seed> {
    let seeds = logs().into_iter().map(|log| Seed {
        name: log.name.to_owned(),
        input: log.input,
    });
    seeds.collect()
}

fn seed(name: &'static str, verdict: Verdict, input: Vec<u8>) -> Log {
    Log {
        name,
        input,
        verdict,
    }
}

fn chosen(name: &'static str, verdict: Verdict, choices: &[u8]) -> Log {
    seed(name, verdict, [&[1], choices].concat())
}

fn log(events: &[Event]) -> Vec<CheckpointRow> {
    let numbered = (0..).zip(events);
    numbered
        .map(|(sequence, event)| event.to_row(sequence))
        .collect()
}

fn with(mut events: Vec<Event>, event: Event) -> Vec<Event> {
    events.push(event);
    events
}

fn without(mut rows: Vec<CheckpointRow>, index: usize) -> Vec<CheckpointRow> {
    rows.remove(index);
    rows
}

/// The claim of the first life if the nonce is 1, or else of a later life.
fn claim(state: &str, nonce: u8) -> Event {
    claim_of(1, state, nonce)
}

fn claim_of(run_id: u8, state: &str, nonce: u8) -> Event {
    Event::Claimed {
        state: state.into(),
        claim: ClaimRecord {
            // Later claims are of version 2.
            id_hash: (nonce != 1).then(|| IdHash::of("order-1")),
            run_id: Nonce([run_id; 16]),
            nonce: Nonce([nonce; 16]),
            definition: "order".into(),
            version: 1,
            fingerprint: 0x0123_4567_89ab_cdef,
            unix_ms: 1_700_000_000_000,
            exits: Box::new(["Done".into(), "Cancelled".into()]),
            input: (nonce == 1).then(|| b"1999"[..].into()),
        },
    }
}

fn entered(state: &str, task: &str) -> Event {
    let (state, task) = (state.into(), task.into());
    Event::Entered { state, task }
}

fn completed(state: &str, task: &str) -> Event {
    Event::Completed {
        state: state.into(),
        task: task.into(),
        output: format!("\"{task} 1\"").into_bytes().into(),
    }
}

fn stepped(cursor: &str) -> Event {
    Event::StepAdvanced {
        state: "Import".into(),
        task: "import".into(),
        cursor: cursor.as_bytes().into(),
    }
}

fn rollback_started(state: &str, task: &str, kind: CauseKind, undo_open_visit: bool) -> Event {
    Event::RollbackStarted {
        state: state.into(),
        task: task.into(),
        cause: Cause {
            kind,
            message: "no such address".into(),
        },
        undo_open_visit,
    }
}

fn compensated(task: &str, undone: Undone) -> Event {
    let task = task.into();
    Event::Compensated { task, undone }
}

fn order_done() -> Vec<Event> {
    vec![
        claim("Charge", 1),
        completed("Reserve", "charge"),
        completed("Ship", "reserve"),
        entered("Done", "ship"),
    ]
}

fn outputs_and_a_router() -> Vec<Event> {
    let produced = |output: &str| Event::Produced {
        state: "Decide".into(),
        task: "make".into(),
        output: output.as_bytes().into(),
    };
    let routed = |state: &str| Event::Routed {
        state: state.into(),
        task: "decide".into(),
    };
    vec![
        claim("Make", 1),
        produced("1"),
        routed("Make"),
        produced("2"),
        claim("Decide", 2),
        routed("Sign"),
        entered("Done", "sign"),
    ]
}

fn timer_started(deadline_unix_ms: u64) -> Event {
    Event::TimerStarted {
        state: "Wait".into(),
        task: "wait".into(),
        deadline_unix_ms,
    }
}

fn timer() -> Vec<Event> {
    vec![
        claim("Wait", 1),
        timer_started(1_700_000_003_600),
        claim("Wait", 2),
        entered("Wait", "wait"),
        timer_started(1_700_000_007_200),
        entered("Done", "wait"),
    ]
}

fn polled(rounds: u64, deadline_unix_ms: Option<u64>) -> Event {
    Event::Polled {
        state: "Wait".into(),
        task: "wait".into(),
        polled: Polled {
            rounds,
            deadline_unix_ms,
        },
    }
}

fn poll() -> Vec<Event> {
    vec![
        claim("Wait", 1),
        polled(0, Some(1_700_000_003_600)),
        polled(4, Some(1_700_000_003_600)),
        claim("Wait", 2),
        polled(8, Some(1_700_000_003_600)),
        entered("Wait", "wait"),
        polled(4, None),
        entered("Done", "wait"),
    ]
}

fn poll_goes_back() -> Vec<Event> {
    let once = vec![claim("Wait", 1), polled(8, None)];
    with(once, polled(4, None))
}

fn timer_set_twice() -> Vec<Event> {
    let once = vec![claim("Wait", 1), timer_started(1_700_000_003_600)];
    with(once, timer_started(1_700_000_007_200))
}

fn resumed_twice() -> Vec<Event> {
    vec![
        claim("Charge", 1),
        claim("Charge", 2),
        completed("Reserve", "charge"),
        completed("Ship", "reserve"),
        claim("Ship", 3),
    ]
}

fn import_in_a_loop() -> Vec<Event> {
    vec![
        claim("Import", 1),
        stepped("10"),
        stepped("20"),
        entered("Check", "import"),
        entered("Import", "check"),
        stepped("5"),
        claim("Import", 2),
        entered("Check", "import"),
        entered("Done", "check"),
    ]
}

/// A rollback started in `Ship`, with two completions and the open visit to undo.
fn order_in_rollback() -> Vec<Event> {
    let mut events = order_done();
    events.pop();
    with(
        events,
        rollback_started("Ship", "ship", CauseKind::Failure, true),
    )
}

fn rolled_back() -> Vec<Event> {
    let mut events = order_in_rollback();
    events.push(compensated("ship", Undone::InDoubt(2)));
    events.push(claim("Ship", 2));
    events.push(compensated("reserve", Undone::Completion(2)));
    events.push(compensated("charge", Undone::Completion(1)));
    with(events, Event::RolledBack)
}

fn cancelled() -> Vec<Event> {
    vec![
        claim("Pack", 1),
        rollback_started("Pack", "pack", CauseKind::Cancelled, false),
        Event::RolledBack,
    ]
}

fn stuck() -> Vec<Event> {
    let mut events = order_in_rollback();
    events.push(compensated("ship", Undone::InDoubt(2)));
    events.push(Event::CompensationFailed {
        task: "reserve".into(),
        undone: Undone::Completion(2),
        error: "the warehouse is closed".into(),
    });
    with(events, compensated("charge", Undone::Completion(1)))
}

fn stuck_then_rolled_back() -> Vec<Event> {
    let mut events = stuck();
    events.push(claim("Ship", 2));
    events.push(compensated("reserve", Undone::Completion(2)));
    with(events, Event::RolledBack)
}

fn undo_out_of_order() -> Vec<Event> {
    with(
        order_in_rollback(),
        compensated("charge", Undone::Completion(1)),
    )
}

fn branch_completion() -> Vec<CheckpointRow> {
    let mut rows = log(&[claim("Charge", 1)]);
    let row = CheckpointRow::new(1, "Charge", "charge");
    rows.push(row.with_blob(RowKind::BranchCompletion, vec![1]));
    rows
}

fn router_with_an_output() -> Vec<CheckpointRow> {
    let mut rows = log(&[claim("Charge", 1)]);
    let row = CheckpointRow::new(1, "Ship", "charge");
    rows.push(row.with_blob(RowKind::Routed, vec![1]));
    rows
}

fn cut_claim() -> Vec<CheckpointRow> {
    let mut rows = log(&[claim("Charge", 1)]);
    for row in &mut rows {
        let blob = row.output_blob.get_or_insert_default();
        blob.truncate(blob.len() / 2);
    }
    rows
}
