//! Tasks that cannot be simulated, never end, or lack an undo: the test fails, names the task, and
//! says what to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crashpoint::{CompensatableTask, Ctx, TaskError, Workflow};
use crashpoint_simulator::{CrashTest, Process, crash_test};
use expect_test::expect;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Mail, Order, failure, first_line, mail_workflow, order_workflow};

/// A crash test of a workflow with one task.
fn mail<F>(send: impl Fn(Process, Ctx) -> F + Clone + Send + Sync + 'static) -> CrashTest<Mail>
where
    F: Future<Output = Result<Mail, TaskError>> + Send + 'static,
{
    crash_test(Mail::Send, &(), move |process| {
        let (process, send) = (process.clone(), send.clone());
        mail_workflow(move |ctx| send(process.clone(), ctx))
    })
}

/// A task that needs tokio's runtime panics in a simulation. Its run then rolled back in every
/// schedule, and the test passed without ever running the task.
#[test]
fn a_task_that_calls_tokio_fails_the_test_with_what_to_do_instead() {
    async fn sleeps() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    async fn is_limited() {
        _ = tokio::time::timeout(Duration::from_secs(1), std::future::pending::<()>()).await;
    }
    async fn spawns() {
        _ = tokio::spawn(async {}).await;
    }
    let tasks: [fn() -> BoxFuture<'static, ()>; 3] = [
        || sleeps().boxed(),
        || is_limited().boxed(),
        || spawns().boxed(),
    ];
    for task in tasks {
        let calls = || {
            mail(move |_, _| async move {
                task().await;
                Ok(Mail::Sent)
            })
        };
        let failed = failure(|| calls().run());
        let expected = "no-panics: life 1 panicked in send: there is no reactor running";
        assert!(failed.starts_with(expected), "{failed}");
        let mut lines = failed.lines();
        let advice = lines.find(|line| line.starts_with("what to change: "));
        let advice = advice.expect("the first screen says what to change");
        assert!(advice.contains("CrashTest::tokio"), "{advice}");
    }
}

#[test]
fn a_task_that_reads_undrawn_input_is_distinguished_from_a_broken_promise() {
    let calls = Arc::new(AtomicU64::new(0));
    let counts = mail(move |process, ctx| {
        let call = calls.fetch_add(1, Ordering::Relaxed).to_string();
        async move {
            process.effect(&ctx, "send the mail", &call).await;
            Ok(Mail::Sent)
        }
    });
    let failure = failure(|| counts.run());
    for part in [
        "the workflow is not deterministic: ",
        "schedule\n  no fault\nevent ",
        "  first  0006 life=1 effect name=\"send the mail\" payload=\"0\"",
        "  then   0006 life=1 effect name=\"send the mail\" payload=\"1\"",
        "HashMap",
    ] {
        assert!(failure.contains(part), "{part:?} is missing in:\n{failure}");
    }
}

/// Each of these ran for ever, until the memory was full, or failed without naming a task.
#[test]
fn a_task_that_never_ends_is_named() {
    let waits = mail(|_, _| std::future::pending());
    expect!["no-hangs: a life waits for ever in send: nothing in the simulation can wake it, and a simulation does not wait for anything outside, such as a thread"].assert_eq(&first_line(|| waits.run()));
    let asks = mail(|process, ctx| async move {
        loop {
            process.effect(&ctx, "ask whether it was sent", "").await;
        }
    });
    let failure = failure(|| asks.run());
    expect!["no-hangs: life 1 never ended in send: it was stopped"]
        .assert_eq(failure.lines().next().unwrap_or_default());
    let lines = failure.lines().count();
    assert!(
        lines < 600 && failure.contains(" lines more ...\n"),
        "{lines} lines"
    );
    let sleeps = mail(|_, ctx| async move {
        loop {
            ctx.sleep(Duration::from_secs(1)).await;
        }
    });
    expect!["no-hangs: life 1 never ended in send: it waited 1000 times, the last time for 1s, and was stopped"]
        .assert_eq(&first_line(|| sleeps.run()));
}

/// A task that needs something missing panics, and its run rolls back: such a test passed.
#[test]
fn a_task_that_panics_without_a_fault_fails_the_test_unless_it_may() {
    let panics = || mail(|_, _| async { panic!("no reactor is running") });
    expect!["no-panics: life 1 panicked in send: no reactor is running"]
        .assert_eq(&first_line(|| panics().run()));
    panics().tasks_may_panic().may_never_be_done().run();
}

/// A crash test of a workflow with one compensatable task.
pub(super) fn undoable<T: CompensatableTask<Mail>>(
    task: impl Fn(Process) -> T + Send + Sync + 'static,
) -> CrashTest<Mail> {
    crash_test(Mail::Send, &(), move |process| {
        Workflow::builder("mail", 1)
            .compensatable(Mail::Send, "send", task(process.clone()))
            .exit(Mail::Sent)
            .build()
            .expect("the workflow is well defined")
    })
}

/// Sends, and takes back what it knows to be sent.
struct Letter(Process);

impl CompensatableTask<Mail> for Letter {
    type Output = ();

    async fn run(&self, ctx: Ctx) -> Result<(Mail, ()), TaskError> {
        self.0.effect(&ctx, "send the mail", "").await;
        Ok((Mail::Sent, ()))
    }

    async fn compensate(&self, ctx: Ctx, (): ()) -> Result<(), TaskError> {
        self.0.effect(&ctx, "take it back", "").await;
        Ok(())
    }
}

#[test]
fn a_task_without_an_undo_in_doubt_is_named_with_advice() {
    let test = undoable(Letter);
    expect!["all-or-nothing: rolled back, but the receiver that honours keys still holds send (visit 0); whether send was done was in doubt, and its compensate_in_doubt left it"].assert_eq(&first_line(|| test.run()));
}

/// A panic that only a fault causes was treated as an ordinary task failure.
#[test]
fn a_task_that_panics_in_its_second_life_fails_the_test() {
    let forgets = || {
        mail(|process, ctx| async move {
            process.effect(&ctx, "send the mail", "").await;
            assert_eq!(process.life(), 1, "the address was in memory");
            Ok(Mail::Sent)
        })
    };
    let failed = failure(|| forgets().run());
    let expected = "no-panics: life 3 panicked in send: assertion `left == right` failed: \
                    the address was in memory";
    assert!(failed.starts_with(expected), "{failed}");
    assert!(failed.contains("the process crashes"), "{failed}");
    let may = forgets().tasks_may_panic();
    may.crashes_may_change_the_ending().run();
}

/// A charge whose undo is not written yet.
struct Charge;

impl CompensatableTask<Order> for Charge {
    type Output = ();

    async fn run(&self, _: Ctx) -> Result<(Order, ()), TaskError> {
        Ok((Order::Pack, ()))
    }

    async fn compensate(&self, _: Ctx, (): ()) -> Result<(), TaskError> {
        panic!("not yet implemented: refund the card")
    }

    async fn compensate_in_doubt(&self, _: Ctx) -> Result<(), TaskError> {
        panic!("not yet implemented: refund whatever was charged")
    }
}

#[test]
fn an_undo_that_panics_is_named() {
    let order = crash_test(Order::Charge, &(), |_| {
        let pack = |_: Ctx| async { Err::<Order, _>(TaskError::fatal("nothing is left of it")) };
        order_workflow(Charge, pack)
    });
    expect![
        "no-panics: life 1 panicked in the undo of charge: not yet implemented: refund the card"
    ]
    .assert_eq(&first_line(|| order.run()));
}

/// The name of a task must not depend on the life: the log of the first life names another task.
#[test]
fn a_workflow_that_differs_from_life_to_life_is_told_to_stay_the_same() {
    let order = |name: fn(&Process) -> String| {
        crash_test(Order::Charge, &(), move |process| {
            Workflow::builder("order", 1)
                .task(Order::Charge, &name(process), async |_: Ctx| {
                    Ok(Order::Pack)
                })
                .task(Order::Pack, "pack", async |_: Ctx| Ok(Order::Shipped))
                .exit(Order::Shipped)
                .build()
                .expect("the workflow is well defined")
        })
    };
    let differs = order(|process| format!("charge {}", process.life()));
    let failed = failure(|| differs.run());
    let head = failed.split("\n\n").next().unwrap_or_default();
    let lines: Vec<&str> = head.lines().take(4).collect();
    expect![[r#"
        prefixes-resume: life 2: the log does not fit the workflow: sequence 1 names the unknown task "charge 1"
        the promise: every prefix of a log can be resumed
        the window: in every schedule; nothing has to go wrong
        what to change: create the same workflow in every life: states, tasks and types that depend on the life, the clock or the world make it refuse its own log; upgrade_test is for a new release"#]].assert_eq(&lines.join("\n"));
    order(|_| "charge".to_owned()).run();
}
