//! A user's own workflow, crashed at every point.

mod failure;
mod subject;

use std::fmt::Display;
use std::panic::Location;
use std::sync::Arc;

use crashpoint_engine::protocol::Faithful;
use crashpoint_engine::{Event, Retention, State, Workflow};
use serde::Serialize;
use serde_json::Value;

use crate::choices::Exhaustive;
use crate::explore::{Findings, Violation, explore};
use crate::fault::Budget;
use crate::oracle::judge;
use crate::recording::{Recording, replay_recording};
use crate::render;
use crate::sim::{Process, Repeat, Settings};
use crate::store_kind::StoreKind;
use crate::subject::LifeEnd;
use crate::trial::Source;
use crate::workload::{Recipe, Sharing, Workload};

use self::failure::Failed;
use self::subject::{Invariant, WorldSubject};

/// How the workload of a crash test is called in tokens.
const NAME: &str = "crash-test";

/// One in so many schedules is run a second time, to see that it is the same then.
const REPEATED_EVERY: u64 = 16;

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
/// fails, does its work and reports an error, does its work twice, panics or hangs. So it answers
/// without being asked: does each task succeed when it is repeated, does each failure unwind, is each
/// undo idempotent, what if a thing is done and then reported as failed.
#[must_use = "a crash test does nothing until it is run"]
pub struct CrashTest<S, W = ()> {
    world: Arc<dyn Fn() -> W + Send + Sync>,
    start: S,
    input: Value,
    workflow: Factory<S, W>,
    invariants: Vec<Invariant<W>>,
    crashes: u32,
    schedules_max: u64,
    panics: Panics,
    at: &'static Location<'static>,
}

