//! How the workload of a simulation is found by its name: built in, or generated.

use std::sync::Arc;

use crashpoint::protocol::{Faithful, Without};
use crashpoint_simulator::workload::generated::{Failure as TaskFailure, Kind, Node, generated};
use crashpoint_simulator::workload::{self, Rule, Workload};
use crashpoint_simulator::{Recording, Source, Trial, render};

use crate::exit::Failure;
use crate::text::counted;

/// A built-in workload, or how to generate one.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// A built-in workload.
    Fixed(Arc<Workload>),
    /// Generated from the first draws of a simulation, and run on the engine or on the mutant that
    /// breaks this rule.
    Generated(Option<Rule>),
}

impl From<Workload> for Origin {
    fn from(workload: Workload) -> Self {
        Self::Fixed(Arc::new(workload))
    }
}

impl Origin {
    /// The origin of the workload of a recording.
    pub(crate) fn of(recording: &Recording) -> Result<Self, Failure> {
        Self::named(recording.workload())
    }

    /// The origin of the workload of this name.
    pub(crate) fn named(name: &str) -> Result<Self, Failure> {
        if let Some(Source::Generated(rule)) = Source::generated_named(name) {
            return Ok(Self::Generated(rule));
        }
        let fixed = workload::named(name).map(Self::from);
        fixed.ok_or_else(|| {
            let message = format!("unknown workload {}", render::escaped(name));
            Failure::Usage(message)
        })
    }

    /// The same in the terms of the simulator.
    pub(crate) fn source(&self) -> Source<'_> {
        match self {
            Self::Fixed(workload) => Source::Fixed(workload),
            Self::Generated(rule) => Source::Generated(*rule),
        }
    }

    /// The workload of a trial, if it was generated.
    pub(crate) fn generated(&self, trial: &Trial) -> Option<Workload> {
        let Self::Generated(rule) = self else {
            return None;
        };
        let nodes = trial.nodes.as_ref()?;
        let mut workload = match rule {
            None => generated(nodes, Faithful),
            Some(rule) => generated(nodes, Without(*rule)),
        };
        workload.name = self.source().name();
        Some(workload)
    }
}

/// A generated workflow in words: a heading, and a line for each state.
pub(crate) fn workflow(nodes: Option<&[Node]>) -> String {
    let lines = nodes.map(in_words).unwrap_or_default();
    let heading = if lines.is_empty() { "" } else { "workflow\n" };
    let lines = lines.iter().map(|line| format!("  {line}\n"));
    format!("{heading}{}", lines.collect::<String>())
}

fn in_words(nodes: &[Node]) -> Vec<String> {
    let label = |index: usize| match index < nodes.len() {
        true => char::from(b'a' + index as u8).to_string(),
        false => "the exit".to_owned(),
    };
    let words = |(index, node): (usize, &Node)| {
        let kind = match node.kind {
            Kind::Plain => "plain".to_owned(),
            Kind::Compensatable => "compensatable".to_owned(),
            Kind::Stepped(cursors) => format!("stepped, {}", counted(cursors, "cursor")),
        };
        let mut line = format!("{}: {kind}", label(index));
        if let Some(detour) = node.detour {
            let to = label(detour.to);
            let when = match detour.times {
                1 => "first time".to_owned(),
                times => format!("first {times} times"),
            };
            line.push_str(&format!("; goes to {to} the {when}"));
        }
        line.push_str(match node.failure {
            TaskFailure::Never => "",
            TaskFailure::Once => "; fails once and is tried again",
            TaskFailure::FatalOnce => "; fails once, for good",
            TaskFailure::Always => "; always fails",
            TaskFailure::Panics => "; always panics",
        });
        match node.undo_failures {
            0 => {}
            1 => line.push_str("; its undo fails once"),
            times => line.push_str(&format!("; its undo fails {times} times")),
        }
        if node.sleeps {
            line.push_str("; sleeps first");
        }
        line
    };
    nodes.iter().enumerate().map(words).collect()
}
