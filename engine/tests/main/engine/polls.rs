//! Polling tasks: rounds without rows, one deadline for all lives, and a count that a crash at most halves.

use std::sync::Arc;
use std::time::Duration;

use crashpoint::{
    CancelToken, CauseKind, Ctx, Engine, Error, LifeId, MemoryCheckpointStore, Mismatch,
    Observation, Observer, Outcome, PollOutcome, RetryPolicy, State, TaskError, TaskKind, Workflow,
    WorkflowBuilder,
};
use expect_test::expect;
use tokio::time::advance;

use crate::support::{Clock, Journal, in_memory, rows_in_words, stalls};

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Parcel {
    Track,
    Arrived,
}

const ID: &str = "parcel-1";
const MINUTE: Duration = Duration::from_secs(60);

/// A task that notes the minute and the number of each round, and is ready in the round `ready`.
fn tracking(ready: u64, journal: &Journal, clock: &Clock) -> WorkflowBuilder<Parcel> {
    let (journal, clock) = (journal.clone(), clock.clone());
    let track = move |ctx: Ctx| {
        let minute = clock.elapsed().as_secs() / 60;
        journal.note(format!("{minute}: round {}", ctx.round()));
        async move {
            Ok::<_, TaskError>(if ctx.round() < ready {
                PollOutcome::Pending(MINUTE)
            } else {
                PollOutcome::Ready(Parcel::Arrived)
            })
        }
    };
    Workflow::builder("parcel", 1).poll(Parcel::Track, "track", track)
}

fn built(builder: WorkflowBuilder<Parcel>) -> Workflow<Parcel> {
    builder.exit(Parcel::Arrived).build().expect("it is valid")
}

/// An engine, its store, its clock and a journal.
fn timed() -> (Engine, Arc<MemoryCheckpointStore>, Clock, Journal) {
    let (engine, store) = in_memory();
    let clock = Clock::new();
    let engine = engine.with_runtime(clock.clone());
    (engine, store, clock, Journal::default())
}

