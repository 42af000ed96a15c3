//! The verdict on one law.

use crate::catalogue::{Kind, Law};
use crate::finding::verdict::Verdict;

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
}

impl LawReport {
    pub(super) fn new(law: &'static Law, verdict: Verdict, millis: u64) -> Self {
        Self {
            law,
            verdict,
            millis,
            unsteady: None,
        }
    }

    /// Whether this law keeps the report from passing. The finding of an advisory law never does, but a
    /// harness that could not run it does.
    pub fn is_failure(&self) -> bool {
        let failed = self.verdict.is_failure() && !self.is_advice();
        failed || self.unsteady.is_some() && self.law.kind != Kind::Advisory
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
