//! A user's own workflow, crashed at every point.

mod failure;
mod keep;
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

use crate::explore::{Findings, Pool};
use crate::fault::{BadSchedule, Schedule};
use crate::history::LifeEnd;
use crate::oracle::judge;
use crate::record::{Recording, Source, Trial, replay_recording, run_schedule};
use crate::report::render;
use crate::sim::{Lane, Process, StoreKind};
use crate::workload::{
    ActsOn, CRASHES_MAX, Length, Panics, Recipe, Sharing, Workload, default_crashes,
};

use self::subject::{Invariant, Merging, SubjectTemplate, WorldSubject};

/// How the workload of a crash test is called in tokens.
const NAME: &str = "crash-test";

/// So many schedules are sampled where the test does not say how many.
const SAMPLES: u64 = 1_000;

/// The environment variable with which [`CrashTest::run`] runs one schedule alone: a token, or the
/// file of a tape.
const REPLAY: &str = "CRASHPOINT_REPLAY";

/// Makes the workflow for a process of a simulation, whose tasks act on a world.
type Factory<S, W> = Arc<dyn Fn(&Process, &Arc<W>) -> Workflow<S> + Send + Sync>;

/// A crash test of a workflow, whose tasks act on a world `W` of the test's own. See [`crash_test`] and
/// [`crash_test_in`].
///
/// Every schedule within these bounds is run: every crash point, every pair of them; beside one crash
/// a fault of the store, a cancellation, a rival life, or an attempt of a task, a step or an undo that
/// fails, does its work and reports an error, does its work twice, panics or hangs; two rival lives;
/// a clock that jumps. So it answers
/// without being asked: does each task succeed when it is repeated, does each failure unwind, is each
/// undo idempotent, what if a thing is done and then reported as failed. Beyond that schedules are
/// [sampled](Self::samples) in which more of it goes wrong at once.
///
/// A failure names instants: `life1/append#3:before` is when the first life has sent row 3 and nobody has
/// it yet, `:unacked` when it is durable and the life has not been told; `life2/undo charge:after-effect`
/// is when the second life's undo of `charge` has done its [effect](Process::effect), and
/// `life1/charge:pending` when the task waits for something.
#[must_use = "a crash test does nothing until it is run"]
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
    pool: Pool,
    at: &'static Location<'static>,
}

/// Crash-tests the workflow that `workflow` makes for a simulated process: its tasks act on the
/// outside world through [`Process::effect`], whose ledger survives every crash.
///
/// The crate's own docs have an example. In a test of yours the last line is the whole test: a
/// violation panics with its story.
///
/// # Panics
///
/// Where `input` can't be serialized as JSON.
#[track_caller]
pub fn crash_test<S: State>(
    start: S,
    input: &(impl Serialize + ?Sized),
    workflow: impl Fn(&Process) -> Workflow<S> + Send + Sync + 'static,
) -> CrashTest<S> {
    crash_test_in(|| (), start, input, move |process, _| workflow(process))
}

/// The same in a world of the test's own: a value that survives crashes, such as the fakes of the
/// services that the tasks call. `world` makes it anew for each schedule; what is asked of it in the
/// end are [invariants](CrashTest::invariant).
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
/// Where `input` can't be serialized as JSON.
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
        pool: Pool::of_all_cores(),
        at: Location::caller(),
    }
}

