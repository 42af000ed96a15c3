//! A simulation from its very first draw: the workload may be drawn as well.

use crashpoint::protocol::{Faithful, Rule, Without};

use crate::choices::scheduled::{Scheduled, Unfired};
use crate::choices::swarm::{Possible, Swarm};
use crate::choices::{Choices, Seeded, Tape, Taped};
use crate::fault::Schedule;
use crate::oracle::{Verdict, judge};
use crate::record::TapeFile;
use crate::sim::{Run, Settings, StoreKind, Workload, simulate_with};
use crate::workload::generated::{Node, draw, generated};
use crate::workload::rule_named;

/// How drawn workflows are called in tokens and on the command line.
const GENERATED: &str = "generated";

/// Where the workload of a simulation comes from.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// It is this one.
    Fixed(&'a Workload),
    /// It is drawn before anything else, and an engine runs it which breaks this rule, or none.
    Generated(Option<Rule>),
}

impl Source<'_> {
    /// The source that is called `generated`, or `generated~RULE`.
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

    /// Draws the workload, where it is drawn, runs it once, and asks the oracles. Gives the choices
    /// back.
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

/// What came of a simulation, its first draws included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// The workflow, where it was drawn.
    pub nodes: Option<Vec<Node>>,
    /// The simulation of it.
    pub run: Run,
    /// Every choice: those that drew the workflow, and those of the run.
    pub tape: Tape,
    /// The promises that were broken.
    pub verdicts: Vec<Verdict>,
}

impl Trial {
    /// What went wrong.
    pub fn schedule(&self) -> Schedule {
        Schedule::of(&self.run.history)
    }
}

/// Runs the schedule of one seed. Also gives the settings that it had: with a swarm not those that
/// were allowed. Within them the trial's tape is a recording like any other.
pub fn run_seed(
    source: Source<'_>,
    settings: &Settings,
    possible: Possible,
    seed: u64,
) -> (Trial, Settings) {
    let choices = Seeded::new(seed);
    let mut settings = settings.clone();
    let trial = match possible {
        Possible::All => source.run(&settings, choices).0,
        Possible::Swarm => {
            let swarm = Swarm::draw(choices, settings.budget);
            settings.budget = swarm.budget();
            source.run(&settings, swarm).0
        }
    };
    (trial, settings)
}

/// Makes a schedule happen, and asks the oracles about it. Also gives the tape, which is a recording
/// like any other.
///
/// # Errors
///
/// Where a fault of the schedule has not happened.
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
