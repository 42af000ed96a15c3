//! What becomes of the log of an ended run, and which lives may share an id.

use std::sync::Arc;
use std::time::Duration;

use crashpoint::{
    CheckpointRow, CheckpointStore, Engine, Error, ListRuns, MemoryCheckpointStore, Outcome,
    PurgeReport, Recovery, Retention, ScopeId, StoreError, StoreErrorKind, checkpoint_store,
};

use crate::support::{
    Act, Fault, Faulty, Journal, Order, in_memory, order, rows_in_words, stalls, when_doing,
};

/// A store in memory that can't read some runs and can't clear others.
struct Sick(Arc<MemoryCheckpointStore>);

#[checkpoint_store]
impl CheckpointStore for Sick {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.0.append(workflow_id, row).await
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        match workflow_id {
            "b-damaged" => Err(StoreError::new(StoreErrorKind::Damaged, "bad checksum").into()),
            "c-unreadable" => Err(Error::unavailable("no route to the store")),
            _ => self.0.load_run(workflow_id).await,
        }
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        match workflow_id {
            "d-uncleared" => Err(Error::unknown_outcome("the connection was cut")),
            _ => self.0.clear(workflow_id).await,
        }
    }

    fn as_listing(&self) -> Option<&dyn ListRuns> {
        self.0.as_listing()
    }
}

/// The first row that could not be read ended each purge, so the logs behind it were kept forever.
#[tokio::test(start_paused = true)]
async fn a_purge_goes_on_after_a_damaged_row_and_reports_it() {
    let (healthy, rows) = in_memory();
    let workflow = order(&Journal::default(), when_doing(&[]));
    for id in [
        "a-done",
        "b-damaged",
        "c-unreadable",
        "d-uncleared",
        "e-done",
    ] {
        let run = healthy.run(&workflow, id, Order::Ship, &());
        run.await.expect("it ends");
    }
    let report = Engine::new(Sick(Arc::clone(&rows))).purge(u64::MAX).await;
    let report = report.expect("the listing works");
    let failed = [
        (
            "c-unreadable",
            StoreErrorKind::Unavailable,
            "no route to the store",
        ),
        (
            "d-uncleared",
            StoreErrorKind::UnknownOutcome,
            "the connection was cut",
        ),
    ];
    let failed = failed.map(|(id, kind, message)| (id.to_owned(), StoreError::new(kind, message)));
    let expected = PurgeReport {
        purged: 2,
        kept: 0,
        corrupt: vec!["b-damaged".to_owned()],
        failed: failed.into(),
    };
    assert_eq!(report, expected);
    let left = rows.as_listing().expect("memory lists").run_ids(None, 9);
    assert_eq!(
        left.await.expect("it lists"),
        ["b-damaged", "c-unreadable", "d-uncleared"]
    );
}

/// A store of several processes, in which another one purges and begins a run again between the load and the
/// clear of this process.
struct BegunAgain {
    rows: Arc<MemoryCheckpointStore>,
    /// Whether its conditional clear is that of the contract's default.
    clears_blindly: bool,
}

impl BegunAgain {
    async fn begin_again(&self, workflow_id: &str) {
        self.rows.clear(workflow_id).await.expect("memory clears");
        let other = Engine::new(Arc::clone(&self.rows));
        let workflow = order(&Journal::default(), when_doing(&[("ship", Act::Hang)]));
        let mut run = Box::pin(other.run(&workflow, workflow_id, Order::Ship, &()));
        stalls(&mut run).await;
    }
}

#[checkpoint_store]
impl CheckpointStore for BegunAgain {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.rows.append(workflow_id, row).await
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.rows.load_run(workflow_id).await
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.begin_again(workflow_id).await;
        self.rows.clear(workflow_id).await
    }

    async fn clear_if_begun_with(
        &self,
        workflow_id: &str,
        first: &CheckpointRow,
    ) -> Result<bool, Error> {
        if self.clears_blindly {
            return self.clear(workflow_id).await.map(|()| true);
        }
        self.begin_again(workflow_id).await;
        self.rows.clear_if_begun_with(workflow_id, first).await
    }

    fn as_listing(&self) -> Option<&dyn ListRuns> {
        self.rows.as_listing()
    }
}

