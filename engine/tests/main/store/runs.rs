//! Runs on the embedded store whose process dies in the middle.

use std::path::Path;

use crashpoint::{
    CheckpointStore as _, Engine, Error, Outcome, Recovery, RedbCheckpointStore, Retention,
    StatusPhase,
};

use super::disk::{Fate, MemoryDisk};
use super::open;
use crate::support::{Act, Journal, Order, order, stalls, when_doing};

fn engine_at(path: &Path) -> Engine {
    Engine::new(RedbCheckpointStore::new(path).expect("nobody else has it"))
}

/// A process that dies while its run is in `task`: life, engine and store are dropped.
async fn crashed_in(path: &Path, task: &'static str) {
    left_in(&engine_at(path), "order-1", task).await;
}

/// Begins the run and drops it in `task`.
async fn left_in(engine: &Engine, workflow_id: &str, task: &'static str) {
    let (begun, has_begun) = tokio::sync::watch::channel(false);
    let workflow = order(&Journal::default(), move |ctx| {
        if ctx.task() == task {
            begun.send_replace(true);
            return Act::Hang;
        }
        Act::Succeed
    });
    let mut run = Box::pin(engine.run(&workflow, workflow_id, Order::Charge, &1999_u64));
    let mut has_begun = has_begun;
    tokio::select! {
        outcome = &mut run => panic!("it hangs: {outcome:?}"),
        reached = has_begun.wait_for(|begun| *begun) => {
            reached.expect("the task begins");
        }
    }
    stalls(&mut run).await;
}

#[tokio::test]
async fn another_engine_resumes_a_saga_that_was_dropped_in_the_middle() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    crashed_in(&path, "ship").await;

    let engine = engine_at(&path);
    let status = engine.status("order-1").await.expect("it is there");
    let state = "Ship".to_owned();
    assert_eq!(status.phase, StatusPhase::Running { state });
    let journal = Journal::default();
    let workflow = order(&journal, when_doing(&[]));
    let outcome = engine.resume_from(&workflow, "order-1").await;
    assert_eq!(outcome.expect("it goes on"), Outcome::Done(Order::Shipped));
    assert_eq!(journal.take(), ["do ship"], "nothing runs again");
}

#[tokio::test]
async fn a_rollback_undoes_with_the_outputs_of_an_earlier_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    crashed_in(&path, "pack").await;

    let journal = Journal::default();
    let workflow = order(&journal, when_doing(&[("pack", Act::Fatal)]));
    let engine = engine_at(&path);
    let outcome = engine.resume_from(&workflow, "order-1").await;
    assert!(matches!(outcome, Ok(Outcome::RolledBack(_))), "{outcome:?}");
    let expected = ["do pack", "undo pack in doubt of visit 1", "undo charge@0"];
    assert_eq!(journal.take(), expected);
    drop(engine);

    let again = engine_at(&path).resume_from(&workflow, "order-1").await;
    assert_eq!(again.expect("it has ended"), outcome.expect("it ended"));
    assert_eq!(journal.take(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_starts_resumes_what_the_last_one_left_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    let engine = engine_at(&path);
    let journal = Journal::default();
    let done = order(&journal, when_doing(&[]));
    for number in 0..20 {
        left_in(&engine, &format!("order-{number:02}"), "pack").await;
    }
    let ended = engine.run(&done, "order-done", Order::Charge, &());
    ended.await.expect("it runs");
    drop(engine);

    let engine = engine_at(&path);
    assert_eq!(engine.unfinished().await.expect("it lists").len(), 20);
    let recovery = Recovery::new(&engine).workflow(&done);
    let report = tokio::spawn(async move { recovery.resume_all().await });
    let report = report.await.expect("it does not panic").expect("it lists");
    assert_eq!((report.ended, report.runs.len()), (1, 20));
    let shipped = Outcome::Done("Shipped".to_owned());
    assert!(
        report
            .runs
            .values()
            .all(|run| run.as_ref().ok() == Some(&shipped))
    );
    assert!(engine.unfinished().await.expect("it lists").is_empty());
}

#[tokio::test]
async fn logs_may_be_cleared_at_the_end_since_one_handle_has_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    let store = std::sync::Arc::new(RedbCheckpointStore::new(&path).expect("a fresh file"));
    let engine = Engine::new(std::sync::Arc::clone(&store));
    let engine = engine.with_retention(Retention::ClearWhenDone);
    let engine = engine.expect("it is held exclusively");
    let workflow = order(&Journal::default(), when_doing(&[]));
    let outcome = engine.run(&workflow, "order-1", Order::Charge, &()).await;
    assert_eq!(outcome.expect("it ran"), Outcome::Done(Order::Shipped));
    assert_eq!(store.load_run("order-1").await.expect("it is empty"), []);
    let gone = engine.resume_from(&workflow, "order-1").await;
    assert!(matches!(gone, Err(Error::NotFound { .. })), "{gone:?}");
}

/// Each sync of a run fails in turn, and with it everything that comes after it.
#[tokio::test(start_paused = true)]
async fn a_run_on_a_disk_that_fails_is_suspended_and_goes_on_when_it_is_opened_again() {
    for sync in 1..=8 {
        let disk = MemoryDisk::default();
        let store = open(&disk).expect("an empty place");
        let mut syncs = 0;
        disk.decide_by(move |operation| {
            syncs += usize::from(operation == "sync");
            if syncs >= sync {
                Fate::Fails
            } else {
                Fate::Happens
            }
        });
        let journal = Journal::default();
        let workflow = order(&journal, when_doing(&[]));
        let suspended = Engine::new(store).run(&workflow, "order-1", Order::Charge, &());
        let suspended = suspended.await.expect_err("the disk has failed");
        let in_doubt = match &suspended {
            Error::Suspended { in_doubt, .. } => *in_doubt,
            other => panic!("sync {sync}: {other}"),
        };
        // Two syncs a row.
        assert_eq!(in_doubt, Some((sync as u64 - 1) / 2), "sync {sync}");
        disk.heal();

        let engine = Engine::new(open(&disk).expect("it is whole"));
        let outcome = engine.run_or_resume(&workflow, "order-1", Order::Charge, &());
        assert_eq!(
            outcome.await.expect("it goes on"),
            Outcome::Done(Order::Shipped)
        );
        let done = journal.take();
        assert!(
            done.iter().all(|entry| entry.starts_with("do ")),
            "sync {sync}: {done:?}"
        );
        // The task whose row was in doubt may have run again, and no other.
        assert!((3..=4).contains(&done.len()), "sync {sync}: {done:?}");
    }
}
