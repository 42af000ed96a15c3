//! `replay`, `explain` and `shrink` of operations over several runs.

use std::io::Write;

use crashpoint_simulator::moment::broken_operations;
use crashpoint_simulator::render::{escaped_line, operations_story};
use crashpoint_simulator::{
    Judged as _, Operations, OperationsTrial, Recording, Simulated as _, StoreKind, operations,
    trace,
};

use crate::exit::{Exit, Failure};
use crate::page::ExplainedOperations;
use crate::replay::twice::{counted_trace, replayed_twice};
use crate::text::fitted;

/// A simulation of operations that was run again, with the verdicts of the oracles.
#[derive(Debug)]
pub(crate) struct OperationsRerun {
    pub(crate) operations: Operations,
    pub(crate) recording: Recording,
    pub(crate) trial: OperationsTrial,
    /// The command that runs it again.
    pub(crate) command: String,
}

impl OperationsRerun {
    pub(super) fn of(
        operations: Operations,
        recording: Recording,
        command: String,
    ) -> Result<Self, Failure> {
        let store = recording.settings().store;
        if !Operations::run_over(store) {
            let message = format!("no operations run over {store}");
            return Err(Failure::Usage(message));
        }
        let trial = replayed_twice(operations, &recording)?;
        Ok(Self {
            operations,
            recording,
            trial,
            command,
        })
    }

    pub(super) fn exit(&self) -> Exit {
        Exit::of_oracles(self.trial.verdicts.iter().map(|verdict| verdict.oracle))
    }

    /// The event at which a promise broke first.
    pub(super) fn broken_at(&self) -> Option<usize> {
        broken_operations(&self.trial).first()?.place
    }

    pub(super) fn store(&self) -> StoreKind {
        self.recording.settings().store
    }

    /// Prints the story, or every event on a line.
    pub(super) fn replay(&self, by_event: bool, out: &mut impl Write) -> Result<(), Failure> {
        let trace = self.trial.trace();
        if by_event {
            let entries = self.trial.simulation.history.0.iter().enumerate();
            for (place, entry) in entries {
                writeln!(out, "{}", trace::operations_line(place, entry))?;
            }
            for verdict in &self.trial.verdicts {
                writeln!(out, "{}", trace::violation(verdict))?;
            }
            let (events, hash) = (trace.events(), trace.hash());
            writeln!(out, "course events={events} hash={hash:016x}")?;
            return Ok(());
        }
        writeln!(out, "{}: {}\n", self.operations.name(), operations::ABOUT)?;
        writeln!(out, "{}", fitted(&story(&self.trial)))?;
        writeln!(
            out,
            "schedule in words\n  {}",
            self.trial.simulation.schedule()
        )?;
        writeln!(out, "{}", counted_trace(&trace))?;
        Ok(())
    }

    /// What broke first, and at which event.
    pub(super) fn summary(&self) -> String {
        let (name, store) = (self.operations.name(), self.store());
        let mut summary = format!("{name} over {store}: {}\n", operations::ABOUT);
        let broken = broken_operations(&self.trial);
        let Some(first) = broken.first() else {
            summary.push_str("no promise is broken");
            return summary;
        };
        let message = escaped_line(&first.verdict.message);
        let (oracle, promise) = (first.verdict.oracle, first.promise);
        summary.push_str(&format!(
            "broken first: {oracle}: {message}\npromise: {promise}\n"
        ));
        let entries = &self.trial.simulation.history.0;
        let line = first.place.and_then(|place| {
            let entry = entries.get(place)?;
            Some(trace::operations_line(place, entry))
        });
        summary.push_str(&match line {
            Some(line) => format!("since event {line}"),
            None => "visible only at the end".to_owned(),
        });
        if broken.len() > 1 {
            summary.push_str(&format!("\n{} more violated, see below", broken.len() - 1));
        }
        summary
    }

    /// The simulation to explain.
    pub(super) fn explained<'a>(&'a self, name: &'a str) -> ExplainedOperations<'a> {
        ExplainedOperations {
            name,
            trial: &self.trial,
            store: self.store(),
            command: &self.command,
        }
    }
}

/// The story of a simulation of operations.
pub(crate) fn story(trial: &OperationsTrial) -> String {
    operations_story(&trial.simulation, &trial.verdicts)
}
