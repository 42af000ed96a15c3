//! The journal: the file to which the tests of `certify!` append a line for each law.
//!
//! Any number of processes write to it, since cargo nextest runs each law in its own process. A line is
//! one write to a file that is opened for appending, under the file's lock.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::UNIX_EPOCH;

use crate::catalogue::Law;
use crate::harness::Subject;
use crate::harness::environment::environment;
use crate::report::line::{Line, Origin};
use crate::report::suite::Suite;
use crate::runner::Judgement;
use crate::runtime::clock::unix_ms;

/// The variable that names the journal. If it is empty, no line is written.
const VARIABLE: &str = "CRASHPOINT_REPORT";

/// Appends a line about one law. If that fails, it prints the error; a report then counts the law as not
/// run.
pub(crate) fn note(suite: &Suite, subject: &Subject, law: &Law, judgement: &Judgement) {
    let Some(journal) = Journal::at_hand(suite) else {
        return;
    };
    let name = suite.name(subject.name);
    let line = Line::new(name, &suite.plan(), origin(), law);
    let line = line.with(judgement);
    let line = line.in_environment(environment(&subject.options));
    if let Err(error) = journal.append(&line) {
        let path = journal.path.display();
        super::print_line(&format!("crashpoint: cannot append to {path}: {error}"));
    }
}

fn origin() -> Origin {
    static RUN: OnceLock<String> = OnceLock::new();
    let run = RUN.get_or_init(|| {
        let whole = std::env::var("NEXTEST_RUN_ID");
        whole.unwrap_or_else(|_| format!("{}-{}", unix_ms(), std::process::id()))
    });
    Origin {
        build: build().unwrap_or_else(|| "unknown".to_owned()),
        run: run.clone(),
        at_ms: unix_ms(),
    }
}

/// Identifies a build of the tests: the length of the running program, and when it was written.
fn build() -> Option<String> {
    let metadata = std::fs::metadata(std::env::current_exe().ok()?).ok()?;
    let written = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(format!("{:x}-{:x}", metadata.len(), written.as_nanos()))
}

struct Journal {
    path: PathBuf,
    /// Whether the lines of earlier builds are removed: only in the kit's own file.
    renewed: bool,
}

impl Journal {
    fn at_hand(suite: &Suite) -> Option<Self> {
        let variable = std::env::var_os(VARIABLE);
        let exe = std::env::current_exe().ok();
        let tmpdir = suite.target_tmpdir.map(Path::new);
        Self::placed(variable, tmpdir, exe.as_deref())
    }

    fn placed(
        variable: Option<OsString>,
        target_tmpdir: Option<&Path>,
        exe: Option<&Path>,
    ) -> Option<Self> {
        if let Some(path) = variable {
            let named = !path.is_empty();
            return named.then(|| Self {
                path: path.into(),
                renewed: false,
            });
        }
        let exe = exe?;
        let target = target_of(target_tmpdir, exe)?;
        let file = Path::new(exe.file_stem()?).with_extension("jsonl");
        Some(Self {
            path: target.join("crashpoint").join(file),
            renewed: true,
        })
    }

    fn append(&self, line: &Line) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let options = OpenOptions::new()
            .append(true)
            .read(true)
            .create(true)
            .to_owned();
        let mut file = options.open(&self.path)?;
        // If the file system has no locks, a single write at the end must do.
        let _locked = file.lock();
        if self.renewed && begins_with_another_build(&mut file, &line.origin.build)? {
            file.set_len(0)?;
        }
        let mut text = line.to_json();
        if !ends_a_line(&mut file)? {
            // A process was killed while it wrote a line. This line must not be lost with it.
            text.insert(0, '\n');
        }
        file.write_all(text.as_bytes())
    }
}

/// Cargo's target folder: the folder above either path that contains a mark of cargo.
fn target_of(target_tmpdir: Option<&Path>, exe: &Path) -> Option<PathBuf> {
    let is_target = |folder: &&Path| {
        let marks = ["CACHEDIR.TAG", ".rustc_info.json"];
        marks.iter().any(|mark| folder.join(mark).exists())
    };
    // The tests may run elsewhere than they were built.
    let tmpdir = target_tmpdir.filter(|tmpdir| tmpdir.exists());
    let around = |path: &Path| path.ancestors().find(is_target).map(Path::to_owned);
    let marked = tmpdir.and_then(around).or_else(|| around(exe));
    marked.or_else(|| tmpdir?.parent().map(Path::to_owned))
}

fn begins_with_another_build(file: &mut File, build: &str) -> io::Result<bool> {
    let mut first = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    BufReader::new(file).read_until(b'\n', &mut first)?;
    let first = Line::read(&String::from_utf8_lossy(&first));
    Ok(first.is_ok_and(|line| line.origin.build != build))
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}
