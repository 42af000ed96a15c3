//! Certificates as junit XML: a case for each law, and a reason for each that did not pass.

use crashpoint_cli::certificate::junit;
use crashpoint_conformance::{catalogue, merge};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus};
use serde_json::{Value, json};

use crate::certificates::{failing, journal, line};

fn read(changed: &Value) -> Report {
    let merged = merge([("lines.jsonl", &*journal(changed))]);
    let text = junit::of_all(&merged.reports);
    Report::deserialize_from_str(&text).expect("it is what JUnit is")
}

fn case<'a>(report: &'a Report, law: &str) -> &'a TestCase {
    let cases = &report.test_suites[0].test_cases;
    let mut cases = cases
        .iter()
        .filter(|case| case.name.as_str().starts_with(law));
    cases.next().expect("there is a case for each law")
}

#[test]
fn a_suite_has_a_case_for_each_law_and_skips_what_is_not_claimed() {
    let report = read(&Value::Null);
    assert_eq!(report.test_suites.len(), 1);
    let suite = &report.test_suites[0];
    assert_eq!(suite.name.as_str(), "backend 0.3.1 conformance::Mine");
    assert_eq!(suite.test_cases.len(), catalogue().len());
    assert_eq!((suite.failures, suite.errors), (0, 0));
    let passed = &case(&report, "BAS-01").status;
    assert!(matches!(passed, TestCaseStatus::Success { .. }));
    let TestCaseStatus::Skipped { message, .. } = &case(&report, "DUR-08").status else {
        panic!("it needs a claim: {report:?}");
    };
    let message = message.as_ref().expect("it has a reason").as_str();
    assert!(message.starts_with("not_claimed: power_loss"), "{message}");
}

#[test]
fn a_failure_has_its_history_and_the_guide_and_a_law_in_vain_is_an_error() {
    let message = "got 2 <&>\u{1b}[31m \"quoted\":\n  one |---|\n  two   |---|";
    let report = read(&failing("CON-01", message));
    assert_eq!(report.test_suites[0].failures, 1);
    let TestCaseStatus::NonSuccess {
        kind,
        message,
        description,
        ..
    } = &case(&report, "CON-01").status
    else {
        panic!("it failed: {report:?}");
    };
    assert_eq!(*kind, NonSuccessKind::Failure);
    let message = message.as_ref().expect("it has a message").as_str();
    assert!(
        message.starts_with("got 2 <&>") && message.ends_with("\"quoted\":"),
        "{message}"
    );
    let text = description.as_ref().expect("it has a text").as_str();
    assert!(text.contains("\n  two   |---|\nwhy:  "), "{text}");
    let mut vain = line("CON-01");
    vain["verdict"] = json!("inconclusive");
    vain["reason"] = json!("one round");
    let report = read(&vain);
    let suite = &report.test_suites[0];
    assert_eq!((suite.failures, suite.errors), (0, 1));
}
