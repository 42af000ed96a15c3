//! How the cost of a row grows with the length of its log: a resume of 10,000, 100,000 and 1,000,000
//! rows, over memory and over the embedded store, and a run whose tasks keep no `Ctx`, the latest, or every `Ctx`.
//!
//! A ratio near 1 is linear. The long logs leave the caches of the processor, so it lies above 1.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crashpoint::{
    CheckpointRow, CheckpointStore, CompensatableTask, Ctx, Engine, Event, MemoryCheckpointStore,
    Outcome, RedbCheckpointStore, State, TaskError, Workflow,
};
use crashpoint_benches::{ForgetfulStore, elapsed};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::runtime::Runtime;

/// How often each is measured; the best counts.
const TURNS: usize = 3;

/// How many appends wait for the store at a time while a log is made.
const AT_A_TIME: usize = 1_000;

const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Lap {
    Round,
    Done,
}

/// The contexts that a task keeps.
#[derive(Clone, Copy)]
enum Kept {
    None,
    Latest,
    Every,
}

/// Goes round the state until it has seen `visits` visits.
struct Round {
    visits: u64,
    kept: Kept,
    contexts: Arc<Mutex<Vec<Ctx>>>,
}

impl CompensatableTask<Lap> for Round {
    type Output = u64;

    async fn run(&self, ctx: Ctx) -> Result<(Lap, u64), TaskError> {
        let visit = ctx.visit();
        let mut contexts = self.contexts.lock().expect("no task panics");
        match self.kept {
            Kept::None => {}
            Kept::Latest => *contexts = vec![ctx],
            Kept::Every => contexts.push(ctx),
        }
        let next = if visit + 1 < self.visits {
            Lap::Round
        } else {
            Lap::Done
        };
        Ok((next, visit))
    }

    async fn compensate(&self, _: Ctx, _: u64) -> Result<(), TaskError> {
        Ok(())
    }
}

fn laps(visits: u64, kept: Kept) -> Workflow<Lap> {
    let contexts = Arc::default();
    let round = Round {
        visits,
        kept,
        contexts,
    };
    let builder = Workflow::builder("laps", 1).compensatable(Lap::Round, "round", round);
    let workflow = builder.exit(Lap::Done).build();
    workflow.expect("the definition is valid")
}

fn main() {
    let elsewhere = ["--test", "--list", "--profile-time"];
    if std::env::args().any(|argument| elsewhere.contains(&&*argument)) {
        return;
    }
    let runtime = Runtime::new().expect("a tokio runtime");
    let lengths = [10_000, 100_000, 1_000_000];
    report("a row of a resume over memory", &lengths, |rows| {
        resume(&runtime, &Arc::new(MemoryCheckpointStore::new()), rows)
    });
    report("a row of a resume over redb", &lengths, |rows| {
        let folder = tempfile::tempdir_in(FOLDER).expect("a folder");
        let store = RedbCheckpointStore::new(folder.path().join("store"));
        resume(&runtime, &Arc::new(store.expect("a fresh file")), rows)
    });
    let lengths = [400, 4_000, 20_000];
    let kept = [
        ("a visit, no Ctx kept", Kept::None),
        ("a visit, the latest Ctx kept", Kept::Latest),
        ("a visit, every Ctx kept", Kept::Every),
    ];
    for (what, kept) in kept {
        report(what, &lengths, |visits| run(&runtime, visits, kept));
    }
}

/// Prints the time for each row at each length, and its ratio to the first length.
#[expect(clippy::print_stdout, reason = "the ratio is what this is for")]
fn report(what: &str, lengths: &[u64], measured: impl Fn(u64) -> Duration) {
    println!("{what}, best of {TURNS} turns:");
    let mut first = None;
    for &length in lengths {
        let best = (0..TURNS).map(|_| measured(length)).min();
        let nanoseconds = best.expect("there are turns").as_secs_f64() * 1e9 / length as f64;
        let ratio = nanoseconds / *first.get_or_insert(nanoseconds);
        println!("{length:>9} {nanoseconds:>8.0} ns {ratio:>8.2}");
    }
}

/// Resumes a run whose log has `rows` rows, and ends it.
fn resume(runtime: &Runtime, store: &Arc<impl CheckpointStore>, rows: u64) -> Duration {
    let engine = Engine::new(Arc::clone(store));
    runtime.block_on(async {
        let ending = engine.run(&laps(1, Kept::None), "laps-1", Lap::Round, &());
        ending.await.expect("it ends");
        let claim = store
            .load_run("laps-1")
            .await
            .expect("the store loads")
            .remove(0);
        store.clear("laps-1").await.expect("the store clears");
        store
            .append("laps-1", claim)
            .await
            .expect("the store appends");
        // Many at a time: they share the commits of the embedded store.
        let appends = stream::iter(1..rows).map(|sequence| store.append("laps-1", lap(sequence)));
        let appends = appends.buffer_unordered(AT_A_TIME);
        let appended: Result<(), _> = appends.try_collect().await;
        appended.expect("the store appends");
    });
    let workflow = laps(rows, Kept::None);
    elapsed(|| {
        let resumed = runtime.block_on(engine.resume_from(&workflow, "laps-1"));
        assert_eq!(resumed.expect("it ends"), Outcome::Done(Lap::Done));
    })
}

/// The row of a completed round.
fn lap(sequence: u64) -> CheckpointRow {
    let event = Event::Completed {
        state: Lap::Round.label().into(),
        task: "round".into(),
        output: sequence.to_string().into_bytes().into(),
    };
    event.to_row(sequence)
}

/// A run of `visits` visits.
fn run(runtime: &Runtime, visits: u64, kept: Kept) -> Duration {
    let engine = Engine::new(ForgetfulStore);
    let workflow = laps(visits, kept);
    elapsed(|| {
        let run = runtime.block_on(engine.run(&workflow, "laps-1", Lap::Round, &()));
        assert_eq!(run.expect("it ends"), Outcome::Done(Lap::Done));
    })
}
