//! How many runs are under way, over how many pages.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crashpoint::{Ctx, Engine, Error, Outcome, Recovery, State, TaskError, Timer, Workflow};

use super::{Counts, Hooked, Import, crashed, import};
use crate::support::{Clock, in_memory, stalls};

#[tokio::test(start_paused = true)]
async fn as_many_runs_as_said_are_under_way_and_no_more() {
    const RUNS: usize = 20;
    let check = async |set: fn(Recovery) -> Recovery, expected: usize| {
        let (engine, _) = in_memory();
        for number in 0..RUNS {
            crashed(&engine, "import", 1, &format!("import-{number:02}")).await;
        }
        let (active, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let seen = Arc::clone(&most);
        let counting = import("import", 1, move |ctx: Ctx| {
            let (active, most) = (Arc::clone(&active), Arc::clone(&most));
            async move {
                most.fetch_max(active.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                ctx.sleep(Duration::from_secs(1)).await;
                active.fetch_sub(1, Ordering::SeqCst);
            }
        });
        let recovery = set(Recovery::new(&engine).workflow(&counting));
        let report = recovery.resume_all().await.expect("memory lists");
        assert_eq!((report.runs.len(), report.errors().count()), (RUNS, 0));
        assert_eq!(seen.load(Ordering::SeqCst), expected);
    };
    check(|recovery| recovery, 8).await;
    check(|recovery| recovery.concurrency(0), 1).await;
    check(|recovery| recovery.concurrency(1), 1).await;
    check(|recovery| recovery.concurrency(3), 3).await;
    check(|recovery| recovery.concurrency(20), 20).await;
    check(|recovery| recovery.concurrency(1000), 20).await;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Reminder {
    Wait,
    Call,
    Called,
}

/// Ten runs wait for the same instant with room for two, and a run behind them has nothing to wait for.
#[tokio::test(start_paused = true)]
async fn a_run_that_waits_for_its_timer_leaves_its_place_to_others() {
    const WAITING: usize = 10;
    const HOUR: Duration = Duration::from_secs(60 * 60);
    let (engine, _) = in_memory();
    let clock = Clock::new();
    let engine = engine.with_runtime(clock.clone());
    let (active, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let calling = move |ctx: Ctx| {
        let (active, most) = (Arc::clone(&active), Arc::clone(&most));
        async move {
            most.fetch_max(active.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            ctx.sleep(Duration::from_secs(1)).await;
            active.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, TaskError>(Reminder::Called)
        }
    };
    let reminder = Workflow::builder("reminder", 1)
        .timer(Reminder::Wait, "wait", Timer::after(HOUR), Reminder::Call)
        .task(Reminder::Call, "call", calling)
        .exit(Reminder::Called)
        .build()
        .expect("it is valid");
    for number in 0..WAITING {
        let id = format!("a-{number}");
        let mut run = Box::pin(engine.run(&reminder, &id, Reminder::Wait, &()));
        stalls(&mut run).await;
    }
    crashed(&engine, "import", 1, "b").await;
    let copied_after = Arc::new(Mutex::new(None));
    let (copied, at) = (Arc::clone(&copied_after), clock.clone());
    let import = import("import", 1, move |_| {
        *copied.lock().expect("nobody panics") = Some(at.elapsed());
        async {}
    });
    let recovery = Recovery::new(&engine).workflow(&reminder).workflow(&import);
    let report = recovery.concurrency(2).resume_all().await;
    let report = report.expect("memory lists");
    assert_eq!(
        (report.runs.len(), report.errors().count()),
        (WAITING + 1, 0)
    );
    assert_eq!(
        *copied_after.lock().expect("nobody panics"),
        Some(Duration::ZERO)
    );
    assert_eq!(seen.load(Ordering::SeqCst), 2, "all timers end at once");
    // Two calls at a time, each of a second.
    assert_eq!(clock.elapsed(), HOUR + Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn thousands_of_runs_are_resumed_once_each() {
    const RUNS: usize = 2000;
    let (engine, _) = in_memory();
    let ending = import("import", 1, |_| async {});
    for number in 0..RUNS {
        let id = format!("import-{number:04}");
        if number % 4 == 0 {
            let run = engine.run(&ending, &id, Import::Copy, &());
            run.await.expect("it ends");
        } else {
            crashed(&engine, "import", 1, &id).await;
        }
    }
    assert_eq!(
        engine.unfinished().await.expect("memory lists").len(),
        RUNS / 4 * 3
    );
    let counts = Counts::default();
    let recovery = Recovery::new(&engine)
        .workflow(&counts.import())
        .concurrency(64);
    // The future can be sent to another thread.
    let report = tokio::spawn(async move { recovery.resume_all().await });
    let report = report
        .await
        .expect("it does not panic")
        .expect("memory lists");
    assert_eq!(report.ended, RUNS as u64 / 4);
    assert_eq!(report.runs.len(), RUNS / 4 * 3);
    let done = |run: &Result<_, _>| matches!(run, Ok(Outcome::Done(state)) if state == "Copied");
    assert!(report.runs.values().all(done));
    let counts = counts.taken();
    assert_eq!(counts.len(), RUNS / 4 * 3);
    assert!(counts.values().all(|count| *count == 1));
    assert_eq!(engine.unfinished().await.expect("memory lists").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_fails_lets_those_under_way_come_to_their_ends() {
    let (engine, rows) = in_memory();
    for number in 0..300 {
        crashed(&engine, "import", 1, &format!("import-{number:03}")).await;
    }
    let store = Hooked::new(&rows, |operation, after| {
        let failed = operation == "list" && !after.is_empty();
        async move {
            if failed {
                Err(Error::unavailable("gone"))
            } else {
                Ok(())
            }
        }
    });
    let engine = Engine::new(store);
    let counts = Counts::default();
    let recovery = Recovery::new(&engine).workflow(&counts.import());
    let error = recovery
        .resume_all()
        .await
        .expect_err("the second page fails");
    assert_eq!(error.to_string(), "checkpoint store: gone");
    assert_eq!(counts.taken().len(), 256);
    let error = engine
        .unfinished()
        .await
        .expect_err("the second page fails");
    assert_eq!(error.to_string(), "checkpoint store: gone");
    let engine = Engine::new(rows);
    assert_eq!(
        engine.unfinished().await.expect("memory lists").len(),
        300 - 256
    );
}

/// A store with one connection: a listing waits for the append that has it, so whoever lists has to
/// let the runs go on meanwhile.
#[tokio::test(start_paused = true)]
async fn listing_goes_on_beside_the_runs() {
    let (engine, rows) = in_memory();
    for number in 0..600 {
        crashed(&engine, "import", 1, &format!("import-{number:03}")).await;
    }
    let connection = Arc::new(tokio::sync::Mutex::new(()));
    let store = Hooked::new(&rows, move |_, _| {
        let connection = Arc::clone(&connection);
        async move {
            let _held = connection.lock().await;
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(())
        }
    });
    let engine = Engine::new(store);
    let counts = Counts::default();
    let recovery = Recovery::new(&engine).workflow(&counts.import());
    let report = tokio::time::timeout(Duration::from_secs(3600), recovery.resume_all());
    let report = report
        .await
        .expect("nobody waits for ever")
        .expect("it lists");
    assert_eq!((report.runs.len(), report.errors().count()), (600, 0));
}
