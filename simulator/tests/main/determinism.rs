//! The same choices give the same simulation: twice in a process, after other simulations, and in
//! another process.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use crashpoint::protocol::Faithful;
use crashpoint::{Ctx, Engine, Runtime, State, TaskError, TokioRuntime, Workflow};
use crashpoint_simulator::choices::{Exhaustive, Seeded};
use crashpoint_simulator::workload::{Workload, all, controls};
use crashpoint_simulator::{
    Divergence, HashedTrace, LifeEnd, Possible, Process, Repeat, Settings, SimRuntime, Source,
    StoreKind, Subject, Trial, explore, run_seed, workload,
};
use expect_test::{Expect, expect};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::second_process::lines_of_another;
use crate::support::{budget, within};
use crate::workloads::named;

/// Every kind of fault is possible.
const BUDGET: &str = "c2f2e2t1p2x1";

/// The trace of a seed's schedule.
fn seeded(workload: &Workload, store: StoreKind, seed: u64) -> HashedTrace {
    let settings = Settings {
        store,
        ..within(budget(BUDGET))
    };
    let (trial, _) = Source::Fixed(workload).run(&settings, Seeded::new(seed));
    HashedTrace::of(&trial)
}

/// The trace of a seed that also draws the workflow and the possible faults.
fn drawn(seed: u64) -> HashedTrace {
    let settings = within(budget(BUDGET));
    let (trial, _) = run_seed(Source::Generated(None), &settings, Possible::Swarm, seed);
    HashedTrace::of(&trial)
}

fn same(one: &HashedTrace, other: &HashedTrace, what: &str) {
    if let Some(divergence) = one.divergence(other) {
        panic!("{what}: {divergence}");
    }
    assert_eq!(one.hash(), other.hash());
    assert_eq!(one.events(), other.events());
}

#[test]
fn the_same_seed_gives_the_same_trace_after_other_simulations() {
    let others = all();
    for (index, workload) in all().iter().enumerate() {
        let stores = [(StoreKind::Memory, 24), (StoreKind::Redb, 4)];
        let seeds = stores.map(|(store, seeds)| (0..seeds).map(move |seed| (store, seed)));
        let seeds: Vec<_> = seeds.into_iter().flatten().collect();
        let trace = |&(store, seed): &_| seeded(workload, store, seed);
        let first: Vec<_> = seeds.iter().map(trace).collect();
        let unrelated = &others[(index + 1) % others.len()];
        explore(unrelated, &within(budget("c1")));
        for (seed, first) in seeds.iter().zip(&first) {
            same(first, &trace(seed), &format!("{} {seed:?}", workload.name));
        }
    }
    for seed in 0..48 {
        same(&drawn(seed), &drawn(seed), &format!("drawn from {seed}"));
    }
}

#[test]
fn seeds_differ() {
    let workload = named("order", Faithful);
    let trace = |seed| seeded(&workload, StoreKind::Memory, seed).hash();
    let traces: std::collections::BTreeSet<_> = (0..64).map(trace).collect();
    assert!(traces.len() > 32, "{} traces of 64", traces.len());
}

#[test]
fn the_first_tapes_of_the_odometer_give_the_same_traces_again() {
    let first_tapes = |workload: &Workload| {
        let mut choices = Exhaustive::new();
        let mut all = Vec::new();
        for _ in 0..40 {
            let settings = within(budget("c1f1"));
            let (trial, back) = Source::Fixed(workload).run(&settings, choices);
            choices = back;
            all.push(HashedTrace::of(&trial));
            if !choices.advance() {
                break;
            }
        }
        all
    };
    for workload in all() {
        let (one, other) = (first_tapes(&workload), first_tapes(&workload));
        assert_eq!(one.len(), other.len());
        for (one, other) in one.iter().zip(&other) {
            same(one, other, &workload.name);
        }
    }
}

/// The trace as one process prints it for another, one line per event.
fn lines_of(trace: &HashedTrace) -> impl Iterator<Item = String> {
    let lines = trace.lines();
    lines.map(|(link, words)| format!("{link:016x} {words}"))
}

/// The event of a line.
fn parsed(line: &str) -> (u64, String) {
    let (link, words) = line.split_once(' ').expect("a link and words");
    let link = u64::from_str_radix(link, 16).expect("a link is hexadecimal");
    (link, words.to_owned())
}

#[test]
fn another_process_gives_the_same_traces_and_reports() {
    let mut mine: Vec<String> = Vec::new();
    for workload in all() {
        for store in [StoreKind::Memory, StoreKind::Redb] {
            let traces = (0..6).map(|seed| seeded(&workload, store, seed));
            mine.extend(traces.flat_map(|trace| lines_of(&trace).collect::<Vec<_>>()));
        }
        // The text of a report has no hash of its own.
        let findings = explore(&workload, &within(budget("c1")));
        mine.push(format!("0000000000000000 {findings:?}"));
    }
    mine.extend((0..24).flat_map(|seed| lines_of(&drawn(seed)).collect::<Vec<_>>()));
    let test = "determinism::another_process_gives_the_same_traces_and_reports";
    let Some(theirs) = lines_of_another(test, &mine) else {
        return;
    };
    assert!(theirs.len() > 1000, "{} events", theirs.len());
    let parsed_here: Vec<_> = mine.iter().map(|line| parsed(line)).collect();
    let here = parsed_here
        .iter()
        .map(|(link, words)| (*link, words.as_str()));
    let there = theirs.iter().map(|line| parsed(line));
    if let Some(divergence) = Divergence::of(here, there) {
        panic!("another process: {divergence}");
    }
    assert_eq!(mine, theirs, "and in words that have no link");
}

