//! Crash-tests a user's own workflow at every point.

mod failure;
mod keep;
mod progress;
mod rounds;
mod subject;

use std::fmt::Display;
use std::hash::Hash;
use std::num::NonZeroUsize;
use std::panic::Location;
use std::sync::Arc;

use crashpoint::protocol::Faithful;
use crashpoint::{Retention, State, Workflow};
use serde::Serialize;
use serde_json::Value;

use crate::explore::{Findings, Pool, Shard};
use crate::fault::{BadSchedule, Schedule};
use crate::history::LifeEnd;
use crate::oracle::judge;
use crate::record::{Recording, Source, Trial, replay_recording, run_schedule};
use crate::report::render;
use crate::sim::{Lane, Process, StoreKind};
use crate::workload::{
    ActsOn, CRASHES_MAX, Length, Panics, Recipe, Sharing, WAITS_MAX, Workload, default_crashes,
};

pub(crate) use self::failure::{Failed, Found, nondeterminism};
pub(crate) use self::keep::test as kept_test;
pub(crate) use self::subject::{Invariant, Merging};
use self::subject::{SubjectTemplate, WorldSubject};

/// The name of a crash test's workload in tokens.
const NAME: &str = "crash-test";

/// The number of sampled schedules, unless the test sets it.
const SAMPLES: u64 = 1_000;

/// The environment variable that makes [`CrashTest::run`] run a single schedule, given as a token,
/// the file of a tape, or in words.
pub(crate) const REPLAY: &str = "CRASHPOINT_REPLAY";

/// The environment variable that makes [`CrashTest::run`] run one of several shares of its
/// schedules, such as `1/4`.
const SHARD: &str = "CRASHPOINT_SHARD";

/// Creates the workflow for a simulated process, whose tasks act on a world.
pub(crate) type Factory<S, W> = Arc<dyn Fn(&Process, &Arc<W>) -> Workflow<S> + Send + Sync>;

/// A crash test of a workflow whose tasks act on a world `W` of the test. See [`crash_test`] and
/// [`crash_test_in`].
///
/// It runs every schedule within these bounds: every crash point and every pair of them; with one
/// crash a store fault, a cancellation, a rival life, or an attempt of a task, a step or an undo
/// that fails, succeeds but reports an error, runs twice, panics or hangs; two rival lives; a clock
/// that jumps. So it answers: does each task succeed when repeated, does each failure roll back, is
/// each undo idempotent, and what follows if work was done but reported as failed. Beyond that it
/// [samples](Self::samples) schedules with more faults at once.
///
/// A failure names instants. `life1/append#3:before`: the first life has sent row 3, and the store
/// does not have it yet. `:unacked`: the row is durable, and the life has not received the
/// response. `life2/undo charge:after-effect`: the second life's undo of `charge` has had its
/// [effect](Process::effect). `life1/charge:pending`: the task waits.
#[must_use = "a crash test does nothing without `run`"]
pub struct CrashTest<S, W = ()> {
    world: Arc<dyn Fn() -> W + Send + Sync>,
    start: S,
    input: Value,
    workflow: Factory<S, W>,
    invariants: Vec<Invariant<W>>,
    merging: Option<Arc<Merging<W>>>,
    crashes: u32,
    schedules_max: u64,
    samples: u64,
    panics: Panics,
    lane: Lane,
    waits_max: u32,
    pool: Pool,
    at: &'static Location<'static>,
}

/// Crash-tests the workflow that `workflow` creates for a simulated process. Its tasks act on the
/// outside world through [`Process::effect`], whose ledger survives every crash.
///
/// The crate's docs have an example. In your own test the last line is the whole test: a violation
/// panics with its story.
///
/// # Panics
///
/// If `input` cannot be serialized as JSON.
#[track_caller]
pub fn crash_test<S: State>(
    start: S,
    input: &(impl Serialize + ?Sized),
    workflow: impl Fn(&Process) -> Workflow<S> + Send + Sync + 'static,
) -> CrashTest<S> {
    crash_test_in(|| (), start, input, move |process, _| workflow(process))
}

