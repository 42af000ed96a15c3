//! What a recovery and a listing tell of every sort of run.

use std::sync::Arc;

use crashpoint::{
    CheckpointRow, CheckpointStore, Engine, Error, MemoryCheckpointStore, Outcome, Recovery,
    RecoveryReport, StatusPhase, checkpoint_store,
};
use expect_test::expect;

use super::{Counts, Hooked, Import, crashed, import, lengths};
use crate::support::{Act, Journal, Order, in_memory, order, stalls, when_doing};

/// The report in words, a line for each run.
fn in_words(report: &RecoveryReport) -> String {
    let runs = report.runs.iter().map(|(id, run)| match run {
        Ok(Outcome::Done(state)) => format!("{id}: done at {state}\n"),
        Ok(Outcome::RolledBack(back)) => format!("{id}: rolled back from {}\n", back.state),
        Ok(Outcome::Stuck(stuck)) => {
            let left: Vec<_> = stuck.leftovers.iter().map(|left| &left.task[..]).collect();
            format!("{id}: stuck at {}, left {left:?}\n", stuck.state)
        }
        Err(error) => format!("{id}: {}: {error}\n", error.category()),
    });
    std::iter::once(format!("{} had ended\n", report.ended))
        .chain(runs)
        .collect()
}

/// A store with a run of every sort but one that is alive.
async fn every_sort_of_run(engine: &Engine, store: &MemoryCheckpointStore) {
    let journal = Journal::default();
    let done = order(&journal, when_doing(&[]));
    let failing = order(&journal, when_doing(&[("pack", Act::Fatal)]));
    let stuck = order(&journal, |ctx| match ctx.task() {
        "pack" => Act::Fatal,
        _ => Act::Succeed,
    });
    for (workflow, id) in [
        (&done, "a-done"),
        (&failing, "b-rolled-back"),
        (&stuck, "c-stuck"),
    ] {
        let run = engine.run(workflow, id, Order::Charge, &());
        run.await.expect("it ends");
    }
    let hanging = order(&journal, when_doing(&[("pack", Act::Hang)]));
    for id in ["d-open", "e-suspended", "f-damaged"] {
        let mut run = Box::pin(engine.run(&hanging, id, Order::Charge, &()));
        stalls(&mut run).await;
    }
    crashed(engine, "import", 1, "g-import").await;
    crashed(engine, "import", 2, "h-newer").await;
    crashed(engine, "audit", 1, "i-unknown").await;
    let corrupt = CheckpointRow::new(0, "Start", "fetch");
    store
        .append("j-corrupt", corrupt)
        .await
        .expect("memory appends");
}

