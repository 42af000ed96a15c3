//! Each instant has one run, however often it is begun.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, Utc};
use crashpoint::{Engine, ListRuns as _, MemoryCheckpointStore, Outcome};
use libraries::schedule::{Report, begin, due, id_at, workflow};

fn at(instant: &str) -> DateTime<Utc> {
    instant.parse().expect("it is an instant")
}

static WRITTEN: AtomicU32 = AtomicU32::new(0);

#[tokio::test]
async fn two_processes_that_begin_what_is_due_write_each_report_once() {
    let workflow = workflow(|_| _ = WRITTEN.fetch_add(1, Ordering::Relaxed)).expect("it is valid");
    let store = std::sync::Arc::new(MemoryCheckpointStore::new());
    let processes = [(); 2].map(|()| Engine::new(std::sync::Arc::clone(&store)));
    // Each was down for another while.
    let until = at("2026-03-03T06:00:00Z");
    for (engine, since) in processes
        .iter()
        .zip([at("2026-02-28T12:00:00Z"), at("2026-03-01T06:00:00Z")])
    {
        let instants = due("0 6 * * *", since, until).expect("it is a pattern");
        let outcomes = begin(engine, &workflow, &instants).await.expect("all end");
        assert!(
            outcomes
                .iter()
                .all(|outcome| *outcome == Outcome::Done(Report::Written))
        );
    }
    let ids = store.run_ids(None, 10).await.expect("memory lists");
    let expected = [
        "2026-03-01T06:00:00Z",
        "2026-03-02T06:00:00Z",
        "2026-03-03T06:00:00Z",
    ];
    assert_eq!(ids, expected.map(|instant| id_at(at(instant))));
    assert_eq!(WRITTEN.load(Ordering::Relaxed), 3);
}

#[test]
fn a_pattern_that_is_none_is_refused() {
    let now = at("2026-03-01T06:00:00Z");
    assert!(due("every morning", now, now).is_err());
    let none = due("0 6 * * *", now, now).expect("it is a pattern");
    assert!(none.is_empty(), "{none:?}");
}
