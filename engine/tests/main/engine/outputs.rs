//! Outputs of plain tasks, and routers: what their rows say, and what later tasks read.

use std::sync::Arc;

use crashpoint::{
    CheckpointStore, Ctx, Engine, MemoryCheckpointStore, Outcome, RowKind, RunData, State,
    TaskError, Workflow, WorkflowBuilder,
};
use expect_test::expect;

use crate::support::{Journal, in_memory, rows_in_words, stalls};

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Offer {
    Make,
    Decide,
    Sign,
    Signed,
    Refused,
}

const ID: &str = "offer-1";

/// Leaves how many offers were made.
async fn make(ctx: Ctx) -> Result<(Offer, u64), TaskError> {
    Ok((Offer::Decide, ctx.output::<u64>("make").unwrap_or(0) + 1))
}

/// Accepts the offer whose number is the input, at most the third.
fn decide(data: &RunData) -> Result<Offer, TaskError> {
    let (accepted, made): (u64, u64) = (data.input()?, data.output("make")?);
    Ok(match made {
        made if made == accepted => Offer::Sign,
        3 => Offer::Refused,
        _ => Offer::Make,
    })
}

fn negotiation(sign: impl crashpoint::Task<Offer>) -> WorkflowBuilder<Offer> {
    Workflow::builder("offer", 1)
        .task_with_output(Offer::Make, "make", make)
        .router(Offer::Decide, "decide", decide)
        .to([Offer::Make, Offer::Sign, Offer::Refused])
        .task(Offer::Sign, "sign", sign)
        .exit(Offer::Signed)
        .exit(Offer::Refused)
}

fn built<S: State>(builder: WorkflowBuilder<S>) -> Workflow<S> {
    builder.build().expect("it is valid")
}

/// A run that waits for ever in `Sign`, after the second offer; then it crashes.
async fn open_in_sign() -> (Engine, Arc<MemoryCheckpointStore>) {
    let (engine, store) = in_memory();
    let workflow = built(negotiation(|_| std::future::pending()));
    let mut run = Box::pin(engine.run(&workflow, ID, Offer::Make, &2));
    stalls(&mut run).await;
    (engine, store)
}

