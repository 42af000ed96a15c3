//! What no line of a file may say, and how long a file may be.

use super::Finding;
use super::source::{code, names};

/// Longest Rust file, in lines: more than a newcomer reads in one sitting.
const LINES_MAX: usize = 700;

/// The file whose private `begin` is the only way to a write transaction of redb's.
const THE_TABLES: &str = "engine/src/store/redb/tables.rs";

/// What that `begin` is. A commit in one phase, or one in two after it, is exposed to a failed sync.
const BEGIN: &str = "
pub(super) fn begin(redb: &redb::Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = redb.begin_write()?;
    transaction.set_two_phase_commit(true);
    Ok(transaction)
}
";

/// What a rule looks at.
enum View {
    /// Code, without comments and the insides of literals.
    Code,
    /// Every character.
    Text,
}

struct Rule {
    name: &'static str,
    applies: fn(&str) -> bool,
    view: View,
    needles: &'static [&'static str],
    why: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        name: "tokio-behind-the-runtime",
        applies: |path| path.starts_with("engine/src/") && path != "engine/src/runtime.rs",
        view: View::Code,
        needles: &["tokio"],
        why: "the engine names tokio in runtime.rs only",
    },
    Rule {
        name: "no-madsim-in-the-engine",
        applies: |path| path.starts_with("engine/"),
        view: View::Text,
        needles: &["madsim"],
        why: "a lane of the simulator brings its own Runtime",
    },
    Rule {
        name: "core-is-pure",
        applies: |path| path.starts_with("engine/src/core/"),
        view: View::Code,
        needles: &[
            "async",
            "await",
            "Future",
            "Instant",
            "SystemTime",
            "CheckpointStore",
            "getrandom",
            "std::env",
            "std::fs",
            "std::io",
            "std::net",
            "std::process",
            "std::thread",
        ],
        why: "core never awaits, reads a clock, a file or a random source, or knows a store",
    },
    Rule {
        // One control has a map without order, to see that it is noticed.
        name: "ordered-maps",
        applies: |path| {
            is_source(path)
                && (path.starts_with("engine/") || path.starts_with("simulator/"))
                && path != "simulator/src/workload/controls.rs"
        },
        view: View::Code,
        needles: &["HashMap", "HashSet"],
        why: "iteration order differs between processes; use BTreeMap or BTreeSet",
    },
    Rule {
        name: "one-way-to-a-write-transaction",
        applies: |path| path.starts_with("engine/src/") && path != THE_TABLES,
        view: View::Code,
        needles: &[
            "begin_write",
            "try_begin_write",
            "set_two_phase_commit",
            "WriteTransaction",
        ],
        why: "only begin in store/redb/tables.rs opens one, and has it commit in two phases",
    },
    Rule {
        name: "features-at-the-edge",
        applies: |path| {
            path.starts_with("engine/src/")
                && !["engine/src/lib.rs", "engine/src/store/mod.rs"].contains(&path)
                && !path.starts_with("engine/src/observe/")
        },
        view: View::Code,
        needles: &["feature ="],
        why: "features are asked for in lib.rs, observe/ and store/mod.rs only",
    },
    Rule {
        // The kit's macro may: it marks the laws of what a store does not claim, with the reason.
        name: "no-ignored-tests",
        applies: |path| is_rust(path) && path != "conformance/src/certify.rs",
        view: View::Code,
        needles: &["#[ignore", ", ignore)]", ", ignore ="],
        why: "an ignored test is a parking place: fix it or delete it",
    },
    Rule {
        name: "tests-live-in-tests",
        applies: is_source,
        view: View::Code,
        needles: &["cfg(test", "(test,", ", test)"],
        why: "tests live in the crate's tests folder",
    },
    Rule {
        name: "nothing-unfinished",
        applies: is_rust,
        view: View::Code,
        needles: &["todo!", "unimplemented!", "dbg!"],
        why: "finish it, or open an issue",
    },
    Rule {
        name: "no-notes-to-self",
        applies: |_| true,
        view: View::Text,
        needles: &[concat!("FIX", "ME")],
        why: "finish it, or open an issue",
    },
    Rule {
        name: "no-machine-paths",
        applies: |_| true,
        view: View::Text,
        needles: &[
            concat!("/ro", "ot/"),
            concat!("/wo", "rk/"),
            concat!("/ho", "me/"),
        ],
        why: "a path of one machine",
    },
    Rule {
        name: "no-registry-hosts",
        applies: |path| !path.ends_with("Cargo.lock"),
        view: View::Text,
        needles: &[
            concat!("://crates", ".io"),
            concat!("index.crates", ".io"),
            concat!("static.crates", ".io"),
            concat!("registry+", "http"),
        ],
        why: "where crates come from is the business of whoever builds",
    },
];

