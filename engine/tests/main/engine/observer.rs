//! What an observer is told, and in which order.

use std::sync::Arc;

use crashpoint::{
    AppendRetry, CheckpointStore as _, Engine, Event, LifeId, MemoryCheckpointStore, Observation,
    Observer, Outcome, Retention,
};
use expect_test::{Expect, expect};

use crate::support::{
    Act, Fault, Faulty, Journal, Order, Scripted, order_with, row_in_words, stalls, when_doing,
};

/// Writes down everything that it is told.
struct Notes(Journal);

impl Observer for Notes {
    fn on(&self, life: LifeId<'_>, observation: &Observation<'_>) {
        assert_eq!((life.workflow_id, life.workflow), ("order-1", "order"));
        self.0.note(match observation {
            Observation::Loaded { rows } => format!("loaded {rows} rows"),
            Observation::LoadFailed { error } => format!("load failed: {error}"),
            Observation::Sending { row } => format!("sending {}", row_in_words(row)),
            Observation::AppendFailed { row, error } => {
                format!("append of {} failed: {error}", row.sequence)
            }
            Observation::Acknowledged { row } => format!("acknowledged {}", row.sequence),
            Observation::Applied { sequence, state } => {
                assert_eq!(state.next_sequence(), sequence + 1);
                format!("applied {sequence}")
            }
            Observation::Started {
                task,
                direction,
                visit,
                cursors,
                round,
                attempt,
            } => {
                assert_eq!((*cursors, *round), (0, 0));
                format!("started {direction:?} {task} visit {visit} attempt {attempt}")
            }
            Observation::Succeeded { task, direction } => format!("{direction:?} {task} succeeded"),
            Observation::Failed {
                task,
                direction,
                failure,
            } => format!("{direction:?} {task} failed: {}", failure.message),
            Observation::Cancelled { task } => format!("{task} cancelled"),
            Observation::Cleared => "cleared".to_owned(),
            Observation::ClearFailed { error } => format!("clear failed: {error}"),
            Observation::Over { verdict } => {
                format!(
                    "over: {}",
                    if verdict.is_ok() {
                        "ended"
                    } else {
                        "not ended"
                    }
                )
            }
            _ => "something new".to_owned(),
        });
    }
}

