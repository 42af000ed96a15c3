//! A recorded schedule that was run again.

use std::path::Path;

use crashpoint_simulator::operations::OperationsSchedule;
use crashpoint_simulator::render::{escaped_full, is_invisible};
use crashpoint_simulator::steps::Steps;
use crashpoint_simulator::workload::Workload;
use crashpoint_simulator::{
    CONTINUATIONS, NoReturn, Operations, OwnTest, Recording, Schedule, StoreKind, Token, Trial,
    run_schedule,
};

use crate::arguments::{RecordingArguments, Store};
use crate::exit::{Exit, Failure};
use crate::page;
use crate::replay::operations::OperationsRerun;
use crate::replay::twice::replayed_twice;
use crate::workloads::origin::Origin;

/// A recorded simulation that was run again.
#[derive(Debug)]
pub(crate) enum Rerun {
    /// Of a workload.
    Workload(Box<WorkloadRerun>),
    /// Of operations over several runs.
    Operations(Box<OperationsRerun>),
}

/// A schedule that was run again, with the verdicts of the oracles.
#[derive(Debug)]
pub(crate) struct WorkloadRerun {
    pub(crate) origin: Origin,
    pub(crate) recording: Recording,
    pub(crate) trial: Trial,
    /// The workload, if it was generated.
    drawn: Option<Workload>,
    /// The command that runs it again.
    command: String,
}

impl Rerun {
    /// Runs the schedule of a token, of a tape file, or given in words.
    pub(crate) fn of(which: &RecordingArguments) -> Result<Self, Failure> {
        let RecordingArguments {
            recording,
            schedule,
            workload,
            store,
        } = which;
        let (recording, command) = match (recording, schedule) {
            (Some(token_or_file), _) => read(token_or_file)?,
            (None, Some(words)) => {
                let store = store.map_or(StoreKind::Memory, Store::kind);
                recorded(workload.as_deref().unwrap_or_default(), store, words)?
            }
            (None, None) => {
                let message = "expected a token, a tape file or --schedule";
                return Err(Failure::Usage(message.to_owned()));
            }
        };
        let command = full_command(&command);
        if let Some(operations) = Operations::named(recording.workload()) {
            let rerun = OperationsRerun::of(operations, recording, command)?;
            return Ok(Self::Operations(Box::new(rerun)));
        }
        if let Some(own) = OwnTest::of(recording.workload()) {
            return Err(of_own_test(own, token_or_file(which)));
        }
        let origin = Origin::of(&recording)?;
        let trial = replayed_twice(origin.source(), &recording)?;
        Ok(Self::Workload(Box::new(WorkloadRerun {
            drawn: origin.generated(&trial),
            command,
            origin,
            recording,
            trial,
        })))
    }
}

impl WorkloadRerun {
    pub(crate) fn workload(&self) -> &Workload {
        match (&self.drawn, &self.origin) {
            (Some(drawn), _) => drawn,
            (None, Origin::Fixed(workload)) => workload,
            (None, Origin::Generated(_)) => unreachable!("its trial has the nodes that were drawn"),
        }
    }

    /// The run to explain.
    pub(crate) fn explained(&self) -> page::ExplainedRun<'_> {
        page::ExplainedRun {
            workload: self.workload(),
            run: &self.trial.run,
            verdicts: &self.trial.verdicts,
            store: self.recording.settings().store,
            command: &self.command,
        }
    }

    /// From which fault on the promise that broke first could hardly be kept. `None` if no promise is broken,
    /// or nothing went wrong.
    pub(crate) fn no_return(&self) -> Option<NoReturn> {
        let explained = self.explained();
        let broken = explained.broken();
        let oracle = broken.first()?.verdict.oracle;
        if self.trial.schedule().0.is_empty() {
            return None;
        }
        NoReturn::of(self.origin.source(), &self.recording, oracle, CONTINUATIONS).ok()
    }

    /// The event at which a promise broke first.
    pub(crate) fn broken_at(&self) -> Option<usize> {
        self.explained().broken().first()?.place
    }

    /// What holds after each event.
    pub(crate) fn steps(&self) -> Result<Steps, Failure> {
        Ok(Steps::of_recording(self.origin.source(), &self.recording)?)
    }

    pub(crate) fn exit(&self) -> Exit {
        Exit::of_oracles(self.trial.verdicts.iter().map(|verdict| verdict.oracle))
    }
}

