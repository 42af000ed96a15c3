//! All laws in a row, and what came of them: as text and as JSON.

use std::fmt::{self, Write};

use serde::{Serialize, Serializer};

use crate::capability::Claim;
use crate::catalogue::{CONTRACT, Kind, Law, catalogue};
use crate::harness::{Harness, Subject};
use crate::plan::{Plan, Step};
use crate::run::{Judgement, judge};
use crate::verdict::Verdict;

/// Runs every law on stores of `H`, one after the other.
///
/// For a certificate to keep or to publish; as tests the laws are better off with
/// [`certify!`](crate::certify).
pub fn run_all<H: Harness>(plan: &Plan) -> Report {
    let subject = Subject::of::<H>();
    let laws = catalogue().iter().filter(|law| plan.includes(law.id));
    Report {
        harness: subject.name.to_owned(),
        partial: plan.is_partial(),
        laws: laws.map(|law| run_law(&subject, plan, law)).collect(),
    }
}

fn run_law(subject: &Subject, plan: &Plan, law: &'static Law) -> LawReport {
    let (verdict, millis) = match plan.step(law.id) {
        Step::Waive(reason) => (Verdict::Waived(reason.to_owned()), 0),
        Step::LackOf(claim) => (Verdict::NotClaimed(claim.word().to_owned()), 0),
        Step::Run => timed(judge(subject, law), |verdict| verdict),
        Step::RunExpectingFailure(reason) => timed(judge(subject, law), |verdict| {
            verdict.expected_to_fail(reason)
        }),
    };
    LawReport {
        law,
        verdict,
        millis,
    }
}

fn timed(judgement: Judgement, read: impl FnOnce(Verdict) -> Verdict) -> (Verdict, u64) {
    let millis = u64::try_from(judgement.elapsed.as_millis()).unwrap_or(u64::MAX);
    (read(judgement.verdict), millis)
}

/// What came of each law.
#[derive(Debug, Clone)]
pub struct Report {
    harness: String,
    partial: bool,
    laws: Vec<LawReport>,
}

/// What came of one law.
#[derive(Debug, Clone)]
pub struct LawReport {
    /// The law.
    pub law: &'static Law,
    /// What came of it.
    pub verdict: Verdict,
    /// How long it took, in milliseconds.
    pub millis: u64,
}

impl LawReport {
    /// Whether the report can't pass because of this law. An advisory law never fails a report,
    /// but a harness that could not run it does.
    pub fn is_failure(&self) -> bool {
        let advised = self.law.kind == Kind::Advisory && matches!(self.verdict, Verdict::Fail(_));
        self.verdict.is_failure() && !advised
    }
}

impl Report {
    /// The laws in the order of the catalogue, every one of them unless the plan named groups.
    pub fn laws(&self) -> &[LawReport] {
        &self.laws
    }

    /// Whether no law failed and at least one was run and passed.
    pub fn passed(&self) -> bool {
        self.count("pass") > 0 && !self.laws.iter().any(LawReport::is_failure)
    }

    fn count(&self, word: &str) -> usize {
        let with_word = |law: &&LawReport| law.verdict.word() == word;
        self.laws.iter().filter(with_word).count()
    }

    /// The report as one JSON object.
    ///
    /// # Panics
    ///
    /// Never: a report holds nothing that JSON lacks.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report is plain data")
    }
}

/// The words of every verdict, in the order in which they are counted.
const WORDS: [&str; 7] = [
    "pass",
    "fail",
    "waived",
    "expected_fail",
    "not_claimed",
    "inconclusive",
    "harness_error",
];

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} against contract {CONTRACT}", self.harness)?;
        for LawReport {
            law,
            verdict,
            millis,
        } in &self.laws
        {
            let (word, id, sentence) = (verdict.word(), law.id, law.sentence);
            write!(f, "{word:<13} {id:<6} {sentence} ({millis} ms)")?;
            match verdict.reason() {
                Some(reason) => writeln!(f, "\n{:<13} {reason}", "")?,
                None => writeln!(f)?,
            }
        }
        let mut counts = String::new();
        for word in WORDS {
            let count = self.count(word);
            if count > 0 {
                let _ = write!(counts, ", {count} {word}");
            }
        }
        let part = if self.partial {
            " (a part of the catalogue)"
        } else {
            ""
        };
        let result = if self.passed() { "passed" } else { "FAILED" };
        write!(f, "{result}{part}: {} laws{counts}", self.laws.len())
    }
}

/// The report as it is written to JSON.
#[derive(Serialize)]
struct Whole<'a> {
    contract: &'static str,
    harness: &'a str,
    passed: bool,
    partial: bool,
    laws: Vec<One<'a>>,
}

#[derive(Serialize)]
struct One<'a> {
    id: String,
    group: &'static str,
    sentence: &'static str,
    kind: char,
    claim: Option<&'static str>,
    #[serde(flatten)]
    verdict: &'a Verdict,
    millis: u64,
}

impl<'a> One<'a> {
    fn of(report: &'a LawReport) -> Self {
        Self {
            id: report.law.id.to_string(),
            group: report.law.group.key,
            sentence: report.law.sentence,
            kind: report.law.kind.letter(),
            claim: report.law.claim.map(Claim::word),
            verdict: &report.verdict,
            millis: report.millis,
        }
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Whole {
            contract: CONTRACT,
            harness: &self.harness,
            passed: self.passed(),
            partial: self.partial,
            laws: self.laws.iter().map(One::of).collect(),
        }
        .serialize(serializer)
    }
}

/// A line among the output of a test.
#[expect(
    clippy::print_stdout,
    reason = "an advisory finding has no other way out of a test"
)]
pub(crate) fn print_line(line: &str) {
    println!("{line}");
}