/// Runs the workflow for so long, and drops it.
async fn crashed_after(engine: &Engine, workflow: &Workflow<Parcel>, minutes: u32) {
    let mut run = Box::pin(engine.run(workflow, ID, Parcel::Track, &()));
    stalls(&mut run).await;
    for _ in 0..minutes {
        advance(MINUTE).await;
        stalls(&mut run).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_round_leaves_no_row_and_the_rounds_are_recorded_when_they_have_doubled() {
    let (engine, store, clock, journal) = timed();
    let workflow = built(tracking(20, &journal, &clock).poll_limit(60 * MINUTE));
    let outcome = engine.run(&workflow, ID, Parcel::Track, &()).await;
    assert_eq!(outcome.expect("it ends"), Outcome::Done(Parcel::Arrived));
    assert_eq!(clock.elapsed(), 19 * MINUTE);
    assert_eq!(journal.take().len(), 20);
    expect![[r#"
        0 claim "Track" ""
        1 poll_rounds "Track" "track"
        2 poll_rounds "Track" "track"
        3 poll_rounds "Track" "track"
        4 poll_rounds "Track" "track"
        5 state_entry "Arrived" "track"
    "#]]
    .assert_eq(&rows_in_words(&store, ID).await);
}

#[tokio::test(start_paused = true)]
async fn a_short_poll_without_a_limit_leaves_the_row_of_its_end() {
    let (engine, store, clock, journal) = timed();
    let workflow = built(tracking(4, &journal, &clock));
    let outcome = engine.run(&workflow, ID, Parcel::Track, &()).await;
    assert_eq!(outcome.expect("it ends"), Outcome::Done(Parcel::Arrived));
    expect![[r#"
        0 claim "Track" ""
        1 state_entry "Arrived" "track"
    "#]]
    .assert_eq(&rows_in_words(&store, ID).await);
}

#[tokio::test(start_paused = true)]
async fn a_resumed_life_counts_on_from_the_recorded_rounds_and_keeps_the_deadline() {
    for (minutes, first_round) in [(2, 1), (5, 5), (11, 9)] {
        let (engine, _, clock, journal) = timed();
        let workflow = built(tracking(30, &journal, &clock).poll_limit(15 * MINUTE));
        crashed_after(&engine, &workflow, minutes).await;
        advance(MINUTE).await;
        journal.take();
        // A later release with another limit changes nothing for this visit.
        let newer = built(tracking(30, &journal, &clock).poll_limit(90 * MINUTE));
        let outcome = engine.resume_from(&newer, ID).await;
        let first = format!("{}: round {first_round}", minutes + 1);
        assert_eq!(journal.take().first(), Some(&first));
        let Ok(Outcome::RolledBack(back)) = outcome else {
            panic!("{outcome:?} is no rollback");
        };
        assert_eq!(back.cause.kind, CauseKind::Timeout);
        assert_eq!(clock.elapsed(), 15 * MINUTE);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_ends_at_the_deadline_and_no_round_begins_then() {
    let (engine, _, clock, journal) = timed();
    let limit = Duration::from_secs(150);
    let workflow = built(tracking(9, &journal, &clock).poll_limit(limit));
    let outcome = engine.run(&workflow, ID, Parcel::Track, &()).await;
    let Ok(Outcome::RolledBack(back)) = outcome else {
        panic!("{outcome:?} is no rollback");
    };
    expect!["timed out: not ready at its deadline"].assert_eq(&back.cause.to_string());
    assert_eq!(journal.take(), ["0: round 1", "1: round 2", "2: round 3"]);
    assert_eq!(clock.elapsed(), limit);
}

#[tokio::test(start_paused = true)]
async fn a_poll_heeds_a_clock_that_was_set_ahead() {
    let (engine, _, clock, journal) = timed();
    let workflow = built(tracking(9, &journal, &clock).poll_limit(60 * MINUTE));
    let mut run = Box::pin(engine.run(&workflow, ID, Parcel::Track, &()));
    stalls(&mut run).await;
    clock.jump(60 * 60 * 1000);
    let outcome = run.await;
    assert!(matches!(outcome, Ok(Outcome::RolledBack(_))), "{outcome:?}");
    assert_eq!(journal.take(), ["0: round 1"]);
}

#[tokio::test(start_paused = true)]
async fn each_round_has_all_attempts_of_the_retry_policy() {
    let (engine, _, _, journal) = timed();
    let notes = journal.clone();
    let track = move |ctx: Ctx| {
        notes.note(format!("round {} attempt {}", ctx.round(), ctx.attempt()));
        async move {
            match (ctx.round(), ctx.attempt()) {
                (1 | 2, 1) | (3, _) => Err(TaskError::retry("no answer")),
                _ => Ok(PollOutcome::Pending(MINUTE)),
            }
        }
    };
    let builder = Workflow::builder("parcel", 1).poll(Parcel::Track, "track", track);
    let workflow = built(builder.retry(RetryPolicy::fixed(2, Duration::ZERO)));
    let outcome = engine.run(&workflow, ID, Parcel::Track, &()).await;
    let Ok(Outcome::RolledBack(back)) = outcome else {
        panic!("{outcome:?} is no rollback");
    };
    assert_eq!(back.cause.kind, CauseKind::Failure);
    let rounds = ["round 1", "round 2", "round 3"];
    let attempts = rounds.map(|it| [format!("{it} attempt 1"), format!("{it} attempt 2")]);
    assert_eq!(journal.take(), attempts.concat());
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_ends_the_pause() {
    let (engine, _, clock, journal) = timed();
    let token = CancelToken::new();
    let engine = engine.with_cancel(token.clone());
    let workflow = built(tracking(9, &journal, &clock));
    let mut run = Box::pin(engine.run(&workflow, ID, Parcel::Track, &()));
    stalls(&mut run).await;
    token.cancel();
    let Ok(Outcome::RolledBack(back)) = run.await else {
        panic!("it was cancelled");
    };
    assert_eq!(back.cause.kind, CauseKind::Cancelled);
    assert_eq!(clock.elapsed(), Duration::ZERO);
}

struct Pauses(Journal);

impl Observer for Pauses {
    fn on(&self, _: LifeId<'_>, observation: &Observation<'_>) {
        if let Observation::Pending {
            task,
            visit,
            rounds,
            duration,
        } = observation
        {
            let seconds = duration.as_secs();
            self.0.note(format!(
                "{task} of visit {visit}: {rounds} rounds, {seconds} s"
            ));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_hears_of_each_pause() {
    let (engine, _, clock, journal) = timed();
    let pauses = Journal::default();
    let engine = engine.with_observer(Pauses(pauses.clone()));
    let workflow = built(tracking(3, &journal, &clock).poll_limit(MINUTE * 3 / 2));
    let outcome = engine.run(&workflow, ID, Parcel::Track, &()).await;
    assert!(matches!(outcome, Ok(Outcome::RolledBack(_))), "{outcome:?}");
    assert_eq!(
        pauses.take(),
        [
            "track of visit 0: 1 rounds, 60 s",
            "track of visit 0: 2 rounds, 30 s"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_release_in_which_a_poll_with_rounds_is_another_task_is_refused() {
    let (engine, store, clock, journal) = timed();
    let polls = built(tracking(9, &journal, &clock).poll_limit(60 * MINUTE));
    crashed_after(&engine, &polls, 1).await;
    let log = rows_in_words(&store, ID).await;
    let once = async |_: Ctx| Ok::<_, TaskError>(Parcel::Arrived);
    let newer = built(Workflow::builder("parcel", 1).task(Parcel::Track, "track", once));
    let Err(Error::Mismatch { source, .. }) = engine.resume_from(&newer, ID).await else {
        panic!("the log has rounds");
    };
    assert_eq!(
        source,
        Mismatch::TaskKind {
            task: "track".into(),
            needed: TaskKind::Poll,
            found: TaskKind::Plain,
        }
    );
    assert_eq!(rows_in_words(&store, ID).await, log);
}