async fn check_told(
    script: &[(&'static str, Act)],
    faults: impl Fn(&str, u64) -> Option<Fault> + Send + Sync + 'static,
    resumes: bool,
    expected: &Expect,
) {
    let (told, inner) = (Journal::default(), Arc::new(MemoryCheckpointStore::new()));
    let tasks = Scripted::new(&Journal::default(), when_doing(script));
    let workflow = order_with(&tasks, |task| task);
    let engine = Engine::new(Faulty::new(&inner, faults))
        .with_observer(Notes(told.clone()))
        .with_append_retry(AppendRetry {
            sends_max: 2,
            ..AppendRetry::default()
        });
    let engine = engine.with_retention(Retention::ClearWhenDone);
    let engine = engine.expect("memory is held exclusively");
    _ = engine.run(&workflow, "order-1", Order::Pack, &()).await;
    if resumes {
        told.note("-- resumed --");
        _ = engine.resume_from(&workflow, "order-1").await;
    }
    expected.assert_eq(&told.take().join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_run_tells_every_row_and_every_attempt() {
    check_told(
        &[],
        |_, _| None,
        false,
        &expect![[r#"
        sending 0 claim "Pack" ""
        acknowledged 0
        applied 0
        started Do pack visit 0 attempt 1
        Do pack succeeded
        sending 1 compensation_completion "Ship" "pack"
        acknowledged 1
        applied 1
        started Do ship visit 1 attempt 1
        Do ship succeeded
        sending 2 state_entry "Shipped" "ship"
        acknowledged 2
        applied 2
        cleared
        over: ended"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_rollback_tells_its_undos() {
    check_told(
        &[("ship", Act::Fatal)],
        |_, _| None,
        false,
        &expect![[r#"
        sending 0 claim "Pack" ""
        acknowledged 0
        applied 0
        started Do pack visit 0 attempt 1
        Do pack succeeded
        sending 1 compensation_completion "Ship" "pack"
        acknowledged 1
        applied 1
        started Do ship visit 1 attempt 1
        Do ship failed: refused
        sending 2 rollback_start "Ship" "ship"
        acknowledged 2
        applied 2
        started Undo pack visit 0 attempt 1
        Undo pack succeeded
        sending 3 compensated "" "pack"
        acknowledged 3
        applied 3
        sending 4 rolled_back "" ""
        acknowledged 4
        applied 4
        cleared
        over: ended"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_fault_is_told_with_what_came_of_it() {
    let faults = |call: &str, nth: u64| match (call, nth) {
        ("append", 1) => Some(Fault::Unacknowledged),
        ("append", 2) | ("clear", 0) => Some(Fault::Lost),
        _ => None,
    };
    check_told(
        &[],
        faults,
        true,
        &expect![[r#"
            sending 0 claim "Pack" ""
            acknowledged 0
            applied 0
            started Do pack visit 0 attempt 1
            Do pack succeeded
            sending 1 compensation_completion "Ship" "pack"
            append of 1 failed: the connection was cut
            loaded 2 rows
            applied 1
            started Do ship visit 1 attempt 1
            Do ship succeeded
            sending 2 state_entry "Shipped" "ship"
            append of 2 failed: no route to the store
            loaded 2 rows
            sending 2 state_entry "Shipped" "ship"
            append of 2 failed: no route to the store
            loaded 2 rows
            over: not ended
            -- resumed --
            loaded 2 rows
            sending 2 claim "Ship" ""
            append of 2 failed: no route to the store
            loaded 2 rows
            sending 2 claim "Ship" ""
            append of 2 failed: no route to the store
            loaded 2 rows
            over: not ended"#]],
    )
    .await;
    let unreadable = |call: &str, nth: u64| match (call, nth) {
        ("append", 2) | ("load", 0) => Some(Fault::Lost),
        _ => None,
    };
    check_told(
        &[],
        unreadable,
        false,
        &expect![[r#"
        sending 0 claim "Pack" ""
        acknowledged 0
        applied 0
        started Do pack visit 0 attempt 1
        Do pack succeeded
        sending 1 compensation_completion "Ship" "pack"
        acknowledged 1
        applied 1
        started Do ship visit 1 attempt 1
        Do ship succeeded
        sending 2 state_entry "Shipped" "ship"
        append of 2 failed: no route to the store
        load failed: no route to the store
        over: not ended"#]],
    )
    .await;
    let cleared = |call: &str, _: u64| (call == "clear").then_some(Fault::Lost);
    check_told(
        &[("pack", Act::GoTo(Order::Shipped))],
        cleared,
        true,
        &expect![[r#"
            sending 0 claim "Pack" ""
            acknowledged 0
            applied 0
            started Do pack visit 0 attempt 1
            Do pack succeeded
            sending 1 compensation_completion "Shipped" "pack"
            acknowledged 1
            applied 1
            clear failed: no route to the store
            over: ended
            -- resumed --
            loaded 2 rows
            clear failed: no route to the store
            over: ended"#]],
    )
    .await;
}

/// Notes each life once that sends a row, and may panic at each observation.
struct Lives {
    journal: Journal,
    name: &'static str,
    panics: bool,
}

impl Observer for Lives {
    fn on(&self, life: LifeId<'_>, observation: &Observation<'_>) {
        if let Observation::Sending { row } = observation {
            let (name, nonce) = (self.name, life.nonce);
            self.journal
                .note(format!("{name} {} {nonce}", row.sequence));
        }
        assert!(!self.panics, "the observer has a bug");
    }
}

#[tokio::test(start_paused = true)]
async fn every_observer_is_told_which_life_does_what_although_another_panics() {
    let (told, store) = (Journal::default(), Arc::new(MemoryCheckpointStore::new()));
    let lives = |name, panics| Lives {
        journal: told.clone(),
        name,
        panics,
    };
    let engine = Engine::new(Arc::clone(&store))
        .with_observer(lives("first", true))
        .with_observer(lives("second", false));
    let order = |script: &[(&'static str, Act)]| {
        let tasks = Scripted::new(&Journal::default(), when_doing(script));
        order_with(&tasks, |task| task)
    };
    let waits = order(&[("ship", Act::Hang)]);
    let mut run = Box::pin(engine.run(&waits, "order-1", Order::Ship, &()));
    stalls(&mut run).await;
    drop(run);
    let resumed = engine.resume_from(&order(&[]), "order-1").await;
    assert_eq!(resumed.expect("it ends"), Outcome::Done(Order::Shipped));

    let rows = store.load_run("order-1").await.expect("memory loads");
    let nonces: Vec<_> = rows
        .iter()
        .filter_map(|row| match Event::from_row(row) {
            Ok(Event::Claimed { claim, .. }) => Some(claim.nonce),
            _ => None,
        })
        .collect();
    let [one, two] = nonces[..] else {
        panic!("two lives claimed the run");
    };
    assert_ne!(one, two);
    let expected: Vec<String> = [(0, one), (1, two), (2, two)]
        .iter()
        .flat_map(|(row, life)| ["first", "second"].map(|name| format!("{name} {row} {life}")))
        .collect();
    assert_eq!(told.take(), expected);
}