fn is_rust(path: &str) -> bool {
    path.ends_with(".rs")
}

/// Whether `path` is Rust that is compiled into a crate, not into its tests.
fn is_source(path: &str) -> bool {
    is_rust(path) && path.split('/').any(|part| part == "src")
}

pub(super) fn check(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let code = if is_rust(path) {
        code(text)
    } else {
        text.to_owned()
    };
    for rule in RULES.iter().filter(|rule| (rule.applies)(path)) {
        let lines = match rule.view {
            View::Code => code.lines(),
            View::Text => text.lines(),
        };
        for (index, line) in lines.enumerate() {
            if let Some(needle) = rule.needles.iter().find(|needle| names(line, needle)) {
                let message = format!("{needle:?} breaks {}: {}", rule.name, rule.why);
                findings.push(Finding::new(path, index + 1, message));
            }
        }
    }
    if path == THE_TABLES {
        findings.extend(check_begin(path, &code));
    }
    findings.extend(check_length(path, text));
    findings
}

/// The store begins its transactions in [`BEGIN`] and nowhere else.
fn check_begin(path: &str, code: &str) -> Vec<Finding> {
    let breaks = "breaks one-way-to-a-write-transaction";
    let mut findings = Vec::new();
    if !code.contains(BEGIN) {
        let message = format!("{breaks}: `begin` is not what it was checked to be");
        findings.push(Finding::new(path, 1, message));
    }
    let elsewhere = code.replacen(BEGIN, &"\n".repeat(BEGIN.lines().count()), 1);
    for (index, line) in elsewhere.lines().enumerate() {
        let setters = [
            "begin_write",
            "try_begin_write",
            "set_two_phase_commit",
            "set_durability",
        ];
        if let Some(setter) = setters.iter().find(|setter| names(line, setter)) {
            let message = format!("{setter:?} {breaks}: `begin` is the only one that may");
            findings.push(Finding::new(path, index + 1, message));
        }
    }
    findings
}

fn check_length(path: &str, text: &str) -> Option<Finding> {
    let lines = text.lines().count();
    let message = format!("{lines} lines exceed the limit of {LINES_MAX}");
    (is_rust(path) && lines > LINES_MAX).then(|| Finding::new(path, lines, message))
}

