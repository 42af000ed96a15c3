//! Certificates: what `certify` and `report` print, write and exit with.

use std::path::Path;

use crashpoint_cli::certificate::{badge, markdown, of_certificates};
use crashpoint_conformance::{Merged, catalogue, merge};
use serde_json::{Value, json};

use crate::command::{crashpoint, text};

/// A line of a journal: a law that passed.
pub(crate) fn line(law: &str) -> Value {
    json!({
        "crashpoint_law": 1, "contract": "1.0", "package": "backend", "version": "0.3.1",
        "module": "conformance", "harness": "conformance::Mine",
        "claims": ["reopen", "engine_kinds", "atomic_cancellation"], "waived": {}, "expected_to_fail": {},
        "build": "b", "run": "r", "at_ms": 1_700_000_000_000_u64,
        "law": law, "verdict": "pass", "millis": 1200,
    })
}

pub(crate) fn failing(law: &str, message: &str) -> Value {
    let mut line = line(law);
    line["verdict"] = "fail".into();
    line["reason"] = message.into();
    line
}

/// Every law that a store with these claims has to keep, with one line changed.
pub(crate) fn journal(changed: &Value) -> String {
    let ids = catalogue().iter().map(|law| law.id.to_string());
    let lines = ids.map(|id| {
        if changed["law"] == *id {
            changed.clone()
        } else {
            line(&id)
        }
    });
    lines.map(|line| format!("{line}\n")).collect()
}

fn merged(text: &str) -> Merged {
    merge([("lines.jsonl", text)])
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    std::fs::write(&file, text).expect("the folder is there");
    file.display().to_string()
}

/// What `report` prints and exits with.
fn report(arguments: &[&str]) -> (String, Option<i32>) {
    let output = crashpoint(&[&["report"], arguments].concat());
    (text(&output.stdout), output.status.code())
}

#[test]
fn the_store_in_memory_is_certified_with_a_verdict_for_each_law() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let place = |name: &str| folder.path().join(name).display().to_string();
    let (page, badge, places) = (place("page.html"), place("badge.svg"), place("places"));
    let output = crashpoint(&[
        "certify", "--store", "memory", "--json", "--html", &page, "--badge", &badge, "--path",
        &places,
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(printed.contains("\"level\":\"L1\""), "{printed}");
    let report: Value = serde_json::from_str(&printed).expect("one JSON object");
    assert_eq!(report["harness"], "MemoryCheckpointStore");
    assert_eq!(report["outcome"], "passed");
    let laws = report["laws"].as_array().expect("a list");
    assert_eq!(laws.len(), catalogue().len());
    let of = |verdict: &str| laws.iter().filter(|law| law["verdict"] == verdict).count();
    assert_eq!(of("pass") + of("not_claimed"), laws.len());
    assert!(of("pass") > 70 && of("not_claimed") > 5);
    let page = std::fs::read_to_string(page).expect("the page is written");
    assert!(page.contains("passed, L1 concurrency and cancellation"));
    let badge = std::fs::read_to_string(badge).expect("the badge is written");
    assert!(
        badge.contains(">L1 concurrency and cancellation</text>"),
        "{badge}"
    );
    assert_eq!(std::fs::read_dir(places).expect("it is there").count(), 0);
}

#[test]
fn a_whole_report_exits_with_0_a_broken_law_with_1_and_a_law_left_out_with_5() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let check = |name: &str, lines: &str, code: i32, words: &str| {
        let file = written(folder.path(), name, lines);
        let (printed, exit) = report(&[&file]);
        assert_eq!(exit, Some(code), "{printed}");
        assert!(
            printed.contains(words),
            "{words:?} is missing in:\n{printed}"
        );
    };
    let whole = journal(&Value::Null);
    check("whole", &whole, 0, "\npassed, level ");
    let broken = journal(&failing("DUP-07", "got 2"));
    check("broken", &broken, 1, "\nFAILED, no level; ");
    let (_, rest) = whole.split_once('\n').expect("there are lines");
    check("left-out", rest, 5, "\nINCOMPLETE, no level; ");
    check("left-out", rest, 5, "\nnot_run       BAS-01 ");
    let cut = &whole[..whole.len() - 20];
    check("cut", cut, 5, "and the file ends within it");
    let damaged = format!("{whole}hello\n");
    check("damaged", &damaged, 5, ": is not a line of the kit: ");
}

