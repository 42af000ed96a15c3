//! Deliberately broken workloads that the checks must reject. An exploration does not include them;
//! `crashpoint explore --workload control-entropy` selects one by name.
//!
//! Three read something that no choice gave them. One breaks an invariant of its author, one has a
//! router that acts, one has a task that panics, one has a task that never ends, and the subject of one panics before the
//! simulation. Four end as no fault makes them end. One sends a request twice to a service without keys;
//! another calls a service rightly, so that the faults of services happen somewhere.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::{Duration, Instant};

use crashpoint::protocol::Faithful;
use crashpoint::{
    CompensatableTask, Ctx, Retention, RunData, Runtime as _, State, TaskError, TokioRuntime,
    Workflow,
};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::history::LifeEnd;
use crate::sim::{BrokenInvariant, Process, Service, Subject};
use crate::workload::{ActsOn, Deadline, Length, Panics, Recipe, Sharing, Workload};

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Control {
    Charge,
    Charged,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Routed {
    Leave,
    Charge,
    Charged,
}

/// The names of the controls that read something outside the simulation.
pub const NONDETERMINISTIC: [&str; 3] = ["control-entropy", "control-clock", "control-hash-map"];

/// The name of the control that breaks its own invariant.
pub const MISTAKEN: &str = "control-charges-twice";

/// The name of the control that panics outside of the simulation.
pub const PANICKING: &str = "control-panics";

/// The name of the control whose task panics.
pub const TASK_PANICS: &str = "control-task-panics";

/// The name of the control whose task waits for something that never comes.
pub const TASK_HANGS: &str = "control-task-hangs";

/// The name of the control that is never done.
pub const NEVER_DONE: &str = "control-never-done";

/// The name of the control that gives up after a crash.
pub const GIVES_UP: &str = "control-gives-up";

/// The name of the control whose undo fails by itself.
pub const GETS_STUCK: &str = "control-gets-stuck";

/// The name of the control whose output does not read back.
pub const LOSES_OUTPUT: &str = "control-loses-its-output";

/// The name of the control that calls a service, and breaks nothing.
pub const CALLS: &str = "control-calls-a-service";

/// The name of the control that sends a request to a service without keys again.
pub const SENDS_AGAIN: &str = "control-sends-again";

/// The name of the control that ends later than it may.
pub const TAKES_LONG: &str = "control-takes-long";

/// The name of the control whose router has an effect.
pub const ROUTER_ACTS: &str = "control-router-acts";

/// The control with this name.
pub fn named(name: &str) -> Option<Workload> {
    Some(match name {
        "control-entropy" => reading(name, "reads real entropy", entropy),
        "control-clock" => reading(name, "reads the wall clock", clock),
        "control-hash-map" => reading(name, "iterates over a HashMap", first_keys_of_a_map),
        MISTAKEN => mistaken(),
        TASK_PANICS => Workload {
            panics: Panics::Fail,
            ..alone(name, "has a task that panics", panicking)
        },
        TASK_HANGS => alone(name, "has a task that never ends", hanging),
        NEVER_DONE => ending(name, "fails in every schedule", |_| Ending::Fails),
        GIVES_UP => ending(
            name,
            "fails when it runs a second time",
            |process| match process.count("attempts") {
                0 => Ending::Succeeds,
                _ => Ending::Fails,
            },
        ),
        GETS_STUCK => ending(name, "fails, and so does its undo", |_| Ending::IsStuck),
        LOSES_OUTPUT => ending(name, "has an output that is not a number", |_| {
            Ending::IsLost
        }),
        CALLS => calling(name, "calls a service", |service| service),
        SENDS_AGAIN => calling(name, "calls a service without keys", |service| {
            service.without_keys()
        }),
        TAKES_LONG => Workload {
            deadline: Some(Deadline {
                lives: 1,
                time: Duration::from_secs(1),
            }),
            ..slow(name)
        },
        ROUTER_ACTS => acting_router(name),
        PANICKING => Workload {
            subject: Box::new(no_subject),
            ..reading(name, "panics outside of the simulation", String::new)
        },
        _ => return None,
    })
}

fn entropy() -> String {
    format!("{:02x?}", TokioRuntime::new().entropy())
}

/// The wall clock in nanoseconds, which no two runs share.
#[expect(clippy::disallowed_methods, reason = "to test that it is detected")]
fn clock() -> String {
    static CLOCK: LazyLock<Instant> = LazyLock::new(Instant::now);
    CLOCK.elapsed().as_nanos().to_string()
}

#[expect(clippy::disallowed_types, reason = "to test that it is detected")]
fn first_keys_of_a_map() -> String {
    let map: std::collections::HashMap<u32, ()> = (0..1000).map(|key| (key, ())).collect();
    // The first key alone would be the same in one of a thousand maps.
    let first: Vec<String> = map.keys().take(4).map(ToString::to_string).collect();
    first.join(" ")
}

/// A workload of one task, whose effect has the read value as its payload.
fn reading(name: &str, about: &'static str, read: fn() -> String) -> Workload {
    let workflow = move |process: &Process| {
        let process = process.clone();
        workflow(move |ctx: Ctx| {
            let process = process.clone();
            async move {
                process.effect(&ctx, "charge the card", &read()).await;
                Ok(Control::Charged)
            }
        })
    };
    let mut workload = recipe(about, workflow).under(Faithful);
    workload.name = name.to_owned();
    workload
}

fn no_subject() -> Arc<dyn Subject> {
    panic!("the control panics")
}

fn panicking() -> Attempt {
    panic!("the control panics in its task")
}

fn hanging() -> Attempt {
    std::future::pending().boxed()
}

/// A workload of one task, which only calls `task`.
fn alone(name: &str, about: &'static str, task: fn() -> Attempt) -> Workload {
    let recipe = recipe(about, move |_| {
        workflow(move |_| async move { task().await })
    });
    let mut workload = recipe.under(Faithful);
    name.clone_into(&mut workload.name);
    workload
}

/// How the task of a control ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Succeeds,
    Fails,
    /// It fails, and so does its undo.
    IsStuck,
    /// Its output does not read back.
    IsLost,
}

