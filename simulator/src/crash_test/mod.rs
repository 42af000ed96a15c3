//! Crash-tests a user's own workflow at every point.

mod also;
mod bounds;
mod command;
mod failure;
mod invariant;
mod keep;
mod mergeable;
mod of_world;
mod page;
mod program;
mod progress;
mod replay_in;
mod rerun;
mod rounds;
mod settings;
mod subject;
mod upgrade;

use std::fmt::Debug;
use std::sync::Arc;

use crashpoint::{CheckpointStore, State, Workflow};
use serde::Serialize;

use crate::explore::{Findings, Shard};
use crate::fault::LeftOut;
use crate::sim::{OwnStore, Process, StoreKind};
use crate::workload::{ActsOn, Deadline, OddEnding, Rule, Workload};

use self::also::{AlsoRun, SeveralRuns};
pub use self::mergeable::Mergeable;
use self::program::Program;
pub use self::replay_in::replay_in;
use self::rerun::{held, rerun};
use self::settings::{Parts, TestSettings};
pub use self::upgrade::{
    OwnTest, UpgradeFrom, UpgradeReport, UpgradeTest, upgrade_test, upgrade_test_in,
};

/// The name of a crash test's workload in tokens.
const NAME: &str = "crash-test";

/// The number of sampled schedules, unless the test sets it.
const SAMPLES: u64 = 1_000;

/// The environment variable that makes [`CrashTest::run`] run a single schedule, given as a token,
/// the file of a tape, or in words.
const REPLAY: &str = "CRASHPOINT_REPLAY";

/// The environment variable that makes [`CrashTest::run`] run one of several shares of its
/// schedules, such as `1/4`.
const SHARD: &str = "CRASHPOINT_SHARD";

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
    settings: TestSettings<W>,
    program: Program<S, W>,
    also: Vec<AlsoRun<W>>,
    store: StoreKind,
    own_store: Option<OwnStore>,
    crashes: Option<u32>,
    deadline: Option<Deadline>,
    schedules_max: u64,
    samples: u64,
    accepts: Vec<OddEnding>,
    left_out: LeftOut,
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
        settings: TestSettings::new(world),
        program: Program::new(start, input, workflow),
        also: Vec::new(),
        store: StoreKind::Memory,
        own_store: None,
        crashes: None,
        deadline: None,
        schedules_max: u64::MAX,
        samples: SAMPLES,
        accepts: Vec::new(),
        left_out: LeftOut::default(),
    }
}

