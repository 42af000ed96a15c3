//! One order for each seed: a worker that is killed, a store behind a network, and the claims that
//! must hold.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crashpoint::protocol::{Faithful, Rule, RuledEngine, Rules, Without};
use crashpoint::{
    AppendRetry, CheckpointRow, CheckpointStore as _, Direction, Engine, Error,
    MemoryCheckpointStore, Outcome, RowKind, Workflow, rebuild,
};
use crashpoint_simulator::madsim_lane::{MadsimRuntime, RemoteStore, serve};
use madsim::net::NetSim;
use madsim::rand::Rng as _;
use madsim::runtime::{Builder, Handle};
use madsim::task::NodeId;
use madsim::time::{TimeHandle, sleep};

use crate::order::{Order, Script, workflow};
use crate::world::{Activity, Ending, Watched, World};

const SEEDS_DEFAULT: u64 = 200;
const ORDER: &str = "order-42";
const RPC_TIMEOUT: Duration = Duration::from_millis(100);
/// The delay before a worker resumes a suspended run.
const RESUME_DELAY: Duration = Duration::from_millis(50);
const ENDS_AS_WRITTEN: &str = "the order ends as its script says";
const ALL_OR_NOTHING: &str = "all of the effects are there, or none";
/// The virtual time within which an order ends after the last kill. Without lost messages it takes
/// well under a second.
const ENDING_MAX: Duration = Duration::from_secs(30);

/// Everything that a seed decides before the order begins.
#[derive(Debug, Clone, PartialEq)]
struct Schedule {
    script: Script,
    packet_loss_rate: f64,
    /// How long a worker lives, and how long it is then down.
    kills: Vec<(Duration, Duration)>,
    /// When the network between worker and store is cut, in which direction, and for how long.
    cut: Option<(Duration, Cut, Duration)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    Requests,
    Answers,
}

/// The window in which a kill struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Window {
    BeforeEffect(Direction),
    AfterEffect(Direction),
    /// The append was sent, and its row had not landed.
    BeforeAppendLanded,
    /// The row had landed, and the worker did not know.
    AfterAppendLanded,
    /// Starting, loading or waiting.
    Other,
}

/// Windows that every list of seeds must reach.
const WINDOWS: [Window; 6] = [
    Window::BeforeEffect(Direction::Do),
    Window::AfterEffect(Direction::Do),
    Window::BeforeEffect(Direction::Undo),
    Window::AfterEffect(Direction::Undo),
    Window::BeforeAppendLanded,
    Window::AfterAppendLanded,
];

/// The outcome of an order.
#[derive(Debug, Clone, PartialEq)]
struct Fate {
    schedule: Schedule,
    windows: Vec<Window>,
    /// Rows of killed workers that landed after their death.
    posthumous: u32,
    /// Repeated effects and undos.
    repeats: u32,
    outcome: Ending,
    ledger: Vec<&'static str>,
    rows: Vec<CheckpointRow>,
    /// The answer and the log after one more resume, once the network is quiet.
    resumed: (Ending, Vec<CheckpointRow>),
}

#[test]
fn an_order_is_all_or_nothing_wherever_its_worker_is_killed() {
    let first = env_number("MADSIM_TEST_SEED").unwrap_or(0);
    let seeds = env_number("MADSIM_TEST_NUM").unwrap_or(SEEDS_DEFAULT);
    assert!(seeds > 0, "no seed proves nothing");
    let mut windows: BTreeMap<Window, u32> = BTreeMap::new();
    let (mut resumes, mut posthumous, mut repeats, mut rolled_back) = (0, 0, 0, 0);
    for seed in first..first + seeds {
        let fate = simulated(seed, || one_order(None));
        if let Some(violation) = fate.violation() {
            panic!("violated: {violation}\n{}\n{}", fate.story(), replay(seed));
        }
        for window in &fate.windows {
            *windows.entry(*window).or_default() += 1;
        }
        resumes += fate.claims() - 1;
        posthumous += fate.posthumous;
        repeats += fate.repeats;
        rolled_back += u64::from(fate.schedule.script == Script::FailsAfterShipping);
    }
    let kills: u32 = windows.values().sum();
    println!(
        "madsim: {seeds} seeds from {first}, {kills} kills, {resumes} resumes, {posthumous} rows \
         landed after their worker's death, {repeats} effects asked for again, {rolled_back} \
         orders rolled back"
    );
    for (window, kills) in &windows {
        println!("madsim: {kills:>4} kills in {window:?}");
    }
    if seeds >= SEEDS_DEFAULT {
        let missed = WINDOWS
            .iter()
            .filter(|window| !windows.contains_key(window));
        let missed: Vec<_> = missed.collect();
        assert!(missed.is_empty(), "no kill struck in {missed:?}");
        assert!(resumes > 0, "no order was resumed");
        assert!(repeats > 0, "the keys were not needed");
        assert!(posthumous > 0, "no row outlived its sender");
        assert!(0 < rolled_back && rolled_back < seeds, "both scripts ran");
    }
}