/// Of two purges in two processes, the slower cleared a run that a third had begun again.
#[tokio::test(start_paused = true)]
async fn a_purge_keeps_a_run_that_was_begun_again_if_the_store_clears_on_a_condition() {
    for clears_blindly in [false, true] {
        let (healthy, rows) = in_memory();
        let workflow = order(&Journal::default(), when_doing(&[]));
        let run = healthy.run(&workflow, "order-1", Order::Ship, &());
        run.await.expect("it ends");
        let store = BegunAgain {
            rows: Arc::clone(&rows),
            clears_blindly,
        };
        let report = Engine::new(store).purge(u64::MAX).await;
        let report = report.expect("the listing works");
        let kept = u64::from(!clears_blindly);
        assert_eq!((report.kept, report.purged), (kept, 1 - kept));
        let left = rows.load_run("order-1").await.expect("memory loads");
        assert_eq!(left.is_empty(), clears_blindly);
    }
}

/// A store that declares whatever scope it is told to.
struct Declaring {
    rows: MemoryCheckpointStore,
    scope: fn() -> Option<ScopeId>,
}

#[checkpoint_store]
impl CheckpointStore for Declaring {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.rows.append(workflow_id, row).await
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.rows.load_run(workflow_id).await
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.rows.clear(workflow_id).await
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        (self.scope)()
    }
}

fn declaring(scope: fn() -> Option<ScopeId>) -> Engine {
    let rows = MemoryCheckpointStore::new();
    Engine::new(Declaring { rows, scope })
}

#[test]
fn a_scope_that_is_another_one_each_time_is_none() {
    let error = declaring(|| Some(ScopeId::new())).with_retention(Retention::ClearWhenDone);
    assert!(matches!(error, Err(Error::NotExclusive)));
}

fn clearing(engine: &Engine) -> Engine {
    let engine = engine.clone().with_retention(Retention::ClearWhenDone);
    engine.expect("memory is held exclusively")
}

#[tokio::test]
async fn clearing_needs_a_store_that_is_held_exclusively() {
    let engine = declaring(|| None);
    let error = engine.clone().with_retention(Retention::ClearWhenDone);
    let error = error.expect_err("the store is shared");
    assert!(matches!(error, Error::NotExclusive));
    assert_eq!(
        error.to_string(),
        "logs can be cleared only in a store that declares an exclusive scope"
    );
    assert!(engine.clone().with_retention(Retention::Keep).is_ok());
    let error = engine.purge(u64::MAX).await.expect_err("it can't list");
    assert!(matches!(error, Error::NoListing));
    assert_eq!(error.to_string(), "the store can't list its runs");
}

