//! Deliberately broken workloads that the checks must reject. An exploration does not include them;
//! `crashpoint explore --workload control-entropy` selects one by name.
//!
//! Three read something that no choice gave them. One breaks an invariant of its author, one has a
//! task that panics, one has a task that never ends, and the subject of one panics before the
//! simulation.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use crashpoint::protocol::Faithful;
use crashpoint::{Ctx, Retention, Runtime as _, State, TaskError, TokioRuntime, Workflow};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::history::LifeEnd;
use crate::sim::{BrokenInvariant, Process, Subject};
use crate::workload::{ActsOn, Length, Panics, Recipe, Sharing, Workload};

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Control {
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