#[test]
fn a_seed_decides_everything() {
    let run = |seed| simulated(seed, || one_order(None));
    for seed in 0..5 {
        assert_eq!(run(seed), run(seed), "seed {seed}");
    }
    // The control: not everything is equal.
    assert_ne!(run(0).rows, run(1).rows);
}

/// The canaries: this lane catches what it is for.
#[test]
fn a_broken_engine_is_caught() {
    let open_visit_left_out = first_violation(|| one_order(Some(Rule::OpenVisitIsUndone)));
    assert_eq!(open_visit_left_out, Some(ALL_OR_NOTHING));
    let fault_rolls_back = first_violation(|| one_order(Some(Rule::StorageFaultSuspends)));
    assert_eq!(fault_rolls_back, Some(ENDS_AS_WRITTEN));
    let fault_fails_task = first_violation(|| one_order(Some(Rule::AppendErrorIsNoTaskFailure)));
    assert_eq!(fault_fails_task, Some(ENDS_AS_WRITTEN));
}

fn first_violation<F>(order: fn() -> F) -> Option<&'static str>
where
    F: Future<Output = Fate> + 'static,
{
    (0..SEEDS_DEFAULT).find_map(|seed| simulated(seed, order).violation())
}

fn simulated<F>(seed: u64, order: fn() -> F) -> Fate
where
    F: Future<Output = Fate> + 'static,
{
    let builder = Builder {
        seed,
        count: 1,
        jobs: 1,
        config: madsim::Config::default(),
        time_limit: None,
        check: false,
        allow_system_thread: false,
    };
    builder.run(order)
}

fn replay(seed: u64) -> String {
    format!("replay: MADSIM_TEST_SEED={seed} MADSIM_TEST_NUM=1 cargo simtest")
}

async fn one_order(broken: Option<Rule>) -> Fate {
    let schedule = Schedule::drawn();
    let address: SocketAddr = "10.0.0.1:1".parse().expect("an address");
    let world = Arc::new(World::default());
    let rows = Arc::new(MemoryCheckpointStore::new());
    let handle = Handle::current();
    NetSim::current().update_config(|net| net.packet_loss_rate = schedule.packet_loss_rate);

    let served = Arc::clone(&rows);
    let store = handle.create_node().name("store").ip(address.ip());
    let store = store.init(move || {
        let served = Arc::clone(&served);
        async move { serve(address, served).await.expect("the store is served") }
    });
    let store = store.build();
    let (employed, script) = (Arc::clone(&world), schedule.script);
    let worker = handle.create_node().name("worker");
    let worker = worker
        .ip("10.0.0.2".parse().expect("an address"))
        .init(move || work(Arc::clone(&employed), script, address, broken));
    let worker = worker.build();

    if let Some(cut) = schedule.cut {
        madsim::task::spawn(cut_network(worker.id(), store.id(), cut));
    }
    let mut windows = Vec::new();
    let mut posthumous = 0;
    for (life, down) in &schedule.kills {
        sleep(*life).await;
        if world.outcome().is_some() {
            break;
        }
        let activity = world.activity();
        handle.kill(worker.id());
        let window = window(&activity, &rows).await;
        world.set_activity(Activity::Other);
        sleep(*down).await;
        if let (Window::BeforeAppendLanded, Activity::Appending(row)) = (window, &activity) {
            posthumous += u32::from(log(&rows).await.contains(row));
        }
        windows.push(window);
        handle.restart(worker.id());
    }
    let clock = TimeHandle::current();
    let healed = clock.elapsed();
    while world.outcome().is_none() && clock.elapsed() - healed < ENDING_MAX {
        sleep(Duration::from_millis(10)).await;
    }
    let outcome = world.outcome().unwrap_or_else(|| Err("no end".to_owned()));
    let ledger = world.ledger().present();
    let ended = log(&rows).await;
    // Messages still in flight arrive before the last resume.
    sleep(RPC_TIMEOUT).await;
    let engine = Engine::new(Arc::clone(&rows)).with_runtime(MadsimRuntime);
    let resumed = engine.resume_from(&workflow(&world, schedule.script), ORDER);
    let resumed = resumed.await.map_err(|error| error.to_string());
    let repeats = world.ledger().repeats;
    Fate {
        schedule,
        windows,
        posthumous,
        repeats,
        outcome,
        ledger,
        rows: ended,
        resumed: (resumed, log(&rows).await),
    }
}

/// The worker's process: resumes the order, or starts it.
async fn work(world: Arc<World>, script: Script, store: SocketAddr, broken: Option<Rule>) {
    let remote = RemoteStore::connect(store, RPC_TIMEOUT)
        .await
        .expect("the worker has a port");
    let workflow = workflow(&world, script);
    let watched = Watched {
        remote,
        world: Arc::clone(&world),
    };
    let retry = AppendRetry {
        sends_max: 3,
        delay: Duration::from_millis(20),
    };
    let engine = Engine::new(watched)
        .with_runtime(MadsimRuntime)
        .with_append_retry(retry);
    match broken {
        None => complete(&world, RuledEngine::new(engine, Faithful), &workflow).await,
        Some(rule) => complete(&world, RuledEngine::new(engine, Without(rule)), &workflow).await,
    }
}

