//! What came of one law.

use serde::{Deserialize, Serialize};

/// What came of one law. Only [`Pass`](Self::Pass) says that the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", content = "reason", rename_all = "snake_case")]
pub enum Verdict {
    /// The check ran in full and found nothing.
    Pass,
    /// The store broke the law: what was expected, and what the store answered.
    Fail(String),
    /// The user's own file waives the law, for this reason; it was not run.
    Waived(String),
    /// The law failed as the user's own file says it does, for this reason.
    ExpectedFail(String),
    /// The law needs a claim that was not made; it was not run.
    NotClaimed(String),
    /// The law was to be run and was not, for this reason.
    NotRun(String),
    /// The check could not do its minimum of rounds, so it says nothing about the store.
    Inconclusive(String),
    /// The harness or the kit failed, so nothing is known about the store.
    HarnessError(String),
}

impl Verdict {
    /// The words of every verdict, in the order in which they are counted.
    pub const WORDS: &'static [&'static str] = &[
        "pass",
        "fail",
        "waived",
        "expected_fail",
        "not_claimed",
        "not_run",
        "inconclusive",
        "harness_error",
    ];

    /// A stable word for the verdict.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail(_) => "fail",
            Self::Waived(_) => "waived",
            Self::ExpectedFail(_) => "expected_fail",
            Self::NotClaimed(_) => "not_claimed",
            Self::NotRun(_) => "not_run",
            Self::Inconclusive(_) => "inconclusive",
            Self::HarnessError(_) => "harness_error",
        }
    }

    /// Why, where there is more to say than the word.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Pass => None,
            Self::Fail(reason)
            | Self::Waived(reason)
            | Self::ExpectedFail(reason)
            | Self::NotClaimed(reason)
            | Self::NotRun(reason)
            | Self::Inconclusive(reason)
            | Self::HarnessError(reason) => Some(reason),
        }
    }

    /// Whether a report with this verdict can't pass.
    pub fn is_failure(&self) -> bool {
        matches!(
            self,
            Self::Fail(_) | Self::NotRun(_) | Self::Inconclusive(_) | Self::HarnessError(_)
        )
    }

    /// The verdict of a law that was expected to fail for `reason`.
    pub(crate) fn expected_to_fail(self, reason: &str) -> Self {
        match self {
            Self::Fail(_) => Self::ExpectedFail(reason.to_owned()),
            Self::Pass => Self::Fail(format!("expected to fail ({reason}), but it passed")),
            other => other,
        }
    }

    /// The verdict of a law that was not to be run, and was all the same.
    pub(crate) fn beside(self, got: &Self) -> Self {
        let got = match got.reason() {
            None => got.word().to_owned(),
            Some(reason) => format!("{}: {reason}", got.word()),
        };
        let also = |reason: String| format!("{reason} (run all the same: {got})");
        match self {
            Self::Waived(reason) => Self::Waived(also(reason)),
            Self::NotClaimed(reason) => Self::NotClaimed(also(reason)),
            other => other,
        }
    }
}
