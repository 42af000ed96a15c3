//! The verdict on one law.

use serde::{Deserialize, Serialize};

/// The verdict on one law. Only [`Pass`](Self::Pass) says that the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", content = "reason", rename_all = "snake_case")]
pub enum Verdict {
    /// The check ran completely and found nothing.
    Pass,
    /// The store broke the law: what was expected, and what the store answered.
    Fail(String),
    /// The user waives the law for this reason; it did not run.
    Waived(String),
    /// The law failed, as the user expects for this reason.
    ExpectedFail(String),
    /// The law needs this claim, which is not made; it did not run.
    NotClaimed(String),
    /// The law should have run but did not, for this reason.
    NotRun(String),
    /// The check could not do its minimum of rounds, so it says nothing about the store.
    Inconclusive(String),
    /// The harness or the kit failed, so nothing is known about the store.
    HarnessError(String),
}

impl Verdict {
    /// The words of all verdicts, in the order in which reports count them.
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

    /// The reason, if the verdict has one.
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

    /// Whether this verdict keeps a report from passing.
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

    /// The verdict on a law that ran although it is waived or not claimed.
    pub(crate) fn beside(self, got: &Self) -> Self {
        let got = match got.reason() {
            None => got.word().to_owned(),
            Some(reason) => format!("{}: {reason}", got.word()),
        };
        let also = |reason: String| format!("{reason} (it ran anyway: {got})");
        match self {
            Self::Waived(reason) => Self::Waived(also(reason)),
            Self::NotClaimed(reason) => Self::NotClaimed(also(reason)),
            other => other,
        }
    }
}
