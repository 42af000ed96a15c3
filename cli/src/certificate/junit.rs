//! Certificates as `junit` XML, which build servers read: a suite for each store, a case for
//! each law.

use std::time::Duration;

use crashpoint_conformance::{LawReport, Report, Verdict};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::certificate::words::lines;
use crate::text::escape;

/// Every report, as one document.
///
/// # Panics
///
/// Never: it is written to memory.
pub fn of_all(reports: &[Report]) -> String {
    let mut document = quick_junit::Report::new("crashpoint");
    document.add_test_suites(reports.iter().map(suite));
    document
        .to_string()
        .expect("memory takes all that is written")
}

fn suite(report: &Report) -> TestSuite {
    let name = escape::xml(&report.name().to_string());
    let mut suite = TestSuite::new(name.clone());
    suite.set_time(Duration::from_millis(report.millis()));
    suite.add_property(("contract", &*escape::xml(report.contract())));
    let level = report.level().map_or("none", |level| level.word());
    suite.add_property(("level", level));
    suite.add_test_cases(report.laws().iter().map(|law| case(law, &name)));
    suite
}

fn case(report: &LawReport, store: &str) -> TestCase {
    let law = report.law;
    let mut case = TestCase::new(format!("{} {}", law.id, law.sentence), status(report));
    case.set_classname(format!("{store} {}", law.group.key));
    case.set_time(Duration::from_millis(report.millis));
    case
}

fn status(report: &LawReport) -> TestCaseStatus {
    let word = report.verdict.word();
    let reason = report.verdict.reason().unwrap_or_default();
    if let Some(before) = &report.unsteady {
        let before = format!("failed before, in the same build: {before}");
        return broken(NonSuccessKind::Failure, word, &before, report);
    }
    match &report.verdict {
        Verdict::Pass => TestCaseStatus::success(),
        Verdict::Fail(_) if report.is_advice() => skipped("advice", reason),
        Verdict::Fail(_) => broken(NonSuccessKind::Failure, word, reason, report),
        Verdict::Waived(_) | Verdict::ExpectedFail(_) | Verdict::NotClaimed(_) => {
            skipped(word, reason)
        }
        Verdict::NotRun(_) | Verdict::Inconclusive(_) | Verdict::HarnessError(_) => {
            broken(NonSuccessKind::Error, word, reason, report)
        }
    }
}

fn skipped(word: &str, reason: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(format!("{word}: {}", lines(reason).join(" ")));
    status
}

/// The first line as the message, and the whole text with a history as the content.
fn broken(kind: NonSuccessKind, word: &str, reason: &str, report: &LawReport) -> TestCaseStatus {
    let mut said = lines(reason);
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(word);
    status.set_message(said.first().cloned().unwrap_or_default());
    if kind == NonSuccessKind::Failure {
        said.push(report.advice());
    }
    status.set_description(said.join("\n"));
    status
}
