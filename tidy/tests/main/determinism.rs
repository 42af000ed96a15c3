//! The page on determinism: each of its rows names a test that exists.

use super::tables::{quoted, rows};
use super::{File, Finding};

pub(super) const PAGE: &str = "docs/determinism.md";

pub(super) fn check(page: &str, files: &[File]) -> Vec<Finding> {
    let tests: Vec<&str> = files
        .iter()
        .filter(|file| file.path.contains("/tests/"))
        .map(|file| file.text.as_str())
        .collect();
    let mut findings = Vec::new();
    for row in rows(page, &["source", "class", "test"]) {
        let mut named = quoted(row.cells[2]).peekable();
        if named.peek().is_none() {
            findings.push(Finding::new(PAGE, row.line, "the row names no test"));
        }
        for name in named {
            let function = format!("fn {name}()");
            if !tests.iter().any(|text| text.contains(&function)) {
                let message = format!("there is no test `{name}`");
                findings.push(Finding::new(PAGE, row.line, message));
            }
        }
    }
    findings
}

#[test]
fn a_row_without_a_test_that_exists_is_found() {
    let page = "| source | class | test |\n|---|---|---|\n| a | leaking | `a_is_found` |\n\
                | b | leaking | `b_is_found` |\n| c | leaking | |\n";
    let file = File {
        path: "x/tests/main/a.rs".to_owned(),
        text: "fn a_is_found() {}\n".to_owned(),
    };
    assert_eq!(
        check(page, &[file]),
        [
            Finding::new(PAGE, 4, "there is no test `b_is_found`"),
            Finding::new(PAGE, 5, "the row names no test"),
        ]
    );
}
