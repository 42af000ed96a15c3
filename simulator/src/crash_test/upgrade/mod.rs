//! Tests the upgrade of a user's own workflow: every log that the old release can leave is resumed
//! by the new release.

mod expected;
mod own_test;
mod replay;
mod report;
mod rounds;

use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::Arc;

use crashpoint::{State, Workflow};
use serde::Serialize;

use crate::crash_test::Mergeable;
use crate::crash_test::program::Program;
use crate::crash_test::settings::TestSettings;
use crate::explore::Pool;
use crate::history::{Ending, LifeEnd};
use crate::sim::{PermittedRefusals, Process};
use crate::workload::{Panics, Rule};

pub use self::own_test::OwnTest;
pub use self::report::UpgradeReport;

/// The most crashes of a schedule: one in a life of each release.
const CRASHES_MAX: u32 = 2;

/// The old release of an upgrade, without the new release. See [`upgrade_test`].
#[must_use = "an upgrade test needs the new release: call `to`"]
pub struct UpgradeFrom<S, W = ()> {
    settings: TestSettings<W>,
    old: Program<S, W>,
}

/// An upgrade test of a workflow. See [`upgrade_test`] and [`upgrade_test_in`].
///
/// It runs every schedule within these bounds, in three rollouts:
///
/// | rollout | lives | schedules |
/// |---|---|---|
/// | `old-new` | the first life runs the old release, all others the new release | a crash at every point, also with an attempt that fails or with a cancellation; two attempts that fail; a life of the new release that takes the run over |
/// | `old-old-new` | two lives of the old release | two crashes at every pair of points |
/// | `old-new-old` | the second life alone runs the new release | two crashes at every pair of points; a takeover |
///
/// So the new release resumes every log that the old release can leave: every prefix, forward, in a
/// rollback, stuck and ended. The world of the first life goes on into the later lives.
///
/// In each schedule a life either is refused by a [`Mismatch`](crashpoint::Mismatch) before any
/// effect and any claim, or it goes on. If it is refused, the next life runs the other release, and
/// the run must end. Every [oracle](crate::oracle) and every [invariant](Self::invariant) must hold.
///
/// Without [`refuses`](Self::refuses) the new release must carry every log. What the old release
/// refuses of the new release's logs is reported, and permitted unless
/// [`carries_back`](Self::carries_back) says otherwise.
#[must_use = "an upgrade test does nothing without `run`"]
pub struct UpgradeTest<Old, New, W = ()> {
    settings: TestSettings<W>,
    old: Program<Old, W>,
    new: Program<New, W>,
    expected: PermittedRefusals,
    crashes: u32,
}

/// Tests the upgrade of the workflow that `workflow` creates for a simulated process. The
/// parameters are those of [`crash_test`](crate::crash_test); [`to`](UpgradeFrom::to) takes them for
/// the new release.
///
/// ```
/// use crashpoint::{Ctx, State, TaskError, Workflow};
/// use crashpoint_simulator::{Process, upgrade_test};
///
/// mod v1 {
///     #[derive(Clone, Copy, Debug, PartialEq, Eq, crashpoint::State)]
///     pub enum Mail { Send, Sent }
/// }
///
/// mod v2 {
///     #[derive(Clone, Copy, Debug, PartialEq, Eq, crashpoint::State)]
///     pub enum Mail {
///         Send,
///         // Without this line, version 2 refuses every run that version 1 has ended.
///         #[state(alias = "Sent")]
///         Delivered,
///     }
/// }
///
/// fn mail<S: State>(process: &Process, version: u32, send: S, sent: S) -> Workflow<S> {
///     let process = process.clone();
///     let task = move |ctx: Ctx| {
///         let process = process.clone();
///         async move {
///             process.effect(&ctx, "send the mail", "hello").await;
///             Ok::<_, TaskError>(sent)
///         }
///     };
///     let builder = Workflow::builder("mail", version).accepts([1]);
///     builder.task(send, "send", task).exit(sent).build().unwrap()
/// }
///
/// let report = upgrade_test(v1::Mail::Send, &(), |process| {
///     mail(process, 1, v1::Mail::Send, v1::Mail::Sent)
/// })
/// .to(v2::Mail::Send, &(), |process| {
///     mail(process, 2, v2::Mail::Send, v2::Mail::Delivered)
/// })
/// .run();
/// println!("{report}");
/// ```
///
/// # Panics
///
/// If `input` cannot be serialized as JSON.
#[track_caller]
pub fn upgrade_test<S: State>(
    start: S,
    input: &(impl Serialize + ?Sized),
    workflow: impl Fn(&Process) -> Workflow<S> + Send + Sync + 'static,
) -> UpgradeFrom<S> {
    upgrade_test_in(|| (), start, input, move |process, _| workflow(process))
}