fn token_or_file(which: &RecordingArguments) -> &str {
    which.recording.as_deref().unwrap_or_default()
}

/// The command has no workflow of the user's.
fn of_own_test(own: OwnTest, recording: &str) -> Failure {
    let (recording, command) = (escaped_full(recording), own.command(&quoted(recording)));
    Failure::Usage(format!(
        "{recording} is a schedule of {own}, of a workflow that this command does not have. The failure of \
         the test prints the command that replays it, with package, target, features and name:\n  \
         {command}\nWith CRASHPOINT_HTML=FILE before it, it also writes the page of the schedule"
    ))
}

/// A recording, and the command that replays it.
fn read(token_or_file: &str) -> Result<(Recording, String), Failure> {
    let recording = Recording::read(token_or_file);
    let recording = recording.map_err(|error| Failure::Usage(error.to_string()))?;
    let command = match &recording {
        Recording::Token(token) => replay_arguments(token),
        Recording::Tape(_) => replay_file_arguments(Path::new(token_or_file)),
    };
    Ok((recording, command))
}

/// The same for a schedule in words.
fn recorded(name: &str, store: StoreKind, words: &str) -> Result<(Recording, String), Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
    let (tape, words) = match Operations::named(name) {
        Some(operations) => {
            let schedule: OperationsSchedule = words.parse().map_err(|error| usage(&error))?;
            let run = operations.run_schedule(store, &schedule);
            let (_, tape) = run.map_err(|error| usage(&error))?;
            (tape, schedule.to_string())
        }
        None => {
            let schedule: Schedule = words.parse().map_err(|error| usage(&error))?;
            let origin = Origin::named(name)?;
            let run = run_schedule(origin.source(), store, &schedule);
            let (_, tape) = run.map_err(|unfired| usage(&unfired))?;
            (tape, schedule.to_string())
        }
    };
    let (name, words) = (quoted(name), quoted(&words));
    let command = format!("replay --workload {name} --store {store} --schedule {words}");
    Ok((Recording::Tape(tape), command))
}

/// The command that replays a token, through cargo if cargo started this process.
pub(crate) fn replay_command(token: &Token) -> String {
    full_command(&replay_arguments(token))
}

/// The same for a tape file.
pub(crate) fn replay_file_command(file: &Path) -> String {
    full_command(&replay_file_arguments(file))
}

/// The command that replays a token if `crashpoint` is installed.
pub(crate) fn installed_replay_command(token: &Token) -> String {
    format!("crashpoint {}", replay_arguments(token))
}

/// A subcommand with its arguments as a full command, through cargo if cargo started this process.
pub(crate) fn full_command(arguments: &str) -> String {
    match std::env::var_os("CARGO") {
        Some(_) => format!("cargo run --release -- {arguments}"),
        None => format!("crashpoint {arguments}"),
    }
}

fn replay_arguments(token: &Token) -> String {
    format!("replay {token}")
}

fn replay_file_arguments(file: &Path) -> String {
    format!("replay {}", quoted(&file.display().to_string()))
}

/// Quotes a word for a shell if it needs quotes.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:~".contains(&byte);
    if word.bytes().all(is_plain) && !word.starts_with(['~', '-']) {
        word.to_owned()
    } else if word.contains(is_invisible) {
        let escape = |character: char| match character {
            '\\' | '\'' => format!("\\{character}"),
            other if is_invisible(other) => format!("\\U{:08x}", u32::from(other)),
            other => other.to_string(),
        };
        // Bash and zsh take these escapes apart.
        format!("$'{}'", word.chars().map(escape).collect::<String>())
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
