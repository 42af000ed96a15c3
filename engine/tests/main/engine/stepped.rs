//! Stepped tasks: a durable cursor after each step, within one visit.

use std::sync::Arc;

use crashpoint::{
    CheckpointStore, Ctx, Outcome, State, StepOutcome, SteppedTask, TaskError, Workflow,
};
use expect_test::expect;

use crate::support::{Journal, in_memory, rows_in_words, stalls};

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Import {
    Rows,
    Check,
    Finished,
}

/// Counts to three, and notes which cursor it was given; stops for good where it is told to.
struct CountToThree {
    journal: Journal,
    stop_at: Option<u64>,
}

impl SteppedTask<Import> for CountToThree {
    type Cursor = u64;

    async fn step(
        &self,
        ctx: Ctx,
        cursor: Option<u64>,
    ) -> Result<StepOutcome<u64, Import>, TaskError> {
        let visit = ctx.visit();
        assert_eq!(ctx.step(), cursor.unwrap_or(0));
        self.journal.note(format!("visit {visit} from {cursor:?}"));
        match cursor.unwrap_or(0) {
            at if self.stop_at == Some(at) => std::future::pending().await,
            3 => Ok(StepOutcome::Done(Import::Check)),
            at => Ok(StepOutcome::More(at + 1)),
        }
    }
}

/// Imports twice: the check of the first import sends the run back.
fn import(journal: &Journal, stop_at: Option<u64>) -> Workflow<Import> {
    let rows = CountToThree {
        journal: journal.clone(),
        stop_at,
    };
    let check = |ctx: Ctx| async move {
        let again = ctx.visit() < 6;
        Ok(if again {
            Import::Rows
        } else {
            Import::Finished
        })
    };
    Workflow::builder("import", 1)
        .stepped(Import::Rows, "rows", rows)
        .task(Import::Check, "check", check)
        .exit(Import::Finished)
        .build()
        .expect("it is valid")
}

#[tokio::test(start_paused = true)]
async fn a_second_visit_begins_without_a_cursor() {
    let journal = Journal::default();
    let (engine, store) = in_memory();
    let workflow = import(&journal, None);
    let outcome = engine.run(&workflow, "import-1", Import::Rows, &()).await;
    assert_eq!(outcome.expect("it runs"), Outcome::Done(Import::Finished));
    assert_eq!(
        journal.take(),
        [
            "visit 0 from None",
            "visit 0 from Some(1)",
            "visit 0 from Some(2)",
            "visit 0 from Some(3)",
            "visit 5 from None",
            "visit 5 from Some(1)",
            "visit 5 from Some(2)",
            "visit 5 from Some(3)",
        ]
    );
    expect![[r#"
        0 claim "Rows" ""
        1 step_cursor "Rows" "rows"
        2 step_cursor "Rows" "rows"
        3 step_cursor "Rows" "rows"
        4 state_entry "Check" "rows"
        5 state_entry "Rows" "check"
        6 step_cursor "Rows" "rows"
        7 step_cursor "Rows" "rows"
        8 step_cursor "Rows" "rows"
        9 state_entry "Check" "rows"
        10 state_entry "Finished" "check"
    "#]]
    .assert_eq(&rows_in_words(&store, "import-1").await);
}

#[tokio::test(start_paused = true)]
async fn a_resume_repeats_at_most_the_step_that_was_under_way() {
    for stop in 0..=3 {
        let journal = Journal::default();
        let (engine, store) = in_memory();
        let stopping = import(&journal, Some(stop));
        let mut run = Box::pin(engine.run(&stopping, "import-1", Import::Rows, &()));
        stalls(&mut run).await;
        drop(run);
        let before = store.load_run("import-1").await.expect("memory loads");
        assert_eq!(before.len() as u64, 1 + stop);
        let stopped_in = journal.take().pop();
        let resumed = engine
            .resume_from(&import(&journal, None), "import-1")
            .await;
        assert_eq!(resumed.expect("it ends"), Outcome::Done(Import::Finished));
        assert_eq!(
            journal.take().first(),
            stopped_in.as_ref(),
            "stopped at {stop}"
        );
    }
}

/// The same step, attempted by a life that no longer knows how its cursor is read, fails for good
/// and says so.
#[tokio::test(start_paused = true)]
async fn a_cursor_that_can_not_be_read_back_is_a_mismatch_and_claims_nothing() {
    struct Words;

    impl SteppedTask<Import> for Words {
        type Cursor = String;

        async fn step(
            &self,
            _ctx: Ctx,
            _cursor: Option<String>,
        ) -> Result<StepOutcome<String, Import>, TaskError> {
            Ok(StepOutcome::Done(Import::Check))
        }
    }

    let journal = Journal::default();
    let (engine, store) = in_memory();
    let stopping = import(&journal, Some(2));
    let mut run = Box::pin(engine.run(&stopping, "import-1", Import::Rows, &()));
    stalls(&mut run).await;
    drop(run);
    let check = |_ctx: Ctx| async { Ok(Import::Finished) };
    let changed = Workflow::builder("import", 1)
        .stepped(Import::Rows, "rows", Words)
        .task(Import::Check, "check", check)
        .exit(Import::Finished)
        .build()
        .expect("it is valid");
    let store: Arc<dyn CheckpointStore> = store;
    let engine = crashpoint::Engine::new(store);
    let rows = engine.status("import-1").await.expect("it is there").rows;
    let error = engine.resume_from(&changed, "import-1").await;
    let error = error.expect_err("the cursor is a number");
    expect![[r#"run "import-1" does not fit its workflow: the output or cursor of task "rows" can't be read: invalid type: integer `2`, expected a string at line 1 column 1"#]].assert_eq(&error.to_string());
    let after = engine.status("import-1").await.expect("it is there").rows;
    assert_eq!(after, rows);
}
