//! Merging lines to reports.

use crashpoint_conformance::{Merged, Outcome, Verdict, merge};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::{Line, all_passed, merged, report, said, text};

#[test]
fn lines_of_any_number_of_processes_and_files_make_one_report() {
    let lines: Vec<_> = all_passed().into_values().collect();
    let whole = report(&lines);
    assert_eq!(whole.outcome(), Outcome::Passed, "{whole}");
    let (some, rest) = lines.split_at(lines.len() / 2);
    let some: Vec<_> = some
        .iter()
        .map(|line| line.clone().with("run", "3-4"))
        .collect();
    let Merged { reports, remarks } = merge([("rest", &*text(rest)), ("some", &*text(&some))]);
    assert_eq!(remarks, []);
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].to_json(), whole.to_json());
}

#[test]
fn a_law_without_a_line_was_not_run_and_nothing_passes_with_it() {
    let mut lines = all_passed();
    lines.remove("DUP-07");
    let report = report(lines.values());
    assert_eq!(
        said(&report, "DUP-07"),
        "not_run: this build has no line about it"
    );
    assert_eq!(report.outcome(), Outcome::Incomplete);
    assert!(!report.passed());
    assert_eq!(report.level(), None);
    assert!(report.to_string().contains("INCOMPLETE: "), "{report}");
}

/// A line has the time at which its law ended, and how long the law took.
#[test]
fn time_passes_once_while_several_laws_are_at_work_and_not_at_all_between_two_runs() {
    let line = |law, end, millis: u64| Line::pass(law).after(end).with("millis", millis);
    let spans = [
        line("BAS-01", 1_000, 600),
        // Beside it for 400, and 100 longer.
        line("BAS-02", 1_100, 500),
        line("BAS-03", 1_050, 10),
        // In the evening.
        line("BAS-04", 9_000_000, 30),
    ];
    let report = report(&spans);
    assert_eq!(report.millis(), 700 + 30);
    assert_eq!(report.millis_of_laws(), 600 + 500 + 10 + 30);
}

#[test]
fn of_a_law_that_was_run_twice_the_time_of_the_last_counts() {
    let first = Line::pass("BAS-01").with("millis", 900);
    let again = Line::pass("BAS-01").after(10_000).with("millis", 20);
    assert_eq!(report([&first, &again]).millis(), 20);
}

#[test]
fn no_lines_are_no_report() {
    let Merged { reports, remarks } = merge([("empty.jsonl", "")]);
    assert!(reports.is_empty() && remarks.is_empty());
}

#[test]
fn what_is_waived_or_not_claimed_is_known_from_any_line() {
    let line = Line::pass("BAS-01")
        .with("claims", json!(["limits", "engine_kinds"]))
        .with("waived", json!({ "ISO-09": "ids are C strings" }))
        .with("expected_to_fail", json!({ "CLR-08": "issue 12" }));
    let report = report([&line]);
    assert_eq!(said(&report, "ISO-09"), "waived: ids are C strings");
    assert_eq!(said(&report, "DUR-01"), "not_claimed: reopen");
    assert_eq!(
        said(&report, "ENG-04"),
        "not_run: this build has no line about it"
    );
    let lacks = line.with("claims", json!(["limits"]));
    assert_eq!(
        said(&self::report([&lacks]), "ENG-04"),
        "not_claimed: engine_kinds"
    );
    let waived: Vec<_> = report
        .waived()
        .map(|(law, why)| format!("{law} {why}"))
        .collect();
    assert_eq!(waived, ["ISO-09 ids are C strings"]);
    let json: Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json["expected_to_fail"], json!({ "CLR-08": "issue 12" }));
}

#[test]
fn a_law_that_was_run_although_it_is_waived_stays_waived() {
    let waived = json!({ "ISO-09": "ids are C strings" });
    let lines = [Line::pass("ISO-09").with("waived", waived)];
    assert_eq!(
        said(&report(&lines), "ISO-09"),
        "waived: ids are C strings (it ran anyway: pass)"
    );
    let failed = Line::fail("DUR-01", "expected 7 rows").with("claims", json!([]));
    assert_eq!(
        said(&report([&failed]), "DUR-01"),
        "not_claimed: reopen (it ran anyway: fail: expected 7 rows)"
    );
}

#[test]
fn of_two_builds_the_newer_one_counts_and_the_other_is_told() {
    let mut lines: Vec<_> = all_passed().into_values().collect();
    lines.push(
        Line::fail("DUP-01", "got Ok")
            .with("build", "second")
            .after(1),
    );
    let Merged { reports, remarks } = merged(&lines);
    assert_eq!(reports.len(), 1);
    assert_eq!(said(&reports[0], "DUP-01"), "fail: got Ok");
    assert_eq!(
        said(&reports[0], "BAS-01"),
        "not_run: this build has no line about it"
    );
    let stale = lines.len() - 1;
    let all = lines.len();
    assert_eq!(
        remarks[0].to_string(),
        format!(
            "backend 0.3.1 conformance::Mine: {stale} of {all} lines are about other builds and are \
             left out"
        )
    );
    assert!(!remarks[0].is_damage);
}

#[test]
fn within_a_build_the_last_verdict_counts_wherever_it_stands() {
    let mut lines = all_passed();
    lines.insert("DUP-01".to_owned(), Line::fail("DUP-01", "got Ok").after(5));
    let mut lines: Vec<_> = lines.into_values().collect();
    lines.push(Line::pass("DUP-01"));
    let failed = report(&lines);
    assert_eq!(said(&failed, "DUP-01"), "fail: got Ok");
    assert_eq!(failed.outcome(), Outcome::Failed);
}

