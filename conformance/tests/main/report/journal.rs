//! The lines that tests append, whichever processes run them.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use crashpoint_conformance::{Claim, Merged, Verdict, catalogue, claim, merge};

use super::{Line, said, text};

/// Runs tests of this binary in another process.
fn start(arguments: &[&str], journal: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.env("CRASHPOINT_REPORT", journal);
    command.spawn().unwrap()
}

fn succeed(arguments: &[&str], journal: &Path) {
    let ended = start(arguments, journal).wait().unwrap();
    assert!(ended.success(), "{arguments:?}: {ended}");
}

fn read(journal: &Path) -> String {
    std::fs::read_to_string(journal).unwrap()
}

/// The names of tests of a suite that run and end quickly.
fn quick() -> Vec<String> {
    let mut laws: Vec<_> = catalogue().iter().collect();
    laws.retain(|law| ["bas", "dup", "err"].contains(&law.group.key) && law.claim.is_none());
    let names = laws.iter().map(|law| format!("memory::{}", law.name));
    names.collect()
}

/// Like cargo nextest: a process for each law, several at a time.
#[test]
fn a_process_for_each_law_and_one_for_all_leave_the_same_verdicts() {
    let folder = tempfile::tempdir().unwrap();
    let (alone, together) = (folder.path().join("alone"), folder.path().join("together"));
    let names = quick();
    for some in names.chunks(8) {
        let children: Vec<_> = some
            .iter()
            .map(|name| start(&["--exact", name], &alone))
            .collect();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
    }
    let all: Vec<_> = ["--exact"]
        .into_iter()
        .chain(names.iter().map(|name| &**name))
        .collect();
    succeed(&all, &together);
    let verdicts = |journal: &Path| -> Vec<String> {
        let Merged { reports, remarks } = merge([("journal", &*read(journal))]);
        assert_eq!(remarks, []);
        assert_eq!(reports.len(), 1);
        let laws = reports[0].laws().iter();
        laws.map(|law| format!("{} {}", law.law.id, law.verdict.word()))
            .collect()
    };
    assert_eq!(verdicts(&alone), verdicts(&together));
    assert_eq!(read(&alone).lines().count(), names.len());
    assert!(verdicts(&alone).contains(&"DUP-07 pass".to_owned()));
    assert!(verdicts(&alone).contains(&"ISO-01 not_run".to_owned()));
}

#[test]
fn a_line_says_whose_store_it_is_and_what_is_claimed() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.jsonl");
    let test = "reference::bas_01_an_unknown_id_loads_as_an_empty_run";
    succeed(&["--exact", test], &journal);
    let Merged { reports, .. } = merge([("journal", &*read(&journal))]);
    let report = &reports[0];
    let name = report.name();
    assert_eq!(name.package.as_deref(), Some("crashpoint-conformance"));
    assert_eq!(name.version.as_deref(), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(name.module.as_deref(), Some("main::reference"));
    assert!(name.harness.contains("WildcardKinds"), "{name}");
    let claims: Vec<Claim> = report.claims().collect();
    assert_eq!(
        claims,
        [
            claim::reopen,
            claim::any_executor,
            claim::atomic_cancellation,
            claim::fenced_cancellation,
            claim::settled
        ]
    );
    assert_eq!(said(report, "BAS-01"), "pass");
    assert_eq!(said(report, "ENG-04"), "not_claimed: engine_kinds");
    let law = &report.laws()[0];
    assert_eq!(
        (law.law.name, &law.verdict),
        (&test["reference::".len()..], &Verdict::Pass)
    );
}

#[test]
fn what_somebody_left_half_written_spoils_its_own_line_alone() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.jsonl");
    let half = text([&Line::pass("BAS-02")]);
    std::fs::write(&journal, &half[..half.len() / 2]).unwrap();
    let test = "memory::bas_01_an_unknown_id_loads_as_an_empty_run";
    succeed(&["--exact", test], &journal);
    let Merged { reports, remarks } = merge([("journal", &*read(&journal))]);
    assert_eq!(said(&reports[0], "BAS-01"), "pass");
    assert_eq!(remarks.len(), 1);
    assert!(remarks[0].is_damage);
}

#[test]
fn without_a_name_in_the_variable_no_line_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        "memory::bas_01_an_unknown_id_loads_as_an_empty_run",
    ]);
    command
        .env("CRASHPOINT_REPORT", "")
        .current_dir(folder.path());
    assert!(command.output().unwrap().status.success());
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

/// A directory that is removed when this is dropped.
struct Copy {
    tests: PathBuf,
    journal: PathBuf,
}

impl Copy {
    /// A copy of this binary under another name, and its journal.
    fn new(name: &str) -> Self {
        let name = format!("{name}-{}", std::process::id());
        let tmpdir = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let tests = tmpdir.join(&name);
        std::fs::copy(std::env::current_exe().unwrap(), &tests).unwrap();
        let target = tmpdir.parent().unwrap();
        let journal = target.join("crashpoint").join(format!("{name}.jsonl"));
        Self { tests, journal }
    }

    fn run(&self, test: &str) {
        let mut command = Command::new(&self.tests);
        command
            .args(["--exact", test])
            .env_remove("CRASHPOINT_REPORT");
        // A test that starts a process at this instant keeps the copy open for writing until then.
        let busy = |output: &io::Result<Output>| matches!(output, Err(error) if error.kind() == ErrorKind::ExecutableFileBusy);
        let mut output = command.output();
        while busy(&output) {
            std::thread::yield_now();
            output = command.output();
        }
        assert!(output.unwrap().status.success());
    }

    /// Makes the copy look like a later build.
    fn build_again(&self) {
        let file = File::options().append(true).open(&self.tests).unwrap();
        let written = file.metadata().unwrap().modified().unwrap();
        file.set_modified(written + Duration::from_secs(1)).unwrap();
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.tests);
        let _ = std::fs::remove_file(&self.journal);
    }
}

/// Without the variable there is a file for each test binary in the target folder. It would grow for
/// ever if what an earlier build left stayed in it.
#[test]
fn a_new_build_begins_its_file_in_the_target_folder_anew() {
    let copy = Copy::new("journal");
    copy.run("memory::bas_01_an_unknown_id_loads_as_an_empty_run");
    copy.run("memory::bas_02_every_field_comes_back_as_appended");
    assert_eq!(read(&copy.journal).lines().count(), 2);
    copy.build_again();
    copy.run("memory::bas_03_a_row_is_visible_once_append_returned");
    let lines = read(&copy.journal);
    assert_eq!(lines.lines().count(), 1);
    assert!(lines.contains("\"law\":\"BAS-03\""), "{lines}");
}

#[test]
fn in_a_file_of_the_users_the_lines_of_every_build_stay() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.jsonl");
    std::fs::write(&journal, text([&Line::pass("BAS-02")])).unwrap();
    let test = "memory::bas_01_an_unknown_id_loads_as_an_empty_run";
    succeed(&["--exact", test], &journal);
    assert_eq!(read(&journal).lines().count(), 2);
}