/// The same in a world of the test: a value that survives crashes, such as fakes of the services
/// that the tasks call. `world` creates it for each schedule, and
/// [invariants](CrashTest::invariant) check it at the end.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use crashpoint::{Ctx, State, TaskError, Workflow};
/// use crashpoint_simulator::{LifeEnd, crash_test_in};
///
/// #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
/// enum Mail {
///     Send,
///     Sent,
/// }
///
/// /// A mail server that knows what it has sent.
/// #[derive(Default)]
/// struct Server(Mutex<Vec<String>>);
///
/// crash_test_in(Server::default, Mail::Send, "hello", |_, server: &Arc<Server>| {
///     let server = Arc::clone(server);
///     let send = move |ctx: Ctx| {
///         let server = Arc::clone(&server);
///         async move {
///             let mut sent = server.0.lock().unwrap();
///             let key = ctx.idempotency_key();
///             // Without this line a crash after the sending sends a second mail.
///             if !sent.contains(&key) {
///                 sent.push(key);
///             }
///             Ok::<_, TaskError>(Mail::Sent)
///         }
///     };
///     Workflow::builder("mail", 1)
///         .task(Mail::Send, "send", send)
///         .exit(Mail::Sent)
///         .build()
///         .unwrap()
/// })
/// .invariant("a mail is sent once", |server, outcome| {
///     let sent = server.0.lock().unwrap().len();
///     match outcome {
///         LifeEnd::Done(_) if sent != 1 => Err(format!("{sent} mails were sent")),
///         _ => Ok(()),
///     }
/// })
/// .run();
/// ```
///
/// # Panics
///
/// If `input` cannot be serialized as JSON.
#[track_caller]
pub fn crash_test_in<S: State, W: Send + Sync + 'static>(
    world: impl Fn() -> W + Send + Sync + 'static,
    start: S,
    input: &(impl Serialize + ?Sized),
    workflow: impl Fn(&Process, &Arc<W>) -> Workflow<S> + Send + Sync + 'static,
) -> CrashTest<S, W> {
    CrashTest {
        world: Arc::new(world),
        start,
        input: serde_json::to_value(input).expect("the input of a run is serializable"),
        workflow: Arc::new(workflow),
        invariants: Vec::new(),
        merging: None,
        crashes: default_crashes(StoreKind::Memory),
        schedules_max: u64::MAX,
        samples: SAMPLES,
        panics: Panics::Fail,
        lane: Lane::default(),
        waits_max: WAITS_MAX,
        pool: Pool::of_all_cores(),
        at: Location::caller(),
    }
}

