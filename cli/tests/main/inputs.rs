//! Paths that lead to something other than the expected file: the command waits for no pipe, reads no
//! device to its end, and says which file it refuses and why.
#![cfg(unix)]

use std::fs::File;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::{Expect, expect};
use tempfile::TempDir;

use crate::command::{crashpoint, text};

/// A folder with each of [`KINDS`] under its name.
struct Hostile(TempDir);

const KINDS: [&str; 5] = ["pipe", "device", "folder", "sparse", "line"];

impl Hostile {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// Makes the file. Its name ends with `extension`, for the commands that look for files.
    fn place(&self, kind: &str, extension: &str) -> PathBuf {
        let path = self.0.path().join(format!("{kind}{extension}"));
        let made = match kind {
            "pipe" => Command::new("mkfifo").arg(&path).status().map(|_| ()),
            "device" => symlink("/dev/zero", &path),
            "folder" => std::fs::create_dir(&path),
            "sparse" => File::create(&path).and_then(|file| file.set_len(1 << 30)),
            _ => std::fs::write(&path, "x".repeat(20 << 20)),
        };
        made.expect("the folder takes it");
        path
    }
}

/// Runs `command` on each kind. `PATH` in it stands for the file, `FOLDER` for the folder around it.
fn check(command: &str, extension: &str, expected: &Expect) {
    let lines = KINDS.map(|kind| {
        let hostile = Hostile::new();
        let path = hostile.place(kind, extension);
        let as_text = |path: &Path| path.display().to_string();
        let arguments = command.split(' ').map(|argument| match argument {
            "PATH" => as_text(&path),
            "FOLDER" => as_text(hostile.0.path()),
            other => other.to_owned(),
        });
        let arguments: Vec<String> = arguments.collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = crashpoint(&arguments);
        assert_eq!(text(&output.stdout), "", "{command} of a {kind}");
        let error = text(&output.stderr).replace(&as_text(hostile.0.path()), "DIR");
        let code = output.status.code().expect("it ends by itself");
        format!("{code} {error}")
    });
    expected.assert_eq(&lines.concat());
}

/// `explain`, `report` and a corpus waited for the writer of a pipe, read `/dev/zero` until the memory was
/// full, and repeated a line of a gibibyte as their message.
#[test]
fn a_recording_is_a_regular_file_within_limits() {
    let expected = expect![[r#"
            2 error: cannot read "DIR/pipe": is not a regular file
            2 error: cannot read "DIR/device": is not a regular file
            2 error: cannot read "DIR/folder": is a directory
            2 error: cannot read "DIR/sparse": is longer than the limit of 67108864 bytes
            2 error: cannot read "DIR/line": line 1 is longer than the limit of 1048576 bytes
        "#]];
    for command in ["replay PATH", "explain PATH", "shrink PATH"] {
        check(command, "", &expected);
    }
    check(
        "soak --seeds 1 --corpus FOLDER",
        ".tape",
        &expect![[r#"
        2 error: can't read DIR/pipe.tape: is not a regular file
        2 error: can't read DIR/device.tape: is not a regular file
        2 error: can't read DIR/folder.tape: is a directory
        2 error: can't read DIR/sparse.tape: is longer than the limit of 67108864 bytes
        2 error: can't read DIR/line.tape: line 1 is longer than the limit of 1048576 bytes
    "#]],
    );
}

#[test]
fn a_journal_is_a_regular_file_within_limits() {
    check(
        "report FOLDER",
        ".jsonl",
        &expect![[r#"
        2 error: can't read DIR/pipe.jsonl: is not a regular file
        2 error: can't read DIR/device.jsonl: is not a regular file
        2 error: can't read DIR/folder.jsonl: is a directory
        2 error: can't read DIR/sparse.jsonl: is longer than the limit of 67108864 bytes
        2 error: can't read DIR/line.jsonl: line 1 is longer than the limit of 16777216 bytes
    "#]],
    );
}

#[test]
fn the_file_of_a_store_is_a_regular_file() {
    let expected = expect![[r#"
            2 error: checkpoint store: DIR/pipe: is not a regular file
            2 error: checkpoint store: DIR/device: is not a regular file
            2 error: checkpoint store: DIR/folder: is a directory
            1 error: checkpoint store: DIR/sparse: I/O error: Not a redb database: magic number mismatch
            1 error: checkpoint store: DIR/line: I/O error: Not a redb database: magic number mismatch
        "#]];
    for command in ["doctor PATH", "runs PATH", "show PATH order-1"] {
        check(command, "", &expected);
    }
}

/// A file that is no tape was repeated in the message, whatever its length.
#[test]
fn a_message_shows_the_beginning_of_what_it_refuses() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wrong.tape");
    let path = file.display().to_string();
    let errors = [
        "x".repeat(100_000),
        format!(
            "crashpoint tape 1\nworkload \"w\"\nstore {}",
            "\u{1b}[2J".repeat(9_000)
        ),
    ];
    for content in errors {
        std::fs::write(&file, content).expect("it is written");
        let error = text(&crashpoint(&["replay", &path]).stderr);
        assert!(error.len() < 20_000, "{} bytes", error.len());
        assert!(
            error.contains("x...") || error.contains("more characters"),
            "{error}"
        );
        assert_eq!(
            error.matches(|c: char| c.is_control()).count(),
            1,
            "{error}"
        );
    }
    let words = "y".repeat(100_000);
    let schedule = ["replay", "--workload", "linear", "--schedule", &words];
    for arguments in [&["replay", &*words][..], &schedule] {
        let error = text(&crashpoint(arguments).stderr);
        assert!(error.len() < 3_000, "{} bytes", error.len());
    }
}