#[tokio::test(start_paused = true)]
async fn a_later_task_reads_the_newest_output_in_the_first_life_and_after_a_crash() {
    let journal = Journal::default();
    let noted = journal.clone();
    let sign = move |ctx: Ctx| {
        let journal = noted.clone();
        async move {
            journal.note(format!("sign offer {}", ctx.output::<u64>("make")?));
            Ok(Offer::Signed)
        }
    };
    let workflow = built(negotiation(sign));
    let (engine, store) = in_memory();
    let outcome = engine.run(&workflow, ID, Offer::Make, &2).await;
    assert_eq!(outcome.expect("it ends"), Outcome::Done(Offer::Signed));
    assert_eq!(journal.take(), ["sign offer 2"]);
    expect![[r#"
        0 claim "Make" ""
        1 task_output "Decide" "make"
        2 routed "Make" "decide"
        3 task_output "Decide" "make"
        4 routed "Sign" "decide"
        5 state_entry "Signed" "sign"
    "#]]
    .assert_eq(&rows_in_words(&store, ID).await);
    let rows = store.load_run(ID).await.expect("memory loads");
    let blobs = rows.iter().filter(|row| row.kind == RowKind::TaskOutput);
    let blobs: Vec<_> = blobs.map(|row| row.output_blob.as_deref()).collect();
    assert_eq!(blobs, [Some(b"1".as_slice()), Some(b"2")]);

    let (engine, _) = open_in_sign().await;
    let outcome = engine.resume_from(&workflow, ID).await;
    assert_eq!(outcome.expect("it ends"), Outcome::Done(Offer::Signed));
    assert_eq!(journal.take(), ["sign offer 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_router_that_fails_or_panics_rolls_the_run_back_as_any_task() {
    type Route = fn(&RunData) -> Result<Offer, TaskError>;

    let routes: [(Route, &str); 4] = [
        (|_| Err(TaskError::fatal("no rule")), "failed: no rule"),
        (|_| panic!("a bug"), "failed: panicked: a bug"),
        (
            |_| Ok(Offer::Refused),
            "failed: decide went to Refused, which is not among its edges",
        ),
        (
            |data| data.output("nobody").map(|(): ()| Offer::Sign),
            "failed: no task \"nobody\" has left an output",
        ),
    ];
    for (route, expected) in routes {
        let workflow = Workflow::builder("offer", 1)
            .router(Offer::Decide, "decide", route)
            .to([Offer::Make])
            .task_with_output(Offer::Make, "make", make)
            .task(Offer::Sign, "sign", async |_| Ok(Offer::Signed))
            .exit(Offer::Signed)
            .exit(Offer::Refused);
        let (engine, _) = in_memory();
        let outcome = engine.run(&built(workflow), ID, Offer::Decide, &2).await;
        let Ok(Outcome::RolledBack(back)) = outcome else {
            panic!("{outcome:?} is no rollback");
        };
        assert_eq!(back.cause.to_string(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn an_output_whose_type_has_changed_is_refused_before_any_claim() {
    let (engine, store) = open_in_sign().await;
    let log = rows_in_words(&store, ID).await;
    let texts = async |_: Ctx| Ok((Offer::Decide, "2".to_owned()));
    let newer = built(
        Workflow::builder("offer", 1)
            .task_with_output(Offer::Make, "make", texts)
            .router(Offer::Decide, "decide", decide)
            .task(Offer::Sign, "sign", async |_| Ok(Offer::Signed))
            .exit(Offer::Signed)
            .exit(Offer::Refused),
    );
    let refused = engine.resume_from(&newer, ID).await;
    expect![[r#"run "offer-1" does not fit its workflow: the output or cursor of task "make" can't be read: invalid type: integer `2`, expected a string at line 1 column 1"#]].assert_eq(&refused.expect_err("2 is no text").to_string());
    assert_eq!(rows_in_words(&store, ID).await, log);
}

#[tokio::test(start_paused = true)]
async fn a_release_whose_task_leaves_no_output_any_more_resumes_the_run() {
    let (engine, _) = open_in_sign().await;
    let newer = built(
        Workflow::builder("offer", 1)
            .task(Offer::Make, "make", async |_| Ok(Offer::Decide))
            .task(Offer::Decide, "decide", async |_| Ok(Offer::Sign))
            .task(Offer::Sign, "sign", async |ctx: Ctx| {
                // It is in the log, and whoever asks can read it.
                assert_eq!(ctx.output::<u64>("make")?, 2);
                Ok(Offer::Signed)
            })
            .exit(Offer::Signed)
            .exit(Offer::Refused),
    );
    let outcome = engine.resume_from(&newer, ID).await;
    assert_eq!(outcome.expect("it ends"), Outcome::Done(Offer::Signed));
}

#[tokio::test(start_paused = true)]
async fn an_output_that_would_not_come_back_fails_the_plain_task_that_leaves_it() {
    let workflow = built(
        Workflow::builder("offer", 1)
            .task_with_output(Offer::Make, "make", async |_| Ok((Offer::Sign, f64::NAN)))
            .router(Offer::Decide, "decide", decide)
            .task(Offer::Sign, "sign", async |_| Ok(Offer::Signed))
            .exit(Offer::Signed)
            .exit(Offer::Refused),
    );
    let (engine, store) = in_memory();
    let outcome = engine.run(&workflow, ID, Offer::Make, &2).await;
    let Ok(Outcome::RolledBack(back)) = outcome else {
        panic!("{outcome:?} is no rollback");
    };
    expect!["failed: the output can't be serialized or read back: invalid type: null, expected f64 at line 1 column 4"].assert_eq(&back.cause.to_string());
    assert_eq!(rows_in_words(&store, ID).await.lines().count(), 3);
}

/// What a task left while nothing could undo it must not hide what it left later.
#[tokio::test(start_paused = true)]
async fn the_newest_output_is_read_although_the_task_has_become_compensatable() {
    struct Make;

    impl crashpoint::CompensatableTask<Offer> for Make {
        type Output = u64;

        async fn run(&self, ctx: Ctx) -> Result<(Offer, u64), TaskError> {
            Ok((Offer::Decide, ctx.output::<u64>("make")? + 1))
        }

        async fn compensate(&self, _: Ctx, _: u64) -> Result<(), TaskError> {
            Ok(())
        }
    }

    let (engine, store) = in_memory();
    let waits = built(
        Workflow::builder("offer", 1)
            .task_with_output(Offer::Make, "make", make)
            .task(Offer::Decide, "decide", |_| std::future::pending())
            .task(Offer::Sign, "sign", async |_| Ok(Offer::Signed))
            .exit(Offer::Signed)
            .exit(Offer::Refused),
    );
    let mut run = Box::pin(engine.run(&waits, ID, Offer::Make, &2));
    stalls(&mut run).await;
    drop(run);
    let newer = built(
        Workflow::builder("offer", 1)
            .compensatable(Offer::Make, "make", Make)
            .router(Offer::Decide, "decide", decide)
            .task(Offer::Sign, "sign", async |_| Ok(Offer::Signed))
            .exit(Offer::Signed)
            .exit(Offer::Refused),
    );
    let outcome = engine.resume_from(&newer, ID).await;
    assert_eq!(outcome.expect("it ends"), Outcome::Done(Offer::Signed));
    expect![[r#"
        0 claim "Make" ""
        1 task_output "Decide" "make"
        2 claim "Decide" ""
        3 routed "Make" "decide"
        4 compensation_completion "Decide" "make"
        5 routed "Sign" "decide"
        6 state_entry "Signed" "sign"
    "#]]
    .assert_eq(&rows_in_words(&store, ID).await);
}
