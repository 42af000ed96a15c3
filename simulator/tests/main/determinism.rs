//! The same choices give the same simulation: twice in a process, after other simulations, and in
//! another process.

use std::io::Write as _;
use std::process::Command;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crashpoint_engine::protocol::Faithful;
use crashpoint_engine::{
    Ctx, Engine, Runtime, State, TaskError, TaskHandle, TokioRuntime, Workflow,
};
use crashpoint_simulator::choices::{Exhaustive, Seeded};
use crashpoint_simulator::workload::{Workload, all};
use crashpoint_simulator::{LifeEnd, Process, Run, SimRuntime, Subject, explore};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::support::{budget, calm, run, within};
use crate::workloads::named;

/// Set in the second process.
const CHILD: &str = "CRASHPOINT_SIMULATOR_CHILD";

/// Everything can go wrong, a little.
const BUDGET: &str = "c2f2t1p2x1";

/// A run in lines: what happened, what was chosen, what the log holds.
fn lines(run: &Run) -> Vec<String> {
    let history = run.history.0.iter().map(|entry| format!("{entry:?}"));
    let tape = run.tape.0.iter().map(|draw| format!("{draw:?}"));
    let log = run.log.iter().map(|row| format!("{row:?}"));
    history.chain(tape).chain(log).collect()
}

/// Where two runs part, and how.
fn first_difference(one: &[String], other: &[String]) -> Option<String> {
    let end = "the end".to_owned();
    let at = (0..one.len().max(other.len())).find(|at| one.get(*at) != other.get(*at))?;
    let (one, other) = (one.get(at).unwrap_or(&end), other.get(at).unwrap_or(&end));
    Some(format!("line {at}: {one}, then: {other}"))
}

fn seeded(workload: &Workload, seed: u64) -> Vec<String> {
    lines(&run(workload, &within(budget(BUDGET)), Seeded::new(seed)))
}

#[test]
fn the_same_seed_gives_the_same_run_after_other_simulations() {
    for (index, workload) in all().iter().enumerate() {
        let first: Vec<_> = (0..24).map(|seed| seeded(workload, seed)).collect();
        let others = all();
        let unrelated = &others[(index + 1) % others.len()];
        explore(unrelated, &within(budget("c1")));
        for (seed, first) in (0..24).zip(&first) {
            let again = seeded(workload, seed);
            let difference = first_difference(first, &again);
            assert_eq!(difference, None, "{} with seed {seed}", workload.name);
        }
    }
}

#[test]
fn seeds_differ() {
    let workload = named("order", Faithful);
    let runs: std::collections::BTreeSet<_> = (0..64).map(|seed| seeded(&workload, seed)).collect();
    assert!(runs.len() > 32, "{} different runs of 64", runs.len());
}

#[test]
fn the_first_tapes_of_the_odometer_give_the_same_runs_again() {
    let first_tapes = |workload: &Workload| {
        let mut choices = Exhaustive::new();
        let mut all = Vec::new();
        for _ in 0..40 {
            let (run, back) =
                crashpoint_simulator::simulate_with(workload, &within(budget("c1f1")), choices);
            choices = back;
            all.extend(lines(&run));
            if !choices.advance() {
                break;
            }
        }
        all
    };
    for workload in all() {
        let difference = first_difference(&first_tapes(&workload), &first_tapes(&workload));
        assert_eq!(difference, None, "{}", workload.name);
    }
}

#[test]
fn another_process_gives_the_same_runs() {
    let mine: Vec<String> = all()
        .iter()
        .flat_map(|workload| (0..6).flat_map(|seed| seeded(workload, seed)))
        .collect();
    if std::env::var_os(CHILD).is_some() {
        // Past the capturing of the test harness.
        let mut out = std::io::stdout();
        for line in mine {
            writeln!(out, "{CHILD} {line}").expect("the parent reads");
        }
        return;
    }
    let binary = std::env::current_exe().expect("the test has a binary");
    let output = Command::new(binary)
        .args([
            "--exact",
            "determinism::another_process_gives_the_same_runs",
        ])
        .env(CHILD, "1")
        .output()
        .expect("the binary runs again");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("debug output is UTF-8");
    let mark = format!("{CHILD} ");
    let theirs: Vec<String> = text
        .lines()
        .filter_map(|line| line.split_once(&mark))
        .map(|(_, line)| line.to_owned())
        .collect();
    assert!(!theirs.is_empty());
    assert_eq!(first_difference(&mine, &theirs), None);
}

/// A clock that goes on between two runs.
static CLOCK: LazyLock<TokioRuntime> = LazyLock::new(TokioRuntime::new);

/// A runtime of the simulation, except for what it lets in from outside.
struct Leaky {
    inner: SimRuntime,
    leaks: Leak,
}

#[derive(Clone, Copy)]
enum Leak {
    Entropy,
    Clock,
}

impl Runtime for Leaky {
    fn now(&self) -> Duration {
        self.inner.now()
    }

    fn unix_ms(&self) -> u64 {
        match self.leaks {
            // In nanoseconds: two runs may well fall into the same millisecond.
            Leak::Clock => u64::try_from(CLOCK.now().as_nanos()).expect("the process is young"),
            Leak::Entropy => self.inner.unix_ms(),
        }
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.inner.sleep(duration)
    }

    fn spawn(&self, future: BoxFuture<'static, ()>) -> TaskHandle {
        self.inner.spawn(future)
    }

    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        self.inner.blocking(work)
    }

    fn entropy(&self) -> [u8; 16] {
        match self.leaks {
            Leak::Entropy => TokioRuntime::new().entropy(),
            Leak::Clock => self.inner.entropy(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Tiny {
    Do,
    Done,
}

/// A run of one task on a runtime that is not quite a simulated one.
struct Control(Leak);

impl Subject for Control {
    fn start(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        let task = async |_: Ctx| Ok::<_, TaskError>(Tiny::Done);
        let workflow = Workflow::builder("control", 1)
            .task(Tiny::Do, "do", task)
            .exit(Tiny::Done)
            .build()
            .expect("the control is well defined");
        let leaky = Leaky {
            inner: process.runtime(),
            leaks: self.0,
        };
        let engine = Engine::new(process.store())
            .with_runtime(leaky)
            .with_observer(process.observer());
        let run = engine.run(&workflow, process.workflow_id(), Tiny::Do, &());
        run.map(|_| LifeEnd::Done("Done".to_owned())).boxed()
    }

    fn resume(&self, _: &Process) -> BoxFuture<'static, LifeEnd> {
        async { LifeEnd::Done("Done".to_owned()) }.boxed()
    }
}

#[test]
fn a_subject_that_reads_the_world_outside_is_caught_at_its_first_row() {
    for leak in [Leak::Entropy, Leak::Clock] {
        let mut control = named("linear", Faithful);
        control.subject = Box::new(move || Arc::new(Control(leak)));
        let (one, other) = (lines(&calm(&control)), lines(&calm(&control)));
        let difference = first_difference(&one, &other).expect("the runs differ");
        assert!(difference.starts_with("line 1: "), "{difference}");
        assert!(difference.contains("Sent(CheckpointRow { sequence: 0"));
    }
}
