//! What a crash test says when it fails: enough to mend the workflow without reading anything else.

use std::fmt;
use std::panic::Location;

use crate::explore::{Nondeterminism, Violation};
use crate::oracle::{judge, named};
use crate::recording::{Recording, replay_recording};
use crate::render;
use crate::schedule::run_schedule;
use crate::shrink::{SHRINK_RUNS_MAX, Shrunk, shrink};
use crate::sim::Settings;
use crate::tape_file::TapeFile;
use crate::trial::Source;
use crate::workload::Workload;

use super::REPLAY;

/// Longer names of tests are cut, in characters.
const NAME_LENGTH_MAX: usize = 80;

/// A violation of a crash test, as small as it gets.
pub(super) struct Failed<'a> {
    workload: &'a Workload,
    shrunk: Result<Shrunk, String>,
    found: &'a Violation,
    at: &'static Location<'static>,
}

impl<'a> Failed<'a> {
    pub(super) fn new(
        workload: &'a Workload,
        found: &'a Violation,
        at: &'static Location<'static>,
    ) -> Self {
        let shrunk = shrink(Source::Fixed(workload), found, SHRINK_RUNS_MAX);
        Self {
            workload,
            shrunk: shrunk.map_err(|error| error.to_string()),
            found,
            at,
        }
    }

    fn violation(&self) -> &Violation {
        self.shrunk
            .as_ref()
            .map_or(self.found, |shrunk| &shrunk.violation)
    }

    /// The schedule in words, where they are enough to break the promise: they outlive changes of the
    /// engine and of the workflow that a token does not.
    fn in_words(&self) -> Option<String> {
        let (violation, source) = (self.violation(), Source::Fixed(self.workload));
        let store = violation.token.store;
        let (trial, _) = run_schedule(source, store, &violation.schedule).ok()?;
        let mut verdicts = trial.verdicts.iter();
        let broken = verdicts.any(|verdict| verdict.oracle == violation.oracle);
        broken.then(|| violation.schedule.to_string())
    }

    /// A token, or the file of a tape that is too long for one.
    fn recording(&self) -> String {
        let token = &self.violation().token;
        let recording = Recording::Token(token.clone());
        match (token.word(), &self.shrunk) {
            (Ok(word), _) => word,
            (Err(_), Ok(shrunk)) => saved(&self.workload.name, &recording.settings(), shrunk),
            (Err(too_long), Err(_)) => too_long.to_string(),
        }
    }
}

impl fmt::Display for Failed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let violation = self.violation();
        let (oracle, message) = (violation.oracle, render::escaped_line(&violation.message));
        writeln!(f, "{oracle}: {message}")?;
        if let Some(oracle) = named(oracle) {
            writeln!(f, "promised is: {}", oracle.promise)?;
        }
        match &self.shrunk {
            Ok(shrunk) => writeln!(f, "{shrunk}\n")?,
            Err(error) => writeln!(f, "not shrunk: {error}\n")?,
        }
        let recording = Recording::Token(violation.token.clone());
        match replay_recording(Source::Fixed(self.workload), &recording) {
            Ok(trial) => {
                let verdicts = judge(self.workload, &trial.run);
                writeln!(f, "{}", render::story(&trial.run, &verdicts))?;
            }
            Err(error) => writeln!(f, "{error}\n")?,
        }
        let token = self.recording();
        let test = name_of_test();
        writeln!(f, "replay it\n  {REPLAY}={token} cargo test {test}\n")?;
        writeln!(f, "keep it, with the crash test of {} in it\n", self.at)?;
        writeln!(f, "    #[test]")?;
        writeln!(f, "    fn {}() {{", name_of(violation))?;
        writeln!(
            f,
            "        let test = crash_test(/* as it stands there */);"
        )?;
        let words = self.in_words().unwrap_or(token);
        writeln!(f, "        test.replay({words:?});")?;
        write!(f, "    }}")
    }
}

/// What a schedule that is not the same twice has to tell.
pub(super) fn nondeterminism(found: &Nondeterminism, at: &Location<'_>) -> String {
    let faults = found.schedule.words();
    let schedule = match faults.is_empty() {
        true => "nothing goes wrong".to_owned(),
        false => {
            let faults: Vec<String> = faults.iter().map(|it| render::escaped_line(it)).collect();
            faults.join("\n  ")
        }
    };
    format!(
        "the workflow is not deterministic: a schedule of the crash test of {at}, run twice, was not the \
         same\n\nschedule\n  {schedule}\n{}\n\n{}",
        found.parting,
        render::NONDETERMINISM
    )
}

/// Writes the tape of a violation to a file, and names it.
fn saved(workload: &str, settings: &Settings, shrunk: &Shrunk) -> String {
    let file = TapeFile::of(workload, settings, &shrunk.tape);
    let name = format!("crashpoint-{:08x}.tape", shrunk.tape.fingerprint());
    let path = std::env::temp_dir().join(name);
    match file.write(&path) {
        Ok(()) => path.display().to_string(),
        Err(error) => format!("(the tape could not be written: {error})"),
    }
}

/// The name of the test that runs: that of its thread; where it has the main thread to itself, as with
/// `--test-threads 1`, what the harness was asked for.
fn name_of_test() -> String {
    let thread = std::thread::current();
    let name = thread.name().filter(|name| *name != "main");
    let asked = || {
        let mut arguments = std::env::args().skip(1);
        let exact = std::env::args().any(|argument| argument == "--exact");
        arguments.find(|argument| exact && !argument.starts_with('-'))
    };
    let name = name.map(str::to_owned).or_else(asked);
    name.unwrap_or_else(|| "NAME".to_owned())
}

/// A claim for a test's name: `all_or_nothing_when_the_process_crashes_at_life1_append_2_before`.
fn name_of(violation: &Violation) -> String {
    let mut words = violation.oracle.to_owned();
    for fault in violation.schedule.words() {
        words.push(' ');
        words.push_str(&fault);
    }
    let mut name = String::new();
    for character in words.chars() {
        if character.is_ascii_alphanumeric() {
            name.push(character.to_ascii_lowercase());
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    if name.len() > NAME_LENGTH_MAX {
        name.truncate(NAME_LENGTH_MAX);
        name.truncate(name.rfind('_').unwrap_or(NAME_LENGTH_MAX));
    }
    name.trim_end_matches('_').to_owned()
}