#[tokio::test(start_paused = true)]
async fn the_log_of_an_ended_run_is_cleared_and_the_id_is_free() {
    let journal = Journal::default();
    let (engine, store) = in_memory();
    let engine = clearing(&engine);
    for script in [when_doing(&[]), when_doing(&[("pack", Act::Fatal)])] {
        let workflow = order(&journal, script);
        let outcome = engine.run(&workflow, "order-1", Order::Charge, &()).await;
        assert!(outcome.is_ok());
        assert_eq!(rows_in_words(&store, "order-1").await, "");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clear_that_failed_changes_no_outcome_and_is_made_up_for() {
    let journal = Journal::default();
    let (_, inner) = in_memory();
    let store = Faulty::new(&inner, |call, nth| {
        ((call, nth) == ("clear", 0)).then_some(Fault::Lost)
    });
    let engine = clearing(&Engine::new(store));
    let workflow = order(&journal, when_doing(&[]));
    let outcome = engine.run(&workflow, "order-1", Order::Charge, &()).await;
    assert_eq!(outcome.expect("it ran"), Outcome::Done(Order::Shipped));
    assert_eq!(rows_in_words(&inner, "order-1").await.lines().count(), 4);
    let again = engine.resume_from(&workflow, "order-1").await;
    assert_eq!(again.expect("it ended"), Outcome::Done(Order::Shipped));
    assert_eq!(rows_in_words(&inner, "order-1").await, "");
    assert_eq!(journal.take().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_life_that_clears_shares_its_id_with_no_other() {
    let journal = Journal::default();
    let (keeping, store) = in_memory();
    let clearing = clearing(&keeping);
    let workflow = order(&journal, when_doing(&[("charge", Act::Hang)]));

    let mut first = Box::pin(clearing.run(&workflow, "order-1", Order::Charge, &()));
    stalls(&mut first).await;
    for engine in [&clearing, &keeping] {
        let error = engine.resume_from(&workflow, "order-1").await;
        let error = error.expect_err("a life is under way");
        assert!(matches!(error, Error::AlreadyRunning { .. }));
        assert_eq!(
            error.to_string(),
            "run \"order-1\" is already running in this process"
        );
    }
    let other_id = clearing.run(&workflow, "order-2", Order::Ship, &()).await;
    assert!(other_id.is_ok(), "another id is free");
    drop(first);

    let mut second = Box::pin(keeping.resume_from(&workflow, "order-1"));
    stalls(&mut second).await;
    let error = clearing.resume_from(&workflow, "order-1").await;
    assert!(matches!(error, Err(Error::AlreadyRunning { .. })));
    let mut third = Box::pin(keeping.resume_from(&workflow, "order-1"));
    stalls(&mut third).await;
    drop(second);
    let error = clearing.resume_from(&workflow, "order-1").await;
    assert!(matches!(error, Err(Error::AlreadyRunning { .. })));
    drop(third);
    let mut last = Box::pin(clearing.resume_from(&workflow, "order-1"));
    stalls(&mut last).await;
    assert_eq!(rows_in_words(&store, "order-1").await.lines().count(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_purge_clears_old_endings_and_nothing_else() {
    let journal = Journal::default();
    let (engine, store) = in_memory();
    let done = order(&journal, when_doing(&[]));
    let failing = order(&journal, when_doing(&[("pack", Act::Fatal)]));
    let stuck = order(&journal, |ctx| match ctx.task() {
        "pack" => Act::Fatal,
        _ => Act::Succeed,
    });
    let hanging = order(&journal, when_doing(&[("pack", Act::Hang)]));
    engine
        .run(&done, "a-done", Order::Charge, &())
        .await
        .expect("it ends");
    engine
        .run(&failing, "b-rolled-back", Order::Charge, &())
        .await
        .expect("it ends");
    engine
        .run(&stuck, "c-stuck", Order::Charge, &())
        .await
        .expect("it ends");
    let mut open = Box::pin(engine.run(&hanging, "d-open", Order::Charge, &()));
    stalls(&mut open).await;
    drop(open);
    let corrupt = CheckpointRow::new(0, "Start", "fetch");
    store
        .append("e-corrupt", corrupt)
        .await
        .expect("memory appends");

    let young = engine.purge(0).await.expect("memory lists");
    assert_eq!((young.purged, young.kept), (0, 4));
    let report = engine.purge(u64::MAX).await.expect("memory lists");
    assert_eq!((report.purged, report.kept), (2, 2));
    assert_eq!(report.corrupt, ["e-corrupt"]);
    for (id, rows) in [
        ("a-done", 0),
        ("b-rolled-back", 0),
        ("d-open", 2),
        ("e-corrupt", 1),
    ] {
        let log = store.load_run(id).await.expect("memory loads");
        assert_eq!(log.len(), rows, "{id}");
    }
}

/// A purge held the place of each run that it read, so a recovery beside it in the same process left an
/// unfinished run as `AlreadyRunning` although it had no life.
#[tokio::test(start_paused = true)]
async fn a_purge_that_reads_an_unfinished_run_keeps_no_recovery_away() {
    let journal = Journal::default();
    let (engine, store) = in_memory();
    let hanging = order(&journal, when_doing(&[("pack", Act::Hang)]));
    let mut open = Box::pin(engine.run(&hanging, "order-1", Order::Charge, &()));
    stalls(&mut open).await;
    drop(open);
    // Both engines know the same lives: those of the store.
    let slow = Faulty::new(&store, |call, _| (call == "load").then_some(Fault::Hang));
    let slow = Engine::new(slow);
    let mut purge = Box::pin(slow.purge(u64::MAX));
    stalls(&mut purge).await;
    let workflow = order(&journal, when_doing(&[]));
    let recovery = Recovery::new(&engine).workflow(&workflow);
    let report = recovery.resume_all().await.expect("memory lists");
    let outcome = report.runs["order-1"].as_ref().expect("it is resumed");
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_purge_keeps_the_log_of_a_life_under_way_and_goes_through_all_pages() {
    let journal = Journal::default();
    let (engine, store) = in_memory();
    let workflow = order(
        &journal,
        when_doing(&[("charge", Act::Sleep(Duration::ZERO))]),
    );
    for number in 0..600 {
        let id = format!("order-{number:03}");
        let run = engine.run(&workflow, &id, Order::Ship, &());
        run.await.expect("it ends");
    }
    // A life that has ended by its log, and is about to clear it.
    let hanging = Faulty::new(&store, |call, _| (call == "clear").then_some(Fault::Hang));
    let clearing = clearing(&Engine::new(hanging));
    let mut last = Box::pin(clearing.resume_from(&workflow, "order-300"));
    stalls(&mut last).await;
    let report = engine.purge(u64::MAX).await.expect("memory lists");
    assert_eq!((report.purged, report.kept), (599, 1));
    let listing = Arc::clone(&store);
    let listing = listing.as_listing().expect("memory lists");
    assert_eq!(
        listing.run_ids(None, 9).await.expect("it lists"),
        ["order-300"]
    );
}
