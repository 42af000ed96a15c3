//! A simulation from its first draw: the workload may be drawn too.

use crashpoint::protocol::{Faithful, Rule, Without};

use crate::choices::scheduled::{Scheduled, Unfired};
use crate::choices::{Choices, Tape, Taped};
use crate::fault::Schedule;
use crate::oracle::{Verdict, judge};
use crate::record::TapeFile;
use crate::sim::{Run, Settings, StoreKind, Workload, simulate_with};
use crate::workload::generated::{Node, draw, generated};
use crate::workload::rule_named;

/// The name of drawn workflows in tokens and on the command line.
const GENERATED: &str = "generated";

/// The source of a simulation's workload.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// A given workload.
    Fixed(&'a Workload),
    /// A workload that is drawn first. Its engine breaks this rule, if any.
    Generated(Option<Rule>),
}

impl Source<'_> {
    /// The source with the name `generated`, or `generated~RULE`.
    pub fn generated_named(name: &str) -> Option<Self> {
        match name.split_once('~') {
            None => (name == GENERATED).then_some(Self::Generated(None)),
            Some((GENERATED, rule)) => Some(Self::Generated(Some(rule_named(rule)?))),
            Some(_) => None,
        }
    }

    /// Its name in tokens and on the command line.
    pub fn name(&self) -> String {
        match self {
            Self::Fixed(workload) => workload.name.clone(),
            Self::Generated(None) => GENERATED.to_owned(),
            Self::Generated(Some(rule)) => format!("{GENERATED}~{rule:?}"),
        }
    }

    /// Draws the workload if it is not given, runs it once, and checks the run with every oracle.
    /// Also returns the choices.
    pub fn run<C: Choices + 'static>(&self, settings: &Settings, choices: C) -> (Trial, C) {
        match self {
            Self::Fixed(workload) => {
                let (run, choices) = simulate_with(workload, settings, choices);
                let trial = Trial {
                    verdicts: judge(workload, &run),
                    tape: run.tape.clone(),
                    run,
                    nodes: None,
                };
                (trial, choices)
            }
            Self::Generated(rule) => {
                let mut choices = Taped::new(choices);
                let nodes = draw(&mut choices);
                let (mut tape, choices) = choices.into_parts();
                let mut workload = match rule {
                    None => generated(&nodes, Faithful),
                    Some(rule) => generated(&nodes, Without(*rule)),
                };
                workload.name = self.name();
                let (run, choices) = simulate_with(&workload, settings, choices);
                tape.0.extend(run.tape.0.iter().cloned());
                let trial = Trial {
                    verdicts: judge(&workload, &run),
                    tape,
                    run,
                    nodes: Some(nodes),
                };
                (trial, choices)
            }
        }
    }
}

/// The result of a simulation, its first draws included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// The workflow, if it was drawn.
    pub nodes: Option<Vec<Node>>,
    /// The simulation.
    pub run: Run,
    /// Every choice: those that drew the workflow, and those of the run.
    pub tape: Tape,
    /// The promises that were broken.
    pub verdicts: Vec<Verdict>,
}

impl Trial {
    /// The faults.
    pub fn schedule(&self) -> Schedule {
        Schedule::of(&self.run.history)
    }
}

/// Runs a schedule, and checks the run with every oracle. Also returns its tape, an ordinary
/// recording.
///
/// # Errors
///
/// If a fault of the schedule did not fire.
pub fn run_schedule(
    source: Source<'_>,
    store: StoreKind,
    schedule: &Schedule,
) -> Result<(Trial, TapeFile), Unfired> {
    let settings = Settings {
        store,
        ..Settings::within(schedule.budget())
    };
    let (trial, planned) = source.run(&settings, Scheduled::new(schedule));
    planned.finish()?;
    let tape = TapeFile::of(&source.name(), &settings, &trial.tape);
    Ok((trial, tape))
}
