//! A world from its first node to the verdicts.

use std::hash::Hasher as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use futures_util::future::join_all;
use madsim::net::Endpoint;
use madsim::rand::Rng as _;
use madsim::runtime::{Handle, Runtime};
use madsim::task::JoinHandle;
use madsim::time::{sleep, timeout};

use crate::choices::Choices;
use crate::choices::fnv::Fnv;
use crate::fault::Fault;
use crate::history::{History, LifeEnd, What};
use crate::madsim_lane::client::Clients;
use crate::madsim_lane::defect::Defect;
use crate::madsim_lane::nemesis::Nemesis;
use crate::madsim_lane::plan::Plan;
use crate::madsim_lane::record::{Record, RunRecord};
use crate::madsim_lane::report::{Broken, WorldReport};
use crate::madsim_lane::store_node::StoreNode;
use crate::madsim_lane::worker::{Ask, Task, Worker};
use crate::oracle::{Verdict, judge};
use crate::report::trace;

/// The virtual time within which every run ends once the faults are over. A run without faults takes
/// well under two seconds.
const ENDING_MAX: Duration = Duration::from_secs(120);
/// Longer than any message is under way.
const QUIET: Duration = Duration::from_secs(2);
/// The port at which nodes serve. madsim gives the lowest free ports to clients.
const PORT: u16 = 7_000;
/// The oracle that asks whether runs end.
const LIVENESS: &str = "liveness";

/// The plan of the world of this seed.
pub fn drawn_plan(seed: u64) -> Plan {
    within(seed, async { Plan::draw(&mut MadsimChoices) })
}

/// Simulates a world. The same arguments give the same report, in any process.
///
/// # Panics
///
/// If a node of the world panics outside of the tasks of its runs: a bug of the lane.
pub fn simulate_world(seed: u64, plan: Plan, defect: Option<Defect>) -> WorldReport {
    within(seed, world(seed, plan, defect))
}

/// Choices from madsim's random source.
struct MadsimChoices;

impl Choices for MadsimChoices {
    fn choose(&mut self, _label: &str, n: usize) -> usize {
        madsim::rand::thread_rng().gen_range(0..n)
    }
}

