//! How many schedules a second are simulated, on one core: a ten-step saga with one crash, in
//! memory, with every oracle. Merging is off, so each crash is gone on from. And what a simulation
//! without a crash costs, and one of a workflow of a single task.
//!
//! Beside them, in turns in the same process, the same workload in the lane that has tokio's paused clock
//! around each process: equal work, since the same schedules are run, with the same histories, and the
//! same oracles asked. That ratio says which lane is faster.
//!
//! And a test that many have, by hand: tokio's paused clock, where a crash is a dropped future and nothing
//! is checked but the outcome. It does less: it crashes between polls, of which there are fewer than crash
//! points, lives once after a crash where a simulation lives twice, keeps no history and asks no oracle.
//! That ratio compares a schedule with the smallest possible crash test.

use std::future::Future as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crashpoint::protocol::Faithful;
use crashpoint::{
    CompensatableTask, Ctx, Engine, MemoryCheckpointStore, Outcome, Retention, State, TaskError,
    TokioRuntime, Workflow,
};
use crashpoint_benches::Comparison;
use crashpoint_simulator::choices::{Recorded, Tape};
use crashpoint_simulator::oracle::judge;
use crashpoint_simulator::workload::{Length, Recipe, Sharing, Workload};
use crashpoint_simulator::{Findings, Lane, Process, Settings, explore, simulate_with};
use criterion::{Criterion, Throughput};

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Saga {
    S0,
    S1,
    S2,
    S3,
    S4,
    S5,
    S6,
    S7,
    S8,
    S9,
    Done,
}

const TASKS: [&str; 10] = ["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9"];

/// The outside world of a task, in a lane.
trait World: Clone + Send + Sync + 'static {
    fn act(&self, ctx: &Ctx, name: &str) -> impl Future<Output = ()> + Send;
}

impl World for Process {
    async fn act(&self, ctx: &Ctx, name: &str) {
        self.effect(ctx, name, "").await;
    }
}

/// Counts its effects. Each yields once, so that there is an instant to crash at.
#[derive(Clone, Default)]
struct Counter(Arc<AtomicU64>);

impl World for Counter {
    async fn act(&self, _: &Ctx, _: &str) {
        self.0.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
    }
}

struct Act<W>(W, usize);

impl<W: World> CompensatableTask<Saga> for Act<W> {
    type Output = u64;

    async fn run(&self, ctx: Ctx) -> Result<(Saga, u64), TaskError> {
        self.0.act(&ctx, TASKS[self.1]).await;
        Ok((Saga::ALL[self.1 + 1], ctx.visit()))
    }

    async fn compensate(&self, ctx: Ctx, output: u64) -> Result<(), TaskError> {
        self.0.act(&ctx, &output.to_string()).await;
        Ok(())
    }

    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        self.0.act(&ctx, "in doubt").await;
        Ok(())
    }
}

fn saga<W: World>(world: &W) -> Workflow<Saga> {
    let mut builder = Workflow::builder("saga", 1);
    for (step, task) in TASKS.iter().enumerate() {
        builder = builder
            .compensatable(Saga::ALL[step], task, Act(world.clone(), step))
            .to([Saga::ALL[step + 1]]);
    }
    let built = builder.exit(Saga::Done).build();
    built.expect("the saga is well defined")
}

/// As little as a workflow can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Little {
    Begun,
    Done,
}

fn little(_: &Process) -> Workflow<Little> {
    let built = Workflow::builder("little", 1)
        .task(Little::Begun, "nothing", |_: Ctx| async {
            Ok::<_, TaskError>(Little::Done)
        })
        .exit(Little::Done)
        .build();
    built.expect("the workflow is well defined")
}

fn workload<S: State>(
    name: &'static str,
    workflow: fn(&Process) -> Workflow<S>,
    start: S,
) -> Workload {
    let recipe = Recipe {
        name,
        about: "what is measured",
        workflow: Arc::new(workflow),
        start,
        input: ().into(),
        retention: Retention::Keep,
        sharing: Sharing::Shared,
        retry_stuck: false,
        length: Length::Long,
    };
    recipe.under(Faithful)
}

/// The same in the lane that has tokio's paused clock around each process.
fn within_tokio(workload: Workload) -> Workload {
    Workload {
        lane: Lane::Tokio,
        ..workload
    }
}

fn one_crash() -> Settings {
    let budget = "c1".parse().expect("a budget");
    Settings {
        unmerged: true,
        ..Settings::within(budget)
    }
}

/// Every schedule with up to one crash. Each continues from a copy of the state after the crash.
fn explored(workload: &Workload) -> Findings {
    let findings = explore(workload, &one_crash());
    assert_eq!((findings.violations.len(), findings.merged), (0, 0));
    findings
}

/// The tape of each of those schedules.
fn tapes(workload: &Workload) -> Vec<Vec<(usize, usize)>> {
    let (calm, _) = simulate_with(workload, &one_crash(), Recorded::sparse(Vec::new()));
    let Tape(draws) = calm.tape;
    let crashes = draws.iter().enumerate().flat_map(|(at, draw)| {
        let chosen = 1..draw.n;
        chosen.map(move |chosen| vec![(at, chosen)])
    });
    crashes.collect()
}

