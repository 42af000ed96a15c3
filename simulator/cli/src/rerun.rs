//! A recorded schedule, run again: twice, since a schedule that does not repeat proves nothing.

use crashpoint_simulator::oracle::{self, Verdict};
use crashpoint_simulator::workload::{self, Workload};
use crashpoint_simulator::{Run, Token, render, replay};

use crate::exit::{Exit, Failure};
use crate::trace;

/// A schedule that was run again, and what the oracles say of it.
#[derive(Debug)]
pub(crate) struct Rerun {
    pub(crate) workload: Workload,
    pub(crate) token: Token,
    pub(crate) run: Run,
    pub(crate) verdicts: Vec<Verdict>,
}

impl Rerun {
    /// Runs the schedule that a token stands for.
    pub(crate) fn of(token: &str) -> Result<Self, Failure> {
        let token: Token = token
            .parse()
            .map_err(|error| Failure::Usage(format!("{error}")))?;
        let workload = workload::named(&token.workload).ok_or_else(|| {
            Failure::Usage(format!(
                "there is no workload {}",
                render::escaped(&token.workload)
            ))
        })?;
        let run = replay(&workload, &token)?;
        let again = replay(&workload, &token)?;
        if let Some(difference) = trace::first_difference(&run.history, &again.history) {
            return Err(Failure::Nondeterminism(difference));
        }
        let verdicts = oracle::judge(&workload, &run);
        Ok(Self {
            workload,
            token,
            run,
            verdicts,
        })
    }

    pub(crate) fn exit(&self) -> Exit {
        Exit::of_oracles(self.verdicts.iter().map(|verdict| verdict.oracle))
    }
}

/// What to type here to see a schedule again: through cargo, where cargo runs this.
pub(crate) fn command_at_hand(token: &Token) -> String {
    match std::env::var_os("CARGO") {
        Some(_) => format!("cargo run --release -- replay {token}"),
        None => command(token),
    }
}

/// What to type to see a schedule again, where the command is installed.
pub(crate) fn command(token: &Token) -> String {
    format!("crashpoint replay {token}")
}
