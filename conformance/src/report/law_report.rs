//! The verdict on one law.

use crate::catalogue::{Kind, Law};
use crate::finding::verdict::Verdict;
use crate::guide::Help;

/// The verdict on one law.
#[derive(Debug, Clone)]
pub struct LawReport {
    /// The law.
    pub law: &'static Law,
    /// The verdict; the last one, if the law ran several times.
    pub verdict: Verdict,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// The message of its last failure, if the law failed and later passed in the same build of the tests:
    /// the store keeps it only sometimes.
    pub unsteady: Option<String>,
    /// Whether the verdict is that an operation of the store missed its deadline.
    pub late: bool,
}

impl LawReport {
    pub(super) fn new(law: &'static Law, verdict: Verdict, millis: u64) -> Self {
        Self {
            law,
            verdict,
            millis,
            unsteady: None,
            late: false,
        }
    }

    pub(super) fn with_late(mut self, late: bool) -> Self {
        self.late = late;
        self
    }

    /// Why the engine needs the law, what usually breaks it and how to fix it; where a deadline passed, the same
    /// about an operation that does not end.
    pub fn help(&self) -> Help {
        self.law.help(self.late)
    }

    /// The same as the lines below the message of a failed test.
    pub fn advice(&self) -> String {
        self.law.advice_with(self.help())
    }

    /// Whether this law keeps the report from passing. The finding of an advisory law never does, but a
    /// harness that could not run it does.
    pub fn is_failure(&self) -> bool {
        let failed = self.verdict.is_failure() && !self.is_advice();
        failed || self.unsteady.is_some() && self.law.kind != Kind::Advisory
    }

    /// Whether the law failed now or before in this build, because of the store or of the harness.
    pub(super) fn is_broken(&self) -> bool {
        let failed = matches!(self.verdict, Verdict::Fail(_) | Verdict::HarnessError(_));
        failed || self.unsteady.is_some()
    }

    /// Whether the store does not follow this advisory law.
    pub fn is_advice(&self) -> bool {
        self.law.kind == Kind::Advisory && matches!(self.verdict, Verdict::Fail(_))
    }

    /// Why this law holds back a level that needs it.
    pub(super) fn why_not_passed(&self) -> Option<String> {
        if self.verdict == Verdict::Pass {
            let unsteady = self.unsteady.as_ref()?;
            return Some(format!("failed before, in the same build: {unsteady}"));
        }
        let word = self.verdict.word();
        let reason = self.verdict.reason().unwrap_or_default();
        Some(format!("{word}: {reason}"))
    }
}
