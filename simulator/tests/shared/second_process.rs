//! A test that runs again in a second process of this binary, and compares the lines of both.

use std::io::Write as _;
use std::process::Command;

/// Set in the second process, and the mark of its lines.
const CHILD: &str = "CRASHPOINT_TEST_HASHES";

/// The lines that the test of this name gives in another process. `None` in that process, which has written
/// its own lines then.
pub(crate) fn lines_of_another(test: &str, own: &[String]) -> Option<Vec<String>> {
    if std::env::var_os(CHILD).is_some() {
        // Written past the test harness, which captures `println!`.
        let mut out = std::io::stdout();
        for line in own {
            writeln!(out, "{CHILD} {line}").expect("the parent reads");
        }
        return None;
    }
    let binary = std::env::current_exe().expect("the test has a binary");
    let output = Command::new(binary)
        .args(["--exact", test])
        .env(CHILD, "1")
        .output()
        .expect("the binary runs again");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("lines are UTF-8");
    let mark = format!("{CHILD} ");
    let lines = text.lines().filter_map(|line| line.split_once(&mark));
    Some(lines.map(|(_, line)| line.to_owned()).collect())
}