#[test]
fn nothing_to_report_about_is_a_wrong_call() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let empty = written(folder.path(), "empty.jsonl", "");
    let missing = folder.path().join("missing.jsonl").display().to_string();
    let nowhere = folder.path().join("nothing");
    std::fs::create_dir(&nowhere).expect("it is new");
    for path in [&empty, &missing, &nowhere.display().to_string()] {
        assert_eq!(report(&[path]), (String::new(), Some(2)), "{path}");
    }
}

#[test]
fn a_folder_stands_for_the_files_of_lines_in_it() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let whole = journal(&Value::Null);
    let lines: Vec<_> = whole.split_inclusive('\n').collect();
    let (some, rest) = lines.split_at(20);
    written(folder.path(), "one.jsonl", &some.concat());
    written(folder.path(), "two.jsonl", &rest.concat());
    written(folder.path(), "other.txt", "no line");
    let (printed, exit) = report(&[&folder.path().display().to_string(), "--json"]);
    assert_eq!(exit, Some(0), "{printed}");
    let document: Value = serde_json::from_str(&printed).expect("one JSON object");
    assert_eq!(document["remarks"], json!([]));
    assert_eq!(document["reports"].as_array().map(Vec::len), Some(1));
    assert_eq!(document["reports"][0]["level"], "L2");
}

#[test]
fn the_page_shows_level_claims_waivers_and_what_was_found_and_nothing_from_elsewhere() {
    let mut lines = journal(&failing("DUP-07", "got 2:\n  one |---|\n  two   |---|"));
    for line in ["not json", "{\"crashpoint_law\":9}"] {
        lines.push_str(line);
        lines.push('\n');
    }
    let mut waived = line("BAS-01");
    waived["waived"] = json!({ "ISO-09": "ids are C strings" });
    waived["at_ms"] = 1_700_000_000_001_u64.into();
    lines.push_str(&format!("{waived}\n"));
    let page = of_certificates(&merged(&lines));
    for part in [
        "failed, no level",
        "not reached",
        "<code>reopen</code>",
        "ids are C strings",
        "<p class=\"said\"><bdi>got 2:</bdi></p>",
        "  one |---|\n  two   |---|",
        "lines.jsonl:",
        "has format 9; this kit reads format 1",
        "2023-11-14T22:13:20Z",
        "prefers-color-scheme: dark",
        "<svg class=\"badge\"",
    ] {
        assert!(page.contains(part), "{part:?} is missing");
    }
    for law in catalogue() {
        assert!(
            page.contains(&format!("id=\"c0-{}\"", law.id)),
            "{}",
            law.id
        );
    }
    for elsewhere in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(elsewhere), "{elsewhere:?} is there");
    }
    let links = page.split("href=\"#").skip(1);
    for target in links.filter_map(|rest| rest.split('"').next()) {
        assert!(
            page.contains(&format!("id=\"{target}\"")),
            "{target} is nowhere"
        );
    }
}

