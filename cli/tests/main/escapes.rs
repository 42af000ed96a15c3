//! Text from outside in every output of the command: no medium gets a character raw that hides or moves
//! text, and every document is still what it says.

use std::path::Path;
use std::process::Output;

use pulldown_cmark::{Event, Options, Parser};
use serde_json::Value;

use crate::certificates::{failing, journal};
use crate::command::{crashpoint, text};
use crate::stored::named;

/// Whether a character must not come out raw, by a list of its own.
fn is_hostile(character: char) -> bool {
    matches!(character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
        | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{2800}' | '\u{3164}' | '\u{e000}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{fffe}' | '\u{ffff}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}' | '\u{10ffff}')
}

/// Names that are markup somewhere, and sequences that a terminal obeys.
const NAMES: [&str; 8] = [
    "<script>alert(1)</script><img src=x onerror=y>",
    "`<b>``` | *a* [x](http://e.example) ~~s~~ \\",
    "]]><!-- & &lt; \"q\" 'q'",
    "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m",
    "\u{202e}gpj.exe\u{2066}",
    "name\nerror: forged",
    "\u{3164}\u{115f}\u{1160}\u{ffa0}",
    "\u{fffe}\u{ffff}",
];

/// The hostile characters, a few dozen at a time since texts are cut, and the names.
fn texts() -> Vec<String> {
    let all: Vec<char> = (1..=u32::from(char::MAX))
        .filter_map(char::from_u32)
        .filter(|character| is_hostile(*character))
        .collect();
    let few = all.chunks(60).map(|few| few.iter().collect());
    few.chain(NAMES.map(str::to_owned)).collect()
}

#[track_caller]
fn check(output: &str, what: &str) {
    let raw = output.chars().find(|it| *it != '\n' && is_hostile(*it));
    assert_eq!(raw, None, "raw in {what}:\n{}", output.escape_debug());
}

/// What was printed, checked.
#[track_caller]
fn checked(output: &Output, what: &str) -> String {
    check(&text(&output.stderr), what);
    let printed = text(&output.stdout);
    check(&printed, what);
    let said = text(&output.stderr);
    for printed in [&printed, &said] {
        // A message of a law may have lines, each indented.
        assert!(!printed.contains("\nerror: forged"), "{what}: {printed}");
    }
    printed
}

#[track_caller]
fn parsed(json: &str) -> Value {
    serde_json::from_str(json).expect("it is JSON")
}

/// JSON had C1 controls, DEL and right-to-left marks raw, and fillers looked like blanks.
#[test]
fn what_a_store_holds_is_escaped_in_every_output() {
    for hostile in texts() {
        let fixture = named(&hostile);
        let path = fixture.folder().join("runs.redb").display().to_string();
        for command in [
            &["doctor", &*path][..],
            &["runs", &path],
            &["show", &path, &hostile],
        ] {
            let printed = checked(&crashpoint(command), command[0]);
            assert!(!printed.is_empty(), "{command:?}");
            let json = crashpoint(&[command, &["--json"]].concat());
            parsed(&checked(&json, command[0]));
        }
        let shown = crashpoint(&["show", &path, &hostile, "--json"]);
        assert_eq!(
            parsed(&text(&shown.stdout))["run"],
            *hostile,
            "the same text"
        );
    }
}

