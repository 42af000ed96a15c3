//! A recorded schedule, run again: twice, since a schedule that does not repeat proves nothing.

use std::path::Path;

use crashpoint_simulator::workload::Workload;
use crashpoint_simulator::{
    Course, Recording, Schedule, StoreKind, Token, Trial, replay_recording, run_schedule,
};

use crate::arguments::{Store, Which};
use crate::exit::{Exit, Failure};
use crate::page;
use crate::workloads::origin::Origin;

/// One in so many schedules is run a second time where nobody asks for it.
pub(crate) const REPEATED_EVERY: u64 = 16;

/// A schedule that was run again, and what the oracles say of it.
#[derive(Debug)]
pub(crate) struct Rerun {
    pub(crate) origin: Origin,
    pub(crate) recording: Recording,
    pub(crate) trial: Trial,
    /// The workload, where it was drawn.
    drawn: Option<Workload>,
    /// What to type to see it again.
    command: String,
}

impl Rerun {
    /// Runs the schedule that a token stands for, or the file of a tape, or that is given in words.
    pub(crate) fn of(which: &Which) -> Result<Self, Failure> {
        let (recording, command) = match (&which.recording, &which.schedule) {
            (Some(token_or_file), _) => read(token_or_file)?,
            (None, Some(words)) => recorded(which, words)?,
            (None, None) => {
                let message = "a token, the file of a tape or --schedule is needed";
                return Err(Failure::Usage(message.to_owned()));
            }
        };
        let origin = Origin::of(&recording)?;
        let trial = replay_recording(origin.source(), &recording)?;
        let again = replay_recording(origin.source(), &recording)?;
        if let Some(difference) = parted(&trial, &again) {
            return Err(Failure::Nondeterminism(difference));
        }
        Ok(Self {
            drawn: origin.drawn(&trial),
            command: at_hand(&command),
            origin,
            recording,
            trial,
        })
    }

    pub(crate) fn workload(&self) -> &Workload {
        match (&self.drawn, &self.origin) {
            (Some(drawn), _) => drawn,
            (None, Origin::Fixed(workload)) => workload,
            (None, Origin::Generated(_)) => unreachable!("its trial has the nodes that were drawn"),
        }
    }

    /// The same for a page.
    pub(crate) fn schedule(&self) -> page::Schedule<'_> {
        page::Schedule {
            workload: self.workload(),
            run: &self.trial.run,
            verdicts: &self.trial.verdicts,
            store: self.recording.settings().store,
            command: &self.command,
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        Exit::of_oracles(self.trial.verdicts.iter().map(|verdict| verdict.oracle))
    }
}

/// A recording, and how it is replayed.
fn read(token_or_file: &str) -> Result<(Recording, String), Failure> {
    let recording = Recording::read(token_or_file);
    let recording = recording.map_err(|error| Failure::Usage(error.to_string()))?;
    let command = match &recording {
        Recording::Token(token) => replaying(token),
        Recording::Tape(_) => replaying_file(Path::new(token_or_file)),
    };
    Ok((recording, command))
}

/// The same for a schedule in words.
fn recorded(which: &Which, words: &str) -> Result<(Recording, String), Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
    let schedule: Schedule = words.parse().map_err(|error| usage(&error))?;
    let name = which.workload.as_deref().unwrap_or_default();
    let origin = Origin::named(name)?;
    let store = which.store.map_or(StoreKind::Memory, Store::kind);
    let run = run_schedule(origin.source(), store, &schedule);
    let (_, tape) = run.map_err(|unfired| usage(&unfired))?;
    let (name, words) = (quoted(name), quoted(&schedule.to_string()));
    let command = format!("replay --workload {name} --store {store} --schedule {words}");
    Ok((Recording::Tape(tape), command))
}

/// Where two trials of the same choices part, in words.
pub(crate) fn parted(one: &Trial, other: &Trial) -> Option<String> {
    let parting = Course::parting_of_trials(one, other)?;
    Some(format!("the same schedule, run twice: {parting}"))
}

/// What to type here to see a schedule again: through cargo, where cargo runs this.
pub(crate) fn command_at_hand(token: &Token) -> String {
    at_hand(&replaying(token))
}

/// The same for the file of a tape.
pub(crate) fn file_command_at_hand(file: &Path) -> String {
    at_hand(&replaying_file(file))
}

/// What to type to see a schedule again, where the command is installed.
pub(crate) fn command(token: &Token) -> String {
    format!("crashpoint {}", replaying(token))
}

/// A subcommand with its arguments, as it is typed here.
pub(crate) fn at_hand(arguments: &str) -> String {
    match std::env::var_os("CARGO") {
        Some(_) => format!("cargo run --release -- {arguments}"),
        None => format!("crashpoint {arguments}"),
    }
}

fn replaying(token: &Token) -> String {
    format!("replay {token}")
}

fn replaying_file(file: &Path) -> String {
    format!("replay {}", quoted(&file.display().to_string()))
}

/// A word for a shell, in quotes where it needs them.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:~".contains(&byte);
    if word.bytes().all(is_plain) && !word.starts_with(['~', '-']) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
