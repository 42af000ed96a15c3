//! What each line of the matrix saw, appended to the file that `CRASHPOINT_MATRIX_JOURNAL` names: an
//! object of JSON a line. Without that variable nothing is written.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;

use crashpoint_conformance::{LawId, Report, Verdict};
use serde::Serialize;

/// The variable that names the journal.
const VARIABLE: &str = "CRASHPOINT_MATRIX_JOURNAL";

#[derive(Serialize)]
struct Entry<'a> {
    mutant: &'a str,
    /// The laws that did not pass, with the word of their verdict.
    objections: BTreeMap<String, &'static str>,
    /// Milliseconds that each law took, but for those that took none.
    millis: BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct Power<'a> {
    mutant: &'a str,
    /// In how many rounds the law caught the mutant whose gap was held open, and with a narrow gap.
    held: u32,
    narrow: u32,
    of: u32,
}

/// Whether a journal is kept.
pub(super) fn is_kept() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// Appends in how many rounds a mutant was caught.
pub(super) fn note_power(mutant: &str, held: u32, narrow: u32, of: u32) {
    append(&Power {
        mutant,
        held,
        narrow,
        of,
    });
}

/// Appends what `report` says about `mutant`.
pub(super) fn note(mutant: &str, report: &Report) {
    if !is_kept() {
        return;
    }
    let laws = report.laws().iter();
    let entry = Entry {
        mutant,
        objections: laws
            .clone()
            .filter(|law| !matches!(law.verdict, Verdict::Pass | Verdict::NotClaimed(_)))
            .map(|law| (name(law.law.id), law.verdict.word()))
            .collect(),
        millis: laws
            .filter(|law| law.millis > 0)
            .map(|law| (name(law.law.id), law.millis))
            .collect(),
    };
    append(&entry);
}

fn append(entry: &impl Serialize) {
    let Some(path) = std::env::var_os(VARIABLE) else {
        return;
    };
    let mut line = serde_json::to_string(entry).unwrap();
    line.push('\n');
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    // One write, so that the lines of tests that run at once stay whole.
    file.write_all(line.as_bytes()).unwrap();
}

fn name(law: LawId) -> String {
    law.to_string()
}
