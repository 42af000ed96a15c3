//! Upgrades of a workflow, as workloads among the others: explored by name, broken on purpose, and each
//! violation run again from its token.

use serde_json::Value;

use crate::command::{crashpoint, text};

/// An upgrade that refuses every log, and bounds within which an oracle objects at once.
const BROKEN: &[&str] = &[
    "explore",
    "--workload",
    "upgrade-forgets-version-old-new",
    "--store",
    "memory",
    "--within",
    "c1",
];

/// What is printed, where it exits with `code`.
fn printed(code: i32, arguments: &[&str]) -> String {
    let output = crashpoint(arguments);
    let (printed, said) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}\n{printed}{said}"
    );
    printed
}

fn json(code: i32, arguments: &[&str]) -> Value {
    let report = printed(code, &[arguments, &["--json"]].concat());
    serde_json::from_str(&report).expect("it is JSON")
}

fn contains_all(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
}

#[test]
fn upgrades_are_explored_by_one_name_and_their_logs_are_counted() {
    let upgrades = [
        "explore",
        "--workload",
        "upgrades",
        "--store",
        "memory",
        "--crashes",
        "1",
    ];
    let report = printed(0, &upgrades);
    contains_all(
        &report,
        &[
            "logs of the other release",
            "upgrade-renames-state-old-new over memory\n  the new release, for ",
            "    runs of version 1 are refused: it has no state Pack\n      open in Pack: ",
            "Upgrades: the name ends with the releases of the first lives.",
        ],
    );
    let report = json(0, &upgrades);
    let rows = report["workloads"].as_array().expect("rows");
    assert_eq!(rows.len(), 9);
    for row in rows {
        let name = row["name"].as_str().expect("a name");
        let logs = &row["logs"];
        let found = |key: &str| logs[key].as_u64().expect("a count");
        let refuses = found("new_release_refuses") > 0;
        assert!(
            refuses || found("new_release_carries") > 0,
            "{name}: {logs}"
        );
        assert_eq!(refuses, name.starts_with("upgrade-removes-state"), "{name}");
    }
    let of_order = json(
        0,
        &[
            "explore",
            "--workload",
            "order",
            "--store",
            "memory",
            "--crashes",
            "1",
        ],
    );
    assert!(of_order["workloads"][0].get("logs").is_none());
}

#[test]
fn a_mutant_of_the_new_release_is_caught() {
    let mutant = [
        "explore",
        "--workload",
        "upgrades",
        "--store",
        "memory",
        "--within",
        "c1",
        "--mutant",
        "MismatchBeforeClaim",
    ];
    let report = json(1, &mutant);
    let rows = report["workloads"].as_array().expect("rows");
    let caught = rows.iter().filter(|row| row["violations"][0].is_object());
    let names: Vec<&str> = caught.filter_map(|row| row["name"].as_str()).collect();
    assert!(
        names.contains(&"upgrade-removes-state-old-new~MismatchBeforeClaim"),
        "{names:?}"
    );
}

#[test]
fn a_violation_of_an_upgrade_is_run_again_from_its_token() {
    let report = json(1, BROKEN);
    let violation = &report["workloads"][0]["violations"][0];
    assert_eq!(violation["oracle"], "releases-carry-logs");
    let replay = violation["replay"].as_str().expect("a command");
    let token = replay.trim_start_matches("crashpoint replay ");
    contains_all(
        &printed(1, &["replay", token]),
        &[
            "releases\n  life 1  the old release, version 1\n  life 2  the new release, version 2",
            "violations\n  releases-carry-logs: life 2, of the new release, refuses ",
            "identical in two runs",
        ],
    );
    contains_all(
        &printed(1, &["explain", token]),
        &[
            "broken first: releases-carry-logs: ",
            "what to change: ",
            "releases\n  life 1",
        ],
    );
    contains_all(&printed(1, &["shrink", token]), &["local minimum"]);
    let folder = tempfile::tempdir().expect("a folder is made");
    let file = folder.path().join("page.html").display().to_string();
    printed(1, &["explain", token, "--html", &file]);
    let page = std::fs::read_to_string(&file).expect("the page was written");
    contains_all(
        &page,
        &[
            "releases-carry-logs",
            "The new release",
            "life 2  the new release, version 2",
        ],
    );
    printed(1, &[BROKEN, &["--html", &file]].concat());
    let page = std::fs::read_to_string(&file).expect("the page was written");
    contains_all(&page, &["Promises are broken.", "The new release"]);
}

#[test]
fn an_upgrade_is_replayed_from_words() {
    let replay = [
        "replay",
        "--workload",
        "upgrade-renames-state-old-new",
        "--schedule",
        "v1; at life1/append#1:acked: crash",
    ];
    contains_all(
        &printed(0, &replay),
        &["life 2  the new release, version 2", "violations\n  none"],
    );
}
