//! The pages on the worked examples of the kit: each claim is made, and each command names a test.

use std::collections::BTreeSet;

use super::tables::{quoted, rows};
use super::{File, Finding};

pub(super) const CHAPTER: &str = "docs/certifying-a-server.md";
pub(super) const FINDINGS: &str = "docs/findings.md";

/// The tests of an example.
fn tests<'a>(files: &'a [File], example: &str) -> impl Iterator<Item = &'a str> {
    let folder = format!("conformance/examples/{example}/tests/");
    let of_example = files
        .iter()
        .filter(move |file| file.path.starts_with(&folder));
    of_example.map(|file| file.text.as_str())
}

/// The claims of an example in the chapter are those of its first certificate.
pub(super) fn check_claims(chapter: &str, files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for row in rows(chapter, &["example", "needs", "claims beyond the contract"]) {
        let Some(example) = quoted(row.cells[0]).next() else {
            findings.push(Finding::new(CHAPTER, row.line, "the row names no example"));
            continue;
        };
        let named: BTreeSet<&str> = quoted(row.cells[2]).collect();
        let claimed = tests(files, example).find_map(claims).unwrap_or_default();
        if named != claimed {
            let message = format!("`{example}` claims {claimed:?}");
            findings.push(Finding::new(CHAPTER, row.line, message));
        }
    }
    findings
}

/// The claims of the first certificate in a text.
fn claims(text: &str) -> Option<BTreeSet<&str>> {
    let (_, certificate) = text.split_once("certify! {")?;
    let (_, claims) = certificate.split_once("claims: [")?;
    let (claims, _) = claims.split_once(']')?;
    let words = claims.split(',').map(str::trim);
    Some(words.filter(|word| !word.is_empty()).collect())
}

/// The command of a finding runs a test, or a law that is expected to fail.
pub(super) fn check_commands(page: &str, files: &[File]) -> Vec<Finding> {
    let heads = ["software", "law", "what it does", "the rest of the command"];
    let mut findings = Vec::new();
    for row in rows(page, &heads) {
        let command = quoted(row.cells[3]).next().unwrap_or_default();
        let example = command.split('/').next().unwrap_or_default();
        let filter = command.rsplit([' ', ':']).next().unwrap_or_default();
        let test = format!("fn {filter}");
        let law = format!("{} =>", filter.to_uppercase());
        let runs = |text: &str| text.contains(&test) || text.contains(&law);
        if filter.is_empty() || !tests(files, example).any(runs) {
            let message = format!("the command `{command}` names no test");
            findings.push(Finding::new(FINDINGS, row.line, message));
        }
    }
    findings
}

#[test]
fn claims_that_differ_from_the_certificate_are_found() {
    let chapter = "| example | needs | claims beyond the contract |\n|---|---|---|\n\
                   | `a` | | `reopen`, `limits` |\n| `b` | | `reopen` |\n| none | | |\n";
    let certificate = "x::certify! {\n    harness: A,\n    claims: [\n        limits,\n        reopen,\n    ],\n}";
    let files = ["a", "b"].map(|example| File {
        path: format!("conformance/examples/{example}/tests/conformance.rs"),
        text: certificate.to_owned(),
    });
    assert_eq!(
        check_claims(chapter, &files),
        [
            Finding::new(CHAPTER, 4, "`b` claims {\"limits\", \"reopen\"}"),
            Finding::new(CHAPTER, 5, "the row names no example"),
        ]
    );
}

#[test]
fn a_command_without_its_test_is_found() {
    let page = "| software | law | what it does | the rest of the command |\n|---|---|---|---|\n\
                | x | | | `a/Cargo.toml --test main it_los` |\n| x | | | `a/Cargo.toml m::dur_13` |\n\
                | x | | | `b/Cargo.toml it_loses` |\n| x | | | `a/Cargo.toml dur_14` |\n| x | | | |\n";
    let file = File {
        path: "conformance/examples/a/tests/main.rs".to_owned(),
        text: "fn it_loses() {}\nexpect_fail: [DUR_13 => \"x\"]\n".to_owned(),
    };
    assert_eq!(
        check_commands(page, &[file]),
        [
            Finding::new(
                FINDINGS,
                5,
                "the command `b/Cargo.toml it_loses` names no test"
            ),
            Finding::new(
                FINDINGS,
                6,
                "the command `a/Cargo.toml dur_14` names no test"
            ),
            Finding::new(FINDINGS, 7, "the command `` names no test"),
        ]
    );
}