/// Names, reasons and messages are a user's.
#[test]
fn no_text_of_a_users_breaks_out_of_page_markdown_or_terminal() {
    const NASTY: &str = "</pre><script>alert(1)</script> | \u{1b}[2J \u{202e} <!-- `x";
    let mut lines = String::new();
    for mut line in [failing("DUP-07", NASTY), failing("BAS-01", NASTY)] {
        line["package"] = NASTY.into();
        line["harness"] = NASTY.into();
        line["waived"] = json!({ "ISO-09": NASTY });
        lines.push_str(&format!("{line}\n"));
    }
    lines.push_str(NASTY);
    let merged = merged(&lines);
    let page = of_certificates(&merged);
    assert_eq!(page.matches("<script>").count(), 1, "our own");
    let markdown = markdown::of_all(&merged);
    let inline = markdown.lines().filter(|line| !line.starts_with("    "));
    for line in inline.filter(|line| line.contains("script")) {
        assert!(
            !line.contains("<script") || line.contains("\\<script"),
            "{line}"
        );
        assert!(!line.contains(" | \\u"), "{line}");
    }
    let folder = tempfile::tempdir().expect("a folder is made");
    let (printed, _) = report(&[&written(folder.path(), "nasty", &lines)]);
    for shown in [&page, &markdown, &printed] {
        assert!(shown.contains("alert(1)"), "it is shown");
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'));
    }
}

#[test]
fn a_badge_says_the_least_of_several_certificates() {
    let said = |lines: &str| {
        let badge = badge::of_all(&merged(lines).reports);
        let spoken = badge
            .split("aria-label=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        spoken.expect("it is spoken").to_owned()
    };
    let whole = journal(&Value::Null);
    assert_eq!(said(&whole), "crashpoint: L2 reopening");
    let other = |line: &str| line.replace("conformance::Mine", "conformance::Other");
    let two = format!("{whole}{}", other(&line("BAS-01").to_string()));
    assert_eq!(said(&two), "crashpoint: incomplete");
    let three = format!("{two}\n{}", failing("BAS-02", "got nothing"));
    assert_eq!(said(&three), "crashpoint: failed");
    assert_eq!(said(""), "crashpoint: no results");
}

#[test]
fn laws_that_were_not_run_for_one_reason_are_told_together() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let of_the_contract = catalogue().iter().filter(|law| law.claim.is_none());
    let lines: String = of_the_contract
        .map(|law| format!("{}\n", line(&law.id.to_string())))
        .collect();
    let file = written(folder.path(), "contract", &lines);
    let (short, _) = report(&[&file]);
    assert!(
        short.contains(
            "\nnot_claimed   power_loss: DUR-08, DUR-09, DUR-10, DUR-11, DUR-13, DUR-15, DUR-17, DUR-19\n"
        ),
        "{short}"
    );
    let alone = "\nnot_claimed   RUN-07 works outside of tokio\n              any_executor\n";
    assert!(short.contains(alone), "{short}");
    let (long, _) = report(&[&file, "--laws"]);
    assert!(long.contains("\nnot_claimed   DUR-09 "), "{long}");
}

#[test]
fn the_time_in_all_is_not_the_sum_of_laws_that_ran_side_by_side() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let beside = journal(&Value::Null);
    let (printed, _) = report(&[&written(folder.path(), "beside", &beside)]);
    let sum = format!("{:.1} s", 1.2 * catalogue().len() as f64);
    let both = format!("; 1.2 s total, {sum} of laws in parallel\n");
    assert!(printed.contains(&both), "{printed}");
    let mut end = 1_700_000_000_000_u64;
    let one_by_one: String = catalogue()
        .iter()
        .map(|law| {
            end += 1200;
            let mut line = line(&law.id.to_string());
            line["at_ms"] = end.into();
            format!("{line}\n")
        })
        .collect();
    let (printed, _) = report(&[&written(folder.path(), "one-by-one", &one_by_one)]);
    assert!(printed.contains(&format!("; {sum} total\n")), "{printed}");
}

#[test]
fn every_law_is_listed_where_that_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let file = written(folder.path(), "whole", &journal(&Value::Null));
    let (short, _) = report(&[&file]);
    let (long, _) = report(&[&file, "--laws"]);
    assert!(!short.contains("BAS-02"), "{short}");
    assert!(
        long.contains(
            "\npass          BAS-02 every field of a row comes back as appended (1.2 s)\n"
        ),
        "{long}"
    );
    let (markdown, _) = report(&[&file, "--markdown"]);
    assert!(
        markdown.contains(
            "\n| BAS-02 | every field of a row comes back as appended | pass | 1.2 s |\n"
        ),
        "{markdown}"
    );
}

