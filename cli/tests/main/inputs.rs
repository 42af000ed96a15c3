//! Paths that lead to something other than the expected file: the command waits for no pipe, reads no
//! device to its end, and says which file it refuses and why.
#![cfg(unix)]

use std::fs::File;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use crashpoint::RedbReader;
use crashpoint_simulator::Recording;
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

/// Runs `command` on each kind, and checks its exit code and its message. `PATH` in it stands for the
/// file, `FOLDER` for the folder around it.
fn check(command: &str, extension: &str, expected: &[(i32, String); KINDS.len()]) {
    for (kind, (code, message)) in KINDS.iter().zip(expected) {
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
        assert_eq!(
            error,
            format!("error: {message}\n"),
            "{command} of a {kind}"
        );
        assert_eq!(output.status.code(), Some(*code), "{command} of a {kind}");
    }
}

/// As [`check`], for a file of text whose lines have at most `line_bytes` bytes. `said` says that a path
/// can't be read.
fn check_text(command: &str, extension: &str, said: fn(&str) -> String, line_bytes: usize) {
    let reasons = [
        "is not a regular file".to_owned(),
        "is not a regular file".to_owned(),
        "is a directory".to_owned(),
        "is longer than the limit of 67108864 bytes".to_owned(),
        format!("line 1 is longer than the limit of {line_bytes} bytes"),
    ];
    let mut kinds = KINDS.iter();
    let expected = reasons.map(|reason| {
        let kind = kinds.next().expect("each kind has a reason");
        let said = said(&format!("DIR/{kind}{extension}"));
        (2, format!("{said}: {reason}"))
    });
    check(command, extension, &expected);
}

/// `explain`, `report` and a corpus waited for the writer of a pipe, read `/dev/zero` until the memory was
/// full, and repeated a line of a gibibyte as their message.
#[test]
fn a_recording_is_a_regular_file_within_limits() {
    for command in ["replay PATH", "explain PATH", "shrink PATH"] {
        check_text(command, "", |path| format!("cannot read {path:?}"), 1 << 20);
    }
    let can_not = |path: &str| format!("can't read {path}");
    check_text("soak --seeds 1 --corpus FOLDER", ".tape", can_not, 1 << 20);
}

#[test]
fn a_journal_is_a_regular_file_within_limits() {
    let can_not = |path: &str| format!("can't read {path}");
    check_text("report FOLDER", ".jsonl", can_not, 16 << 20);
}

#[test]
fn the_file_of_a_store_is_a_regular_file() {
    let damaged = "I/O error: Not a redb database: magic number mismatch";
    let expected = [
        (2, "pipe", "is not a regular file"),
        (2, "device", "is not a regular file"),
        (2, "folder", "is a directory"),
        (1, "sparse", damaged),
        (1, "line", damaged),
    ];
    let expected = expected
        .map(|(code, kind, reason)| (code, format!("checkpoint store: DIR/{kind}: {reason}")));
    for command in ["doctor PATH", "runs PATH", "show PATH order-1"] {
        check(command, "", &expected);
    }
}

/// A path that led to a file when it was looked at and to a pipe when it was opened hung until somebody
/// wrote to the pipe.
#[test]
fn a_path_that_is_swapped_for_a_pipe_is_not_waited_for() {
    const TURNS: usize = 2_000;
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str| folder.path().join(name);
    let (path, file, pipe) = (place("path"), place("file"), place("pipe"));
    std::fs::write(&file, "no tape").expect("it is written");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo runs").success());
    std::fs::hard_link(&file, &path).expect("it is linked");
    let swapping = AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for source in [&pipe, &file].into_iter().cycle() {
                if !swapping.load(Ordering::Relaxed) {
                    break;
                }
                let next = place("next");
                std::fs::hard_link(source, &next).expect("it is linked");
                std::fs::rename(&next, &path).expect("it is renamed");
            }
        });
        for _ in 0..TURNS {
            assert!(Recording::read(&path.display().to_string()).is_err());
            assert!(RedbReader::open(&path).is_err());
        }
        swapping.store(false, Ordering::Relaxed);
    });
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
