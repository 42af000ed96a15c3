//! Timers: never early, and the original deadline in every life, whatever the clock does.

use std::sync::Arc;
use std::time::Duration;

use crashpoint::{
    CancelToken, Ctx, Engine, Error, MemoryCheckpointStore, Mismatch, Outcome, RunData,
    Runtime as _, State, StatusPhase, TaskError, TaskKind, Timer, Wake, Workflow,
};
use expect_test::expect;
use tokio::time::advance;

use crate::support::{Clock, in_memory, rows_in_words, stalls};

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Reminder {
    Remind,
    Wait,
    Call,
    Called,
}

const ID: &str = "reminder-1";
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const WAIT: Duration = Duration::from_secs(90 * 60);

fn workflow(timer: Timer) -> Workflow<Reminder> {
    Workflow::builder("reminder", 1)
        .task(Reminder::Remind, "remind", async |_| Ok(Reminder::Wait))
        .timer(Reminder::Wait, "wait", timer, Reminder::Call)
        .task(Reminder::Call, "call", async |_| Ok(Reminder::Called))
        .exit(Reminder::Called)
        .build()
        .expect("it is valid")
}

/// An engine, its store, and its clock.
fn timed() -> (Engine, Arc<MemoryCheckpointStore>, Clock) {
    let (engine, store) = in_memory();
    let clock = Clock::new();
    (engine.with_runtime(clock.clone()), store, clock)
}

fn assert_called(outcome: Result<Outcome<Reminder>, Error>) {
    assert_eq!(outcome.expect("it ends"), Outcome::Done(Reminder::Called));
}