/// The same in a world of the test, which the lives of both releases share. See
/// [`crash_test_in`](crate::crash_test_in).
///
/// # Panics
///
/// If `input` cannot be serialized as JSON.
#[track_caller]
pub fn upgrade_test_in<S: State, W: Send + Sync + 'static>(
    world: impl Fn() -> W + Send + Sync + 'static,
    start: S,
    input: &(impl Serialize + ?Sized),
    workflow: impl Fn(&Process, &Arc<W>) -> Workflow<S> + Send + Sync + 'static,
) -> UpgradeFrom<S, W> {
    UpgradeFrom {
        settings: TestSettings::new(world),
        old: Program::new(start, input, workflow),
    }
}

impl<Old: State> UpgradeFrom<Old> {
    /// The new release, and how it begins a run that the old release did not begin.
    ///
    /// # Panics
    ///
    /// If `input` cannot be serialized as JSON.
    pub fn to<New: State>(
        self,
        start: New,
        input: &(impl Serialize + ?Sized),
        workflow: impl Fn(&Process) -> Workflow<New> + Send + Sync + 'static,
    ) -> UpgradeTest<Old, New> {
        self.to_in(start, input, move |process, _| workflow(process))
    }
}

impl<Old: State, W: Send + Sync + 'static> UpgradeFrom<Old, W> {
    /// The same as [`to`](UpgradeFrom::to), in the world of the test.
    ///
    /// # Panics
    ///
    /// If `input` cannot be serialized as JSON.
    pub fn to_in<New: State>(
        self,
        start: New,
        input: &(impl Serialize + ?Sized),
        workflow: impl Fn(&Process, &Arc<W>) -> Workflow<New> + Send + Sync + 'static,
    ) -> UpgradeTest<Old, New, W> {
        UpgradeTest {
            settings: self.settings,
            old: self.old,
            new: Program::new(start, input, workflow),
            expected: PermittedRefusals::default(),
            crashes: CRASHES_MAX,
        }
    }
}

