//! The tests of users' own workflows, as a token names them.

use std::fmt;

use crate::crash_test::upgrade::rounds::NAME as UPGRADE;
use crate::crash_test::{NAME as CRASH_TEST, REPLAY};
use crate::sim::Rollout;

/// A test of a user's own workflow. Only the test can run a schedule of it: nothing else has the workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnTest {
    /// A [`CrashTest`](crate::CrashTest).
    CrashTest,
    /// An [`UpgradeTest`](crate::UpgradeTest), with this rollout.
    UpgradeTest(Rollout),
}

impl OwnTest {
    /// The test of recordings with this name of a workload.
    ///
    /// ```
    /// use crashpoint_simulator::OwnTest;
    ///
    /// assert_eq!(OwnTest::of("crash-test"), Some(OwnTest::CrashTest));
    /// assert_eq!(OwnTest::of("order"), None);
    /// ```
    pub fn of(workload: &str) -> Option<Self> {
        if workload == CRASH_TEST {
            return Some(Self::CrashTest);
        }
        let rollout = workload.strip_prefix(UPGRADE)?.parse().ok()?;
        Some(Self::UpgradeTest(rollout))
    }

    /// How to run a schedule of it again. `recording` is a token or the file of a tape.
    pub fn command(self, recording: &str) -> String {
        format!("{REPLAY}={recording} cargo test -p PACKAGE --test TARGET NAME -- --exact")
    }
}

impl fmt::Display for OwnTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CrashTest => f.write_str("a crash test"),
            Self::UpgradeTest(rollout) => write!(f, "an upgrade test, in the rollout {rollout}"),
        }
    }
}
