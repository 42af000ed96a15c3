//! Where the workload of a simulation comes from, by its name on the command line.

use std::sync::Arc;

use crashpoint::protocol::{Faithful, Without};
use crashpoint_simulator::workload::generated::{Failure as TaskFailure, Kind, Node, generated};
use crashpoint_simulator::workload::{self, Rule, Workload};
use crashpoint_simulator::{Recording, Source, Trial, render};

use crate::exit::Failure;
use crate::text::counted;

/// A workload that is built in, or how one is drawn.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// Always the same one.
    Fixed(Arc<Workload>),
    /// Drawn before anything else, and run by an engine that breaks this rule, or none.
    Generated(Option<Rule>),
}

impl From<Workload> for Origin {
    fn from(workload: Workload) -> Self {
        Self::Fixed(Arc::new(workload))
    }
}

impl Origin {
    /// Where the workload of a recording comes from.
    pub(crate) fn of(recording: &Recording) -> Result<Self, Failure> {
        Self::named(recording.workload())
    }

    /// Where the workload of this name comes from.
    pub(crate) fn named(name: &str) -> Result<Self, Failure> {
        if let Some(Source::Generated(rule)) = Source::generated_named(name) {
            return Ok(Self::Generated(rule));
        }
        let fixed = workload::named(name).map(Self::from);
        fixed.ok_or_else(|| {
            let message = format!("there is no workload {}", render::escaped(name));
            Failure::Usage(message)
        })
    }

    /// The same for the simulator.
    pub(crate) fn source(&self) -> Source<'_> {
        match self {
            Self::Fixed(workload) => Source::Fixed(workload),
            Self::Generated(rule) => Source::Generated(*rule),
        }
    }

    /// The workload of a trial, where it was drawn.
    pub(crate) fn drawn(&self, trial: &Trial) -> Option<Workload> {
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

/// A workflow in words, where it was drawn: a heading, and a line for each state.
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
