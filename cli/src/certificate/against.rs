//! `crashpoint report --against OLD`: what has changed since an earlier certificate.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use crashpoint_conformance::{Report, merge};
use crashpoint_simulator::render::escaped_full;
use serde::Serialize;
use serde_json::Value;

use crate::exit::Failure;
use crate::text::escape;

/// What has changed about one store.
#[derive(Debug, Serialize)]
pub(super) struct Since {
    store: String,
    /// A line for each change; what has become worse is first.
    changes: Vec<String>,
}

/// Reads the files of an earlier certificate: the JSON of `report` or `certify`, or the results themselves.
///
/// # Errors
///
/// If it is neither.
pub(super) fn earlier(path: &Path, texts: &[(String, String)]) -> Result<Vec<Value>, Failure> {
    if let [(_, text)] = texts
        && let Ok(mut value) = serde_json::from_str::<Value>(text)
    {
        if value.get("crashpoint_report").is_some() {
            return Ok(vec![value]);
        }
        if let Some(Value::Array(reports)) = value.get_mut("reports").map(Value::take) {
            return Ok(reports);
        }
    }
    let merged = merge(texts.iter().map(|(name, text)| (&**name, &**text)));
    if merged.reports.is_empty() {
        let path = escape::path(path);
        return Err(Failure::Usage(format!(
            "{path} is no certificate: neither the JSON of `crashpoint report` nor results of tests"
        )));
    }
    Ok(merged.reports.iter().map(value).collect())
}

fn value(report: &Report) -> Value {
    serde_json::to_value(report).expect("a report is plain data")
}

/// What has changed in each store.
pub(super) fn since(earlier: &[Value], reports: &[Report]) -> Vec<Since> {
    let reports: Vec<Value> = reports.iter().map(value).collect();
    let mut all = Vec::new();
    for report in &reports {
        let before = earlier.iter().find(|before| key(before) == key(report));
        let changes = match before {
            Some(before) => changes(before, report),
            None => vec!["was not there".to_owned()],
        };
        let store = name(report);
        all.push(Since { store, changes });
    }
    let is_gone = |before: &&Value| reports.iter().all(|report| key(before) != key(report));
    all.extend(earlier.iter().filter(is_gone).map(|before| Since {
        store: name(before),
        changes: vec!["is no longer there".to_owned()],
    }));
    all
}

fn key(report: &Value) -> [&Value; 3] {
    ["package", "module", "harness"].map(|part| &report[part])
}

fn name(report: &Value) -> String {
    let parts = ["package", "version", "harness"];
    let parts: Vec<&str> = parts
        .iter()
        .filter_map(|part| report[*part].as_str())
        .collect();
    parts.join(" ")
}

fn changes(before: &Value, now: &Value) -> Vec<String> {
    let mut changes = Vec::new();
    let word = |report: &Value| report["level"].as_str().unwrap_or("none").to_owned();
    if word(before) != word(now) {
        changes.push(format!("level {} -> {}", word(before), word(now)));
    }
    changes.extend(laws(before, now));
    let (had, has) = (words(&before["claims"]), words(&now["claims"]));
    changes.extend(added_and_removed("claims", &had, &has));
    for (key, title) in [
        ("waived", "waived"),
        ("expected_to_fail", "expected to fail"),
    ] {
        let ids = |report: &Value| texts(&report[key]).into_keys().collect::<Vec<_>>();
        changes.extend(added_and_removed(title, &ids(before), &ids(now)));
    }
    let (had, has) = (texts(&before["environment"]), texts(&now["environment"]));
    let mut names: Vec<&String> = had.keys().chain(has.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let of =
            |facts: &BTreeMap<String, String>| facts.get(name).map_or("none", |it| it).to_owned();
        if of(&had) != of(&has) {
            changes.push(format!("{name}: {} -> {}", of(&had), of(&has)));
        }
    }
    changes
}

/// The laws whose verdicts differ, those that no longer pass first.
fn laws(before: &Value, now: &Value) -> Vec<String> {
    let (had, has) = (verdicts(before), verdicts(now));
    let mut changed: Vec<(bool, String)> = Vec::new();
    for (id, (verdict, reason)) in &has {
        match had.get(id) {
            Some((old, _)) if old == verdict => {}
            Some((old, _)) => {
                let why = match verdict.as_str() {
                    "fail" => format!(": {reason}"),
                    _ => String::new(),
                };
                changed.push((old == "pass", format!("{id} {old} -> {verdict}{why}")));
            }
            None => changed.push((false, format!("{id} is new: {verdict}"))),
        }
    }
    let gone = had.keys().filter(|id| !has.contains_key(*id));
    changed.extend(gone.map(|id| (false, format!("{id} is no longer there"))));
    changed.sort_by_key(|(worse, _)| !worse);
    changed.into_iter().map(|(_, change)| change).collect()
}

/// The verdict on each law, with the first line of its reason.
fn verdicts(report: &Value) -> BTreeMap<String, (String, String)> {
    let laws = report["laws"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let first = |value: &Value| text(value).lines().next().unwrap_or_default().to_owned();
    laws.map(|law| {
        (
            text(&law["id"]),
            (text(&law["verdict"]), first(&law["reason"])),
        )
    })
    .collect()
}

fn words(list: &Value) -> Vec<String> {
    let words = list.as_array().into_iter().flatten();
    words
        .filter_map(|word| word.as_str().map(str::to_owned))
        .collect()
}

fn texts(object: &Value) -> BTreeMap<String, String> {
    let pairs = object.as_object().into_iter().flatten();
    pairs
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// `claims: + process_crash, - settled`
fn added_and_removed(title: &str, had: &[String], has: &[String]) -> Option<String> {
    let added = has
        .iter()
        .filter(|word| !had.contains(word))
        .map(|word| format!("+ {word}"));
    let removed = had
        .iter()
        .filter(|word| !has.contains(word))
        .map(|word| format!("- {word}"));
    let changed: Vec<String> = added.chain(removed).collect();
    (!changed.is_empty()).then(|| format!("{title}: {}", changed.join(", ")))
}

/// Prints the changes as text.
pub(super) fn print(path: &Path, all: &[Since], out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "since {}:", escape::path(path))?;
    for Since { store, changes } in all {
        let store = escaped_full(store);
        if changes.is_empty() {
            writeln!(out, "  {store}: nothing has changed")?;
        }
        for change in changes {
            writeln!(out, "  {store}: {}", escaped_full(change))?;
        }
    }
    Ok(())
}

/// The changes as Markdown.
pub(super) fn markdown(path: &Path, all: &[Since], out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "## Since {}\n",
        escape::markdown(&path.display().to_string())
    )?;
    for Since { store, changes } in all {
        let store = escape::markdown(store);
        if changes.is_empty() {
            writeln!(out, "- {store}: nothing has changed")?;
        }
        for change in changes {
            writeln!(out, "- {store}: {}", escape::markdown(change))?;
        }
    }
    Ok(())
}
