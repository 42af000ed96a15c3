//! Workloads that only these tests need: a second run of an id, a deployment that does not match,
//! and a log that is cleared while others may write.

use std::sync::Arc;

use crashpoint::protocol::Rules;
use crashpoint::{CompensatableTask, Ctx, Retention, State, TaskError, Workflow};
use crashpoint_simulator::workload::generated::{Failure, Kind, Node, generated};
use crashpoint_simulator::workload::{Length, Recipe, Sharing, Workload, all_under};
use crashpoint_simulator::{EngineSubject, LifeEnd, Process, Subject};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::json;

/// A trip that is booked, then paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Trip {
    Book,
    Pay,
    Paid,
}

/// The workload with this name under these rules: of the simulator or of this file.
pub(crate) fn named<R: Rules>(name: &str, rules: R) -> Workload {
    match name {
        "trip-cleared-shared" => recipe(
            "trip-cleared-shared",
            Retention::ClearWhenDone,
            Sharing::Shared,
        )
        .under(rules),
        "trip-cleared" => cleared("trip-cleared").under(rules),
        "trip-again" => again(rules),
        "fails-once-for-good" => fails_once_for_good(rules),
        "trip-redeployed" => redeployed(rules),
        _ => {
            let mut all = all_under(rules).into_iter();
            let found = all.find(|workload| workload.name == name);
            found.unwrap_or_else(|| panic!("no workload {name:?}"))
        }
    }
}

fn recipe(name: &'static str, retention: Retention, sharing: Sharing) -> Recipe<Trip> {
    Recipe {
        name,
        about: "a trip that is booked and then paid",
        workflow: Arc::new(workflow),
        start: Trip::Book,
        input: json!(null),
        retention,
        sharing,
        retry_stuck: false,
        length: Length::Long,
    }
}

fn cleared(name: &'static str) -> Recipe<Trip> {
    recipe(name, Retention::ClearWhenDone, Sharing::Exclusive)
}

fn workflow(process: &Process) -> Workflow<Trip> {
    let act = |next| Act {
        process: process.clone(),
        next,
    };
    let workflow = Workflow::builder("trip", 1)
        .compensatable(Trip::Book, "book", act(Trip::Pay))
        .to([Trip::Pay])
        .compensatable(Trip::Pay, "pay", act(Trip::Paid))
        .to([Trip::Paid])
        .exit(Trip::Paid)
        .build();
    workflow.expect("the workload is well defined")
}

/// The second version: trips are free, and it does not accept runs of the first version.
fn free_of_charge(process: &Process) -> Workflow<Trip> {
    let book = Act {
        process: process.clone(),
        next: Trip::Pay,
    };
    let workflow = Workflow::builder("trip", 2)
        .compensatable(Trip::Book, "book", book)
        .exit(Trip::Pay)
        .exit(Trip::Paid)
        .build();
    workflow.expect("the workload is well defined")
}

struct Act {
    process: Process,
    next: Trip,
}

impl CompensatableTask<Trip> for Act {
    type Output = u64;

    async fn run(&self, ctx: Ctx) -> Result<(Trip, u64), TaskError> {
        self.process.effect(&ctx, ctx.task(), "").await;
        Ok((self.next, ctx.visit()))
    }

    async fn compensate(&self, ctx: Ctx, output: u64) -> Result<(), TaskError> {
        self.process.effect(&ctx, "undo", &output.to_string()).await;
        Ok(())
    }

    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        self.process.effect(&ctx, "undo", "in doubt").await;
        Ok(())
    }
}

/// A saga whose second task fails for good in its first attempt over all lives.
fn fails_once_for_good<R: Rules>(rules: R) -> Workload {
    let fine = Node::of(Kind::Compensatable);
    let fails = Node {
        failure: Failure::FatalOnce,
        ..fine
    };
    let mut workload = generated(&[fine, fails], rules);
    workload.name = "fails-once-for-good".to_owned();
    workload
}

/// If the id has no log, as after a clear, every life begins a new run.
fn again<R: Rules>(rules: R) -> Workload {
    let mut workload = cleared("trip-again").under(rules);
    let once = workload.subject;
    workload.subject = Box::new(move || Arc::new(Again(once())));
    workload
}

struct Again(Arc<dyn Subject>);

impl Subject for Again {
    fn start(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        self.0.start(process)
    }

    fn resume(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        let (subject, process) = (Arc::clone(&self.0), process.clone());
        async move {
            match subject.resume(&process).await {
                LifeEnd::NotFound => subject.start(&process).await,
                other => other,
            }
        }
        .boxed()
    }
}

/// The second life has the second version, deployed by mistake; then it is rolled back.
fn redeployed<R: Rules>(rules: R) -> Workload {
    let mut workload =
        recipe("trip-redeployed", Retention::Keep, Sharing::Shared).under(rules.clone());
    let first = workload.subject;
    workload.subject = Box::new(move || {
        let second = EngineSubject {
            workflow: Arc::new(free_of_charge),
            start: Trip::Book,
            input: json!(null),
            retention: Retention::Keep,
            rules: rules.clone(),
        };
        let first = first();
        Arc::new(Redeployed { first, second })
    });
    workload
}

struct Redeployed<R> {
    first: Arc<dyn Subject>,
    second: EngineSubject<Trip, R>,
}

impl<R: Rules> Subject for Redeployed<R> {
    fn start(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        self.first.start(process)
    }

    fn resume(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        match process.life() {
            2 => self.second.resume(process),
            _ => self.first.resume(process),
        }
    }
}