/// A law that failed once has failed: repeating the tests until they pass does not certify a store.
#[test]
fn a_law_that_failed_and_then_passed_in_one_build_is_unsteady_and_fails() {
    let mut lines: Vec<_> = all_passed().into_values().collect();
    lines.push(Line::fail("DUP-07", "two winners").after(1));
    lines.push(Line::pass("DUP-07").after(2));
    let report = report(&lines);
    let law = report
        .laws()
        .iter()
        .find(|law| law.law.name.starts_with("dup_07"));
    let law = law.unwrap();
    assert_eq!(law.verdict, Verdict::Pass);
    assert_eq!(law.unsteady.as_deref(), Some("two winners"));
    assert_eq!(report.outcome(), Outcome::Failed);
    assert_eq!(report.level(), None);
    let text = report.to_string();
    assert!(
        text.contains("failed before, in the same build: two winners"),
        "{text}"
    );
}

#[test]
fn advice_that_is_not_followed_fails_no_report() {
    let mut lines = all_passed();
    lines.insert("ERR-05".to_owned(), Line::fail("ERR-05", "names neither"));
    let report = report(lines.values());
    assert_eq!(said(&report, "ERR-05"), "fail: names neither");
    assert_eq!(report.outcome(), Outcome::Passed);
}

#[test]
fn suites_are_kept_apart_by_package_module_and_harness() {
    let mut lines = Vec::new();
    for (key, value) in [
        ("package", "other"),
        ("module", "conformance::second"),
        ("harness", "conformance::Yours"),
        ("version", "0.4.0"),
    ] {
        lines.push(Line::pass("BAS-01").with(key, value));
    }
    let names: Vec<_> = merged(&lines)
        .reports
        .iter()
        .map(|each| each.name().to_string())
        .collect();
    // The version does not identify a suite: the fourth is the next release of the first.
    assert_eq!(
        names,
        [
            "backend 0.4.0 conformance::Mine",
            "backend 0.3.1 conformance::Yours",
            "backend 0.3.1 conformance::Mine",
            "other 0.3.1 conformance::Mine",
        ]
    );
}

fn remarked(text: &str, expected: &Expect) {
    let Merged { reports, remarks } = merge([("lines.jsonl", text)]);
    assert!(reports.is_empty(), "{reports:?}");
    assert!(remarks.iter().all(|remark| remark.is_damage));
    let remarks: Vec<_> = remarks.iter().map(|remark| format!("{remark}\n")).collect();
    expected.assert_eq(&remarks.concat());
}

#[test]
fn what_is_no_line_is_told_with_its_place() {
    let whole = text([&Line::pass("BAS-01")]);
    remarked(
        &whole[..whole.len() / 2],
        &expect![[r#"
            lines.jsonl:1: is not a line of the kit: EOF while parsing a string at line 1 column 267, and the file ends within it
        "#]],
    );
    remarked(
        "hello\n\n{\"law\":\"BAS-01\"}\n",
        &expect![[r#"
        lines.jsonl:1: is not a line of the kit: expected value at line 1 column 1
        lines.jsonl:3: is not a line of the kit: missing field `crashpoint_law` at line 1 column 16
    "#]],
    );
    let foreign = [
        Line::pass("BAS-01").with("crashpoint_law", 2),
        Line::pass("BAS-01").with("contract", "1.1"),
        Line::pass("XYZ-01"),
        Line::pass("BAS-01").with("claims", json!(["telepathy"])),
        Line::pass("BAS-01").with("verdict", "perhaps"),
        Line::pass("BAS-01").with("waived", json!({ "XYZ-01": "why not" })),
    ];
    remarked(
        &text(&foreign),
        &expect![[r#"
            lines.jsonl:1: has format 2; this kit reads format 1
            lines.jsonl:2: is about contract 1.1; this kit knows contract 1.0
            lines.jsonl:3: names the unknown law "XYZ-01"
            lines.jsonl:4: names the unknown claim "telepathy"
            lines.jsonl:5: is not complete: unknown variant `perhaps`, expected one of `pass`, `fail`, `waived`, `expected_fail`, `not_claimed`, `not_run`, `inconclusive`, `harness_error` at line 1 column 537
            lines.jsonl:6: names the unknown law "XYZ-01"
        "#]],
    );
}

#[test]
fn a_line_after_one_that_is_cut_short_still_counts() {
    let whole = text([&Line::pass("BAS-01")]);
    let cut = format!("{}\n{whole}", &whole[..40]);
    let Merged { reports, remarks } = merge([("lines.jsonl", &*cut)]);
    assert_eq!(said(&reports[0], "BAS-01"), "pass");
    assert_eq!(remarks.len(), 1);
    assert_eq!(remarks[0].place, "lines.jsonl:1");
}

#[test]
fn the_environments_of_all_lines_are_named() {
    let mut lines = all_passed();
    for (id, server) in [("BAS-01", "16.1"), ("BAS-02", "15.4"), ("BAS-03", "16.1")] {
        let line = Line::pass(id).with("environment", json!({ "server": server, "cores": "2" }));
        lines.insert(id.to_owned(), line);
    }
    let report = report(lines.values());
    let facts: Vec<_> = report.environment().iter().collect();
    let expected = [("cores", "2"), ("server", "15.4 and 16.1")];
    assert_eq!(facts.len(), expected.len());
    for ((name, value), expected) in facts.into_iter().zip(expected) {
        assert_eq!((name.as_str(), value.as_str()), expected);
    }
}
