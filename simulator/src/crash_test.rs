//! A user's own workflow, crashed at every point.

use std::sync::Arc;

use crashpoint_engine::protocol::Faithful;
use crashpoint_engine::{Retention, State, Workflow};
use serde::Serialize;

use crate::explore::{Findings, explore};
use crate::oracle::judge;
use crate::recording::replay;
use crate::render;
use crate::sim::{Process, Settings};
use crate::store_kind::StoreKind;
use crate::token::Token;
use crate::workload::{Recipe, Sharing, Workload};

/// How the workload of a crash test is called in tokens.
const NAME: &str = "crash-test";

/// A crash test of a workflow: every crash point, every pair of them, a store fault with a crash,
/// a cancellation with a crash, and a rival life. See [`crash_test`].
#[derive(Debug)]
#[must_use = "a crash test does nothing until it is run"]
pub struct CrashTest {
    workload: Workload,
    crashes: u32,
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
pub fn crash_test<S: State>(
    start: S,
    input: &(impl Serialize + ?Sized),
    workflow: impl Fn(&Process) -> Workflow<S> + Send + Sync + 'static,
) -> CrashTest {
    let recipe = Recipe {
        name: NAME,
        about: "a user's workflow",
        workflow: Arc::new(workflow),
        start,
        input: serde_json::to_value(input).expect("the input of a run is serializable"),
        retention: Retention::Keep,
        sharing: Sharing::Shared,
        retry_stuck: false,
    };
    let workload = Workload {
        echoes: false,
        // The tasks may reach anything that the closure has captured.
        copied: false,
        ..recipe.under(Faithful)
    };
    CrashTest {
        workload,
        crashes: 2,
    }
}

impl CrashTest {
    /// How many crashes a schedule may have, in `0..=3`; 2 without this, which is a crash in the
    /// recovery from a crash.
    pub fn crashes(mut self, crashes: u32) -> Self {
        self.crashes = crashes;
        self
    }

    /// Explores every schedule.
    ///
    /// # Panics
    ///
    /// At a violation, the one with the fewest faults, with its schedule in words, a timeline, the log, the ledger and the
    /// line that shows it again; and where a crash point was missed.
    pub fn run(self) -> Findings {
        let mut all = Findings::default();
        for budget in self.workload.campaigns(StoreKind::Memory, self.crashes) {
            let findings = explore(&self.workload, &Settings::within(budget));
            let simplest = findings
                .violations
                .iter()
                .min_by_key(|found| found.schedule.len());
            if let Some(violation) = simplest {
                let story = self.story(&violation.token);
                let message = render::escaped_line(&violation.message);
                let (oracle, token) = (violation.oracle, &violation.token);
                panic!("{oracle}: {message}\n\n{story}\nshow it again: .replay(\"{token}\")");
            }
            let (covered, total) = (findings.recorder.covered(), findings.recorder.total());
            assert_eq!(covered, total, "{covered} of {total} crash points covered");
            all.merge(findings);
        }
        all
    }

    /// Runs the one schedule that a failure named, and tells its story.
    ///
    /// # Panics
    ///
    /// Where `token` is none, or is no longer the schedule that was recorded.
    pub fn replay(self, token: &str) -> String {
        let token = token.parse().unwrap_or_else(|error| panic!("{error}"));
        self.story(&token)
    }

    fn story(&self, token: &Token) -> String {
        let run = replay(&self.workload, token).unwrap_or_else(|error| panic!("{error}"));
        render::story(&run, &judge(&self.workload, &run))
    }
}