struct Ends {
    process: Process,
    how: fn(&Process) -> Ending,
}

impl CompensatableTask<Control> for Ends {
    type Output = f64;

    async fn run(&self, _: Ctx) -> Result<(Control, f64), TaskError> {
        match (self.how)(&self.process) {
            Ending::Succeeds => Ok((Control::Charged, 0.0)),
            Ending::IsLost => Ok((Control::Charged, f64::NAN)),
            Ending::Fails | Ending::IsStuck => Err(TaskError::fatal("the control fails")),
        }
    }

    async fn compensate(&self, _: Ctx, _: f64) -> Result<(), TaskError> {
        Ok(())
    }

    async fn compensate_in_doubt(&self, _: Ctx) -> Result<(), TaskError> {
        match (self.how)(&self.process) {
            Ending::IsStuck => Err(TaskError::fatal("the control fails in its undo")),
            _ => Ok(()),
        }
    }
}

/// A workload of one task, which sleeps a minute.
fn slow(name: &str) -> Workload {
    let recipe = recipe("sleeps longer than it may", move |_| {
        workflow(move |ctx: Ctx| async move {
            ctx.sleep(Duration::from_secs(60)).await;
            Ok(Control::Charged)
        })
    });
    let mut workload = recipe.under(Faithful);
    name.clone_into(&mut workload.name);
    workload
}

/// A workload of one task, which calls a service.
fn calling(name: &str, about: &'static str, service: fn(Service<'_>) -> Service<'_>) -> Workload {
    let recipe = recipe(about, move |process| {
        let process = process.clone();
        workflow(move |ctx: Ctx| {
            let process = process.clone();
            async move {
                let bank = service(process.service("bank"));
                bank.call(&ctx, "charge the card", || ()).await?;
                Ok(Control::Charged)
            }
        })
    });
    let mut workload = recipe.under(Faithful);
    name.clone_into(&mut workload.name);
    workload
}

