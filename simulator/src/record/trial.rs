//! A simulation from its very first draw: the workload may be drawn as well.

use crashpoint::protocol::{Faithful, Rule, Without};

use crate::choices::{Choices, Tape, Taped};
use crate::explore::simulate_with;
use crate::fault::Schedule;
use crate::oracle::{Verdict, judge};
use crate::sim::{Run, Settings};
use crate::workload::generated::{Node, draw, generated};
use crate::workload::{Workload, rule_named};

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