impl<S: State, W: Send + Sync + 'static> CrashTest<S, W> {
    /// Adds a run over the same world and the same store, of this workflow or of another: two orders race for
    /// the last item. It has the id `run-2`, the next `run-3`, and so on; the first run is `run-1`.
    ///
    /// Each run has a process of its own. Schedules switch between them at every instant at which a task can
    /// be interrupted: every pair of switches, and every crash with a switch. A process that crashes is
    /// started again beside the others. Every oracle judges each run, and a failure says which: instants are
    /// named `life2@run-2/append#3:before`, where lives are numbered in the order in which they begin.
    ///
    /// Runs of one world may decide how others end. So a run that is not done although nothing went wrong is
    /// accepted if another run is done, and a crash may decide which. [`invariant`](Self::invariant) gets the
    /// outcome of the first run when all have ended; [`Ending::outcomes`](crate::Ending::outcomes) has them all.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    ///
    /// use crashpoint::{Ctx, State, TaskError, Workflow};
    /// use crashpoint_simulator::{Process, crash_test_in};
    ///
    /// #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
    /// enum Order {
    ///     Reserve,
    ///     Reserved,
    /// }
    ///
    /// /// The keys of the orders that have an item, and how many items there are.
    /// struct Shelf {
    ///     items: usize,
    ///     reserved: Mutex<Vec<String>>,
    /// }
    ///
    /// fn order(_: &Process, shelf: &Arc<Shelf>) -> Workflow<Order> {
    ///     let shelf = Arc::clone(shelf);
    ///     let reserve = move |ctx: Ctx| {
    ///         let shelf = Arc::clone(&shelf);
    ///         async move {
    ///             // It asks and takes under one lock. With an await in between both orders may ask first.
    ///             let mut reserved = shelf.reserved.lock().unwrap();
    ///             let key = ctx.idempotency_key();
    ///             if !reserved.contains(&key) {
    ///                 if reserved.len() == shelf.items {
    ///                     return Err(TaskError::fatal("sold out"));
    ///                 }
    ///                 reserved.push(key);
    ///             }
    ///             Ok(Order::Reserved)
    ///         }
    ///     };
    ///     Workflow::builder("order", 1)
    ///         .task(Order::Reserve, "reserve", reserve)
    ///         .exit(Order::Reserved)
    ///         .build()
    ///         .unwrap()
    /// }
    ///
    /// let shelf = || Shelf { items: 1, reserved: Mutex::default() };
    /// crash_test_in(shelf, Order::Reserve, "ada", order)
    ///     .also(Order::Reserve, "bob", order)
    ///     .ending_invariant("an item is sold once", |shelf, ending| {
    ///         match ending.done() <= shelf.items {
    ///             true => Ok(()),
    ///             false => Err(format!("{} orders have it", ending.done())),
    ///         }
    ///     })
    ///     .run();
    /// ```
    ///
    /// # Panics
    ///
    /// If `input` cannot be serialized as JSON.
    pub fn also<T: State>(
        mut self,
        start: T,
        input: &(impl Serialize + ?Sized),
        workflow: impl Fn(&Process, &Arc<W>) -> Workflow<T> + Send + Sync + 'static,
    ) -> Self {
        self.also
            .push(AlsoRun::of(Program::new(start, input, workflow)));
        self
    }

    /// The store under the workflow. The default is the store in memory. Over the embedded store on its
    /// simulated disk ([`StoreKind::Redb`]) each process opens the file, and a crash may come at each call
    /// of the disk, with or without what was not synced. That has ten times as many crash points, so the
    /// default is then one [crash](Self::crashes).
    pub fn over(mut self, store: StoreKind) -> Self {
        self.store = store;
        self.own_store = None;
        self
    }

    /// Runs the workflow over a store of your own. `surviving` creates for each schedule what survives a crash:
    /// the files, tables or maps. Each process opens its store there by `open`, so what the store keeps
    /// elsewhere is lost in a crash. The faults of a store happen around it, as around the store in memory.
    ///
    /// - The store is deterministic: it starts no thread, and reads no clock and no random number.
    /// - It answers at once: its futures wait for nothing.
    /// - It writes nothing in `Drop`: the simulation drops the store of a process that has crashed.
    /// - It fails only with a conflict. Every other error breaks the promise `store-keeps-rows`.
    /// - If it has an [exclusive scope](crashpoint::CheckpointStore::exclusive_scope), all lives that run
    ///   beside each other have one process and one store.
    ///
    /// A crash comes before and after each operation of the store, not within it. Crashes are not merged by
    /// [`fingerprint`](Self::fingerprint), because the content of the store can't be compared.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use std::sync::{Arc, Mutex};
    ///
    /// use crashpoint::{CheckpointRow, CheckpointStore, Ctx, Error, State, Workflow, checkpoint_store};
    /// use crashpoint_simulator::crash_test;
    ///
    /// type Rows = Mutex<BTreeMap<(String, u64), CheckpointRow>>;
    ///
    /// struct Maps(Arc<Rows>);
    ///
    /// #[checkpoint_store]
    /// impl CheckpointStore for Maps {
    ///     async fn append(&self, id: &str, row: CheckpointRow) -> Result<(), Error> {
    ///         let mut rows = self.0.lock().unwrap();
    ///         let key = (id.to_owned(), row.sequence);
    ///         // Without these lines two lives of a run both go on.
    ///         if rows.contains_key(&key) {
    ///             return Err(Error::conflict(id, row.sequence));
    ///         }
    ///         rows.insert(key, row);
    ///         Ok(())
    ///     }
    ///
    ///     async fn load_run(&self, id: &str) -> Result<Vec<CheckpointRow>, Error> {
    ///         let rows = self.0.lock().unwrap();
    ///         let own = rows.range((id.to_owned(), 0)..=(id.to_owned(), u64::MAX));
    ///         Ok(own.map(|(_, row)| row.clone()).collect())
    ///     }
    ///
    ///     async fn clear(&self, id: &str) -> Result<(), Error> {
    ///         self.0.lock().unwrap().retain(|(of, _), _| of != id);
    ///         Ok(())
    ///     }
    /// }
    ///
    /// # #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
    /// # enum Mail { Send, Sent }
    /// # let test = crash_test(Mail::Send, &(), |_| {
    /// #     Workflow::builder("mail", 1)
    /// #         .task(Mail::Send, "send", async |_: Ctx| Ok(Mail::Sent))
    /// #         .exit(Mail::Sent)
    /// #         .build()
    /// #         .unwrap()
    /// # });
    /// test.over_store(Rows::default, |rows| Maps(Arc::clone(rows))).run();
    /// ```
    pub fn over_store<D: Send + Sync + 'static, T: CheckpointStore>(
        mut self,
        surviving: impl Fn() -> D + Send + Sync + 'static,
        open: impl Fn(&Arc<D>) -> T + Send + Sync + 'static,
    ) -> Self {
        self.store = StoreKind::Memory;
        self.own_store = Some(OwnStore::new(surviving, open));
        self
    }

    /// Runs every schedule, and the samples. If the environment has `CRASHPOINT_REPLAY`, it runs
    /// only the schedule named there by its token, the file of its tape, or its text. Every crash
    /// test of a `#[test]` reads it, and fails if it does not have such a schedule. If the environment
    /// has `CRASHPOINT_HTML`, the story of the failure, or of that schedule, is written to the file of
    /// this name as a page.
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
        let (number, wanted) = replay_in::begin();
        if let Some(schedule) = wanted {
            _ = self.replay(&schedule);
            replay_in::end();
        }
        let workload = self.workload();
        if let Some(schedule) = std::env::var_os(REPLAY) {
            let schedule = schedule.to_string_lossy();
            match rerun(&workload, self.store, &schedule) {
                Ok(trial) => _ = held(&workload, self.store, &trial),
                Err(error) => {
                    let advice = failure::of_another_test(&schedule, self.settings.at);
                    panic!("{error}\n\n{advice}");
                }
            }
            return Findings::default();
        }
        self.rounds(&workload, shard(), number)
    }

    /// Runs one schedule and returns its story. The schedule is named by a token or the file of a
    /// tape, or is a [`Schedule`](crate::Schedule) in words. The regression test of a failure calls this.
    ///
    /// # Panics
    ///
    /// If a promise is broken, with the story. If the text names no schedule, the replay differs
    /// from the recorded schedule, or a fault of the text does not fire.
    #[track_caller]
    pub fn replay(self, schedule: &str) -> String {
        let workload = self.workload();
        match rerun(&workload, self.store, schedule) {
            Ok(trial) => held(&workload, self.store, &trial),
            Err(error) => panic!("{error}"),
        }
    }

    /// Breaks a rule of the protocol in the engine of the first run, for the simulator's own tests.
    #[doc(hidden)]
    pub fn breaking(mut self, rule: Rule) -> Self {
        self.settings.broken_rule = Some(rule);
        self
    }

    #[track_caller]
    fn workload(&self) -> Workload {
        let workload = self.new_workload();
        for task in self.left_out.pivots() {
            let mut definitions = workload.definitions();
            assert!(
                definitions.any(|definition| definition.state_of_task(task).is_some()),
                "never_fails_for_good names the task {task:?}, which the workflow does not have"
            );
        }
        workload
    }

    fn new_workload(&self) -> Workload {
        self.settings.lane.assert_runs_here();
        let (program, also) = (self.program.clone(), self.also.clone());
        let broken_rule = self.settings.broken_rule;
        let world = self.settings.detached_world();
        let parts = Parts {
            name: NAME.to_owned(),
            about: "a user's workflow",
            definition: program.definition(&world),
            also: also.iter().map(|it| it.definition(&world)).collect(),
            upgrade: None,
            accepts: self.accepts.clone(),
            running: Box::new(move |world| {
                let first = program.in_world(world, broken_rule);
                if also.is_empty() {
                    return first;
                }
                let others = also.iter().map(|it| it.in_world(world));
                Box::new(SeveralRuns(std::iter::once(first).chain(others).collect()))
            }),
        };
        let workload = self.settings.workload(parts);
        Workload {
            left_out: Arc::new(self.left_out.clone()),
            deadline: self.deadline,
            acts_on: match self.own_store {
                None => workload.acts_on,
                // What survives in the store is not copied.
                Some(_) => ActsOn::Own,
            },
            own_store: self.own_store.clone(),
            ..workload
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

impl<S, W> Debug for CrashTest<S, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CrashTest")
            .field("crashes", &self.crashes)
            .field("schedules_max", &self.schedules_max)
            .finish_non_exhaustive()
    }
}
