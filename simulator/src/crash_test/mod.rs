//! Crash-tests a user's own workflow at every point.

mod also;
mod command;
mod failure;
mod invariant;
mod keep;
mod page;
mod program;
mod progress;
mod replay_in;
mod rerun;
mod rounds;
mod settings;
mod subject;
mod upgrade;

use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use crashpoint::protocol::Faithful;
use crashpoint::{CheckpointStore, State, Workflow};
use serde::Serialize;

use crate::explore::{Findings, Pool, Shard};
use crate::fault::{Kinds, LeftOut};
use crate::history::{Ending, LifeEnd};
use crate::sim::{Lane, OwnStore, Process, StoreKind};
use crate::workload::{ActsOn, CRASHES_MAX, Deadline, OddEnding, Panics, Workload};

use self::also::{AlsoRun, SeveralRuns};
use self::invariant::Invariant;
use self::program::Program;
pub use self::replay_in::replay_in;
use self::rerun::{held, rerun};
use self::settings::{Parts, TestSettings};
use self::subject::Merging;
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
    /// Adds an invariant of the world. It must hold when the run has ended: done, rolled back or
    /// stuck. It is checked after every schedule. An `Err` or a panic is a violation of the oracle
    /// `invariants`.
    pub fn invariant<E: Display>(
        mut self,
        name: &str,
        holds: impl Fn(&W, &LifeEnd) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        self.settings.holds_after(name, holds);
        self
    }

    /// Adds an invariant of the world that depends on what went wrong in the schedule: it gets the
    /// [`Ending`] in place of the outcome. Everything else is as with [`invariant`](Self::invariant).
    ///
    /// ```
    /// use std::sync::Mutex;
    /// use std::sync::Arc;
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
    /// /// The number of requests to a mail server that keeps no keys.
    /// type Server = Mutex<usize>;
    ///
    /// crash_test_in(Server::default, Mail::Send, &(), |_, server: &Arc<Server>| {
    ///     let server = Arc::clone(server);
    ///     let send = move |_: Ctx| {
    ///         *server.lock().unwrap() += 1;
    ///         async { Ok::<_, TaskError>(Mail::Sent) }
    ///     };
    ///     Workflow::builder("mail", 1)
    ///         .task(Mail::Send, "send", send)
    ///         .exit(Mail::Sent)
    ///         .build()
    ///         .unwrap()
    /// })
    /// .ending_invariant("a mail is sent twice only if something went wrong", |server, ending| {
    ///     match *server.lock().unwrap() {
    ///         0 | 1 => Ok(()),
    ///         _ if !ending.is_calm() => Ok(()),
    ///         sent => Err(format!("{sent} mails were sent")),
    ///     }
    /// })
    /// .run();
    /// ```
    pub fn ending_invariant<E: Display>(
        mut self,
        name: &str,
        holds: impl Fn(&W, &Ending<'_>) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        let invariant = Invariant::at_the_end(name, holds);
        self.settings.watched.invariants.push(invariant);
        self
    }

    /// Adds an invariant of the world that must hold at every instant: at each crash point, and wherever a
    /// task waits. What a task does between two awaits is not seen from outside. An `Err` or a panic is a
    /// violation of the oracle `invariants`, and a line of the timeline says at which instant.
    ///
    /// `holds` is called in the middle of the tasks' work. It must not wait for a lock that a task holds
    /// over an await.
    pub fn always<E: Display>(
        mut self,
        name: &str,
        holds: impl Fn(&W) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        let invariant = Invariant::always(name, holds);
        self.settings.watched.invariants.push(invariant);
        self
    }

    /// After the last fault of a schedule, at most so many lives begin and at most so much virtual time
    /// passes until the run ends. By default a run must only end. A life that a crash ends needs one more
    /// life; a service or store that answers late takes a minute, and an attempt that hangs takes its time
    /// limit.
    pub fn ends_within(mut self, lives: u32, time: Duration) -> Self {
        self.deadline = Some(Deadline { lives, time });
        self
    }

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
        let merging = Merging::new(fingerprint, copy);
        self.settings.watched.merging = Some(Arc::new(merging));
        self
    }

    /// Shows the world by its `Debug`: at the end of a failure's story, and line by line where two runs of
    /// the same schedule leave different worlds. That is how nondeterminism is found which reaches the
    /// world alone: the order of a `HashSet`, a date, a random id, a counter in a static. With a
    /// [`fingerprint`](Self::fingerprint) the fingerprints are compared, with or without this.
    ///
    /// The `Debug` of a `HashMap` has another order each time. A world that has one needs a `BTreeMap`
    /// in its place.
    ///
    /// ```should_panic
    /// use std::collections::HashSet;
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
    /// /// The addresses, in the order in which they got a mail.
    /// type Server = Mutex<Vec<u32>>;
    ///
    /// // The order of a set is another one in each run: the test fails as not deterministic.
    /// crash_test_in(Server::default, Mail::Send, &(), |_, server: &Arc<Server>| {
    ///     let server = Arc::clone(server);
    ///     let send = move |_: Ctx| {
    ///         let addresses: HashSet<u32> = (0..100).collect();
    ///         server.lock().unwrap().extend(addresses);
    ///         async { Ok::<_, TaskError>(Mail::Sent) }
    ///     };
    ///     Workflow::builder("mail", 1)
    ///         .task(Mail::Send, "send", send)
    ///         .exit(Mail::Sent)
    ///         .build()
    ///         .unwrap()
    /// })
    /// .show_world()
    /// .run();
    /// ```
    pub fn show_world(mut self) -> Self
    where
        W: Debug,
    {
        self.settings.watched.show_by_debug();
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
        self.crashes = Some(crashes);
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
        self.settings.pool = Pool::new(threads);
        self
    }

    /// How often a life may wait: a task that polls a lock every second until an hour has passed
    /// waits 3,600 times. The default is 1,000. A life that waits this often counts as endless,
    /// which fails the test, as would a task that waits for the lock of a dead process. How long a
    /// wait is does not matter. With [`tokio`](Self::tokio) spawned tasks may wake up ten times as
    /// often while the life waits.
    pub fn waits_max(mut self, waits_max: u32) -> Self {
        self.settings.waits_max = waits_max;
        self
    }

    /// Permits panics of tasks, steps and undos. By default a panic that the schedule did not cause
    /// fails the test: the engine treats it as a task failure, so a workflow that lacks something
    /// in the simulation would pass by doing nothing.
    pub fn tasks_may_panic(mut self) -> Self {
        self.settings.panics = Panics::Belong;
        self
    }

    /// Accepts a run that is not done although nothing went wrong. By default such a run breaks the
    /// promise `calm-is-done`: a workflow that always rolls back passes every other check by doing
    /// nothing. Set it for a test of a workflow that is meant to be refused.
    pub fn may_never_be_done(mut self) -> Self {
        self.accepts.push(OddEnding::Calm);
        self
    }

    /// Accepts a run that gets stuck although the schedule made no undo fail. By default such a run
    /// breaks the promise `stuck-has-a-cause`. Set it for a workflow whose undo may be refused for
    /// good, so that somebody has to look at the run.
    pub fn may_get_stuck(mut self) -> Self {
        self.accepts.push(OddEnding::Stuck);
        self
    }

    /// Accepts that crashes alone turn a run that is done into a run that is rolled back, or the other
    /// way round. By default this breaks the promise `crashes-keep-the-ending`. Set it for a workflow
    /// that gives up on purpose when it can't know whether a request was performed.
    pub fn crashes_may_change_the_ending(mut self) -> Self {
        self.accepts.push(OddEnding::Crashed);
        self
    }

    /// Leaves some kinds of faults out of every schedule: a kind, several kinds, or a [`Group`]. What is
    /// left out is printed with the findings and with a failure.
    ///
    /// ```
    /// # use crashpoint::{Ctx, State, Workflow};
    /// # use crashpoint_simulator::{Fault, Group, StoreFault, crash_test};
    /// # #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
    /// # enum Mail { Send, Sent }
    /// # let test = crash_test(Mail::Send, &(), |_| {
    /// #     Workflow::builder("mail", 1)
    /// #         .task(Mail::Send, "send", async |_: Ctx| Ok(Mail::Sent))
    /// #         .exit(Mail::Sent)
    /// #         .build()
    /// #         .unwrap()
    /// # });
    /// let findings = test
    ///     .without(Fault::Cancel)
    ///     .without([Group::Clock, Group::Takeover])
    ///     .without(Fault::Store(StoreFault::StaleLoad))
    ///     .run();
    /// assert!(findings.to_string().contains("left out: "));
    /// ```
    ///
    /// [`Group`]: crate::Group
    pub fn without(mut self, faults: impl Into<Kinds>) -> Self {
        self.left_out.add(faults);
        self
    }

    /// Leaves every kind of fault out but these, as [`without`](Self::without) does.
    pub fn only(mut self, faults: impl Into<Kinds>) -> Self {
        self.left_out.all_but(faults);
        self
    }

    /// No schedule makes the forward action of this task fail for good: none of its attempts reports a
    /// fatal error or panics, and its last attempt succeeds. This is for a *pivot*, a task after
    /// which the run must be done, so that it is retried until it succeeds. Attempts that are not the
    /// last still fail.
    ///
    /// # Panics
    ///
    /// [`run`](Self::run) panics if the workflow has no such task.
    pub fn never_fails_for_good(mut self, task: &str) -> Self {
        self.left_out.pivot(task);
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
        self.settings.lane = Lane::Tokio;
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
        let world = self.settings.detached_world();
        let parts = Parts {
            name: NAME.to_owned(),
            about: "a user's workflow",
            definition: program.definition(&world),
            also: also.iter().map(|it| it.definition(&world)).collect(),
            upgrade: None,
            accepts: self.accepts.clone(),
            running: Box::new(move |world| {
                let first = program.in_world(world, Faithful);
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
