//! Instants that no calendar has: a clock may say anything, and so may a file.

use expect_test::expect;

use crate::certificates::{journal, line};
use crate::command::{crashpoint, text};
use crate::stored::begun_at;

/// The last millisecond of the year 9999, the first of the year 10000, and what a jump or a damaged clock
/// may say.
const INSTANTS: [u64; 5] = [
    253_402_300_799_999,
    253_402_300_800_000,
    253_402_300_800_001,
    i64::MAX as u64,
    u64::MAX,
];

/// `text` up to the end of the line that begins with `start`.
fn after<'a>(text: &'a str, start: &str) -> &'a str {
    let (_, rest) = text.split_once(start).expect("it is printed");
    rest.split(['\n', '<']).next().unwrap_or_default()
}

/// Checks how each instant is shown.
fn check(shown: impl Fn(u64) -> String) {
    let lines = INSTANTS.map(|unix_ms| format!("{}\n", shown(unix_ms)));
    let expected = expect![[r#"
        9999-12-31T23:59:59Z
        253402300800000 ms after 1970-01-01
        253402300800001 ms after 1970-01-01
        9223372036854775807 ms after 1970-01-01
        18446744073709551615 ms after 1970-01-01
    "#]];
    expected.assert_eq(&lines.concat());
}

/// `show` panicked on a healthy run whose clock had jumped beyond the year 9999, since no date of four
/// digits is there. Now it prints milliseconds.
#[test]
fn a_run_begun_after_the_year_9999_is_shown() {
    let shown = |unix_ms: u64| {
        let fixture = begun_at(unix_ms);
        for command in [
            "doctor PATH",
            "doctor PATH --json",
            "show PATH order-1 --json",
            "runs PATH --at 0",
            "runs PATH --at 18446744073709551615",
            "runs PATH --json",
        ] {
            let output = fixture.run(command);
            let said = text(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{command}: {said}");
        }
        let output = fixture.run("show PATH order-1");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        after(&text(&output.stdout), "started ").to_owned()
    };
    check(shown);
}

/// `report` panicked on a line whose `at_ms` is beyond the year 9999, and in a debug build on laws that
/// took more milliseconds in sum than 64 bits hold.
#[test]
fn a_report_of_an_absurd_instant_is_shown_in_every_form() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str| folder.path().join(name).display().to_string();
    let (lines, page, junit) = (place("l.jsonl"), place("p.html"), place("j.xml"));
    let shown = |unix_ms: u64| {
        let mut absurd = line("BAS-01");
        absurd["at_ms"] = unix_ms.into();
        absurd["millis"] = unix_ms.into();
        std::fs::write(&lines, journal(&absurd)).expect("the folder is there");
        let run = |more: &[&str]| {
            let output = crashpoint(&[&["report", &*lines], more].concat());
            assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
            text(&output.stdout)
        };
        run(&["--json", "--html", &page, "--junit", &junit]);
        let html = std::fs::read_to_string(&page).expect("it is written");
        let junit = std::fs::read_to_string(&junit).expect("it is written");
        assert!(quick_junit::Report::deserialize_from_str(&junit).is_ok());
        let (table, markdown) = (run(&["--laws"]), run(&["--markdown"]));
        let date = after(&table, "contract 1.0, ").to_owned();
        assert!(markdown.contains(&date) && html.contains(&date), "{date}");
        date
    };
    check(shown);
}
