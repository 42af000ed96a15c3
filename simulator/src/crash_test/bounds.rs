//! The bounds of a crash test: which schedules it runs, and what it accepts.

use std::num::NonZeroUsize;
use std::time::Duration;

use crashpoint::State;

use crate::crash_test::CrashTest;
use crate::explore::Pool;
use crate::fault::Kinds;
#[cfg(feature = "tokio")]
use crate::sim::Lane;
use crate::workload::{CRASHES_MAX, Deadline, OddEnding, Panics};

impl<S: State, W: Send + Sync + 'static> CrashTest<S, W> {
    /// After the last fault of a schedule, at most so many lives begin and at most so much virtual time
    /// passes until the run ends. By default a run must only end. A life that a crash ends needs one more
    /// life; a service or store that answers late takes a minute, and an attempt that hangs takes its time
    /// limit.
    pub fn ends_within(mut self, lives: u32, time: Duration) -> Self {
        self.deadline = Some(Deadline { lives, time });
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
    /// [cut short](crate::Findings::cut_short).
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
}
