//! The steps of a child with [`Role::Script`](super::Role) or [`Role::LongScript`](super::Role).

use crashpoint::CheckpointRow;

use crate::finding::expect::row;
use crate::runtime::draws::noise;

/// A row of several blocks.
pub(crate) fn wide(sequence: u64) -> CheckpointRow {
    let mut wide = row(sequence);
    wide.state = format!("wide {sequence} ").repeat(40);
    wide.with_output(vec![b'w'; 20_000])
}

/// One step of a child.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Append(&'static str, CheckpointRow),
    Clear(&'static str),
    /// The store does what it does at times.
    Maintain,
}

impl Step {
    /// The run that the step is about.
    pub(crate) fn run(&self) -> Option<&'static str> {
        match self {
            Self::Append(run, _) | Self::Clear(run) => Some(run),
            Self::Maintain => None,
        }
    }
}

/// The steps, and every run that they are about.
pub(crate) struct Script {
    pub(crate) runs: &'static [&'static str],
    pub(crate) steps: Vec<Step>,
}

const LONG: [&str; 4] = ["long one", "long two", "long three", "long four"];
/// Rounds of the long script, in each of which every run gets a row.
const ROUNDS: u64 = 24;
/// After so many rounds the store maintains itself.
const ROUNDS_TO_MAINTAIN: u64 = 8;
/// Rounds before which a run is cleared, and the run.
const CLEARS: [(u64, &str); 3] = [(6, LONG[1]), (13, LONG[3]), (19, LONG[1])];
/// Incompressible, so that the script takes 4.5 MiB on a disk.
const LONG_BLOB_BYTES: usize = 48 << 10;

impl Script {
    /// A short version of what the engine does: two runs, a clear, and a second life of the cleared run.
    pub(crate) fn short() -> Self {
        let append = |id, sequence| Step::Append(id, row(sequence));
        Self {
            runs: &["one", "other"],
            steps: vec![
                append("one", 0),
                append("one", 1),
                append("other", 0),
                Step::Append("one", wide(2)),
                Step::Clear("one"),
                append("one", 0),
            ],
        }
    }

    /// Several MiB in four runs, with second lives, so that a store rotates its log and compacts.
    pub(crate) fn long() -> Self {
        let mut steps = Vec::new();
        let mut next = [0_u64; LONG.len()];
        for round in 0..ROUNDS {
            for (_, run) in CLEARS.iter().filter(|(before, _)| *before == round) {
                steps.push(Step::Clear(run));
                for (id, next) in LONG.iter().zip(&mut next) {
                    *next = if id == run { 0 } else { *next };
                }
            }
            for (id, next) in LONG.iter().zip(&mut next) {
                steps.push(Step::Append(id, long_row(round, *next)));
                *next += 1;
            }
            if (round + 1) % ROUNDS_TO_MAINTAIN == 0 {
                steps.push(Step::Maintain);
            }
        }
        // A last life of the log after it was maintained.
        for (id, next) in LONG.iter().zip(next) {
            steps.push(Step::Append(id, row(next)));
        }
        Self { runs: &LONG, steps }
    }
}

fn long_row(round: u64, sequence: u64) -> CheckpointRow {
    let state = format!("round {round}");
    CheckpointRow::new(sequence, state, "long").with_output(noise(round, LONG_BLOB_BYTES))
}
