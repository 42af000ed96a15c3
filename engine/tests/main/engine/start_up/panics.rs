//! Code that panics outside of a task: the panic is that run's own, and stops no other run.
//!
//! A type whose `Deserialize` panicked on an old log ended `resume_all` for every run of the store, at
//! each start again. So did an observer, a label that a hand-written `State` could not read, and the
//! store or runtime of a single run.
//!
//! Every place where the engine calls code that is not its own:
//!
//! | code | called by | its panic becomes |
//! |---|---|---|
//! | a task, a step, an undo; serialization in them; the display and the drop of their errors | an attempt | a failure of the task (`engine/runs.rs`) |
//! | the drop of a task's future | a time limit, a cancellation | nothing (`engine/cancel.rs`) |
//! | `Deserialize` and `Drop` of an output or a cursor | the check of a log | `Mismatch::Blob` |
//! | `State::from_label` | the check of a log | `Mismatch::Label` |
//! | `State::label` and `PartialEq` of a start | `run`, `run_or_resume` | `Error::Panicked` |
//! | `Serialize` of an input | `run`, `run_or_resume` | `Error::Input` |
//! | `Observer::on` | every step of a life | nothing: the run goes on |
//! | `load_run`, `append`, `clear`, `exclusive_scope` | `resume_all`, `unfinished`, `purge` | `Error::Panicked` of that run, in the report |
//! | `load_run`, `append`, `exclusive_scope` | `run`, `resume_from`, `run_or_resume`, `retry_stuck`, `status` | `Error::Panicked` |
//! | `run_ids` | the same | the error of the operation, after the runs under way |
//! | `unix_ms`, `entropy`, `sleep` | every life | `Error::Panicked` of that run |

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crashpoint::{
    CompensatableTask, Ctx, Engine, Error, LifeId, MemoryCheckpointStore, Mismatch, Observation,
    Observer, Outcome, Recovery, Runtime, State, StepOutcome, SteppedTask, TaskError, TokioRuntime,
    Workflow, WorkflowBuilder,
};
use expect_test::{Expect, expect};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Counts, Hooked, Import, crashed, import, lengths};
use crate::support::{in_memory, stalls};

/// The states as an older program wrote them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
#[allow(dead_code)]
enum Old {
    #[state(rename = "first")]
    First,
    #[state(rename = "removed")]
    Removed,
    #[state(rename = "end")]
    End,
}

/// The states of today, by hand. It panics on a label that it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum New {
    First,
    Second,
    End,
    Nameless,
}

impl State for New {
    const ALL: &'static [Self] = &[Self::First, Self::Second, Self::End];

    fn label(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::End => "end",
            Self::Nameless => panic!("it has no label"),
        }
    }

    fn from_label(label: &str) -> Option<Self> {
        match label {
            "removed" => panic!("unknown label {label}"),
            _ => Self::ALL
                .iter()
                .find(|state| state.label() == label)
                .copied(),
        }
    }
}

/// Serialized as a number. Reading it back does what `R` says.
struct Value<R: Read>(u64, std::marker::PhantomData<fn() -> R>);

/// How a value is read.
trait Read: 'static {
    fn read() {}
    fn dropped() {}
}

struct Well;
struct PanicsInRead;
struct PanicsInDrop;

impl Read for Well {}

impl Read for PanicsInRead {
    fn read() {
        panic!("the type has changed")
    }
}

impl Read for PanicsInDrop {
    fn dropped() {
        panic!("the destructor has a bug")
    }
}

impl<R: Read> Serialize for Value<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de, R: Read> Deserialize<'de> for Value<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        R::read();
        u64::deserialize(deserializer).map(Self::of)
    }
}

impl<R: Read> Value<R> {
    fn of(number: u64) -> Self {
        Self(number, std::marker::PhantomData)
    }
}

impl<R: Read> Drop for Value<R> {
    fn drop(&mut self) {
        R::dropped();
    }
}

/// Enters the state.
struct Enter<S, R>(S, std::marker::PhantomData<fn() -> R>);

impl<S, R> Enter<S, R> {
    fn new(state: S) -> Self {
        Self(state, std::marker::PhantomData)
    }
}

impl<S: State, R: Read> CompensatableTask<S> for Enter<S, R> {
    type Output = Value<R>;

    async fn run(&self, _ctx: Ctx) -> Result<(S, Value<R>), TaskError> {
        Ok((self.0, Value::of(7)))
    }