#[tokio::test(start_paused = true)]
async fn a_timer_ends_at_its_deadline_and_leaves_two_rows() {
    let (engine, store, clock) = timed();
    assert_called(
        engine
            .run(&workflow(Timer::after(WAIT)), ID, Reminder::Remind, &())
            .await,
    );
    assert_eq!(clock.elapsed(), WAIT);
    expect![[r#"
        0 claim "Remind" ""
        1 state_entry "Wait" "remind"
        2 timer_start "Wait" "wait"
        3 state_entry "Call" "wait"
        4 state_entry "Called" "call"
    "#]]
    .assert_eq(&rows_in_words(&store, ID).await);
}

#[tokio::test(start_paused = true)]
async fn a_resumed_life_waits_for_the_deadline_of_the_first() {
    for (crash_after, down_for, ends_after) in [
        (Duration::ZERO, Duration::ZERO, WAIT),
        (HOUR, Duration::ZERO, WAIT),
        (HOUR, 20 * MINUTE, WAIT),
        (HOUR, HOUR, 2 * HOUR),
    ] {
        let (engine, _, clock) = timed();
        let workflow = workflow(Timer::after(WAIT));
        let mut run = Box::pin(engine.run(&workflow, ID, Reminder::Remind, &()));
        stalls(&mut run).await;
        advance(crash_after).await;
        stalls(&mut run).await;
        drop(run);
        advance(down_for).await;
        assert_called(engine.resume_from(&workflow, ID).await);
        assert_eq!(clock.elapsed(), ends_after);
    }
}

#[tokio::test(start_paused = true)]
async fn a_timer_is_not_early_although_the_clock_was_set_back_while_it_waited() {
    let (engine, _, clock) = timed();
    let workflow = workflow(Timer::after(WAIT));
    let mut run = Box::pin(engine.run(&workflow, ID, Reminder::Remind, &()));
    stalls(&mut run).await;
    clock.jump(-60 * 60 * 1000);
    assert_called(run.await);
    assert_eq!(clock.elapsed(), WAIT + HOUR);
}

#[tokio::test(start_paused = true)]
async fn a_timer_notices_a_clock_that_was_set_ahead_within_six_hours() {
    let (engine, _, clock) = timed();
    let workflow = workflow(Timer::after(72 * HOUR));
    let mut run = Box::pin(engine.run(&workflow, ID, Reminder::Remind, &()));
    stalls(&mut run).await;
    clock.jump(71 * 60 * 60 * 1000);
    assert_called(run.await);
    assert_eq!(clock.elapsed(), 6 * HOUR);
}

#[tokio::test(start_paused = true)]
async fn a_timer_until_an_instant_of_the_input_ends_then_or_at_once_if_it_has_passed() {
    let at_input = || Timer::by(|data: &RunData| Ok(Wake::AtUnixMs(data.input()?)));
    let in_an_hour = Clock::new().unix_ms() + 60 * 60 * 1000;
    for (until, ends_after) in [(in_an_hour, HOUR), (0, Duration::ZERO)] {
        let (engine, _, clock) = timed();
        assert_called(
            engine
                .run(&workflow(at_input()), ID, Reminder::Remind, &until)
                .await,
        );
        assert_eq!(clock.elapsed(), ends_after);
    }
    let (engine, _, _) = timed();
    let outcome = engine
        .run(&workflow(at_input()), ID, Reminder::Remind, "noon")
        .await;
    let Ok(Outcome::RolledBack(back)) = outcome else {
        panic!("{outcome:?} is no rollback");
    };
    expect!["failed: the input can't be read: invalid type: string \"noon\", expected u64 at line 1 column 6"]
        .assert_eq(&back.cause.to_string());
}

#[tokio::test(start_paused = true)]
async fn a_fraction_of_a_millisecond_makes_a_timer_longer_and_never_shorter() {
    let (engine, _, clock) = timed();
    let timer = Timer::after(Duration::from_nanos(1));
    assert_called(
        engine
            .run(&workflow(timer), ID, Reminder::Remind, &())
            .await,
    );
    assert_eq!(clock.elapsed(), Duration::from_millis(1));
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_ends_the_wait() {
    let (engine, _, clock) = timed();
    let token = CancelToken::new();
    let engine = engine.with_cancel(token.clone());
    let workflow = workflow(Timer::after(WAIT));
    let mut run = Box::pin(engine.run(&workflow, ID, Reminder::Remind, &()));
    stalls(&mut run).await;
    token.cancel();
    let Ok(Outcome::RolledBack(back)) = run.await else {
        panic!("it was cancelled");
    };
    assert_eq!((back.state, &*back.task), (Reminder::Wait, "wait"));
    assert_eq!(clock.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_status_tells_what_a_run_waits_for() {
    let (engine, _, clock) = timed();
    let workflow = workflow(Timer::after(WAIT));
    let mut run = Box::pin(engine.run(&workflow, ID, Reminder::Remind, &()));
    stalls(&mut run).await;
    let status = engine.status(ID).await.expect("the run is there");
    assert_eq!(
        status.phase,
        StatusPhase::Waiting {
            state: "Wait".to_owned(),
            deadline_unix_ms: clock.unix_ms() + 90 * 60 * 1000,
        }
    );
}

#[tokio::test(start_paused = true)]
async fn a_release_in_which_a_timer_that_was_set_is_another_task_is_refused() {
    let (engine, store, _) = timed();
    let waits = workflow(Timer::after(WAIT));
    let mut run = Box::pin(engine.run(&waits, ID, Reminder::Remind, &()));
    stalls(&mut run).await;
    drop(run);
    let log = rows_in_words(&store, ID).await;
    let sleep = async |ctx: Ctx| {
        ctx.sleep(WAIT).await;
        Ok::<_, TaskError>(Reminder::Call)
    };
    let newer = Workflow::builder("reminder", 1)
        .task(Reminder::Remind, "remind", async |_| Ok(Reminder::Wait))
        .task(Reminder::Wait, "wait", sleep)
        .task(Reminder::Call, "call", async |_| Ok(Reminder::Called))
        .exit(Reminder::Called)
        .build()
        .expect("it is valid");
    let refused = engine.resume_from(&newer, ID).await;
    let Err(Error::Mismatch { source, .. }) = refused else {
        panic!("{refused:?} is no mismatch");
    };
    let (needed, found) = (TaskKind::Timer, TaskKind::Plain);
    let task = "wait".into();
    assert_eq!(
        source,
        Mismatch::TaskKind {
            task,
            needed,
            found
        }
    );
    assert_eq!(rows_in_words(&store, ID).await, log);
}