/// `JUnit` with U+FFFE or U+FFFF in a name was no XML. A run of three backticks behind a single one made
/// Markdown of what was meant as code.
#[test]
fn what_a_journal_holds_is_escaped_in_every_form() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str| folder.path().join(name).display().to_string();
    let (lines, page, junit) = (place("l.jsonl"), place("p.html"), place("j.xml"));
    for hostile in texts() {
        let mut line = failing("BAS-01", &hostile);
        for name in ["package", "version", "module", "harness"] {
            line[name] = hostile.clone().into();
        }
        let whole = journal(&Value::Null);
        std::fs::write(&lines, format!("{whole}{line}\n{{{hostile}\n")).expect("it is written");
        let run = |more: &[&str]| {
            checked(
                &crashpoint(&[&["report", &*lines], more].concat()),
                "report",
            )
        };
        run(&[]);
        run(&["--laws"]);
        parsed(&run(&["--json"]));
        let markdown = run(&["--markdown"]);
        for event in Parser::new_ext(&markdown, Options::all()) {
            let is_markup = matches!(event, Event::Html(_) | Event::InlineHtml(_))
                || matches!(&event, Event::Start(pulldown_cmark::Tag::Link { .. }));
            assert!(!is_markup, "{event:?} of {hostile:?}");
        }
        run(&["--html", &page, "--junit", &junit]);
        let html = std::fs::read_to_string(&page).expect("it is written");
        check(&html, "the page");
        for tag in ["<script>alert", "<img src=x", "<!-- &"] {
            assert!(!html.contains(tag), "{tag} of {hostile:?}");
        }
        let xml = std::fs::read_to_string(&junit).expect("it is written");
        check(&xml, "the XML");
        quick_junit::Report::deserialize_from_str(&xml).expect("it is JUnit");
    }
}

/// Paths, labels and fingerprints of tapes, words of schedules and arguments reached the terminal raw.
#[test]
fn what_is_called_and_read_is_escaped_in_every_message() {
    for hostile in texts() {
        let folder = tempfile::tempdir().expect("a folder");
        let part: String = hostile.chars().filter(|it| *it != '/').take(60).collect();
        let place = |name: &str| folder.path().join(format!("{name}{part}"));
        let file = place("t").display().to_string();
        let tape = |fingerprint: &str| {
            let label = serde_json::to_string(&hostile).expect("a text");
            format!(
                "crashpoint tape 1\nworkload \"linear\"\nstore memory\nbudget c1\ndraws 1\n1 of 2 {label}\n\
                 fingerprint {fingerprint}\n"
            )
        };
        let digits = |said: &str| said.rsplit("have ").next().map(|rest| rest[..8].to_owned());
        std::fs::write(&file, tape("00000000")).expect("it is written");
        let said = checked(&crashpoint(&["replay", &file]), "a wrong fingerprint");
        assert_eq!(said, "");
        let said = text(&crashpoint(&["replay", &file]).stderr);
        let whole = tape(&digits(&said).expect("it is said"));
        for content in [whole, tape(&hostile), hostile.clone()] {
            std::fs::write(&file, content).expect("it is written");
            for command in ["replay", "explain", "shrink"] {
                checked(&crashpoint(&[command, &file]), command);
            }
        }
        let missing = place("no/such").display().to_string();
        let page = place("p").display().to_string();
        let calm = ["--workload", "linear", "--schedule", "no fault"];
        let explained = crashpoint(&[&["explain", "--html", &page], &calm[..]].concat());
        let said = checked(&explained, "explain --html");
        assert!(said.contains("written to "), "{said}");
        check(
            &std::fs::read_to_string(&page).expect("it is written"),
            "the page",
        );
        std::fs::remove_file(&page).expect("it is removed");
        let spaced = format!("--{hostile}");
        let corpus = folder.path().display().to_string();
        std::fs::rename(&file, Path::new(&corpus).join(format!("{part}.tape")))
            .expect("it is renamed");
        for command in [
            &["replay", &*hostile][..],
            &["replay", "--workload", "linear", "--schedule", &hostile],
            &["replay", "--workload", &hostile, "--schedule", "no fault"],
            &["explore", "--workload", &hostile],
            &["explore", "--within", &hostile],
            &["explore", "--mutant", &hostile],
            &["explore", "--html", &missing],
            &["vacuity", "--workload", &hostile],
            &["soak", "--seeds", "1", "--workload", &hostile],
            &["soak", "--seeds", "1", "--corpus", &corpus],
            &["certify", "--store", &hostile],
            &["report", &missing],
            &["doctor", &missing],
            &["show", &missing, &hostile],
            &["runs", &missing, "--at", &hostile],
            &[&*spaced],
        ] {
            let output = crashpoint(command);
            checked(&output, &format!("{command:?}"));
            assert_ne!(output.status.code(), Some(0), "{command:?}");
        }
    }
}