impl<S: State, W: Send + Sync + 'static> CrashTest<S, W> {
    /// Adds an invariant of the world. It must hold when the run has ended: done, rolled back or
    /// stuck. It is checked after every schedule. An `Err` or a panic is a violation of the oracle
    /// `invariants`.
    pub fn invariant<E: Display>(
        mut self,
        name: &str,
        holds: impl Fn(&W, &LifeEnd) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        self.invariants.push(Invariant::new(name, holds));
        self
    }

    /// Continues crashes that leave equal states only once. It needs a `fingerprint` of every part
    /// of the world that makes a difference, and a deep `copy` of the world: a copy must not share
    /// anything with the original, such as an `Arc`. Without this every schedule runs from its
    /// start, which is usually too slow for more than two crashes.
    ///
    /// Everything that the tasks act on must be in the world; nothing else that a closure captures
    /// is copied. Both functions are called in the middle of the tasks' work, at any await.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    ///
    /// use crashpoint::{Ctx, State, TaskError, Workflow};
    /// use crashpoint_simulator::crash_test_in;
    ///
    /// #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
    /// enum Mail {
    ///     Send,
    ///     Sent,
    /// }
    ///
    /// /// The keys of what was sent.
    /// type Server = Mutex<Vec<String>>;
    ///
    /// let test = crash_test_in(Server::default, Mail::Send, &(), |_, server: &Arc<Server>| {
    ///     let server = Arc::clone(server);
    ///     let send = move |ctx: Ctx| {
    ///         server.lock().unwrap().push(ctx.idempotency_key());
    ///         async { Ok::<_, TaskError>(Mail::Sent) }
    ///     };
    ///     Workflow::builder("mail", 1)
    ///         .task(Mail::Send, "send", send)
    ///         .exit(Mail::Sent)
    ///         .build()
    ///         .unwrap()
    /// });
    /// let findings = test
    ///     .fingerprint(
    ///         |server| server.lock().unwrap().clone(),
    ///         |server| Mutex::new(server.lock().unwrap().clone()),
    ///     )
    ///     .crashes(3)
    ///     .run();
    /// assert!(findings.merged > 0);
    /// ```
    pub fn fingerprint<H: Hash>(
        mut self,
        fingerprint: impl Fn(&W) -> H + Send + Sync + 'static,
        copy: impl Fn(&W) -> W + Send + Sync + 'static,
    ) -> Self {
        self.merging = Some(Arc::new(Merging::new(fingerprint, copy)));
        self
    }

    /// The most crashes of a schedule, in `0..=3`. The default is 2: a crash, and a crash in its
    /// recovery.
    ///
    /// # Panics
    ///
    /// If `crashes` is greater than 3: nobody waits for the end of such a test.
    pub fn crashes(mut self, crashes: u32) -> Self {
        assert!(
            crashes <= CRASHES_MAX,
            "a schedule has 0..={CRASHES_MAX} crashes, got {crashes}"
        );
        self.crashes = crashes;
        self
    }

    /// The most schedules to run. The default is no limit. The limit is divided among the campaigns
    /// (crashes, store faults, rivals, and so on) and the samples; what one does not need is left to
    /// the others. The test passes if no schedule within the limit breaks a promise, prints a line
    /// that says how much was left out, and returns findings that are
    /// [cut short](Findings::cut_short).
    pub fn schedules_max(mut self, schedules_max: u64) -> Self {
        self.schedules_max = schedules_max;
        self
    }

    /// The number of schedules to sample beyond the exhausted budgets. The default is 1,000, or
    /// none if crashes are excluded. Half of them have one crash more and no other fault. The
    /// others may have everything at once: one crash more, several store faults, rivals, failing
    /// attempts, jumps of the clocks. Their seeds start at 0, so they are the same every time.
    pub fn samples(mut self, samples: u64) -> Self {
        self.samples = samples;
        self
    }

    /// The number of threads. The default is one for each core. The findings, and the reported
    /// failure, do not depend on it. A single thread is the caller's own.
    ///
    /// Each schedule has its own world. A test whose schedules share anything else, such as a
    /// static, needs a single thread.
    pub fn threads(mut self, threads: NonZeroUsize) -> Self {
        self.pool = Pool::new(threads);
        self
    }

    /// How often a life may wait: a task that polls a lock every second until an hour has passed
    /// waits 3,600 times. The default is 1,000. A life that waits this often counts as endless,
    /// which fails the test, as would a task that waits for the lock of a dead process. How long a
    /// wait is does not matter. With [`tokio`](Self::tokio) spawned tasks may wake up ten times as
    /// often while the life waits.
    pub fn waits_max(mut self, waits_max: u32) -> Self {
        self.waits_max = waits_max;
        self
    }

    /// Permits panics of tasks, steps and undos. By default a panic that the schedule did not cause
    /// fails the test: the engine treats it as a task failure, so a workflow that lacks something
    /// in the simulation would pass by doing nothing.
    pub fn tasks_may_panic(mut self) -> Self {
        self.panics = Panics::Belong;
        self
    }

    /// Runs the tasks of each process within a tokio runtime, current-thread and with a paused
    /// clock, so that they may call `tokio::time`, `tokio::spawn` and `tokio::sync`. Everything
    /// else is the same. For tasks that wait only through their `Ctx` the default is equivalent,
    /// and faster.
    ///
    /// Spawned tasks die in a crash. Without a crash they continue after the end of the run, as in
    /// a process that lives on: for an hour of virtual time, or up to 1,000 wake-ups. While the run
    /// waits they may wake up 10,000 times; more is a livelock, which breaks a promise
    /// ([`waits_max`](Self::waits_max)). So do 20,000 polls without any time passing, as of a task
    /// that only yields. A panic of a spawned task breaks a promise too, joined or not, unless
    /// [`tasks_may_panic`](Self::tasks_may_panic).
    ///
    /// At each effect and each operation of the store the tasks of a process wait for their turn:
    /// spawned tasks, and the branches of `join!`, `try_join!` and `select!`. Schedules choose who
    /// goes on. With one crash every single change of the order is explored, and without a crash
    /// every pair. Between two such instants spawned tasks run in the order in which they were
    /// woken. Where two branches of a `select!` may be ready at once without an effect before,
    /// write `biased;`, because tokio draws from its own seed; the test then fails as not
    /// deterministic. Threads (`spawn_blocking`, `tokio::fs`) and I/O are refused.
    ///
    /// # Panics
    ///
    /// [`run`](Self::run) panics within a tokio runtime: write a plain `#[test]`.
    #[cfg(feature = "tokio")]
    pub fn tokio(mut self) -> Self {
        self.lane = Lane::Tokio;
        self
    }

    /// Runs every schedule, and the samples. If the environment has `CRASHPOINT_REPLAY`, it runs
    /// only the schedule named there by its token, the file of its tape, or its text. Every crash
    /// test of a `#[test]` reads the variable, and fails if it does not have such a schedule.
    ///
    /// Several machines can divide the schedules of every crash test: one runs the tests with
    /// `CRASHPOINT_SHARD=1/4` in its environment, another with `2/4`, and so on. A test that runs for
    /// more than five seconds prints a line about its progress.
    ///
    /// # Panics
    ///
    /// If a promise is broken: with the shrunk schedule, a timeline, the log, the ledger, the
    /// command that replays it, and a regression test. If a schedule runs differently the second
    /// time: with the first event that differs. If a crash point was not covered, although nothing
    /// limits the schedules. If the environment has a `CRASHPOINT_SHARD` that is not a shard.
    #[track_caller]
    pub fn run(self) -> Findings {
        let workload = self.workload();
        if let Some(schedule) = std::env::var_os(REPLAY) {
            let schedule = schedule.to_string_lossy();
            match rerun(&workload, &schedule) {
                Ok(trial) => _ = held(&workload, &trial),
                Err(error) => {
                    let advice = failure::of_another_test(&schedule, self.at);
                    panic!("{error}\n\n{advice}");
                }
            }
            return Findings::default();
        }
        self.rounds(&workload, shard())
    }

    /// Runs one schedule and returns its story. The schedule is named by a token or the file of a
    /// tape, or is a [`Schedule`] in words. The regression test of a failure calls this.
    ///
    /// # Panics
    ///
    /// If a promise is broken, with the story. If the text names no schedule, the replay differs
    /// from the recorded schedule, or a fault of the text does not fire.
    #[track_caller]
    pub fn replay(self, schedule: &str) -> String {
        let workload = self.workload();
        match rerun(&workload, schedule) {
            Ok(trial) => held(&workload, &trial),
            Err(error) => panic!("{error}"),
        }
    }

    #[track_caller]
    fn workload(&self) -> Workload {
        self.lane.assert_runs_here();
        let (world, workflow) = (Arc::clone(&self.world), Arc::clone(&self.workflow));
        let recipe = Recipe {
            name: NAME,
            about: "a user's workflow",
            // For the definition, with a world of its own.
            workflow: Arc::new(move |process| workflow(process, &Arc::new(world()))),
            start: self.start,
            input: self.input.clone(),
            retention: Retention::Keep,
            sharing: Sharing::Shared,
            retry_stuck: false,
            length: Length::Long,
        };
        let (world, workflow) = (Arc::clone(&self.world), Arc::clone(&self.workflow));
        let (start, input) = (self.start, self.input.clone());
        let invariants: Arc<[Invariant<W>]> = self.invariants.clone().into();
        let acts_on = match self.merging {
            // The tasks may reach anything that the closures capture.
            None => ActsOn::Own,
            Some(_) => ActsOn::Copied,
        };
        let template = Arc::new(SubjectTemplate {
            workflow,
            start,
            input,
            invariants,
            merging: self.merging.clone(),
        });
        let subject = move || WorldSubject::new(Arc::new(world()), &template);
        Workload {
            echoes: false,
            acts_on,
            panics: self.panics,
            lane: self.lane,
            waits_max: self.waits_max,
            subject: Box::new(move || Arc::new(subject())),
            ..recipe.under(Faithful)
        }
    }
}

