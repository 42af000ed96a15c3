//! What came of each law, and what that amounts to.

use crate::catalogue::{Kind, Law};
use crate::contract::capability::Claim;
use crate::contract::{CONTRACT, LawId};
use crate::finding::verdict::Verdict;
use crate::report::level::{self, Level, Rung};
use crate::report::suite::Name;
use crate::runner::plan::Plan;

/// What came of each law.
#[derive(Debug, Clone)]
pub struct Report {
    pub(super) name: Name,
    pub(super) plan: Plan,
    pub(super) laws: Vec<LawReport>,
    pub(super) at_ms: u64,
    pub(super) millis: u64,
}

/// What came of one law.
#[derive(Debug, Clone)]
pub struct LawReport {
    /// The law.
    pub law: &'static Law,
    /// What came of it; the last time, where it was run several times.
    pub verdict: Verdict,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// What it said the last time that it failed, where the same build of the tests failed and
    /// passed: the store keeps the law sometimes.
    pub unsteady: Option<String>,
}

/// What a report amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// No law failed, every one that was to be run was, and at least one passed.
    Passed,
    /// The store broke a law.
    Failed,
    /// The store broke no law as far as is known, but too little is known: a law was not run, or
    /// came to nothing.
    Incomplete,
}

impl Outcome {
    /// `passed`, `FAILED` or `INCOMPLETE`: as the last line of a text says it, to be seen.
    pub const fn headline(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::Incomplete => "INCOMPLETE",
        }
    }

    /// `passed`, `failed` or `incomplete`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Incomplete => "incomplete",
        }
    }
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

    /// Whether the report can't pass because of this law. An advisory law never fails a report,
    /// but a harness that could not run it does.
    pub fn is_failure(&self) -> bool {
        let failed = self.verdict.is_failure() && !self.is_advice();
        failed || self.unsteady.is_some() && self.law.kind != Kind::Advisory
    }

    /// Whether the store was found not to follow an advisory law.
    pub fn is_advice(&self) -> bool {
        self.law.kind == Kind::Advisory && matches!(self.verdict, Verdict::Fail(_))
    }

    /// Why a level that needs this law is not reached.
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

impl Report {
    /// The same report under another name, for whoever knows the store better than by its harness.
    #[must_use]
    pub fn named(mut self, name: Name) -> Self {
        self.name = name;
        self
    }

    /// What the report is about.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The version of the contract.
    pub fn contract(&self) -> &'static str {
        CONTRACT
    }

    /// The claims that the store makes, those that are assumed included.
    pub fn claims(&self) -> impl Iterator<Item = Claim> + '_ {
        self.plan.holds()
    }

    /// The laws that the user's file waives, with its reasons.
    pub fn waived(&self) -> impl Iterator<Item = (LawId, &str)> {
        let waived = self.plan.waived().iter();
        waived.map(|(law, reason)| (*law, reason.as_str()))
    }

    /// The laws that the user's file expects to fail, with its reasons.
    pub fn expected_to_fail(&self) -> impl Iterator<Item = (LawId, &str)> {
        let failing = self.plan.failing().iter();
        failing.map(|(law, reason)| (*law, reason.as_str()))
    }

    /// The laws in the order of the catalogue, every one of them unless the plan named groups.
    pub fn laws(&self) -> &[LawReport] {
        &self.laws
    }

    /// Whether the plan named groups, and the report is about a part of the catalogue.
    pub fn is_partial(&self) -> bool {
        self.plan.is_partial()
    }

    /// When the last law was over, in milliseconds since 1970.
    pub fn at_ms(&self) -> u64 {
        self.at_ms
    }

    /// For how long laws were at work, in milliseconds: while several are, time passes once.
    pub fn millis(&self) -> u64 {
        self.millis
    }

    /// How long the laws took, one after the other, in milliseconds.
    pub fn millis_of_laws(&self) -> u64 {
        self.laws.iter().map(|law| law.millis).sum()
    }

    /// Whether no law failed, every one that was to be run was, and at least one passed.
    pub fn passed(&self) -> bool {
        self.outcome() == Outcome::Passed
    }

    /// What the report amounts to.
    ///
    /// # Panics
    ///
    /// Never: whoever makes a report sorts its laws.
    pub fn outcome(&self) -> Outcome {
        let ascending = self
            .laws
            .is_sorted_by(|one, other| one.law.id < other.law.id);
        assert!(
            ascending,
            "laws stand in the order of the catalogue, each once"
        );
        let mut failures = self.laws.iter().filter(|law| law.is_failure()).peekable();
        let nothing_failed = failures.peek().is_none();
        if nothing_failed && self.count("pass") > 0 {
            return Outcome::Passed;
        }
        let broken =
            |law: &LawReport| law.unsteady.is_some() || matches!(law.verdict, Verdict::Fail(_));
        if failures.any(broken) {
            Outcome::Failed
        } else {
            Outcome::Incomplete
        }
    }

    /// The highest level that the store has shown to keep; none where even the contract is in doubt.
    pub fn level(&self) -> Option<Level> {
        level::reached(&self.ladder())
    }

    /// Every level, from the lowest, with what holds it back.
    pub fn ladder(&self) -> Vec<Rung> {
        level::ladder(&self.laws)
    }

    /// How many laws have a [verdict](Verdict::word).
    pub fn count(&self, word: &str) -> usize {
        let with_word = |law: &&LawReport| law.verdict.word() == word;
        self.laws.iter().filter(with_word).count()
    }

    /// How many laws have each verdict, without those that none has: `98 pass, 2 waived`.
    ///
    /// # Panics
    ///
    /// Never: every verdict has a word.
    pub fn counts(&self) -> String {
        let counted = Verdict::WORDS.iter().map(|word| (self.count(word), word));
        let counted = counted.filter(|(count, _)| *count > 0);
        let sum: usize = counted.clone().map(|(count, _)| count).sum();
        // `Verdict::WORDS` has the word of every variant.
        assert_eq!(
            sum,
            self.laws.len(),
            "each law has one verdict, and each verdict a word"
        );
        let counts: Vec<_> = counted
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        counts.join(", ")
    }
}