impl<S: State, W: Send + Sync + 'static> CrashTest<S, W> {
    /// What must hold of the world when the run has ended, however it ended: done, rolled back or
    /// stuck. It is asked after every schedule; an `Err` and a panic are a violation of the oracle
    /// `invariants`.
    pub fn invariant<E: Display>(
        mut self,
        name: &str,
        holds: impl Fn(&W, &LifeEnd) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        self.invariants.push(Invariant::new(name, holds));
        self
    }

    /// Lets crashes that leave the same state be gone on from once. That needs to know what of the
    /// world makes a difference (`fingerprint`), and how to copy it (`copy`): a copy that shares
    /// anything with the original, such as an `Arc` in it, is none. Without this every schedule is run
    /// from its start, which a test of more than two crashes rarely affords.
    ///
    /// Everything that the tasks act on has to be in the world then; what a closure has captured
    /// beside it is not copied. Both are called in the midst of the tasks' work, wherever it awaits.
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

    /// How many crashes a schedule may have, in `0..=3`; 2 without this, which is a crash in the
    /// recovery from a crash.
    ///
    /// # Panics
    ///
    /// Where there are more: nobody waits for the end of that.
    pub fn crashes(mut self, crashes: u32) -> Self {
        assert!(
            crashes <= CRASHES_MAX,
            "{crashes} crashes in a schedule: 0..={CRASHES_MAX} are possible"
        );
        self.crashes = crashes;
        self
    }

    /// How many schedules are run at the most; all without this. A test that ends because of it has
    /// failed, and says how many of the crash points that it came to see were covered.
    pub fn schedules_max(mut self, schedules_max: u64) -> Self {
        self.schedules_max = schedules_max;
        self
    }

    /// How many schedules are sampled beyond those that are all run; 1,000 without this, and none where
    /// there are no crashes. Half of them have a crash more, alone; the others may have everything at
    /// once: a crash more, several faults of the store, rivals, failing attempts, jumps of the clocks.
    /// They are those of the seeds from 0, so they are the same every time.
    pub fn samples(mut self, samples: u64) -> Self {
        self.samples = samples;
        self
    }

    /// How many threads share the schedules out; without this one for each core. What is found, and
    /// which failure is told, does not depend on it. With one thread it is the caller's own.
    ///
    /// Each schedule has a world of its own. A test that captures something beside it, such as a
    /// static, which all schedules share, needs one thread.
    pub fn threads(mut self, threads: NonZeroUsize) -> Self {
        self.pool = Pool::new(threads);
        self
    }

    /// Lets tasks, steps and undos panic. Without this a panic that no fault of the schedule is fails
    /// the test, in whichever schedule it comes: the engine takes it for a failure of the task, so a
    /// workflow that needs what a simulation does not have would pass the test by never doing anything.
    pub fn tasks_may_panic(mut self) -> Self {
        self.panics = Panics::Belong;
        self
    }

    /// Runs the tasks within a runtime of tokio's for each process, of one thread and with its clock
    /// paused, so that they may call `tokio::time`, `tokio::spawn` and `tokio::sync`. Everything else is
    /// the same. For a task that waits through its `Ctx` alone the default is as right, and faster.
    ///
    /// What a task has spawned dies in a crash. Without one it goes on after the end of the run, as it
    /// would in a process that lives on: for an hour of virtual time, or until it has been woken 1,000
    /// times. While the run waits for something it may be woken 100,000 times; more is an endless circle,
    /// which breaks a promise. So do 20,000 polls during which no time passes, as those of a task that does
    /// nothing but yield, at any time. And so does its panic, whether anybody joins it or not, unless
    /// [`tasks_may_panic`](Self::tasks_may_panic).
    ///
    /// What is spawned runs in the order in which it was woken; other orders are not explored. Threads
    /// (`spawn_blocking`, `tokio::fs`) and input and output are refused. `select!` has to be `biased;`,
    /// since tokio draws its order from a seed of its own; a test that forgets it is told that it is not
    /// deterministic.
    ///
    /// # Panics
    ///
    /// [`run`](Self::run) panics within a runtime of tokio's: a test like this is a plain `#[test]`.
    #[cfg(feature = "tokio")]
    pub fn tokio(mut self) -> Self {
        self.lane = Lane::Tokio;
        self
    }

    /// Runs every schedule, and the samples. With `CRASHPOINT_REPLAY` in the environment just the one
    /// that it names, by its token, the file of its tape, or in words. Every crash test of a `#[test]`
    /// is asked for it, and one that has no such schedule fails.
    ///
    /// # Panics
    ///
    /// At a violation: with the schedule in words, as small as it gets, a timeline, the log, the
    /// ledger, the command that replays it, and a test to keep. Where a schedule is not the same when
    /// it is run twice, with the first event that is not. And where not every crash point was
    /// covered.
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
        let mut all = self.exhaust(&workload);
        self.sample(&workload, &mut all);
        all
    }

    /// Runs one schedule, and tells its story: the one that is named by a token or the file of a tape,
    /// or a [`Schedule`] in words. This is what a test does that a failure gave you to keep.
    ///
    /// # Panics
    ///
    /// Where a promise is broken, with the story; where it names nothing, or is no longer the
    /// schedule that was recorded; and where a fault that is said in words does not happen.
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
            // For the definition: it is made in a world of its own.
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
            // The tasks may reach anything that the closures have captured.
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
            subject: Box::new(move || Arc::new(subject())),
            ..recipe.under(Faithful)
        }
    }
}

/// The story of a schedule in which every promise holds; otherwise it panics with it.
#[track_caller]
fn held(workload: &Workload, trial: &Trial) -> String {
    let verdicts = judge(workload, &trial.run);
    let story = render::story(&trial.run, &verdicts);
    assert!(verdicts.is_empty(), "a promise is broken\n\n{story}");
    story
}

/// Runs the one schedule that is named: by its text, by a token, or by the file of a tape.
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
            "{schedule:?} is a schedule of the workload {of:?}, not of a crash test"
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