/// Resumes the order, or starts it, until it has ended.
async fn complete<R: Rules>(world: &World, engine: RuledEngine<R>, workflow: &Workflow<Order>) {
    loop {
        let result = match engine.resume_from(workflow, ORDER).await {
            Err(Error::NotFound { .. }) => {
                engine.run(workflow, ORDER, Order::Charge, &1999_u64).await
            }
            other => other,
        };
        match result {
            Ok(outcome) => return world.end(Ok(outcome)),
            // The first claim of a dead worker has landed after all.
            Err(Error::AlreadyExists { .. } | Error::Suspended { .. }) => sleep(RESUME_DELAY).await,
            // Nobody else runs the order, so no other error may happen.
            Err(error) => return world.end(Err(error.to_string())),
        }
    }
}

async fn cut_network(
    worker: NodeId,
    store: NodeId,
    (after, cut, length): (Duration, Cut, Duration),
) {
    let (from, to) = match cut {
        Cut::Requests => (worker, store),
        Cut::Answers => (store, worker),
    };
    sleep(after).await;
    NetSim::current().clog_link(from, to);
    sleep(length).await;
    NetSim::current().unclog_link(from, to);
}

async fn window(activity: &Activity, rows: &MemoryCheckpointStore) -> Window {
    match activity {
        Activity::Other => Window::Other,
        Activity::Appending(row) if log(rows).await.contains(row) => Window::AfterAppendLanded,
        Activity::Appending(_) => Window::BeforeAppendLanded,
        Activity::Acting {
            direction,
            effected: false,
        } => Window::BeforeEffect(*direction),
        Activity::Acting { direction, .. } => Window::AfterEffect(*direction),
    }
}

impl Fate {
    /// The first broken claim, if any.
    fn violation(&self) -> Option<&'static str> {
        let (ended_well, effects): (_, &[&str]) = match self.schedule.script {
            Script::Succeeds => (
                self.outcome == Ok(Outcome::Done(Order::Done)),
                &["charge", "reserve", "ship"],
            ),
            Script::FailsAfterShipping => (matches!(self.outcome, Ok(Outcome::RolledBack(_))), &[]),
        };
        let dense = (0..)
            .zip(&self.rows)
            .all(|(place, row)| row.sequence == place);
        let terminal = rebuild(&self.rows).is_ok_and(|state| state.is_terminal());
        let (again, log) = &self.resumed;
        let oracles = [
            (ended_well, ENDS_AS_WRITTEN),
            (self.ledger == effects, ALL_OR_NOTHING),
            (dense, "the rows are dense from 0"),
            (terminal, "the log is legal and ends with a terminal row"),
            (*again == self.outcome, "a resume gives the same answer"),
            (*log == self.rows, "an ended log does not change"),
        ];
        let violated = oracles.iter().find(|(holds, _)| !holds);
        violated.map(|(_, oracle)| *oracle)
    }

    /// The fate as text.
    fn story(&self) -> String {
        let Self {
            schedule,
            windows,
            outcome,
            ledger,
            resumed,
            ..
        } = self;
        let rows = self.rows.iter().map(|row| {
            let CheckpointRow {
                sequence,
                kind,
                state,
                task_id,
                ..
            } = row;
            format!("{sequence:>4} {kind:<24} {state:<8} {task_id}\n")
        });
        let rows: String = rows.collect();
        format!(
            "{schedule:#?}\nkilled in {windows:?}\ntold {outcome:?}, resumed {:?}\nledger {ledger:?}\n{rows}",
            resumed.0
        )
    }

    fn claims(&self) -> usize {
        let claims = self.rows.iter().filter(|row| row.kind == RowKind::Claim);
        claims.count()
    }
}

async fn log(rows: &MemoryCheckpointStore) -> Vec<CheckpointRow> {
    rows.load_run(ORDER).await.expect("memory can be read")
}

impl Schedule {
    fn drawn() -> Self {
        let mut draw = madsim::rand::thread_rng();
        let mut ms = |range| Duration::from_millis(draw.gen_range(range));
        let kills = (0..3).map(|_| (ms(1..200), ms(0..30))).collect::<Vec<_>>();
        let cut = (ms(0..200), ms(20..400));
        let kills = kills[..draw.gen_range(1..=3)].to_vec();
        Self {
            script: match draw.gen_range(0..2) {
                0 => Script::Succeeds,
                _ => Script::FailsAfterShipping,
            },
            packet_loss_rate: [0.0, 0.0, 0.05, 0.2][draw.gen_range(0..4)],
            kills,
            cut: match draw.gen_range(0..4) {
                0 | 1 => None,
                2 => Some((cut.0, Cut::Requests, cut.1)),
                _ => Some((cut.0, Cut::Answers, cut.1)),
            },
        }
    }
}

fn env_number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is not a number")),
    )
}
