//! A report as JSON.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::catalogue::leads::Lead;
use crate::contract::capability::Claim;
use crate::finding::verdict::Verdict;
use crate::report::level::{Level, Rung};
use crate::report::line::words;
use crate::report::suite::Name;
use crate::report::{LawReport, Report};

/// The version of the format.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Whole<'a> {
    crashpoint_report: u32,
    contract: &'static str,
    #[serde(flatten)]
    name: &'a Name,
    level: Option<&'static str>,
    passed: bool,
    outcome: &'static str,
    partial: bool,
    claims: Vec<String>,
    environment: &'a BTreeMap<String, String>,
    waived: BTreeMap<String, &'a str>,
    expected_to_fail: BTreeMap<String, &'a str>,
    /// How many laws have each verdict.
    counts: BTreeMap<&'static str, usize>,
    levels: Vec<Step>,
    /// The laws to look at, the first first.
    look_first: Vec<First>,
    at_ms: u64,
    millis: u64,
    laws: Vec<Law<'a>>,
}

#[derive(Serialize)]
struct Step {
    level: &'static str,
    title: &'static str,
    laws: usize,
    reached: bool,
    held_back: Vec<Held>,
}

#[derive(Serialize)]
struct First {
    law: String,
    follow: Vec<String>,
}

#[derive(Serialize)]
struct Held {
    law: String,
    reason: String,
}

#[derive(Serialize)]
struct Law<'a> {
    id: String,
    group: &'static str,
    sentence: &'static str,
    kind: char,
    claim: Option<&'static str>,
    level: &'static str,
    #[serde(flatten)]
    verdict: &'a Verdict,
    millis: u64,
    /// The message of an earlier failure in the same build.
    #[serde(skip_serializing_if = "Option::is_none")]
    unsteady: Option<&'a str>,
    /// Whether an operation missed its deadline.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    late: bool,
}

impl Step {
    fn of(rung: Rung, reached: Option<Level>) -> Self {
        let held_back = rung.held_back.into_iter().map(|held| Held {
            law: held.law,
            reason: held.reason,
        });
        Self {
            level: rung.level.word(),
            title: rung.level.title(),
            laws: rung.laws,
            reached: reached.is_some_and(|reached| rung.level <= reached),
            held_back: held_back.collect(),
        }
    }
}

impl First {
    fn of(lead: &Lead) -> Self {
        Self {
            law: lead.law.to_string(),
            follow: lead.follow.iter().map(ToString::to_string).collect(),
        }
    }
}

impl<'a> Law<'a> {
    fn of(report: &'a LawReport) -> Self {
        Self {
            id: report.law.id.to_string(),
            group: report.law.group.key,
            sentence: report.law.sentence,
            kind: report.law.kind.letter(),
            claim: report.law.claim.map(Claim::word),
            level: report.law.level().word(),
            verdict: &report.verdict,
            millis: report.millis,
            unsteady: report.unsteady.as_deref(),
            late: report.late,
        }
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let level = self.level();
        Whole {
            crashpoint_report: FORMAT,
            contract: self.contract(),
            name: self.name(),
            level: level.map(Level::word),
            passed: self.passed(),
            outcome: self.outcome().word(),
            partial: self.is_partial(),
            claims: words(self.claims()),
            environment: self.environment(),
            waived: self
                .waived()
                .map(|(law, why)| (law.to_string(), why))
                .collect(),
            expected_to_fail: self
                .expected_to_fail()
                .map(|(law, why)| (law.to_string(), why))
                .collect(),
            counts: Verdict::WORDS
                .iter()
                .map(|word| (*word, self.count(word)))
                .collect(),
            levels: self
                .ladder()
                .into_iter()
                .map(|rung| Step::of(rung, level))
                .collect(),
            look_first: self.leads().iter().map(First::of).collect(),
            at_ms: self.at_ms(),
            millis: self.millis(),
            laws: self.laws().iter().map(Law::of).collect(),
        }
        .serialize(serializer)
    }
}

impl Report {
    /// The report as one JSON object on one line.
    ///
    /// # Panics
    ///
    /// Never: JSON can represent every report.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a report is plain data")
    }
}