/// The divergence of two runs of a workload without faults.
fn divergence(workload: &Workload) -> Divergence {
    let run = || -> Trial {
        let calm = within(budget("c0"));
        Source::Fixed(workload).run(&calm, Exhaustive::new()).0
    };
    let divergence = HashedTrace::of(&run()).divergence(&HashedTrace::of(&run()));
    divergence.unwrap_or_else(|| panic!("{} is not caught", workload.name))
}

/// The part of a line up to `what`: the rest is the value that was read, which differs.
fn up_to(words: Option<&String>, what: &str) -> String {
    let words = words.expect("neither run has ended there");
    let at = words
        .find(what)
        .unwrap_or_else(|| panic!("{what} is not in {words}"));
    words[..at + what.len()].to_owned()
}

#[test]
fn a_control_that_reads_the_outside_is_caught_at_the_event_that_shows_it() {
    let check = |name: &str, expected: Expect| {
        let control = workload::named(name).expect("it is a control");
        let divergence = divergence(&control);
        let (first, then) = (divergence.first.as_ref(), divergence.then.as_ref());
        let (first, then) = (up_to(first, "payload="), up_to(then, "payload="));
        assert_eq!(first, then, "only what was read differs");
        expected.assert_eq(&format!("{}: {first}", divergence.place));
        // An exploration detects it too, and stops.
        for many in [1, 1_000_000] {
            let settings = Settings {
                repeat: Repeat::OneIn(many),
                ..within(budget("c1"))
            };
            let findings = explore(&control, &settings);
            let found = findings.nondeterminism.first().expect("it is caught");
            assert_eq!(found.schedule.0, [], "in the schedule without faults");
            assert!(
                found
                    .divergence
                    .first
                    .as_ref()
                    .is_some_and(|it| it.starts_with("0006 life=1 effect"))
            );
            assert!(findings.cut_short);
        }
    };
    let expected = || expect![[r#"6: 0006 life=1 effect name="charge the card" payload="#]];
    assert_eq!(controls::NONDETERMINISTIC.len(), 3);
    for name in controls::NONDETERMINISTIC {
        check(name, expected());
    }
}

/// A workload may have a different number of instants each time that it runs.
#[test]
fn an_odometer_that_meets_another_space_reports_it_and_not_a_broken_promise() {
    let mut wandering = named("linear", Faithful);
    let subject = wandering.subject;
    let turns = std::sync::atomic::AtomicU64::new(0);
    wandering.subject = Box::new(move || {
        let turn = turns.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if turn.is_multiple_of(2) {
            return subject();
        }
        (named("order", Faithful).subject)()
    });
    let findings = explore(&wandering, &within(budget("f1t1")));
    let found = findings.nondeterminism.first().expect("it is caught");
    assert!(findings.cut_short);
    expect![[r#"
        event 1 differs:
          first  0001 life=1 sent sequence=0 kind=claim state="Fetch" task="" blob=0x024e65d3fbe8ad6535681b021b30785b120000000000000001000000000000000000000000000000010000000000000000060000006c696e656172010000009987bd044d3a508400a8da769b01000001000000090000005075626c6973686564010a0000007b2270616765223a377d
          then   0001 life=1 sent sequence=0 kind=claim state="Charge" task="" blob=0x024e65d3fbe8ad6535681b021b30785b120000000000000001000000000000000000000000000000010000000000000000050000006f72646572010000008112ebe0beed415d00a8da769b010000010000000700000053686970706564010e0000007b2263656e7473223a313939397d"#]].assert_eq(&found.divergence.to_string());
}

#[test]
fn a_schedule_that_is_the_same_twice_is_counted_and_nothing_else() {
    let order = named("order", Faithful);
    let settings = |repeat| Settings {
        repeat,
        ..within(budget("c2"))
    };
    let once = explore(&order, &settings(Repeat::Never));
    let twice = explore(&order, &settings(Repeat::OneIn(1)));
    assert_eq!(once.repeated, 0);
    assert_eq!(twice.repeated, twice.schedules);
    assert_eq!(twice.nondeterminism, []);
    assert_eq!(
        (once.schedules, &once.recorder),
        (twice.schedules, &twice.recorder)
    );
    let some = explore(&order, &settings(Repeat::OneIn(16))).repeated;
    assert!((1..twice.repeated / 4).contains(&some), "{some}");
}

/// A clock that continues between two runs.
#[expect(clippy::disallowed_methods, reason = "to see that it is noticed")]
static CLOCK: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A simulated runtime, except for the parts that read the outside.
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
    fn unix_ms(&self) -> u64 {
        match self.leaks {
            // In nanoseconds, because two runs may fall into the same millisecond.
            Leak::Clock => u64::try_from(CLOCK.elapsed().as_nanos()).expect("the process is young"),
            Leak::Entropy => self.inner.unix_ms(),
        }
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.inner.sleep(duration)
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

/// A run of one task on a runtime that is not quite simulated.
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
fn a_subject_that_reads_the_outside_is_caught_at_its_first_row() {
    for leak in [Leak::Entropy, Leak::Clock] {
        let mut control = named("linear", Faithful);
        control.subject = Box::new(move || Arc::new(Control(leak)));
        let divergence = divergence(&control);
        let first = up_to(divergence.first.as_ref(), "blob=");
        expect![[r#"0001 life=1 sent sequence=0 kind=claim state="Do" task="" blob="#]]
            .assert_eq(&first);
    }
}
