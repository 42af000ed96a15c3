//! Logs that do not fit: another definition, a corrupt row. Nothing is run and nothing claimed.

use std::sync::Arc;

use crashpoint::{
    CheckpointRow, CheckpointStore, CompensatableTask, Ctx, Engine, Error, LogFault,
    MemoryCheckpointStore, Mismatch, Outcome, RowKind, State, StepOutcome, SteppedTask, TaskError,
    TaskKind, Workflow,
};
use expect_test::{Expect, expect};

use crate::support::{
    Act, Journal, Order, Scripted, in_memory, order, order_with, rows_in_words, stalls, when_doing,
};

/// What a newer version of the program calls the same states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Renamed {
    #[state(rename = "charge", alias = "Charge")]
    Charge,
    #[state(rename = "pack", alias = "Pack")]
    Pack,
    #[state(rename = "ship", alias = "Ship")]
    Ship,
    #[state(rename = "shipped", alias = "Shipped")]
    Shipped,
}

/// States without `Pack`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Without {
    Charge,
    Ship,
    Shipped,
}

/// A task of any kind, for any states, that ends the run.
struct End<S>(S);

impl<S: State> CompensatableTask<S> for End<S> {
    type Output = String;

    async fn run(&self, _ctx: Ctx) -> Result<(S, String), TaskError> {
        Ok((self.0, String::new()))
    }

    async fn compensate(&self, _ctx: Ctx, _output: String) -> Result<(), TaskError> {
        Ok(())
    }
}

impl<S: State> SteppedTask<S> for End<S> {
    type Cursor = u64;

    async fn step(&self, _: Ctx, _: Option<u64>) -> Result<StepOutcome<u64, S>, TaskError> {
        Ok(StepOutcome::Done(self.0))
    }
}

/// A store in which `order-1` has charged and is open in `Pack`.
async fn open_in_pack() -> (Engine, Arc<MemoryCheckpointStore>) {
    let (engine, store) = in_memory();
    let workflow = order(&Journal::default(), when_doing(&[("pack", Act::Hang)]));
    let mut run = Box::pin(engine.run(&workflow, "order-1", Order::Charge, &()));
    stalls(&mut run).await;
    (engine, store)
}

async fn check_mismatch<S: State>(workflow: &Workflow<S>, expected: &Mismatch, message: &Expect) {
    let (engine, store) = open_in_pack().await;
    let log = rows_in_words(&store, "order-1").await;
    let error = engine.resume_from(workflow, "order-1").await;
    let error = error.expect_err("the log does not fit");
    message.assert_eq(&error.to_string());
    assert_eq!(error.category(), "mismatch");
    let Error::Mismatch { source, .. } = error else {
        panic!("{error} is a mismatch");
    };
    assert_eq!(&source, expected);
    assert_eq!(rows_in_words(&store, "order-1").await, log);
}

fn builder<S: State>(workflow: Result<Workflow<S>, crashpoint::BuildError>) -> Workflow<S> {
    workflow.expect("it is valid")
}