/// Runs a future in a simulation of its own. Maps of the standard library take their order from the
/// thread, so each simulation has a new one.
#[expect(
    clippy::disallowed_methods,
    reason = "one thread for each simulation, which its caller waits for"
)]
fn within<T: Send + 'static>(seed: u64, future: impl Future<Output = T> + Send + 'static) -> T {
    let simulation = std::thread::spawn(move || {
        let runtime = Runtime::with_seed_and_config(seed, madsim::Config::default());
        runtime.block_on(future)
    });
    match simulation.join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

async fn world(seed: u64, plan: Plan, defect: Option<Defect>) -> WorldReport {
    let runs = plan.runs.iter().enumerate();
    let runs = runs.map(|(index, run)| {
        let workload = match defect {
            None => run.workload(None),
            Some(defect) => defect.of_run(run),
        };
        // The name of a mutant goes on with its rule.
        let name = workload.name.split('~').next().unwrap_or_default();
        let id = format!("{name}-{index}");
        RunRecord::new(&id, workload)
    });
    let record = Arc::new(Record::new(runs.collect()));
    let nemesis = build(&record, &plan, defect).await;
    let nemesis = Arc::new(nemesis);

    let runs = plan.runs.iter().cloned().enumerate();
    let clients = runs.map(|(index, run)| {
        let clients = Arc::clone(&nemesis.clients);
        madsim::task::spawn(async move { clients.drive(index, &run).await })
    });
    let clients = clients.collect();
    join_all(plan.faults.iter().map(|fault| nemesis.carry_out(fault))).await;
    nemesis.heal();
    let late = wait_for_answers(&record, clients).await;
    verify(&nemesis).await;

    let mut report = WorldReport {
        seed,
        plan,
        broken: Vec::new(),
        reached: record.counts(),
        events: Vec::new(),
        runs: Vec::new(),
        hash: 0,
    };
    let (events, hash) = record.events();
    let mut chain = Fnv::new();
    chain.write(&hash.to_le_bytes());
    report.events = events;
    for run in &record.runs {
        let id = run.id().to_owned();
        let log = nemesis.store.1.rows(&id).await;
        let finished = run.finish(log);
        let mut verdicts = judge(&run.workload, &finished);
        if late.contains(&id) && !verdicts.iter().any(|verdict| verdict.oracle == LIVENESS) {
            verdicts.push(Verdict {
                oracle: LIVENESS,
                message: format!(
                    "no answer within {} s after the last fault",
                    ENDING_MAX.as_secs()
                ),
            });
        }
        for line in trace::lines(&finished.history) {
            chain.write(line.as_bytes());
        }
        reach(&mut report, &finished.history);
        report
            .broken
            .extend(verdicts.into_iter().map(|verdict| Broken {
                workflow_id: id.clone(),
                verdict,
            }));
        report.runs.push((id, finished));
    }
    report.hash = chain.finish();
    report
}

/// Builds the nodes.
async fn build(record: &Arc<Record>, plan: &Plan, defect: Option<Defect>) -> Nemesis {
    let handle = Handle::current();
    let address = |last: usize| SocketAddr::from(([10, 0, 0, last as u8], PORT));
    let store_address = address(1);
    let store = Arc::new(StoreNode::new(Arc::clone(record), defect));
    let served = Arc::clone(&store);
    let store_node = handle
        .create_node()
        .name("store")
        .ip(store_address.ip())
        .init(move || {
            let served = Arc::clone(&served);
            async move {
                served
                    .serve(store_address)
                    .await
                    .expect("the store has its port");
            }
        })
        .build();
    let mut workers = Vec::new();
    let mut addresses = Vec::new();
    for index in 0..plan.workers {
        let worker_address = address(10 + index);
        let worker = Arc::new(Worker {
            index,
            record: Arc::clone(record),
            store: store_address,
            skew_ms: Arc::new(AtomicI64::new(0)),
            defect,
        });
        let employed = Arc::clone(&worker);
        let node = handle
            .create_node()
            .name(format!("worker {index}"))
            .ip(worker_address.ip())
            .init(move || {
                let employed = Arc::clone(&employed);
                async move {
                    employed
                        .serve(worker_address)
                        .await
                        .expect("a worker has its port");
                }
            })
            .build();
        workers.push((node.id(), worker));
        addresses.push(worker_address);
    }
    let clients_node = handle
        .create_node()
        .name("clients")
        .ip(address(100).ip())
        .build();
    let endpoint = clients_node.spawn(Endpoint::bind("0.0.0.0:0"));
    let endpoint = endpoint.await.expect("the clients' node is not killed");
    let clients = Clients {
        record: Arc::clone(record),
        workers: addresses,
        endpoint: endpoint.expect("the clients have a port"),
    };
    Nemesis {
        record: Arc::clone(record),
        clients: Arc::new(clients),
        workers,
        store: (store_node.id(), store),
    }
}

/// Waits until every client has its answer. Returns the ids of the runs that have none in time.
async fn wait_for_answers(record: &Record, clients: Vec<JoinHandle<()>>) -> Vec<String> {
    let in_time = record.runs.iter().zip(clients).map(async |(run, client)| {
        let answered = timeout(ENDING_MAX + run.waits_max(), client).await;
        answered.is_err().then(|| run.id().to_owned())
    });
    join_all(in_time).await.into_iter().flatten().collect()
}

/// Resumes each run once more when nothing is under way, and again: both must change nothing more.
async fn verify(nemesis: &Nemesis) {
    for _ in 0..2 {
        sleep(QUIET).await;
        for run in 0..nemesis.record.runs.len() {
            let task = Task::Verify;
            nemesis.clients.ask(0, Ask { run, task }, ENDING_MAX).await;
        }
    }
}

/// Counts what a history shows that a world should reach.
fn reach(report: &mut WorldReport, history: &History) {
    let mut count = |what| *report.reached.entry(what).or_default() += 1;
    let mut dead = Vec::new();
    for entry in &history.0 {
        match &entry.what {
            What::Fault(fired) if matches!(fired.fault, Fault::Crash(_)) => dead.push(entry.life),
            What::Landed(_) if dead.contains(&entry.life) => {
                count("a row landed after the death of its sender");
            }
            What::AppendFailed { .. } => count("an append was in doubt"),
            What::Returned(LifeEnd::Fenced) => count("a life was fenced"),
            What::Returned(LifeEnd::Suspended) => count("a life was suspended"),
            What::Returned(LifeEnd::Done(_)) => count("a life returned done"),
            What::Returned(LifeEnd::RolledBack) => count("a life returned rolled back"),
            What::Returned(LifeEnd::Stuck(_)) => count("a life returned stuck"),
            _ => {}
        }
    }
}
