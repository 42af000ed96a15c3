//! A store that lies: what the engine notices, and what it can't notice. `docs/guarantees.md` has the
//! table in words.

use std::sync::{Arc, Mutex};

use crashpoint::{
    CheckpointRow, CheckpointStore, Engine, Error, MemoryCheckpointStore, Outcome, checkpoint_store,
};
use expect_test::expect;

use crate::support::{Act, Journal, Order, in_memory, order, stalls, when_doing};

/// A store that shows the rows that it is told to show, in that order, and takes every append.
struct Shows(Arc<Mutex<Vec<CheckpointRow>>>);

#[checkpoint_store]
impl CheckpointStore for Shows {
    async fn append(&self, _: &str, row: CheckpointRow) -> Result<(), Error> {
        self.0.lock().expect("nobody panics").push(row);
        Ok(())
    }

    async fn load_run(&self, _: &str) -> Result<Vec<CheckpointRow>, Error> {
        Ok(self.0.lock().expect("nobody panics").clone())
    }

    async fn clear(&self, _: &str) -> Result<(), Error> {
        unreachable!("logs are kept")
    }
}

/// The rows of a run that has charged and packed, and is open in `Ship`.
async fn honest(workflow_id: &str) -> Vec<CheckpointRow> {
    let (engine, rows) = in_memory();
    let hanging = order(&Journal::default(), when_doing(&[("ship", Act::Hang)]));
    let mut run = Box::pin(engine.run(&hanging, workflow_id, Order::Charge, &()));
    stalls(&mut run).await;
    rows.load_run(workflow_id).await.expect("memory loads")
}

/// Resumes `order-1` over these rows; tells the tasks that ran, and the answer.
async fn resumed(shown: Vec<CheckpointRow>) -> String {
    let journal = Journal::default();
    let engine = Engine::new(Shows(Arc::new(Mutex::new(shown))));
    let workflow = order(&journal, when_doing(&[]));
    let outcome = engine.resume_from(&workflow, "order-1").await;
    let answer = outcome.map_or_else(|error| error.to_string(), |end| format!("{end:?}"));
    format!("{:?} {answer}", journal.take())
}

type Lie = fn(&mut Vec<CheckpointRow>, Vec<CheckpointRow>);

/// Each lie, given the rows and those of another run of the same workflow.
const LIES: &[(&str, Lie)] = &[
    ("no lie", |_, _| {}),
    ("all rows lost", |rows, _| rows.clear()),
    ("first row lost", |rows, _| _ = rows.remove(0)),
    ("middle row lost", |rows, _| _ = rows.remove(1)),
    ("last row lost", |rows, _| _ = rows.pop()),
    ("two rows swapped", |rows, _| rows.swap(1, 2)),
    ("row duplicated", |rows, _| rows.insert(2, rows[1].clone())),
    ("last row's sequence altered", |rows, _| {
        rows[2].sequence = 7;
    }),
    ("last row's state altered, known", |rows, _| {
        rows[2].state = "Charge".to_owned();
    }),
    ("last row's state altered, unknown", |rows, _| {
        rows[2].state = "Chip".to_owned();
    }),
    ("last row's task altered", |rows, _| {
        rows[2].task_id = "charge".to_owned();
    }),
    ("claim altered", |rows, _| {
        let blob = rows[0].output_blob.as_mut().expect("a claim has a blob");
        blob.truncate(20);
    }),
    ("output altered, readable", |rows, _| {
        rows[1].output_blob = Some(b"\"another receipt\"".to_vec());
    }),
    ("output altered, unreadable", |rows, _| {
        rows[1].output_blob = Some(b"\"cut".to_vec());
    }),
    ("claim of another run", |rows, other| {
        rows[0] = other[0].clone();
    }),
    ("completion of another run", |rows, other| {
        rows[1] = other[1].clone();
    }),
    ("log of another run", |rows, other| *rows = other),
];

#[tokio::test(start_paused = true)]
async fn a_resume_notices_every_lie_that_makes_no_legal_log_of_its_id() {
    let mut table = String::new();
    for (name, lie) in LIES {
        let mut rows = honest("order-1").await;
        lie(&mut rows, honest("order-2").await);
        table.push_str(&format!("{name}: {}\n", resumed(rows).await));
    }
    expect![[r#"
        no lie: ["do ship"] Done(Shipped)
        all rows lost: [] run "order-1" is not in the store
        first row lost: [] log of run "order-1" is corrupt at sequence 1: expected sequence 0
        middle row lost: [] log of run "order-1" is corrupt at sequence 2: expected sequence 1
        last row lost: ["do pack", "do ship"] Done(Shipped)
        two rows swapped: [] log of run "order-1" is corrupt at sequence 2: expected sequence 1
        row duplicated: [] log of run "order-1" is corrupt at sequence 1: expected sequence 2
        last row's sequence altered: [] log of run "order-1" is corrupt at sequence 7: expected sequence 2
        last row's state altered, known: ["do charge", "do pack", "do ship"] Done(Shipped)
        last row's state altered, unknown: [] run "order-1" does not fit its workflow: sequence 2 names the unknown state "Chip"
        last row's task altered: [] run "order-1" does not fit its workflow: sequence 2 names task "charge", but state "Pack" has task "pack"
        claim altered: [] log of run "order-1" is corrupt at sequence 0: blob of a row of kind claim can't be read: it ends too early
        output altered, readable: ["do ship"] Done(Shipped)
        output altered, unreadable: [] run "order-1" does not fit its workflow: the output or cursor of task "charge" can't be read: EOF while parsing a string at line 1 column 4
        claim of another run: [] log of run "order-1" is corrupt at sequence 0: the claim is of another workflow id: this is the log of another run
        completion of another run: ["do ship"] Done(Shipped)
        log of another run: [] log of run "order-1" is corrupt at sequence 0: the claim is of another workflow id: this is the log of another run
    "#]].assert_eq(&table);
}

/// A store that acknowledges an append and forgets it.
struct Forgets {
    inner: Arc<MemoryCheckpointStore>,
    forgotten: u64,
}

#[checkpoint_store]
impl CheckpointStore for Forgets {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        if row.sequence == self.forgotten {
            return Ok(());
        }
        self.inner.append(workflow_id, row).await
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.inner.load_run(workflow_id).await
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.inner.clear(workflow_id).await
    }
}

/// The live run does not read its log, so it ends well. The next reader finds the gap, or, if the last
/// row was forgotten, a run that has not ended.
#[tokio::test(start_paused = true)]
async fn a_live_run_does_not_notice_a_forgotten_row_and_the_next_reader_may() {
    let mut table = String::new();
    for forgotten in 0..4 {
        let (_, inner) = in_memory();
        let engine = Engine::new(Forgets { inner, forgotten });
        let journal = Journal::default();
        let workflow = order(&journal, when_doing(&[]));
        let live = engine.run(&workflow, "order-1", Order::Charge, &()).await;
        assert_eq!(
            live.expect("it is told nothing"),
            Outcome::Done(Order::Shipped)
        );
        let status = engine.status("order-1").await;
        let seen = status.map_or_else(|error| error.to_string(), |it| format!("{:?}", it.phase));
        table.push_str(&format!("row {forgotten}: {seen}\n"));
    }
    expect![[r#"
        row 0: log of run "order-1" is corrupt at sequence 1: expected sequence 0
        row 1: log of run "order-1" is corrupt at sequence 2: expected sequence 1
        row 2: log of run "order-1" is corrupt at sequence 3: expected sequence 2
        row 3: Running { state: "Ship" }
    "#]]
    .assert_eq(&table);
}