#[tokio::test(start_paused = true)]
async fn a_log_of_another_workflow_or_version_is_refused() {
    let tasks = Scripted::new(&Journal::default(), when_doing(&[]));
    let named = |name, version, accepts: &[u32]| {
        let ship = |_ctx: Ctx| async { Ok(Order::Shipped) };
        builder(
            Workflow::builder(name, version)
                .accepts(accepts.iter().copied())
                .compensatable(Order::Charge, "charge", tasks.clone())
                .compensatable(Order::Pack, "pack", tasks.clone())
                .task(Order::Ship, "ship", ship)
                .exit(Order::Shipped)
                .build(),
        )
    };
    check_mismatch(
        &named("refund", 1, &[]),
        &Mismatch::Workflow {
            expected: "refund".into(),
            found: "order".into(),
        },
        &expect![[r#"run "order-1" does not fit its workflow: the run belongs to workflow "order", not to "refund""#]],
    )
    .await;
    check_mismatch(
        &named("order", 4, &[3, 2]),
        &Mismatch::Version {
            accepted: vec![2, 3, 4],
            found: 1,
        },
        &expect![[r#"run "order-1" does not fit its workflow: the run has version 1, accepted are [2, 3, 4]"#]],
    )
    .await;

    let (engine, _) = open_in_pack().await;
    let newer = named("order", 2, &[1]);
    let resumed = engine.resume_from(&newer, "order-1").await;
    assert_eq!(
        resumed.expect("it accepts 1"),
        Outcome::Done(Order::Shipped)
    );
    let status = engine.status("order-1").await.expect("it has a log");
    assert_eq!(status.version, 2);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_names_what_the_definition_lacks_is_refused() {
    let without_pack = builder(
        Workflow::builder("order", 1)
            .compensatable(Without::Charge, "charge", End(Without::Ship))
            .compensatable(Without::Ship, "ship", End(Without::Shipped))
            .exit(Without::Shipped)
            .build(),
    );
    check_mismatch(
        &without_pack,
        &Mismatch::UnknownState {
            sequence: 1,
            label: "Pack".into(),
        },
        &expect![[
            r#"run "order-1" does not fit its workflow: sequence 1 names the unknown state "Pack""#
        ]],
    )
    .await;
    let with_another_charge = builder(
        Workflow::builder("order", 1)
            .compensatable(Order::Charge, "charge card", End(Order::Pack))
            .compensatable(Order::Pack, "pack", End(Order::Ship))
            .compensatable(Order::Ship, "ship", End(Order::Shipped))
            .exit(Order::Shipped)
            .build(),
    );
    check_mismatch(
        &with_another_charge,
        &Mismatch::UnknownTask {
            sequence: 1,
            task: "charge".into(),
        },
        &expect![[
            r#"run "order-1" does not fit its workflow: sequence 1 names the unknown task "charge""#
        ]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_log_whose_tasks_have_changed_their_kind_is_refused() {
    let plain = |ctx: Ctx| async move {
        Ok(if ctx.visit() == 0 {
            Order::Pack
        } else {
            Order::Ship
        })
    };
    let with_a_plain_charge = builder(
        Workflow::builder("order", 1)
            .task(Order::Charge, "charge", plain)
            .compensatable(Order::Pack, "pack", End(Order::Ship))
            .compensatable(Order::Ship, "ship", End(Order::Shipped))
            .exit(Order::Shipped)
            .build(),
    );
    check_mismatch(
        &with_a_plain_charge,
        &Mismatch::TaskKind {
            task: "charge".into(),
            needed: TaskKind::Compensatable,
            found: TaskKind::Plain,
        },
        &expect![[r#"run "order-1" does not fit its workflow: task "charge" is Plain, but its log needs Compensatable"#]],
    )
    .await;
    let with_pack_as_exit = builder(
        Workflow::builder("order", 1)
            .compensatable(Order::Charge, "charge", End(Order::Pack))
            .stepped(Order::Ship, "ship", End(Order::Shipped))
            .exit(Order::Pack)
            .exit(Order::Shipped)
            .build(),
    );
    check_mismatch(
        &with_pack_as_exit,
        &Mismatch::OpenAtExit {
            label: "Pack".into(),
        },
        &expect![[r#"run "order-1" does not fit its workflow: the run is open in "Pack", which is an exit"#]],
    )
    .await;
}

/// Charges, and leaves a number that JSON does not have.
struct NotANumber;

impl CompensatableTask<Order> for NotANumber {
    type Output = f64;

    async fn run(&self, _ctx: Ctx) -> Result<(Order, f64), TaskError> {
        Ok((Order::Pack, f64::NAN))
    }

    async fn compensate(&self, _ctx: Ctx, _output: f64) -> Result<(), TaskError> {
        Ok(())
    }
}

fn charged_by(charge: impl CompensatableTask<Order>) -> Workflow<Order> {
    builder(
        Workflow::builder("order", 1)
            .compensatable(Order::Charge, "charge", charge)
            .compensatable(Order::Pack, "pack", End(Order::Ship))
            .compensatable(Order::Ship, "ship", End(Order::Shipped))
            .exit(Order::Shipped)
            .build(),
    )
}

#[tokio::test(start_paused = true)]
async fn an_output_that_can_not_be_read_back_is_refused_before_any_claim() {
    let (engine, store) = open_in_pack().await;
    let log = rows_in_words(&store, "order-1").await;
    let error = engine.resume_from(&charged_by(NotANumber), "order-1").await;
    expect![[r#"run "order-1" does not fit its workflow: the output or cursor of task "charge" can't be read: invalid type: string "charge@0", expected f64 at line 1 column 10"#]].assert_eq(&error.expect_err("the output is a text").to_string());
    assert_eq!(rows_in_words(&store, "order-1").await, log);
}

#[tokio::test(start_paused = true)]
async fn an_output_that_would_not_come_back_fails_the_task_that_leaves_it() {
    let (engine, _) = in_memory();
    let outcome = engine.run(&charged_by(NotANumber), "order-1", Order::Charge, &());
    let Ok(Outcome::RolledBack(back)) = outcome.await else {
        panic!("a number that is none can't be kept");
    };
    expect!["failed: the output can't be serialized or read back: invalid type: null, expected f64 at line 1 column 4"].assert_eq(&back.cause.to_string());
}

#[tokio::test(start_paused = true)]
async fn a_row_of_another_states_task_is_refused() {
    let check = async |row: CheckpointRow, message: Expect| {
        let (engine, store) = open_in_pack().await;
        store.append("order-1", row).await.expect("memory appends");
        let journal = Journal::default();
        let workflow = order(&journal, when_doing(&[]));
        let error = engine.resume_from(&workflow, "order-1").await;
        message.assert_eq(&error.expect_err("the row is wrong").to_string());
        assert!(journal.take().is_empty());
        assert_eq!(store.load_run("order-1").await.expect("it loads").len(), 3);
    };
    let completed = CheckpointRow::new(2, "Ship", "ship").with_output(b"\"x\"".to_vec());
    check(completed, expect![[r#"run "order-1" does not fit its workflow: sequence 2 names task "ship", but state "Pack" has task "pack""#]]).await;
    check(CheckpointRow::new(2, "Shipped", "charge"), expect![[r#"run "order-1" does not fit its workflow: sequence 2 names task "charge", but state "Pack" has task "pack""#]]).await;
    let cause = vec![1, 0, 1, 0, 0, 0, 0];
    let start = CheckpointRow::new(2, "Pack", "ship").with_blob(RowKind::RollbackStart, cause);
    check(start, expect![[r#"run "order-1" does not fit its workflow: sequence 2 names task "ship", but state "Pack" has task "pack""#]]).await;
}

#[tokio::test(start_paused = true)]
async fn a_visit_with_cursors_needs_a_stepped_task() {
    let (engine, store) = open_in_pack().await;
    let cursor = CheckpointRow::new(2, "Pack", "pack").with_cursor(b"1".to_vec());
    store
        .append("order-1", cursor)
        .await
        .expect("memory appends");
    let workflow = order(&Journal::default(), when_doing(&[]));
    let error = engine.resume_from(&workflow, "order-1").await;
    expect![[r#"run "order-1" does not fit its workflow: task "pack" is Compensatable, but its log needs Stepped"#]].assert_eq(&error.expect_err("pack has no steps").to_string());
    assert_eq!(store.load_run("order-1").await.expect("it loads").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_alias_stands_for_the_label_of_older_logs() {
    let (engine, store) = open_in_pack().await;
    let renamed = builder(
        Workflow::builder("order", 1)
            .compensatable(Renamed::Charge, "charge", End(Renamed::Pack))
            .compensatable(Renamed::Pack, "pack", End(Renamed::Ship))
            .compensatable(Renamed::Ship, "ship", End(Renamed::Shipped))
            .exit(Renamed::Shipped)
            .build(),
    );
    let resumed = engine.resume_from(&renamed, "order-1").await;
    assert_eq!(resumed.expect("it ends"), Outcome::Done(Renamed::Shipped));
    expect![[r#"
        0 claim "Charge" ""
        1 compensation_completion "Pack" "charge"
        2 claim "Pack" ""
        3 compensation_completion "ship" "pack"
        4 compensation_completion "shipped" "ship"
    "#]]
    .assert_eq(&rows_in_words(&store, "order-1").await);
    let again = engine.resume_from(&renamed, "order-1").await;
    assert_eq!(again.expect("it ended"), Outcome::Done(Renamed::Shipped));
}

#[tokio::test(start_paused = true)]
async fn an_ending_in_an_older_label_is_told_in_the_new_one() {
    let (engine, _) = in_memory();
    let failing = order(&Journal::default(), when_doing(&[("pack", Act::Fatal)]));
    let run = engine.run(&failing, "order-1", Order::Charge, &()).await;
    assert!(matches!(run, Ok(Outcome::RolledBack(_))));
    let renamed = builder(
        Workflow::builder("order", 1)
            .compensatable(Renamed::Charge, "charge", End(Renamed::Pack))
            .compensatable(Renamed::Pack, "pack", End(Renamed::Ship))
            .compensatable(Renamed::Ship, "ship", End(Renamed::Shipped))
            .exit(Renamed::Shipped)
            .build(),
    );
    let again = engine.resume_from(&renamed, "order-1").await;
    assert!(matches!(again, Ok(Outcome::RolledBack(back)) if back.state == Renamed::Pack));
}

#[tokio::test(start_paused = true)]
async fn a_declared_edge_is_enforced() {
    let journal = Journal::default();
    let tasks = Scripted::new(
        &journal,
        when_doing(&[("charge", Act::GoTo(Order::Shipped))]),
    );
    let workflow = order_with(&tasks, |task| {
        task.to([Order::Pack, Order::Ship, Order::Shipped])
    });
    let free = in_memory()
        .0
        .run(&workflow, "order-1", Order::Charge, &())
        .await;
    assert_eq!(free.expect("it is an edge"), Outcome::Done(Order::Shipped));

    let workflow = Workflow::builder("order", 1)
        .compensatable(Order::Charge, "charge", tasks.clone())
        .to([Order::Pack])
        .compensatable(Order::Pack, "pack", tasks.clone())
        .to([Order::Ship])
        .compensatable(Order::Ship, "ship", tasks)
        .to([Order::Shipped])
        .exit(Order::Shipped)
        .build()
        .expect("it is valid");
    journal.take();
    let strict = in_memory()
        .0
        .run(&workflow, "order-1", Order::Charge, &())
        .await;
    let Ok(Outcome::RolledBack(back)) = strict else {
        panic!("{strict:?} is rolled back");
    };
    expect!["failed: charge went to Shipped, which is not among its edges"]
        .assert_eq(&back.cause.to_string());
    let noted = journal.take();
    assert_eq!(noted, ["do charge", "undo charge in doubt of visit 0"]);
}

async fn check_corrupt(change: impl Fn(&mut Vec<CheckpointRow>), sequence: u64, message: &Expect) {
    let (_, healthy) = open_in_pack().await;
    let mut rows = healthy.load_run("order-1").await.expect("memory loads");
    change(&mut rows);
    let (engine, store) = in_memory();
    for row in rows {
        store.append("order-1", row).await.expect("memory appends");
    }
    let log = rows_in_words(&store, "order-1").await;
    let journal = Journal::default();
    let workflow = order(&journal, when_doing(&[]));
    let mut errors = vec![
        engine
            .resume_from(&workflow, "order-1")
            .await
            .expect_err("corrupt"),
        engine
            .retry_stuck(&workflow, "order-1")
            .await
            .expect_err("corrupt"),
        engine.status("order-1").await.expect_err("corrupt"),
    ];
    // A new run claims without loading, so it is for the row at 0 to refuse it.
    if log.starts_with('0') {
        let run = engine.run_or_resume(&workflow, "order-1", Order::Charge, &());
        errors.push(run.await.expect_err("corrupt"));
    }
    message.assert_eq(&errors[0].to_string());
    for error in &errors {
        assert_eq!(error.to_string(), errors[0].to_string());
        assert_eq!(error.category(), "corrupt_log");
        assert!(matches!(error, Error::CorruptLog { sequence: at, .. } if *at == sequence));
    }
    assert_eq!(rows_in_words(&store, "order-1").await, log);
    assert_eq!(journal.take(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_corrupt_log_is_an_error_and_stays_as_it_is() {
    check_corrupt(
        |rows| _ = rows.remove(0),
        1,
        &expect![[r#"log of run "order-1" is corrupt at sequence 1: expected sequence 0"#]],
    )
    .await;
    check_corrupt(
        |rows| rows[1].sequence = 2,
        2,
        &expect![[r#"log of run "order-1" is corrupt at sequence 2: expected sequence 1"#]],
    )
    .await;
    check_corrupt(
        |rows| rows[1].kind = RowKind::BranchCompletion,
        1,
        &expect![[r#"log of run "order-1" is corrupt at sequence 1: row kind branch_completion is not known to this engine"#]],
    )
    .await;
    check_corrupt(
        |rows| rows[1].kind = RowKind::Compensated,
        1,
        &expect![[r#"log of run "order-1" is corrupt at sequence 1: a row of kind compensated has no state, found "Pack""#]],
    )
    .await;
    check_corrupt(
        |rows| rows[0].output_blob.as_mut().expect("a claim")[0] = 9,
        0,
        &expect![[r#"log of run "order-1" is corrupt at sequence 0: blob of a row of kind claim can't be read: it has version 9, expected 2"#]],
    )
    .await;
    // Once a panic: the label of no state at all.
    check_corrupt(|rows| rows[1].state.clear(), 1, &expect![[r#"log of run "order-1" is corrupt at sequence 1: a row of kind compensation_completion needs a state"#]]).await;
    check_corrupt(|rows| rows[1].task_id.clear(), 1, &expect![[r#"log of run "order-1" is corrupt at sequence 1: a row of kind compensation_completion needs a task"#]]).await;
}

#[test]
fn an_error_says_what_it_came_from() {
    let error = Error::CorruptLog {
        workflow_id: "order-1".to_owned(),
        sequence: 3,
        source: LogFault::Gap { expected: 2 },
    };
    let source = std::error::Error::source(&error).expect("there is a fault");
    assert_eq!(source.to_string(), "expected sequence 2");
}