/// What a panic of a task means in the schedule in which nothing goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Panics {
    /// The test has failed: a run that turns around at once has nothing to crash.
    Fail,
    /// It belongs to the workflow.
    Belong,
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
/// use crashpoint_engine::{Ctx, State, TaskError, Workflow};
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
        crashes: 2,
        schedules_max: u64::MAX,
        panics: Panics::Fail,
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

    /// How many crashes a schedule may have, in `0..=3`; 2 without this, which is a crash in the
    /// recovery from a crash.
    ///
    /// # Panics
    ///
    /// Where there are more: nobody waits for the end of that.
    pub fn crashes(mut self, crashes: u32) -> Self {
        assert!(
            crashes <= 3,
            "{crashes} crashes in a schedule: 0..=3 are possible"
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

    /// Lets tasks and undos panic although nothing goes wrong. Without this such a panic fails the test:
    /// the engine takes it for a failure of the task, so a workflow that needs what a simulation does
    /// not have, such as a runtime of tokio's, would pass the test by never doing anything.
    pub fn tasks_may_panic(mut self) -> Self {
        self.panics = Panics::Belong;
        self
    }

    /// Runs every schedule. With `CRASHPOINT_REPLAY` in the environment just the one that it names, by
    /// its token or the file of its tape.
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
        if let Some(recording) = std::env::var_os(REPLAY) {
            self.hold(&workload, &recording.to_string_lossy());
            return Findings::default();
        }
        if self.panics == Panics::Fail
            && let Some(panic) = calm_panic(&workload)
        {
            panic!("{panic}");
        }
        let mut all = Findings::default();
        // What is wrong without a fault is told without one, and before anything else.
        let calm = [Budget::default()];
        let campaigns = workload.campaigns(StoreKind::Memory, self.crashes);
        for budget in calm.into_iter().chain(campaigns) {
            let settings = Settings {
                schedules_max: self.schedules_max.saturating_sub(all.schedules),
                repeat: Repeat::OneIn(REPEATED_EVERY),
                ..Settings::within(budget)
            };
            let findings = explore(&workload, &settings);
            if let Some(found) = findings.nondeterminism.first() {
                let unsteady = failure::nondeterminism(found, self.at);
                panic!("{unsteady}");
            }
            let schedule_length = |found: &&Violation| found.schedule.len();
            if let Some(found) = findings.violations.iter().min_by_key(schedule_length) {
                // In words before it panics: what fails in a replay may panic as well.
                let failed = Failed::new(&workload, found, self.at).to_string();
                panic!("{failed}");
            }
            if budget == Budget::default() {
                // The first schedule of the campaigns is this one again.
                continue;
            }
            let cut_short = findings.cut_short;
            all.merge(findings);
            let (covered, total) = (all.recorder.covered(), all.recorder.total());
            assert!(
                covered == total && !cut_short,
                "{covered} of {total} covered: the crash test of {} was stopped after {} schedules",
                self.at,
                all.schedules
            );
        }
        all
    }

    /// Runs the one schedule that a failure named, by its token or the file of its tape, and tells its
    /// story. This is what a test does that a failure gave you to keep.
    ///
    /// # Panics
    ///
    /// Where a promise is broken, with the story; and where it names nothing, or is no longer the
    /// schedule that was recorded.
    #[track_caller]
    pub fn replay(self, token_or_file: &str) -> String {
        let workload = self.workload();
        self.hold(&workload, token_or_file)
    }

    #[track_caller]
    fn hold(&self, workload: &Workload, token_or_file: &str) -> String {
        let recording = match Recording::read(token_or_file) {
            Ok(recording) => recording,
            Err(error) => panic!("{error}"),
        };
        let of = recording.workload();
        assert!(
            of == NAME,
            "{token_or_file:?} is a schedule of the workload {of:?}, not of a crash test"
        );
        let trial = match replay_recording(Source::Fixed(workload), &recording) {
            Ok(trial) => trial,
            Err(error) => panic!("{error}"),
        };
        let verdicts = judge(workload, &trial.run);
        let story = render::story(&trial.run, &verdicts);
        assert!(verdicts.is_empty(), "a promise is broken\n\n{story}");
        story
    }

    fn workload(&self) -> Workload {
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
        };
        let (world, workflow) = (Arc::clone(&self.world), Arc::clone(&self.workflow));
        let (start, input) = (self.start, self.input.clone());
        let invariants: Arc<[Invariant<W>]> = self.invariants.clone().into();
        let subject = move || {
            let world = Arc::new(world());
            WorldSubject::new(world, &workflow, start, &input, &invariants)
        };
        Workload {
            echoes: false,
            // The tasks may reach anything that the closures have captured.
            copied: false,
            subject: Box::new(move || Arc::new(subject())),
            ..recipe.under(Faithful)
        }
    }
}

/// What a task of the workload panics with where nothing goes wrong.
fn calm_panic(workload: &Workload) -> Option<String> {
    let calm = Settings::default();
    let (trial, _) = Source::Fixed(workload).run(&calm, Exhaustive::new());
    let panicked = trial.run.log.iter().find_map(|row| {
        let (task, message) = match Event::from_row(row).ok()? {
            Event::RollbackStarted { task, cause, .. } => (task, cause.message),
            Event::CompensationFailed { task, error, .. } => (task, error),
            _ => return None,
        };
        Some((task, message.strip_prefix("panicked: ")?.to_owned()))
    });
    let (task, message) = panicked?;
    Some(format!(
        "{} panics although nothing goes wrong: {}\n\n{PANICS}",
        render::escaped(&task),
        render::escaped_line(&message)
    ))
}

/// What to do about a panic.
const PANICS: &str = "\
a task that panics has failed, so the run turns around, and a crash test of that proves little. There is
no runtime of tokio's in a simulation: ctx.sleep() sleeps, and locks and channels of tokio's work. Where
the panic is meant, .tasks_may_panic() says so";

impl<S, W> std::fmt::Debug for CrashTest<S, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CrashTest")
            .field("crashes", &self.crashes)
            .field("schedules_max", &self.schedules_max)
            .finish_non_exhaustive()
    }
}
