//! The target `journal_lines`: the lines that the kit's tests leave behind make the same reports however
//! they are spread over files, and no text panics their reader.

use crashpoint_conformance::{Merged, merge};

use crate::Seed;

/// The number of reports and of remarks on lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lines {
    /// Reports, one for each suite.
    pub reports: usize,
    /// Lines that were left out, and said so.
    pub remarks: usize,
}

/// Merges `input` as one file, and as two.
///
/// # Panics
///
/// As [`check_journal_lines`] says.
pub fn journal_lines(input: &[u8]) -> Lines {
    check_journal_lines(input, |files| merge(files.iter().copied()))
}

/// Checks a reader of journals.
///
/// # Panics
///
/// If it panics, if a report can't be printed, or if two files give other reports than their lines in one.
pub fn check_journal_lines(input: &[u8], merge: impl Fn(&[(&str, &str)]) -> Merged) -> Lines {
    let text = String::from_utf8_lossy(input);
    let whole = merge(&[("whole", &text)]);
    let middle = text.len() / 2;
    let middle = (0..=middle).rev().find(|at| text.is_char_boundary(*at));
    let (first, _) = text.split_at(middle.unwrap_or(0));
    let (first, second) = text.split_at(first.rfind('\n').map_or(0, |line| line + 1));
    let parts = merge(&[("first", first), ("second", second)]);
    assert_eq!(
        printed(&parts),
        printed(&whole),
        "lines in two files are the same lines"
    );
    assert_eq!(
        parts.remarks.len(),
        whole.remarks.len(),
        "a line is left out wherever it stands: {:?}, {:?}",
        parts.remarks,
        whole.remarks
    );
    Lines {
        reports: whole.reports.len(),
        remarks: whole.remarks.len(),
    }
}

/// Each report in both of its forms.
fn printed(merged: &Merged) -> Vec<(String, String)> {
    let reports = merged.reports.iter();
    reports
        .map(|report| (report.to_json(), report.to_string()))
        .collect()
}

/// A line as the tests of `certify!` write it.
fn line(law: &str, rest: &str) -> String {
    format!(
        "{{\"crashpoint_law\":1,\"contract\":\"1.0\",\"package\":\"backend\",\"version\":\"0.3.1\",\
         \"module\":\"conformance\",\"harness\":\"conformance::Mine\",\"claims\":[\"reopen\"],\
         \"waived\":{{\"ISO-09\":\"ids are C strings\"}},\"expected_to_fail\":{{}},\"build\":\"first\",\
         \"run\":\"1-2\",\"at_ms\":1700000000000,\"law\":\"{law}\",{rest}}}\n"
    )
}

pub(crate) fn seeds() -> Vec<Seed> {
    const PASS: &str = "\"verdict\":\"pass\",\"millis\":7";
    let seed = |name: &str, text: String| Seed {
        name: name.to_owned(),
        input: text.into_bytes(),
    };
    let fail = line(
        "DUP-01",
        "\"verdict\":\"fail\",\"reason\":\"expected a rejection, got Ok\",\"millis\":7",
    );
    let all = ["BAS-01", "ORD-01", "CLR-01"]
        .map(|law| line(law, PASS))
        .concat();
    let newer = line("BAS-01", PASS)
        .replace("first", "second")
        .replace("700000000000", "700000009999");
    vec![
        seed("a-failure", format!("{all}{fail}")),
        seed("a-later-build", format!("{all}{newer}")),
        seed("a-law-twice", format!("{fail}{}", line("DUP-01", PASS))),
        seed("a-line-that-is-cut", all[..all.len() - 40].to_owned()),
        seed("an-unknown-law", line("XYZ-99", PASS)),
        seed(
            "another-suite",
            format!("{all}{}", all.replace("Mine", "Other")),
        ),
        seed("no-journal", "{\"a\":1}\n\n[]\n".to_owned()),
        seed(
            "time-at-its-end",
            line("BAS-01", PASS).replace("1700000000000", "18446744073709551615"),
        ),
    ]
}