#[tokio::test(start_paused = true)]
async fn the_report_says_what_became_of_each_run() {
    let (engine, rows) = in_memory();
    every_sort_of_run(&engine, &rows).await;
    let counts = Counts::default();
    let mut alive = Box::pin(engine.run(&counts.import(), "k-alive", Import::Copy, &()));
    stalls(&mut alive).await;
    let left_alone = [
        "a-done",
        "b-rolled-back",
        "c-stuck",
        "f-damaged",
        "h-newer",
        "i-unknown",
        "j-corrupt",
        "k-alive",
    ];
    let before = lengths(&rows, &left_alone).await;

    let store = Hooked::new(&rows, |operation, id| {
        let failed = match (operation, id) {
            ("append", "e-suspended") => Err(Error::unavailable("no route to the store")),
            ("load", "f-damaged") => Err(Error::checkpoint_store("row 1 is damaged")),
            _ => Ok(()),
        };
        async move { failed }
    });
    let engine = Engine::new(store);
    let journal = Journal::default();
    let orders = order(&journal, when_doing(&[("pack", Act::Fatal)]));
    let recovery = Recovery::new(&engine)
        .workflow(&orders)
        .workflow(&counts.import());
    assert_eq!(
        format!("{recovery:?}"),
        "Recovery { workflows: [\"import\", \"order\"], concurrency: 8, .. }"
    );
    let report = recovery.resume_all().await.expect("memory lists");
    expect![[r#"
        2 had ended
        c-stuck: stuck at Pack, left ["pack"]
        d-open: rolled back from Pack
        e-suspended: suspended: run "e-suspended" is suspended with sequence 2 in doubt: no route to the store
        f-damaged: checkpoint_store: checkpoint store: row 1 is damaged
        g-import: done at Copied
        h-newer: mismatch: run "h-newer" does not fit its workflow: the run has version 2, accepted are [1]
        i-unknown: unknown_workflow: run "i-unknown" belongs to workflow "audit", which was not given
        j-corrupt: corrupt_log: log of run "j-corrupt" is corrupt at sequence 0: the first row is not a claim
        k-alive: already_running: run "k-alive" is already running in this process
    "#]].assert_eq(&in_words(&report));
    let errors: Vec<&str> = report.errors().map(|(id, _)| &id[..1]).collect();
    assert_eq!(errors.concat(), "efhijk");
    assert_eq!(lengths(&rows, &left_alone).await, before);

    // Once more: nothing is left but what could not be helped.
    let again = recovery.resume_all().await.expect("memory lists");
    assert_eq!(again.ended, 4);
    assert_eq!(again.errors().count(), report.errors().count());
    assert_eq!(
        alive.await.expect("nobody disturbed it"),
        Outcome::Done(Import::Copied)
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_unfinished_is_told_without_claiming_it() {
    let (engine, rows) = in_memory();
    every_sort_of_run(&engine, &rows).await;
    let unfinished = engine.unfinished().await.expect("memory lists");
    let lines = unfinished.iter().map(|run| match &run.status {
        Ok(status) => format!(
            "{}: {} {:?}\n",
            run.workflow_id, status.workflow, status.phase
        ),
        Err(error) => format!("{}: {error}\n", run.workflow_id),
    });
    expect![[r#"
        c-stuck: order Stuck { tasks: ["pack"] }
        d-open: order Running { state: "Pack" }
        e-suspended: order Running { state: "Pack" }
        f-damaged: order Running { state: "Pack" }
        g-import: import Running { state: "Copy" }
        h-newer: import Running { state: "Copy" }
        i-unknown: audit Running { state: "Copy" }
        j-corrupt: log of run "j-corrupt" is corrupt at sequence 0: the first row is not a claim
    "#]]
    .assert_eq(&lines.collect::<String>());
    let open = engine.status("d-open").await.expect("it is there");
    assert_eq!((open.lives, open.rows), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_status_says_where_an_unfinished_run_stands() {
    let (engine, _) = in_memory();
    crashed(&engine, "import", 1, "import-1").await;
    let [run] = &engine.unfinished().await.expect("memory lists")[..] else {
        panic!("there is one run");
    };
    let status = run.status.as_ref().expect("it is whole");
    let state = "Copy".to_owned();
    assert_eq!(status.phase, StatusPhase::Running { state });
}

/// A store without a listing.
struct Unlisted(Arc<MemoryCheckpointStore>);

#[checkpoint_store]
impl CheckpointStore for Unlisted {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.0.append(workflow_id, row).await
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.0.load_run(workflow_id).await
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.0.clear(workflow_id).await
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_t_begin_is_refused_before_anything_is_done() {
    let (engine, rows) = in_memory();
    crashed(&engine, "import", 1, "import-1").await;
    let counts = Counts::default();
    let recovery = Recovery::new(&engine).workflow(&counts.import());
    let twice = recovery
        .clone()
        .workflow(&import("import", 2, |_| async {}));
    let error = twice.resume_all().await.expect_err("which of the two?");
    assert!(matches!(error, Error::DuplicateWorkflow { .. }));
    assert_eq!(error.to_string(), "two workflows have the name \"import\"");
    assert_eq!(counts.taken().len(), 0);
    assert_eq!(lengths(&rows, &["import-1"]).await, [1]);

    let engine = Engine::new(Unlisted(rows));
    let recovery = Recovery::new(&engine).workflow(&counts.import());
    let error = recovery.resume_all().await.expect_err("it can't list");
    assert!(matches!(error, Error::NoListing));
    let error = engine.unfinished().await.expect_err("it can't list");
    assert!(matches!(error, Error::NoListing));
}