/// The shard that the environment asks for.
#[track_caller]
fn shard() -> Shard {
    let Some(shard) = std::env::var_os(SHARD) else {
        return Shard::WHOLE;
    };
    let shard = shard.to_string_lossy();
    shard.parse().unwrap_or_else(|bad| panic!("{SHARD}: {bad}"))
}

/// The story of a schedule that breaks no promise. Panics with it otherwise.
#[track_caller]
fn held(workload: &Workload, trial: &Trial) -> String {
    let verdicts = judge(workload, &trial.run);
    let story = render::story(&trial.run, &verdicts);
    assert!(verdicts.is_empty(), "a promise is broken\n\n{story}");
    story
}

/// Runs the schedule named by a text, a token, or the file of a tape.
fn rerun(workload: &Workload, schedule: &str) -> Result<Trial, String> {
    let source = Source::Fixed(workload);
    if Schedule::is_meant_by(schedule) {
        let parsed: Schedule = schedule
            .parse()
            .map_err(|bad: BadSchedule| bad.to_string())?;
        let run = run_schedule(source, StoreKind::Memory, &parsed);
        return run
            .map(|(trial, _)| trial)
            .map_err(|unfired| unfired.to_string());
    }
    let recording = Recording::read(schedule).map_err(|error| error.to_string())?;
    let of = recording.workload();
    if of != NAME {
        return Err(format!(
            "{schedule:?} belongs to the workload {of:?}, not to a crash test"
        ));
    }
    replay_recording(source, &recording).map_err(|error| error.to_string())
}

impl<S, W> std::fmt::Debug for CrashTest<S, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CrashTest")
            .field("crashes", &self.crashes)
            .field("schedules_max", &self.schedules_max)
            .finish_non_exhaustive()
    }
}