#[test]
fn every_rule_is_seen_failing_and_passing() {
    // Rule, path, a text whose second line breaks it, a text that does not.
    let cases = [
        (
            "tokio-behind-the-runtime",
            "engine/src/engine.rs",
            "//! a\nuse tokio::time;\n",
            "//! Runs on tokio.\nuse crate::runtime::TokioRuntime;\n",
        ),
        (
            "no-madsim-in-the-engine",
            "engine/Cargo.toml",
            "[dependencies]\nmadsim = \"0.2\"\n",
            "[dependencies]\n",
        ),
        (
            "core-is-pure",
            "engine/src/core/life.rs",
            "\nasync fn load() {}\n",
            "//! Never awaits; `async` is for drivers.\nuse std::time::Duration;\n",
        ),
        (
            "core-is-pure",
            "engine/src/core/life.rs",
            "\nuse crate::recovery::{CheckpointRow, CheckpointStore};\n",
            "\nuse crate::recovery::CheckpointRow;\n",
        ),
        (
            "core-is-pure",
            "engine/src/core/life.rs",
            "\nlet now = std::time::SystemTime::now();\n",
            "\nlet now = unix_ms;\n",
        ),
        (
            "ordered-maps",
            "simulator/src/history/world.rs",
            "\nuse std::collections::HashMap;\n",
            "\nuse std::collections::BTreeMap; // not a HashMap\n",
        ),
        (
            "one-way-to-a-write-transaction",
            "engine/src/store/redb/mod.rs",
            "\nlet transaction = redb.begin_write()?;\n",
            "\nlet read = redb.begin_read()?; // not begin_write\n",
        ),
        (
            "features-at-the-edge",
            "engine/src/driver/mod.rs",
            "\n#[cfg(feature = \"tracing\")]\n",
            "\n#[cfg(unix)]\n",
        ),
        (
            "no-ignored-tests",
            "engine/tests/main/fence.rs",
            "#[test]\n#[ignore = \"slow\"]\nfn a() {}\n",
            "#[test]\nfn ignore() {}\n",
        ),
        (
            "no-ignored-tests",
            "engine/tests/main/fence.rs",
            "#[test]\n#[cfg_attr(windows, ignore)]\nfn a() {}\n",
            "#[test]\n#[cfg_attr(windows, allow(unused))]\nfn a() {}\n",
        ),
        (
            "tests-live-in-tests",
            "conformance/src/lib.rs",
            "\n#[cfg(test)]\nmod tests {}\n",
            "\n#[cfg(doctest)]\nmod tests {}\n",
        ),
        (
            "nothing-unfinished",
            "benches/src/lib.rs",
            "\nfn a() { todo!() }\n",
            "\nfn a() { log(\"todo!\") }\n",
        ),
        (
            "no-notes-to-self",
            "DESIGN.md",
            concat!("\nFIX", "ME later\n"),
            "\nfix me later\n",
        ),
        (
            "no-machine-paths",
            "README.md",
            concat!("\nSee /ro", "ot/.cargo.\n"),
            "\nSee the roots.\n",
        ),
        (
            "no-registry-hosts",
            "README.md",
            concat!("\nhttps://crates", ".io/crates/x\n"),
            "\nthe crate x\n",
        ),
    ];
    for (rule, path, broken, kept) in cases {
        let findings = check(path, broken);
        let [finding] = &findings[..] else {
            panic!("{rule} finds one thing, found {findings:?}");
        };
        assert!(finding.message.contains(rule), "{finding:?}");
        assert_eq!(finding.line, 2, "{finding:?}");
        assert_eq!(check(path, kept), [], "{rule}");
    }
    for rule in RULES {
        let seen = cases.iter().any(|(name, ..)| *name == rule.name);
        assert!(seen, "{} has a case", rule.name);
    }
}

#[test]
fn another_way_to_a_write_transaction_is_found() {
    let found = |text: &str| {
        let findings = check(THE_TABLES, text);
        let lines = findings.iter().map(|finding| finding.line);
        lines.collect::<Vec<_>>()
    };
    let rest = "fn append() {\n    let transaction = begin(redb)?;\n}\n";
    let whole = format!("//! Names begin_write.\n{BEGIN}\n{rest}");
    assert_eq!(found(&whole), Vec::<usize>::new());
    // One phase, in `begin` itself.
    for (kept, broken) in [
        ("two_phase_commit(true)", "two_phase_commit(false)"),
        ("    transaction.set_two_phase_commit(true);\n", ""),
        ("pub(super) fn begin(redb", "pub fn begin(redb"),
    ] {
        let broken = whole.replace(kept, broken);
        assert!(found(&broken).contains(&1), "{broken}");
    }
    // Beside it.
    for (line, broken) in [
        (10, whole.replace("= begin(redb)?", "= redb.begin_write()?")),
        (
            10,
            whole.replace("= begin(redb)?", "= redb.try_begin_write()?"),
        ),
        (
            12,
            format!("{whole}transaction.set_two_phase_commit(false);\n"),
        ),
        (
            12,
            format!("{whole}transaction.set_durability(Durability::None);\n"),
        ),
    ] {
        assert_eq!(found(&broken), [line], "{broken}");
    }
}

#[test]
fn rules_end_where_they_are_said_to_end() {
    assert_eq!(check("engine/src/runtime.rs", "use tokio::time;\n"), []);
    assert_eq!(check("engine/tests/main/a.rs", "use tokio::time;\n"), []);
    assert_eq!(
        check("engine/src/lib.rs", "#[cfg(feature = \"tracing\")]\n"),
        []
    );
    assert_eq!(
        check(
            "simulator/tests/main/a.rs",
            "use std::collections::HashSet;\n"
        ),
        []
    );
    assert_eq!(
        check("Cargo.lock", concat!("source = \"registry+", "https\"\n")),
        []
    );
}

#[test]
fn a_file_that_is_too_long_is_found() {
    let long = "x\n".repeat(LINES_MAX + 1);
    let message = "701 lines exceed the limit of 700";
    assert_eq!(check("a.rs", &long), [Finding::new("a.rs", 701, message)]);
    assert_eq!(check("a.rs", &long[2..]), []);
    assert_eq!(check("a.md", &long), []);
}
