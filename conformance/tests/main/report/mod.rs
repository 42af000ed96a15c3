//! Reports: merging lines, levels, and no line lost silently.

mod journal;
mod leads;
mod levels;
mod merging;

use std::collections::BTreeMap;

use crashpoint_conformance::{Claim, Merged, Report, catalogue, merge};
use serde_json::{Value, json};

/// A line as the tests of `certify!` write it. These tests keep the format readable.
#[derive(Clone)]
pub(crate) struct Line(Value);

impl Line {
    /// A law that passed, in the first build, at the first instant; everything is claimed.
    pub(crate) fn pass(law: &str) -> Self {
        let claims: Vec<_> = Claim::ALL.iter().map(|claim| claim.word()).collect();
        Self(json!({
            "crashpoint_law": 1,
            "contract": "1.0",
            "package": "backend",
            "version": "0.3.1",
            "module": "conformance",
            "harness": "conformance::Mine",
            "claims": claims,
            "waived": {},
            "expected_to_fail": {},
            "build": "first",
            "run": "1-2",
            "at_ms": 1_700_000_000_000_u64,
            "law": law,
            "verdict": "pass",
            "millis": 7,
        }))
    }

    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0[key] = value.into();
        self
    }

    pub(crate) fn fail(law: &str, message: &str) -> Self {
        Self::pass(law)
            .with("verdict", "fail")
            .with("reason", message)
    }

    pub(crate) fn after(self, ms: u64) -> Self {
        self.with("at_ms", 1_700_000_000_000_u64 + ms)
    }
}

/// A line for every law, all passed.
pub(crate) fn all_passed() -> BTreeMap<String, Line> {
    let ids = catalogue().iter().map(|law| law.id.to_string());
    ids.map(|id| (id.clone(), Line::pass(&id))).collect()
}

pub(crate) fn text<'a>(lines: impl IntoIterator<Item = &'a Line>) -> String {
    lines
        .into_iter()
        .map(|line| format!("{}\n", line.0))
        .collect()
}

pub(crate) fn merged<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Merged {
    merge([("lines.jsonl", &*text(lines))])
}

/// The only report, without remarks.
pub(crate) fn report<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Report {
    let Merged {
        mut reports,
        remarks,
    } = merged(lines);
    assert_eq!(remarks, []);
    assert_eq!(reports.len(), 1, "{reports:?}");
    reports.remove(0)
}

/// The verdict on a law, with its reason.
pub(crate) fn said(report: &Report, id: &str) -> String {
    let law = report
        .laws()
        .iter()
        .find(|law| law.law.id.to_string() == id);
    let verdict = &law.unwrap().verdict;
    match verdict.reason() {
        None => verdict.word().to_owned(),
        Some(reason) => format!("{}: {reason}", verdict.word()),
    }
}
