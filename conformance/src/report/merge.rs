//! Merges the lines of journals to reports.
//!
//! A report covers one build of a suite, the newest with a line: verdicts on another build are about
//! another store. Within a build the last line about a law counts, and an earlier failure is shown too.
//! Each line that can't be read is reported.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::catalogue::{Law, catalogue};
use crate::contract::LawId;
use crate::finding::verdict::Verdict;
use crate::report::line::Line;
use crate::report::suite::Name;
use crate::report::{LawReport, Report};
use crate::runner::plan::Plan;

/// The result of merging files.
#[derive(Debug, Clone, Default)]
pub struct Merged {
    /// One report for each suite, in the order of names.
    pub reports: Vec<Report>,
    /// Lines that were left out, and why.
    pub remarks: Vec<Remark>,
}

/// Something that a reader of the reports must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The file and line that it is about, or the suite.
    pub place: String,
    /// The message.
    pub what: String,
    /// Whether a verdict may be lost. Leaving out lines of an earlier build loses none.
    pub is_damage: bool,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Merges files, each given by name and text, to one report for each suite.
pub fn merge<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Merged {
    let mut merged = Merged::default();
    let mut suites: BTreeMap<OwnedKey, Vec<Line>> = BTreeMap::new();
    for (file, text) in files {
        for line in lines(file, text, &mut merged.remarks) {
            suites.entry(key(&line.name)).or_default().push(line);
        }
    }
    for lines in suites.into_values() {
        merged.reports.extend(report(lines, &mut merged.remarks));
    }
    merged
}

type OwnedKey = (Option<String>, Option<String>, String);

fn key(name: &Name) -> OwnedKey {
    let (package, module, harness) = name.key();
    (
        package.map(str::to_owned),
        module.map(str::to_owned),
        harness.to_owned(),
    )
}

/// The lines of one file that can be read.
fn lines(file: &str, text: &str, remarks: &mut Vec<Remark>) -> Vec<Line> {
    let mut lines = Vec::new();
    for (index, each) in text.split_inclusive('\n').enumerate() {
        let content = each.trim_end_matches(['\n', '\r']);
        if content.is_empty() {
            continue;
        }
        let read = Line::read(content).and_then(|line| {
            line.law()?;
            line.plan()?;
            Ok(line)
        });
        match read {
            Ok(line) => lines.push(line),
            Err(what) => {
                let cut = if each.ends_with('\n') {
                    ""
                } else {
                    ", and the file ends within it"
                };
                remarks.push(Remark {
                    place: format!("{file}:{}", index + 1),
                    what: format!("{what}{cut}"),
                    is_damage: true,
                });
            }
        }
    }
    lines
}

/// The report of one suite.
fn report(mut lines: Vec<Line>, remarks: &mut Vec<Remark>) -> Option<Report> {
    // Stable: of two lines within a millisecond the later one in the file is the last.
    lines.sort_by_key(|line| line.origin.at_ms);
    let newest = lines.last()?.clone();
    let all = lines.len();
    lines.retain(|line| line.origin.build == newest.origin.build);
    assert!(!lines.is_empty(), "the newest line is of its own build");
    let stale = all - lines.len();
    if stale > 0 {
        remarks.push(Remark {
            place: newest.name.to_string(),
            what: format!("{stale} of {all} lines are about other builds and are left out"),
            is_damage: false,
        });
    }
    let plan = newest.plan().ok()?;
    let mut by_law: BTreeMap<LawId, Vec<&Line>> = BTreeMap::new();
    for line in &lines {
        let id = line.law().ok()?.id;
        by_law.entry(id).or_default().push(line);
    }
    let kept: usize = by_law.values().map(Vec::len).sum();
    assert_eq!(kept, lines.len(), "each line is about one law");
    let none = Vec::new();
    let each = |law: &'static Law| law_report(law, &plan, by_law.get(&law.id).unwrap_or(&none));
    let laws: Vec<LawReport> = catalogue().iter().map(each).collect();
    assert_eq!(
        laws.len(),
        catalogue().len(),
        "a merged report is about every law"
    );
    let at_work = by_law.values().filter_map(|lines| lines.last());
    let millis = passed(at_work.map(|line| (line.origin.at_ms, line.millis)));
    Some(Report {
        name: newest.name,
        environment: environments(&lines),
        laws,
        plan,
        at_ms: newest.origin.at_ms,
        millis,
    })
}

/// The facts of all lines. Where they differ, each value is named once.
fn environments(lines: &[Line]) -> BTreeMap<String, String> {
    let mut values: BTreeMap<&String, BTreeSet<&String>> = BTreeMap::new();
    for (name, value) in lines.iter().flat_map(|line| &line.environment) {
        values.entry(name).or_default().insert(value);
    }
    let joined = |values: BTreeSet<&String>| {
        let values: Vec<&str> = values.into_iter().map(String::as_str).collect();
        values.join(" and ")
    };
    let facts = values.into_iter();
    facts
        .map(|(name, values)| (name.clone(), joined(values)))
        .collect()
}

/// The time, in milliseconds, during which at least one span was under way. Each span is an end and a
/// length. The time between two runs of the tests does not count.
fn passed(spans: impl Iterator<Item = (u64, u64)>) -> u64 {
    let mut spans: Vec<_> = spans
        .map(|(end, length)| (end.saturating_sub(length), end))
        .collect();
    spans.sort_unstable();
    let (mut passed, mut until) = (0, 0);
    for (begin, end) in spans {
        assert!(begin <= end, "a span is taken from its end backwards");
        passed += end.saturating_sub(begin.max(until));
        until = until.max(end);
        assert!(passed <= until, "time that passes twice is counted once");
    }
    passed
}

/// The report of one law, whose lines are in the order of time.
fn law_report(law: &'static Law, plan: &Plan, lines: &[&Line]) -> LawReport {
    let id = law.id.to_string();
    // `report` groups the lines by law and has sorted them before.
    assert!(
        lines.iter().all(|line| line.law == id),
        "each line is about {id}"
    );
    let ascending = lines.is_sorted_by_key(|line| line.origin.at_ms);
    assert!(ascending, "the last line is the newest");
    let declared = plan.step(law.id).without_a_run();
    let Some(last) = lines.last() else {
        let none = || Verdict::NotRun("this build has no line about it".to_owned());
        return LawReport::new(law, declared.unwrap_or_else(none), 0);
    };
    if let Some(declared) = declared {
        // Run with `--ignored`. The verdict says something, but not that the claim is made.
        let verdict = declared.beside(&last.verdict);
        return LawReport::new(law, verdict, last.millis);
    }
    let mut report = LawReport::new(law, last.verdict.clone(), last.millis).with_late(last.late);
    let mut failures = lines.iter().rev().filter_map(|line| match &line.verdict {
        Verdict::Fail(message) => Some(message.clone()),
        _ => None,
    });
    if !matches!(last.verdict, Verdict::Fail(_)) {
        report.unsteady = failures.next();
    }
    report
}
