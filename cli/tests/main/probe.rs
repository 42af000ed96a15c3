//! `probe`: what it says of the file of a store, and what it leaves in it.

use crate::command::{crashpoint, text};
use crate::stored::{newer, two_runs};

#[test]
fn a_probe_of_a_store_leaves_its_runs_as_they_were() {
    let store = two_runs();
    let before = store.run("runs PATH --json --at 1767229261000");
    let probed = store.run("probe PATH --json");
    assert_eq!(probed.status.code(), Some(0), "{}", text(&probed.stderr));
    let report = text(&probed.stdout);
    assert!(
        report.starts_with("{\"version\":1,\"passed\":true,\"laws\":[\"BAS-01\","),
        "{report}"
    );
    let after = store.run("runs PATH --json --at 1767229261000");
    assert_eq!(text(&after.stdout), text(&before.stdout));
}

#[test]
fn a_file_that_is_not_there_is_not_created() {
    let store = two_runs();
    let path = store.folder().join("other.redb");
    let probed = crashpoint(&["probe", path.to_str().expect("a plain path")]);
    assert_eq!(probed.status.code(), Some(2), "{}", text(&probed.stdout));
    assert!(!path.exists());
}

#[test]
fn a_file_of_a_newer_format_is_a_finding() {
    let probed = newer().run("probe PATH");
    assert_eq!(probed.status.code(), Some(1), "{}", text(&probed.stdout));
}