impl<Old: State, New: State, W: Send + Sync + 'static> UpgradeTest<Old, New, W> {
    /// The new release refuses runs in these states of the old release, and no others. The state of a
    /// run is the open state, the state from which it rolls back, or its exit.
    ///
    /// The test fails if a run in another state is refused, and if no run in one of these states is.
    /// Within a state some logs may be refused and others not: a stepped task whose cursor has
    /// another type can be resumed before its first cursor.
    pub fn refuses(mut self, states: impl IntoIterator<Item = Old>) -> Self {
        let labels = states.into_iter().map(|state| state.label().to_owned());
        self.expected.states = labels.collect();
        self
    }

    /// The new release must carry every log. This is the default; it undoes [`refuses`](Self::refuses).
    pub fn carries_all(mut self) -> Self {
        self.expected.states.clear();
        self
    }

    /// The old release must also carry every log that the new release leaves, so that the deployment
    /// can be undone. The version of the new release must then be one that the old release accepts.
    pub fn carries_back(mut self) -> Self {
        self.expected.carries_back = true;
        self
    }

    /// Adds an invariant of the world, for the runs of both releases. See
    /// [`CrashTest::invariant`](crate::CrashTest::invariant).
    pub fn invariant<E: Display>(
        mut self,
        name: &str,
        holds: impl Fn(&W, &LifeEnd) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        self.settings.holds_after(name, holds);
        self
    }

    /// Adds an invariant of the world that depends on what went wrong in the schedule. See
    /// [`CrashTest::ending_invariant`](crate::CrashTest::ending_invariant).
    pub fn ending_invariant<E: Display>(
        mut self,
        name: &str,
        holds: impl Fn(&W, &Ending<'_>) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        self.settings.holds_at_the_end(name, holds);
        self
    }

    /// Adds an invariant of the world that must hold at every instant. See
    /// [`CrashTest::always`](crate::CrashTest::always).
    pub fn always<E: Display>(
        mut self,
        name: &str,
        holds: impl Fn(&W) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        self.settings.holds_always(name, holds);
        self
    }

    /// Shows the world by its `Debug`, in a failure and where two runs of a schedule leave different
    /// worlds. See [`CrashTest::show_world`](crate::CrashTest::show_world).
    pub fn show_world(mut self) -> Self
    where
        W: Debug,
    {
        self.settings.watched.show_by_debug();
        self
    }

    /// Continues crashes that leave equal states only once. See
    /// [`CrashTest::fingerprint`](crate::CrashTest::fingerprint).
    pub fn fingerprint<H: Hash>(
        mut self,
        fingerprint: impl Fn(&W) -> H + Send + Sync + 'static,
        copy: impl Fn(&W) -> W + Send + Sync + 'static,
    ) -> Self {
        self.settings.merges(fingerprint, copy);
        self
    }

    /// Continues crashes that leave equal states only once, with a world that compares and copies itself. See
    /// [`CrashTest::merges_worlds`](crate::CrashTest::merges_worlds).
    pub fn merges_worlds(mut self) -> Self
    where
        W: Mergeable,
    {
        self.settings.merges(W::fingerprint, W::copy);
        self
    }

    /// The most crashes of a schedule, in `1..=2`. The default is 2. With 1 only the rollout
    /// `old-new` is explored, and takeovers of a rolling deployment.
    ///
    /// # Panics
    ///
    /// If `crashes` is not in `1..=2`.
    pub fn crashes(mut self, crashes: u32) -> Self {
        assert!(
            (1..=CRASHES_MAX).contains(&crashes),
            "a schedule of an upgrade test has 1..={CRASHES_MAX} crashes, got {crashes}"
        );
        self.crashes = crashes;
        self
    }

    /// The number of threads. The default is one for each core. The report, and the reported failure,
    /// do not depend on it.
    pub fn threads(mut self, threads: NonZeroUsize) -> Self {
        self.settings.pool = Pool::new(threads);
        self
    }

    /// Breaks a rule of the protocol in the engine of the new release, for the simulator's own tests.
    #[doc(hidden)]
    pub fn breaking(mut self, rule: Rule) -> Self {
        self.settings.broken_rule = Some(rule);
        self
    }

    /// How often a life may wait. See [`CrashTest::waits_max`](crate::CrashTest::waits_max).
    pub fn waits_max(mut self, waits_max: u32) -> Self {
        self.settings.waits_max = waits_max;
        self
    }

    /// Permits panics of tasks, steps and undos. See
    /// [`CrashTest::tasks_may_panic`](crate::CrashTest::tasks_may_panic).
    pub fn tasks_may_panic(mut self) -> Self {
        self.settings.panics = Panics::Belong;
        self
    }

    /// Runs the tasks of each process within a tokio runtime with a paused clock. See
    /// [`CrashTest::tokio`](crate::CrashTest::tokio).
    ///
    /// # Panics
    ///
    /// [`run`](Self::run) panics within a tokio runtime: write a plain `#[test]`.
    #[cfg(feature = "tokio")]
    pub fn tokio(mut self) -> Self {
        self.settings.lane = crate::sim::Lane::Tokio;
        self
    }
}

impl<S, W> Debug for UpgradeFrom<S, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("UpgradeFrom");
        shown.field("at", &self.settings.at).finish_non_exhaustive()
    }
}

impl<Old, New, W> Debug for UpgradeTest<Old, New, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpgradeTest")
            .field("expected", &self.expected)
            .field("crashes", &self.crashes)
            .finish_non_exhaustive()
    }
}