    async fn compensate(&self, _ctx: Ctx, _output: Value<R>) -> Result<(), TaskError> {
        Ok(())
    }
}

impl<S: State, R: Read> SteppedTask<S> for Enter<S, R> {
    type Cursor = Value<R>;

    async fn step(
        &self,
        ctx: Ctx,
        _cursor: Option<Value<R>>,
    ) -> Result<StepOutcome<Value<R>, S>, TaskError> {
        if ctx.step() == 0 {
            return Ok(StepOutcome::More(Value::of(7)));
        }
        std::future::pending().await
    }
}

fn new_states() -> WorkflowBuilder<New> {
    Workflow::builder("bad", 1)
}

/// A workflow whose first task has an output, and whose second task never returns.
fn with_output<R: Read>() -> Workflow<New> {
    let builder = new_states().compensatable(New::First, "first", Enter::<_, R>::new(New::Second));
    let builder = builder.task(New::Second, "second", |_| std::future::pending());
    builder.exit(New::End).build().expect("it is valid")
}

/// A workflow whose first task has cursors.
fn with_cursor<R: Read>() -> Workflow<New> {
    let builder = new_states().stepped(New::First, "first", Enter::<_, R>::new(New::End));
    let builder = builder.task(New::Second, "second", |_| std::future::pending());
    builder.exit(New::End).build().expect("it is valid")
}

async fn left_open<S: State>(engine: &Engine, workflow: &Workflow<S>, start: S) {
    let mut run = Box::pin(engine.run(workflow, "m-bad", start, &()));
    stalls(&mut run).await;
}

/// A store with runs of a healthy workflow before and behind the bad run.
async fn neighbours() -> (Engine, Arc<MemoryCheckpointStore>) {
    let (engine, rows) = in_memory();
    for id in ["a-healthy", "z-healthy"] {
        crashed(&engine, "import", 1, id).await;
    }
    (engine, rows)
}