/// The changes that `report` prints, without what it is about.
fn changes_since(old: &str, new: &str) -> Vec<String> {
    let (printed, exit) = report(&[new, "--against", old]);
    assert_ne!(exit, Some(2), "{printed}");
    let (_, since) = printed.split_once("\nsince ").expect("it prints changes");
    let lines = since.lines().skip(1);
    lines
        .map(|line| {
            line.split_once(": ")
                .expect("the store is named")
                .1
                .to_owned()
        })
        .collect()
}

#[test]
fn a_report_says_what_has_changed_since_an_earlier_certificate() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let whole = journal(&Value::Null);
    let old = written(folder.path(), "old.jsonl", &whole);
    assert_eq!(changes_since(&old, &old), ["nothing has changed"]);

    let broken = journal(&failing("DUP-07", "expected one, got 2"));
    let broken = broken.replace("\"reopen\"", "\"limits\"");
    let broken = broken.replace(
        "\"millis\":1200",
        "\"millis\":1200,\"environment\":{\"server\":\"16.1\"}",
    );
    let new = written(folder.path(), "new.jsonl", &broken);
    let changes = changes_since(&old, &new);
    assert_eq!(changes[0], "level L2 -> none");
    for change in [
        "DUP-07 pass -> fail: expected one, got 2",
        "DUR-01 pass -> not_claimed",
        "claims: + limits, - reopen",
        "server: none -> 16.1",
    ] {
        assert!(
            changes.iter().any(|it| it == change),
            "{change} in {changes:?}"
        );
    }

    // The same against the JSON of the old certificate.
    let (json, _) = report(&[&old, "--json"]);
    let kept = written(folder.path(), "old.json", &json);
    assert_eq!(changes_since(&kept, &new), changes);
    let (json, _) = report(&[&new, "--json", "--against", &kept]);
    let json: Value = serde_json::from_str(&json).expect("one JSON object");
    assert_eq!(json["since"][0]["changes"], json!(changes));
    let (markdown, _) = report(&[&new, "--markdown", "--against", &kept]);
    assert!(markdown.contains("## Since "), "{markdown}");

    let none = written(folder.path(), "none.json", "{}");
    assert_eq!(report(&[&new, "--against", &none]).1, Some(2));
}

/// Two settings of one backend.
#[test]
fn certificates_side_by_side_show_what_differs() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let safe = journal(&Value::Null).replace("conformance::Mine", "conformance::Safe");
    let fast = journal(&failing("DUP-07", "expected one, got 2"));
    let fast = fast.replace("conformance::Mine", "conformance::Fast");
    let fast = fast.replace("\"reopen\"", "\"limits\"");
    let file = written(folder.path(), "both.jsonl", &format!("{safe}{fast}"));
    let (markdown, _) = report(&[&file, "--beside", "--markdown"]);
    let (_, table) = markdown
        .split_once("## Side by side\n\n")
        .expect("there is a table");
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(
        lines[0],
        "| | backend 0.3.1 conformance::Fast | backend 0.3.1 conformance::Safe |"
    );
    for line in [
        "| level | none | L2 |",
        "| result | failed | passed |",
        "| reopen | - | claimed |",
        "| DUP-07 | fail | pass |",
        "| DUR-01 | not claimed | pass |",
    ] {
        assert!(lines.contains(&line), "{line} in {table}");
    }
    assert!(!table.contains("BAS-01"), "it does not differ: {table}");
    let (printed, _) = report(&[&file, "--beside"]);
    let (_, table) = printed
        .split_once("\nside by side:\n  A: backend 0.3.1 conformance::Fast\n")
        .expect("there is a table");
    assert!(table.contains(" DUP-07"), "{table}");
    assert_eq!(report(&[&file, "--beside", "--json"]).1, Some(2));
}