/// A workload whose router acts with the context of the task before it.
fn acting_router(name: &str) -> Workload {
    let recipe = Recipe {
        name: "control",
        about: "has a router that acts",
        workflow: Arc::new(|process: &Process| {
            let left: Arc<OnceLock<Ctx>> = Arc::default();
            let (process, taken) = (process.clone(), Arc::clone(&left));
            let leave = move |ctx: Ctx| {
                _ = left.set(ctx);
                async { Ok::<_, TaskError>(Routed::Charge) }
            };
            let charge = move |_: &RunData| {
                // A resumed life has no context to act with.
                if let Some(ctx) = taken.get() {
                    _ = process.effect(ctx, "charge the card", "").now_or_never();
                }
                Ok(Routed::Charged)
            };
            let workflow = Workflow::builder("control", 1)
                .task(Routed::Leave, "leave", leave)
                .router(Routed::Charge, "charge", charge)
                .exit(Routed::Charged)
                .build();
            workflow.expect("the control is well defined")
        }),
        start: Routed::Leave,
        input: json!(null),
        retention: Retention::Keep,
        sharing: Sharing::Shared,
        retry_stuck: false,
        length: Length::Long,
    };
    let mut workload = recipe.under(Faithful);
    name.clone_into(&mut workload.name);
    workload
}

/// A workload of one task, to whose ending no fault leads.
fn ending(name: &str, about: &'static str, how: fn(&Process) -> Ending) -> Workload {
    let workflow = move |process: &Process| {
        let process = process.clone();
        let workflow = Workflow::builder("control", 1)
            .compensatable(Control::Charge, "charge", Ends { process, how })
            .exit(Control::Charged)
            .build();
        workflow.expect("the control is well defined")
    };
    let mut workload = recipe(about, workflow).under(Faithful);
    name.clone_into(&mut workload.name);
    workload.accepts.clear();
    workload
}

type Attempt = BoxFuture<'static, Result<Control, TaskError>>;

fn workflow<F>(charge: impl Fn(Ctx) -> F + Send + Sync + 'static) -> Workflow<Control>
where
    F: Future<Output = Result<Control, TaskError>> + Send + 'static,
{
    let workflow = Workflow::builder("control", 1)
        .task(Control::Charge, "charge", charge)
        .exit(Control::Charged)
        .build();
    workflow.expect("the control is well defined")
}

fn recipe(
    about: &'static str,
    workflow: impl Fn(&Process) -> Workflow<Control> + Send + Sync + 'static,
) -> Recipe<Control> {
    Recipe {
        name: "control",
        about,
        workflow: Arc::new(workflow),
        start: Control::Charge,
        input: json!(null),
        retention: Retention::Keep,
        sharing: Sharing::Shared,
        retry_stuck: false,
        length: Length::Long,
    }
}

/// A task that charges without a key, and an invariant that counts.
fn mistaken() -> Workload {
    let about = "charges again after a crash, and reports it";
    let mut workload = reading(MISTAKEN, about, String::new);
    workload.acts_on = ActsOn::Own;
    workload.subject = Box::new(|| {
        let charges: Arc<AtomicU64> = Arc::default();
        let counting = Arc::clone(&charges);
        let workflow = move |process: &Process| {
            let (process, charges) = (process.clone(), Arc::clone(&counting));
            workflow(move |ctx: Ctx| {
                let (process, charges) = (process.clone(), Arc::clone(&charges));
                async move {
                    charges.fetch_add(1, Ordering::Relaxed);
                    process.effect(&ctx, "charge the card", "").await;
                    Ok(Control::Charged)
                }
            })
        };
        let inner = (recipe(about, workflow).under(Faithful).subject)();
        Arc::new(Mistaken { inner, charges })
    });
    workload
}

struct Mistaken {
    inner: Arc<dyn Subject>,
    charges: Arc<AtomicU64>,
}

impl Subject for Mistaken {
    fn start(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        self.inner.start(process)
    }

    fn resume(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        self.inner.resume(process)
    }

    fn broken_invariants(&self, _: &LifeEnd) -> Vec<BrokenInvariant> {
        match self.charges.load(Ordering::Relaxed) {
            0 | 1 => Vec::new(),
            charges => vec![BrokenInvariant {
                name: "a card is charged once".to_owned(),
                message: format!("it was charged {charges} times"),
            }],
        }
    }
}