/// Recovers one run at a time: the neighbours end whatever becomes of the bad run.
async fn check(place: &str, engine: &Engine, bad: &Workflow<New>, expected: Expect) -> Error {
    let healthy = import("import", 1, |_| async {});
    let recovery = Recovery::new(engine).workflow(&healthy).workflow(bad);
    let report = recovery.concurrency(1).resume_all().await;
    let mut report = report.unwrap_or_else(|error| panic!("{place}: {error}"));
    for id in ["a-healthy", "z-healthy"] {
        let outcome = report.runs[id].as_ref().ok();
        let done = Outcome::Done("Copied".to_owned());
        assert_eq!(outcome, Some(&done), "{place}: {id}");
    }
    let bad = report.runs.remove("m-bad").expect(place);
    let error = bad.expect_err(place);
    expected.assert_eq(&format!("{place}: {}: {error}", error.category()));
    error
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_check_of_a_log_is_a_mismatch_of_that_run() {
    let (engine, _) = neighbours().await;
    left_open(&engine, &with_output::<Well>(), New::First).await;
    let error = check(
        "Deserialize of an output",
        &engine,
        &with_output::<PanicsInRead>(),
        expect![[r#"Deserialize of an output: mismatch: run "m-bad" does not fit its workflow: the output or cursor of task "first" can't be read: panicked: the type has changed"#]],
    )
    .await;
    let blob = |error: &Error| {
        let Error::Mismatch { source, .. } = error else {
            return false;
        };
        matches!(source, Mismatch::Blob { .. })
    };
    assert!(blob(&error));

    let (engine, _) = neighbours().await;
    left_open(&engine, &with_output::<Well>(), New::First).await;
    let drops = with_output::<PanicsInDrop>();
    let error = check("drop of an output", &engine, &drops, expect![[r#"drop of an output: mismatch: run "m-bad" does not fit its workflow: the output or cursor of task "first" can't be read: panicked: the destructor has a bug"#]]).await;
    assert!(blob(&error));

    let (engine, _) = neighbours().await;
    left_open(&engine, &with_cursor::<Well>(), New::First).await;
    let cursor = with_cursor::<PanicsInRead>();
    let error = check(
        "Deserialize of a cursor",
        &engine,
        &cursor,
        expect![[r#"Deserialize of a cursor: mismatch: run "m-bad" does not fit its workflow: the output or cursor of task "first" can't be read: panicked: the type has changed"#]],
    )
    .await;
    assert!(blob(&error));

    let (engine, _) = neighbours().await;
    let removed = |_| async { std::future::pending().await };
    let old = Workflow::builder("bad", 1)
        .task(Old::First, "first", |_| async { Ok(Old::Removed) })
        .task(Old::Removed, "second", removed)
        .exit(Old::End)
        .build()
        .expect("it is valid");
    left_open(&engine, &old, Old::First).await;
    let new = with_output::<Well>();
    let error = check("State::from_label", &engine, &new, expect![[r#"State::from_label: mismatch: run "m-bad" does not fit its workflow: sequence 1 names state "removed", and reading it panicked: unknown label removed"#]]).await;
    let Error::Mismatch { source, .. } = error else {
        panic!("{error}")
    };
    assert!(matches!(source, Mismatch::Label { sequence: 1, .. }));
}

/// Counts the observations, and panics at each of them.
struct Panics(Arc<AtomicU64>);

impl Observer for Panics {
    fn on(&self, _: LifeId<'_>, observation: &Observation<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic!("the observer has a bug: {observation:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panicking_observer_stops_no_run_and_is_told_everything() {
    let (engine, rows) = neighbours().await;
    let told = Arc::new(AtomicU64::new(0));
    let engine = engine.with_observer(Panics(Arc::clone(&told)));
    let recovery = Recovery::new(&engine).workflow(&import("import", 1, |_| async {}));
    let report = recovery.resume_all().await.expect("memory lists");
    assert_eq!((report.runs.len(), report.errors().count()), (2, 0));
    assert_eq!(lengths(&rows, &["a-healthy", "z-healthy"]).await, [3, 3]);
    // Loaded; sending, acknowledged and applied for two rows; started, succeeded; over.
    assert_eq!(told.load(Ordering::SeqCst), 2 * 10);
}

/// A runtime that panics at the second call of a function.
struct Breaks {
    function: &'static str,
    calls: AtomicU64,
    inner: TokioRuntime,
}

impl Breaks {
    fn called(&self, function: &str) {
        let second = function == self.function && self.calls.fetch_add(1, Ordering::SeqCst) == 1;
        assert!(!second, "{function} has a bug");
    }
}

impl Runtime for Breaks {
    fn unix_ms(&self) -> u64 {
        self.called("unix_ms");
        self.inner.unix_ms()
    }

    fn entropy(&self) -> [u8; 16] {
        self.called("entropy");
        self.inner.entropy()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.inner.sleep(duration)
    }

    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        self.inner.blocking(work)
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_store_or_the_runtime_is_the_error_of_that_run() {
    for operation in ["append", "load"] {
        let (engine, rows) = neighbours().await;
        left_open(&engine, &with_output::<Well>(), New::First).await;
        let store = Hooked::new(&rows, move |called, id| {
            let bad = called == operation && id == "m-bad";
            async move {
                assert!(!bad, "{operation} has a bug");
                Ok(())
            }
        });
        let engine = Engine::new(store);
        let expected = match operation {
            "append" => expect![[
                r#"append: panicked: run "m-bad": code outside of its tasks panicked: append has a bug"#
            ]],
            _ => expect![[
                r#"load: panicked: run "m-bad": code outside of its tasks panicked: load has a bug"#
            ]],
        };
        let error = check(operation, &engine, &with_output::<Well>(), expected).await;
        assert!(matches!(error, Error::Panicked { .. }));
        if operation == "load" {
            let unfinished = engine.unfinished().await.expect("the listing works");
            let [bad] = &unfinished[..] else {
                panic!("{unfinished:?}")
            };
            assert!(matches!(bad.status, Err(Error::Panicked { .. })));
            let report = engine.purge(u64::MAX).await.expect("the listing works");
            assert_eq!((report.purged, report.kept), (2, 0));
            assert!(report.failed.contains_key("m-bad"));
        }
    }
    for function in ["unix_ms", "entropy"] {
        let (engine, _) = neighbours().await;
        left_open(&engine, &with_output::<Well>(), New::First).await;
        let engine = engine.with_runtime(Breaks {
            function,
            calls: AtomicU64::new(0),
            inner: TokioRuntime::new(),
        });
        let expected = match function {
            "unix_ms" => expect![[
                r#"unix_ms: panicked: run "m-bad": code outside of its tasks panicked: unix_ms has a bug"#
            ]],
            _ => expect![[
                r#"entropy: panicked: run "m-bad": code outside of its tasks panicked: entropy has a bug"#
            ]],
        };
        let error = check(function, &engine, &with_output::<Well>(), expected).await;
        assert!(matches!(error, Error::Panicked { .. }));
    }
}

/// A panic of the store or of the runtime unwound through `run`, `resume_from`, `retry_stuck` and
/// `status` into their caller.
#[tokio::test(start_paused = true)]
async fn a_panic_of_the_store_or_the_runtime_is_the_error_of_every_call() {
    fn check<T: std::fmt::Debug>(what: &str, called: Result<T, Error>, words: &str) {
        let error = called.expect_err(what);
        assert!(matches!(error, Error::Panicked { .. }), "{what}: {error}");
        assert!(error.to_string().ends_with(words), "{what}: {error}");
    }
    let workflow = with_output::<Well>();
    let (engine, rows) = neighbours().await;
    left_open(&engine, &workflow, New::First).await;
    let broken = Engine::new(Hooked::new(&rows, |operation, id| {
        let bad = operation == "load" && id == "m-bad";
        async move {
            assert!(!bad, "the store has a bug");
            Ok(())
        }
    }));
    let bug = "the store has a bug";
    check(
        "resume_from",
        broken.resume_from(&workflow, "m-bad").await,
        bug,
    );
    check(
        "retry_stuck",
        broken.retry_stuck(&workflow, "m-bad").await,
        bug,
    );
    check("status", broken.status("m-bad").await, bug);
    let begun = broken
        .run_or_resume(&workflow, "m-bad", New::First, &())
        .await;
    check("run_or_resume", begun, bug);
    for function in ["unix_ms", "entropy"] {
        let broken = engine.clone().with_runtime(Breaks {
            function,
            // The next call is its second.
            calls: AtomicU64::new(1),
            inner: TokioRuntime::new(),
        });
        let begun = broken.run(&workflow, "m-new", New::First, &()).await;
        check(function, begun, &format!("{function} has a bug"));
    }
    // The place of the life is free again, and the run is what it was.
    let mut resumed = Box::pin(engine.resume_from(&workflow, "m-bad"));
    stalls(&mut resumed).await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_listing_is_an_error_after_the_runs_under_way() {
    let (engine, rows) = in_memory();
    for number in 0..300 {
        crashed(&engine, "import", 1, &format!("import-{number:03}")).await;
    }
    let store = Hooked::new(&rows, |operation, after| {
        let second = operation == "list" && !after.is_empty();
        async move {
            assert!(!second, "the second page has a bug");
            Ok(())
        }
    });
    let counts = Counts::default();
    let engine = Engine::new(store);
    let recovery = Recovery::new(&engine).workflow(&counts.import());
    let error = recovery.resume_all().await.expect_err("half a listing");
    expect!["checkpoint store: the listing of runs panicked: the second page has a bug"]
        .assert_eq(&error.to_string());
    assert_eq!(counts.taken().len(), 256);
    let last = lengths(&rows, &["import-255"]).await;
    assert_eq!(last, [3], "it has ended");
}

/// An input that can't be serialized.
struct Unserializable;

impl Serialize for Unserializable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("the input has a bug")
    }
}

#[tokio::test]
async fn a_panic_before_a_run_begins_is_its_error_and_nothing_is_written() {
    let (engine, rows) = in_memory();
    let workflow = with_output::<Well>();
    let input = engine.run(&workflow, "m-bad", New::First, &Unserializable);
    let error = input.await.expect_err("it can't be serialized");
    assert!(matches!(error, Error::Input { .. }));
    expect![[r#"input of run "m-bad" can't be serialized: panicked: the input has a bug"#]]
        .assert_eq(&error.to_string());
    for start in [
        engine.run(&workflow, "m-bad", New::Nameless, &()).await,
        engine
            .run_or_resume(&workflow, "m-bad", New::Nameless, &())
            .await,
    ] {
        let error = start.expect_err("it is no state");
        assert!(matches!(error, Error::Panicked { .. }));
        expect![[r#"run "m-bad": code outside of its tasks panicked: State::ALL lacks Nameless"#]]
            .assert_eq(&error.to_string());
    }
    let copying = import("import", 1, |_| async {});
    let healthy = engine.run(&copying, "m-bad", Import::Copy, &()).await;
    assert!(healthy.is_ok(), "the id is still free");
    assert_eq!(lengths(&rows, &["m-bad"]).await, [2]);
}
