//! What a seed runs: a workload, or operations over several runs.

use crashpoint_simulator::choices::Edited;
use crashpoint_simulator::oracle::Verdict;
use crashpoint_simulator::render::{operations, operations_schedule};
use crashpoint_simulator::{
    Judged as _, Operations, OperationsTrial, Recording, ShrinkError, Simulated as _, StoreKind,
    TapeFile, Trial, replay_recording, shrink_recording,
};

use crate::exit::Failure;
use crate::replay::shrink;
use crate::replay::tapes;
use crate::soak::seed::{SeedOutcome, examine};
use crate::workloads::origin::{self, Origin};

/// A workload, or operations.
#[derive(Debug, Clone)]
pub(crate) enum Ran {
    Workload(Origin),
    Operations(Operations),
}

/// A violation that was shrunk.
#[derive(Debug)]
pub(crate) struct ShrunkViolation {
    /// The name of its oracle.
    pub(crate) oracle: &'static str,
    /// The violation in words.
    pub(crate) story: String,
    pub(crate) tape: TapeFile,
    /// Its token, if its tape is short enough.
    pub(crate) token: Option<String>,
}

impl Ran {
    /// What a recording is of.
    pub(super) fn of(recording: &Recording) -> Result<Self, Failure> {
        match Operations::named(recording.workload()) {
            Some(operations) => Ok(Self::Operations(operations)),
            None => Origin::of(recording).map(Self::Workload),
        }
    }

    pub(super) fn name(&self) -> String {
        match self {
            Self::Workload(origin) => origin.source().name(),
            Self::Operations(operations) => operations.name(),
        }
    }

    /// Runs a seed.
    pub(super) fn examine(&self, store: StoreKind, seed: u64, repeated: bool) -> SeedOutcome {
        match self {
            Self::Workload(origin) => {
                examine(origin.source(), store, seed, repeated, story_of_workload)
            }
            Self::Operations(operations) => {
                examine(*operations, store, seed, repeated, story_of_operations)
            }
        }
    }

    /// Shrinks a violation, with at most `runs_max` simulations.
    pub(super) fn shrink(
        &self,
        recording: &Recording,
        oracle: &str,
        runs_max: u64,
    ) -> Result<ShrunkViolation, ShrinkError> {
        match self {
            Self::Workload(origin) => {
                let shrunk = shrink_recording(origin.source(), recording, oracle, runs_max)?;
                Ok(ShrunkViolation {
                    oracle: shrunk.violation.oracle,
                    story: shrink::story(&shrunk),
                    tape: tapes::of_shrunk(&shrunk),
                    token: shrunk.token().word().ok(),
                })
            }
            Self::Operations(operations) => {
                let shrunk = shrink_recording(*operations, recording, oracle, runs_max)?;
                let (oracle, message) = (shrunk.violation.oracle, &shrunk.violation.message);
                let story = story_of_operations(&shrunk.trial);
                Ok(ShrunkViolation {
                    oracle,
                    story: format!("{shrunk}\n{story}{}", shrink::objection(oracle, message)),
                    tape: tapes::of_shrunk(&shrunk),
                    token: shrunk.token().word().ok(),
                })
            }
        }
    }

    /// Runs a recording again. If it does not run as recorded, the recorded choices run under the same
    /// labels. Returns the verdicts, and whether it ran as recorded.
    pub(super) fn replay(&self, tape: TapeFile) -> (Vec<Verdict>, bool) {
        let choices = Edited::new(&tape.tape);
        let recording = Recording::Tape(tape);
        let settings = recording.settings();
        match self {
            Self::Workload(origin) => match replay_recording(origin.source(), &recording) {
                Ok(trial) => (trial.verdicts, true),
                Err(_) => (origin.source().run(&settings, choices).0.verdicts, false),
            },
            Self::Operations(operations) => match replay_recording(operations, &recording) {
                Ok(trial) => (trial.verdicts, true),
                Err(_) => (operations.run(&settings, choices).0.verdicts, false),
            },
        }
    }
}

fn story_of_workload(trial: &Trial) -> String {
    let workflow = origin::workflow(trial.nodes.as_deref());
    let schedule = shrink::schedule(&trial.schedule());
    format!("{workflow}{schedule}")
}

fn story_of_operations(trial: &OperationsTrial) -> String {
    let lines = |title: &str, lines: Vec<String>| {
        let lines = lines.iter().map(|line| format!("  {line}\n"));
        format!("{title}\n{}", lines.collect::<String>())
    };
    let mut faults = operations_schedule(&trial.schedule());
    if faults.is_empty() {
        faults.push("no fault".to_owned());
    }
    let ran = lines("operations", operations(&trial.simulation));
    ran + &lines("schedule", faults)
}
