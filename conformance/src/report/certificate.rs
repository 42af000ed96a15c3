//! The report: the verdict on each law, and the outcome of all.

use std::collections::BTreeMap;

use crate::catalogue::leads::{Lead, leads};
use crate::contract::capability::Claim;
use crate::contract::{CONTRACT, LawId};
use crate::finding::verdict::Verdict;
use crate::report::law_report::LawReport;
use crate::report::level::{self, Level, Rung};
use crate::report::suite::Name;
use crate::runner::plan::Plan;

/// The verdicts on the laws of one suite.
#[derive(Debug, Clone)]
pub struct Report {
    pub(super) name: Name,
    pub(super) plan: Plan,
    pub(super) laws: Vec<LawReport>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) at_ms: u64,
    pub(super) millis: u64,
}

/// The outcome of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// No law failed, every law that should run did, and at least one passed.
    Passed,
    /// The store broke a law.
    Failed,
    /// No law is known to be broken, but results are incomplete: a law did not run or was inconclusive.
    Incomplete,
}

impl Outcome {
    /// `passed`, `FAILED` or `INCOMPLETE`, for the last line of a text.
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

impl Report {
    /// Renames the report, if a better name than that of the harness is known.
    #[must_use]
    pub fn named(mut self, name: Name) -> Self {
        self.name = name;
        self
    }

    /// The name of the suite.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The version of the contract.
    pub fn contract(&self) -> &'static str {
        CONTRACT
    }

    /// What the verdicts depend on beside the store, by name: the versions of the kit and of the backend, the
    /// operating system, the file system, the options that are not the defaults. If laws ran in several
    /// environments, a value names each.
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// The claims of the store, including assumed claims.
    pub fn claims(&self) -> impl Iterator<Item = Claim> + '_ {
        self.plan.holds()
    }

    /// The laws that the user waives, with reasons.
    pub fn waived(&self) -> impl Iterator<Item = (LawId, &str)> {
        let waived = self.plan.waived().iter();
        waived.map(|(law, reason)| (*law, reason.as_str()))
    }

    /// The laws that the user expects to fail, with reasons.
    pub fn expected_to_fail(&self) -> impl Iterator<Item = (LawId, &str)> {
        let failing = self.plan.failing().iter();
        failing.map(|(law, reason)| (*law, reason.as_str()))
    }

    /// The laws in the order of the catalogue: all of them, unless the plan named groups or laws.
    pub fn laws(&self) -> &[LawReport] {
        &self.laws
    }

    /// Whether the plan named groups or laws, so that the report covers a part of the catalogue.
    pub fn is_partial(&self) -> bool {
        self.plan.is_partial()
    }

    /// When the last law ended, in milliseconds since 1970.
    pub fn at_ms(&self) -> u64 {
        self.at_ms
    }

    /// How long laws were running, in milliseconds. Time during which several laws ran counts once.
    pub fn millis(&self) -> u64 {
        self.millis
    }

    /// The sum of the times of all laws, in milliseconds.
    pub fn millis_of_laws(&self) -> u64 {
        // A line of a journal may claim any number.
        let sum = |sum: u64, law: &LawReport| sum.saturating_add(law.millis);
        self.laws.iter().fold(0, sum)
    }

    /// Whether the [outcome](Self::outcome) is [`Outcome::Passed`].
    pub fn passed(&self) -> bool {
        self.outcome() == Outcome::Passed
    }

    /// The outcome.
    ///
    /// # Panics
    ///
    /// Never: the laws of a report are sorted.
    pub fn outcome(&self) -> Outcome {
        let ascending = self.laws.is_sorted_by(|law, next| law.law.id < next.law.id);
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

    /// The highest level that the store reached; `None` if it did not reach L0.
    pub fn level(&self) -> Option<Level> {
        level::reached(&self.ladder())
    }

    /// All levels, from the lowest, with the laws that hold them back.
    pub fn ladder(&self) -> Vec<Rung> {
        level::ladder(&self.laws)
    }

    /// The laws to look at, the first first, with the failed laws that follow from each. Every failed law is in
    /// one lead. A fault that the kill matrix does not know gives a lead for each law.
    pub fn leads(&self) -> Vec<Lead> {
        let which = |is: fn(&LawReport) -> bool| {
            let laws = self.laws.iter().filter(|law| is(law));
            laws.map(|law| law.law.id).collect()
        };
        let shares_places = |law: &LawReport| {
            law.law.id == LawId::BAS_08 && matches!(law.verdict, Verdict::HarnessError(_))
        };
        let shares_places = self.laws.iter().any(shares_places);
        let passed = which(|law| law.verdict == Verdict::Pass);
        leads(which(LawReport::is_broken), &passed, shares_places)
    }

    /// How many laws have the verdict with this [word](Verdict::word).
    pub fn count(&self, word: &str) -> usize {
        let with_word = |law: &&LawReport| law.verdict.word() == word;
        self.laws.iter().filter(with_word).count()
    }

    /// How many laws have each verdict, such as `98 pass, 2 waived`. Verdicts without laws are left out.
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
