//! Idempotency keys and fencing tokens: what an outside service tells actions and lives apart by.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crashpoint::protocol::idempotency_key;
use crashpoint::{
    CheckpointStore, CompensatableTask, Ctx, Direction, Engine, Nonce, State, StepOutcome,
    SteppedTask, TaskError, Workflow,
};

use crate::support::{in_memory, stalls};

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Trip {
    Walk,
    Book,
    Check,
    Home,
}

/// The keys of every action, and the tokens under which each was used.
type Keys = Arc<Mutex<BTreeMap<String, Vec<(String, u64)>>>>;

fn note(keys: &Keys, ctx: &Ctx) {
    let action = format!(
        "{:?} {} visit {} step {}",
        ctx.direction(),
        ctx.task(),
        ctx.visit(),
        ctx.step()
    );
    let mut keys = keys.lock().expect("no note panics");
    let used = (ctx.idempotency_key(), ctx.fencing_token());
    keys.entry(action).or_default().push(used);
}

struct Walk(Keys);

impl SteppedTask<Trip> for Walk {
    type Cursor = u64;

    async fn step(&self, ctx: Ctx, at: Option<u64>) -> Result<StepOutcome<u64, Trip>, TaskError> {
        note(&self.0, &ctx);
        Ok(match at {
            Some(2) => StepOutcome::Done(Trip::Book),
            at => StepOutcome::More(at.unwrap_or(0) + 1),
        })
    }
}

struct Book(Keys);

impl CompensatableTask<Trip> for Book {
    type Output = String;

    async fn run(&self, ctx: Ctx) -> Result<(Trip, String), TaskError> {
        note(&self.0, &ctx);
        assert_eq!(ctx.idempotency_key(), ctx.do_idempotency_key());
        Ok((Trip::Check, ctx.idempotency_key()))
    }

    async fn compensate(&self, ctx: Ctx, done: String) -> Result<(), TaskError> {
        note(&self.0, &ctx);
        assert_eq!(ctx.do_idempotency_key(), done);
        Ok(())
    }
}

/// Walks and books twice, then fails, or waits for ever where it is to be dropped.
fn trip(keys: &Keys, drop_in_check: bool) -> Workflow<Trip> {
    let noted = Arc::clone(keys);
    let check = move |ctx: Ctx| {
        let noted = Arc::clone(&noted);
        async move {
            note(&noted, &ctx);
            if drop_in_check {
                std::future::pending::<()>().await;
            }
            if ctx.visit() < 5 {
                return Ok(Trip::Walk);
            }
            Err(TaskError::fatal("lost"))
        }
    };
    Workflow::builder("trip", 1)
        .stepped(Trip::Walk, "walk", Walk(Arc::clone(keys)))
        .compensatable(Trip::Book, "book", Book(Arc::clone(keys)))
        .task(Trip::Check, "check", check)
        .exit(Trip::Home)
        .build()
        .expect("it is valid")
}

async fn run_dropped_once(engine: &Engine, id: &str, keys: &Keys) {
    let dropped = trip(keys, true);
    let mut run = Box::pin(engine.run(&dropped, id, Trip::Walk, &()));
    stalls(&mut run).await;
    drop(run);
    let resumed = engine.resume_from(&trip(keys, false), id).await;
    assert!(resumed.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_key_is_the_same_in_every_life_and_differs_for_everything_else() {
    let (engine, store) = in_memory();
    let keys = Keys::default();
    run_dropped_once(&engine, "trip-1", &keys).await;
    let first = std::mem::take(&mut *keys.lock().expect("no note panics"));
    let actions: Vec<&str> = first.keys().map(String::as_str).collect();
    assert_eq!(
        actions,
        [
            "Do book visit 3 step 0",
            "Do book visit 9 step 0",
            "Do check visit 10 step 0",
            "Do check visit 4 step 0",
            "Do walk visit 0 step 0",
            "Do walk visit 0 step 1",
            "Do walk visit 0 step 2",
            "Do walk visit 6 step 0",
            "Do walk visit 6 step 1",
            "Do walk visit 6 step 2",
            "Undo book visit 3 step 0",
            "Undo book visit 9 step 0",
        ]
    );
    store.clear("trip-1").await.expect("memory clears");
    run_dropped_once(&engine, "trip-1", &keys).await;
    run_dropped_once(&engine, "trip-2", &keys).await;
    let rest = std::mem::take(&mut *keys.lock().expect("no note panics"));

    let mut distinct = BTreeMap::new();
    for (action, used) in first.iter().chain(&rest) {
        for (key, token) in used {
            assert_eq!(key.len(), 64);
            assert!(key.bytes().all(|byte| byte.is_ascii_hexdigit()));
            distinct
                .entry(key.clone())
                .or_insert_with(Vec::new)
                .push((action, token));
        }
    }
    // Three runs: each action has one key in each of them.
    assert_eq!(distinct.len(), 3 * first.len());
    for (key, uses) in distinct {
        let repeated = uses[0].0 == "Do check visit 4 step 0";
        assert_eq!(uses.len(), if repeated { 2 } else { 1 }, "{key}: {uses:?}");
        assert!(uses.is_sorted_by(|earlier, later| earlier.1 < later.1));
    }
}

/// Every field of a key matters, and none of them can be mistaken for its neighbour.
#[test]
fn every_part_of_an_action_is_in_its_key() {
    let run = Nonce([1; 16]);
    let key = |id, run, visit, task, cursors, direction| {
        idempotency_key(id, run, visit, task, cursors, direction)
    };
    let keys = [
        key("ab", run, 1, "c", 0, Direction::Do),
        key("a", run, 1, "c", 0, Direction::Do),
        key("a", run, 1, "bc", 0, Direction::Do),
        key("ab", Nonce([2; 16]), 1, "c", 0, Direction::Do),
        key("ab", run, 2, "c", 0, Direction::Do),
        key("ab", run, 1, "c", 1, Direction::Do),
        key("ab", run, 1, "c", 0, Direction::Undo),
    ];
    let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
    assert_eq!(distinct.len(), keys.len());
}

/// Services keep keys for years: this one may never change.
#[test]
fn the_bytes_of_a_key_are_frozen() {
    let key = idempotency_key("order-42", Nonce([7; 16]), 3, "charge", 0, Direction::Do);
    expect_test::expect!["dd35c4387df6d37e149c56ead4832414e57e9476cf075d5a803fb9bcce10d254"]
        .assert_eq(&key);
}
