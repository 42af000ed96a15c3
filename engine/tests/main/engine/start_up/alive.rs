//! Runs that others have, or that end while somebody looks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crashpoint::{Engine, Error, Outcome, Recovery, Retention};

use super::{Counts, Hooked, Import, crashed, import, lengths};
use crate::support::{in_memory, stalls};

/// Three things can happen between the listing, the look at a log and the claim.
#[tokio::test(start_paused = true)]
async fn a_run_that_ends_meanwhile_is_not_run_again() {
    for (when, retention) in [
        ("list", Retention::Keep),
        ("list", Retention::ClearWhenDone),
        ("load", Retention::Keep),
        ("load", Retention::ClearWhenDone),
    ] {
        let (inner, rows) = in_memory();
        crashed(&inner, "import", 1, "import-1").await;
        let other = inner
            .with_retention(retention)
            .expect("memory is held exclusively");
        let hooked = Arc::new(AtomicUsize::new(0));
        let store = Hooked::new(&rows, move |operation, _| {
            // The second load is that of the life.
            let calls = usize::from(operation == when);
            let calls = hooked.fetch_add(calls, Ordering::SeqCst) + calls;
            let due = operation == when && calls == if when == "load" { 2 } else { 1 };
            let other = other.clone();
            async move {
                if due {
                    let ending = import("import", 1, |_| async {});
                    let ended = other.resume_from(&ending, "import-1").await;
                    assert!(ended.is_ok(), "{ended:?}");
                }
                Ok(())
            }
        });
        let store = Hooked {
            exclusive: false,
            ..store
        };
        let counts = Counts::default();
        let recovery = Recovery::new(&Engine::new(store)).workflow(&counts.import());
        let report = recovery.resume_all().await.expect("memory lists");
        assert_eq!(counts.taken().len(), 0, "{when} {retention:?}");
        let seen_ending = (when, retention) == ("load", Retention::Keep);
        assert_eq!(
            report.runs.len(),
            usize::from(seen_ending),
            "{when} {retention:?}"
        );
        assert_eq!(report.errors().count(), 0, "{when} {retention:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_the_future_is_a_crash_of_its_runs_and_of_no_other() {
    let (engine, _) = in_memory();
    for number in 0..9 {
        crashed(&engine, "import", 1, &format!("import-{number}")).await;
    }
    let counts = Counts::default();
    let recovery = Recovery::new(&engine)
        .workflow(&counts.import())
        .concurrency(3);
    let mut first = Box::pin(recovery.resume_all());
    let cut = tokio::time::timeout(Duration::from_millis(1500), &mut first);
    assert!(cut.await.is_err(), "three have ended, three are under way");
    drop(first);
    assert_eq!(counts.taken().values().sum::<usize>(), 6);

    let report = recovery.resume_all().await.expect("memory lists");
    assert_eq!(report.ended, 3);
    assert_eq!((report.runs.len(), report.errors().count()), (6, 0));
    let again = counts.taken();
    let expected = (3..9).map(|number| (format!("import-{number}"), 1));
    assert_eq!(again, expected.collect());
    for number in 0..9 {
        let status = engine
            .status(&format!("import-{number}"))
            .await
            .expect("it is there");
        let lives = if (3..6).contains(&number) { 3 } else { 2 };
        assert_eq!(status.lives, lives, "import-{number}");
    }
}

/// A store that several processes share has no scope; the engine knows its own lives all the same.
#[tokio::test(start_paused = true)]
async fn a_life_of_this_process_is_left_alone_on_a_shared_store_too() {
    let (_, rows) = in_memory();
    let store = Hooked::new(&rows, |_, _| async { Ok(()) });
    let engine = Engine::new(Hooked {
        exclusive: false,
        ..store
    });
    let counts = Counts::default();
    let workflow = counts.import();
    let mut alive = Box::pin(engine.run(&workflow, "import-1", Import::Copy, &()));
    stalls(&mut alive).await;
    let recovery = Recovery::new(&engine.clone()).workflow(&workflow);
    let report = recovery.resume_all().await.expect("it lists");
    assert!(matches!(
        report.runs["import-1"],
        Err(Error::AlreadyRunning { .. })
    ));
    assert!(alive.await.is_ok(), "nobody fenced it");
    assert_eq!(counts.taken()["import-1"], 1);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_clears_clears_what_it_recovered() {
    let (engine, rows) = in_memory();
    crashed(&engine, "import", 1, "import-1").await;
    let engine = engine.with_retention(Retention::ClearWhenDone);
    let engine = engine.expect("memory is held exclusively");
    let recovery = Recovery::new(&engine).workflow(&Counts::default().import());
    let mut first = Box::pin(recovery.resume_all());
    stalls(&mut first).await;
    let beside = recovery.resume_all().await.expect("memory lists");
    assert!(matches!(
        beside.runs["import-1"],
        Err(Error::AlreadyRunning { .. })
    ));
    let report = first.await.expect("memory lists");
    assert_eq!(
        report.runs["import-1"].as_ref().ok(),
        Some(&Outcome::Done("Copied".to_owned()))
    );
    assert_eq!(lengths(&rows, &["import-1"]).await, [0]);
    assert!(engine.unfinished().await.expect("memory lists").is_empty());
}