/// The same schedule from its first life on.
fn simulated(workload: &Workload, settings: &Settings, tape: Vec<(usize, usize)>) {
    let (run, _) = simulate_with(workload, settings, Recorded::sparse(tape));
    assert_eq!(judge(workload, &run), []);
}

/// A crash after `polls` polls, and an engine that resumes. Returns the polls of the first engine.
async fn paused(polls: u32) -> u32 {
    let world = Counter::default();
    let store = Arc::new(MemoryCheckpointStore::new());
    let engine = || Engine::new(Arc::clone(&store)).with_runtime(TokioRuntime::new());
    let workflow = saga(&world);
    let first = engine();
    let mut run = Box::pin(first.run(&workflow, "run-1", Saga::S0, &()));
    let mut polled = 0;
    let ended = std::future::poll_fn(|cx| {
        polled += 1;
        match run.as_mut().poll(cx) {
            _ if polled == polls => std::task::Poll::Ready(None),
            poll => poll.map(Some),
        }
    });
    let ended = ended.await;
    drop(run);
    let outcome = match ended {
        Some(outcome) => outcome,
        None => {
            let workflow = saga(&world);
            engine()
                .run_or_resume(&workflow, "run-1", Saga::S0, &())
                .await
        }
    };
    assert_eq!(outcome.expect("it ends"), Outcome::Done(Saga::Done));
    assert!(world.0.load(Ordering::Relaxed) >= TASKS.len() as u64);
    polled
}

/// A runtime for each schedule, so that nothing of a schedule reaches the next.
fn paused_runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build();
    runtime.expect("a tokio runtime")
}

fn main() {
    let ten = workload("saga", saga::<Process>, Saga::S0);
    let empty = workload("little", little, Little::Begun);
    let tapes = tapes(&ten);
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("simulator");
    group.sample_size(20);
    group.throughput(Throughput::Elements(explored(&ten).schedules));
    group.bench_function("one crash, explored", |bencher| {
        bencher.iter(|| explored(&ten));
    });
    group.throughput(Throughput::Elements(tapes.len() as u64));
    group.bench_function("one crash, from the start", |bencher| {
        bencher.iter(|| {
            for tape in &tapes {
                simulated(&ten, &one_crash(), tape.clone());
            }
        });
    });
    group.throughput(Throughput::Elements(1));
    for (name, workload) in [
        ("no crash, ten steps", &ten),
        ("empty: no crash, one task without an effect", &empty),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| simulated(workload, &Settings::default(), Vec::new()));
        });
    }
    group.finish();
    criterion.final_summary();
    let elsewhere = ["--test", "--list", "--profile-time"];
    if !std::env::args().any(|argument| elsewhere.contains(&&*argument)) {
        side_by_side(&ten, &tapes);
    }
}

/// Objects to two lanes in which a schedule is not the same.
fn assert_equal_work(one: &Workload, other: &Workload, tapes: &[Vec<(usize, usize)>]) {
    assert_eq!(explored(one).schedules, explored(other).schedules);
    for tape in tapes {
        let run =
            |workload| simulate_with(workload, &one_crash(), Recorded::sparse(tape.clone())).0;
        assert_eq!(run(one), run(other));
    }
}

#[expect(clippy::print_stdout, reason = "the ratio is what this is for")]
fn side_by_side(ten: &Workload, tapes: &[Vec<(usize, usize)>]) {
    let tokio = within_tokio(workload("saga", saga::<Process>, Saga::S0));
    assert_equal_work(ten, &tokio, tapes);
    let schedules = u32::try_from(explored(ten).schedules).expect("there are few");
    let polls = paused_runtime().block_on(paused(u32::MAX));
    // As many schedules in every lane, over all of their crash points in turn.
    let explores = |workload| move || drop(explored(workload));
    let simulates = |workload| {
        move || {
            for tape in tapes.iter().cycle().take(schedules as usize) {
                simulated(workload, &one_crash(), tape.clone());
            }
        }
    };
    let (mut own_explores, mut own_simulates) = (explores(ten), simulates(ten));
    let (mut tokio_explores, mut tokio_simulates) = (explores(&tokio), simulates(&tokio));
    let mut paused = || {
        for crash in (1..polls).cycle().take(schedules as usize) {
            paused_runtime().block_on(paused(crash));
        }
    };
    println!(
        "{} crash points, {polls} polls of the paused run",
        tapes.len()
    );
    let unit = "schedule of a ten-step saga with a crash";
    let explored = Comparison::run(
        unit,
        schedules,
        &mut [
            ("own lane, explored, all oracles", &mut own_explores),
            ("tokio lane, the same", &mut tokio_explores),
        ],
    );
    println!("{explored}");
    let simulated = Comparison::run(
        unit,
        schedules,
        &mut [
            ("own lane, from the start, all oracles", &mut own_simulates),
            ("tokio lane, the same", &mut tokio_simulates),
            (
                "by hand on tokio's paused clock, outcome checked: less work",
                &mut paused,
            ),
        ],
    );
    println!("{simulated}");
}
