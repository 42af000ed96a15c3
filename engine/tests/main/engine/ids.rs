//! Logs of another run: a claim names its workflow id, so a store that mixes ids up is noticed.

use std::sync::Arc;

use crashpoint::{
    CheckpointRow, CheckpointStore, Engine, Error, Event, LogFault, MemoryCheckpointStore, Outcome,
    Recovery, checkpoint_store,
};

use crate::support::{Act, Journal, Order, in_memory, order, stalls, when_doing};

/// A store with a collation: ids that differ only by case are the same to it.
struct Collating(Arc<MemoryCheckpointStore>);

#[checkpoint_store]
impl CheckpointStore for Collating {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.0.append(&workflow_id.to_lowercase(), row).await
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.0.load_run(&workflow_id.to_lowercase()).await
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.0.clear(&workflow_id.to_lowercase()).await
    }
}

fn is_of_another_id(error: &Error) -> bool {
    matches!(
        error,
        Error::CorruptLog {
            sequence: 0,
            source: LogFault::OtherId,
            ..
        }
    )
}

/// `resume_from("ORDER-1")` answered with the outcome of `order-1`, and went on with its open runs.
#[tokio::test(start_paused = true)]
async fn the_log_of_another_id_is_corrupt() {
    let (_, rows) = in_memory();
    let engine = Engine::new(Collating(Arc::clone(&rows)));
    let journal = Journal::default();
    let workflow = order(&journal, when_doing(&[]));
    let hanging = order(&journal, when_doing(&[("pack", Act::Hang)]));
    let done = engine.run(&workflow, "order-1", Order::Charge, &()).await;
    done.expect("it ends");
    let mut open = Box::pin(engine.run(&hanging, "order-2", Order::Charge, &()));
    stalls(&mut open).await;
    drop(open);
    journal.take();
    for (id, length) in [("order-1", 4), ("order-2", 2)] {
        let other = id.to_uppercase();
        let resumed = engine.resume_from(&workflow, &other).await;
        assert!(is_of_another_id(
            &resumed.expect_err("it is no log of this id")
        ));
        let retried = engine.retry_stuck(&workflow, &other).await;
        assert!(is_of_another_id(
            &retried.expect_err("it is no log of this id")
        ));
        let again = engine.run_or_resume(&workflow, &other, Order::Charge, &());
        assert!(is_of_another_id(
            &again.await.expect_err("it is no log of this id")
        ));
        let status = engine.status(&other).await;
        assert!(is_of_another_id(
            &status.expect_err("it is no log of this id")
        ));
        assert_eq!(rows.load_run(id).await.expect("memory loads").len(), length);
    }
    assert_eq!(journal.take().len(), 0, "no task ran");
    let outcome = engine.resume_from(&workflow, "order-2").await;
    assert_eq!(outcome.expect("its own id"), Outcome::Done(Order::Shipped));
}

/// A log copied below another id: recovery and purge see that too.
#[tokio::test(start_paused = true)]
async fn a_copied_log_is_neither_resumed_nor_purged() {
    let (engine, rows) = in_memory();
    let workflow = order(&Journal::default(), when_doing(&[]));
    let run = engine.run(&workflow, "order-1", Order::Charge, &());
    run.await.expect("it ends");
    for row in rows.load_run("order-1").await.expect("memory loads") {
        rows.append("order-2", row).await.expect("memory appends");
    }
    let recovery = Recovery::new(&engine).workflow(&workflow);
    let mut report = recovery.resume_all().await.expect("memory lists");
    assert_eq!(report.ended, 1);
    let copied = report.runs.remove("order-2").expect("it is told");
    assert!(is_of_another_id(&copied.expect_err("a copy")));
    let report = engine.purge(u64::MAX).await.expect("memory lists");
    assert_eq!(
        (report.purged, &report.corrupt[..]),
        (1, &["order-2".to_owned()][..])
    );
}

/// The same row with its claim as an engine before version 2 wrote it.
fn of_version_1(row: &CheckpointRow) -> CheckpointRow {
    let mut event = Event::from_row(row).expect("the engine wrote it");
    if let Event::Claimed { claim, .. } = &mut event {
        assert!(claim.id_hash.take().is_some(), "claims are of version 2");
    }
    event.to_row(row.sequence)
}

#[tokio::test(start_paused = true)]
async fn a_log_of_version_1_is_read_and_gone_on_with() {
    let (engine, rows) = in_memory();
    let journal = Journal::default();
    let hanging = order(&journal, when_doing(&[("pack", Act::Hang)]));
    let mut open = Box::pin(engine.run(&hanging, "order-1", Order::Charge, &()));
    stalls(&mut open).await;
    drop(open);
    for row in rows.load_run("order-1").await.expect("memory loads") {
        let row = of_version_1(&row);
        rows.append("order-2", row).await.expect("memory appends");
    }
    let workflow = order(&journal, when_doing(&[]));
    let outcome = engine.resume_from(&workflow, "order-2").await;
    assert_eq!(outcome.expect("it is read"), Outcome::Done(Order::Shipped));
    let log = rows.load_run("order-2").await.expect("memory loads");
    let versions = log.iter().filter_map(|row| match Event::from_row(row) {
        Ok(Event::Claimed { claim, .. }) => Some(claim.encode()[0]),
        _ => None,
    });
    assert_eq!(versions.collect::<Vec<_>>(), [1, 2]);
}
