//! Operations over several runs, as something that a recording runs again.

use std::sync::{Arc, Mutex, PoisonError};

use crate::choices::{Choices, Tape};
use crate::fault::Schedule;
use crate::operations::oracle::judge;
use crate::operations::{
    BadOperationsSchedule, Broken, NAME, OperationsSchedule, Simulation, simulate,
};
use crate::oracle::Verdict;
use crate::record::{HashedTrace, Judged, Simulated, TapeFile};
use crate::sim::{Settings, StoreKind};

/// The engine's operations over several runs. One of them may break its promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Operations(pub Option<Broken>);

impl Operations {
    /// The operations with the name `operations`, or `operations~BROKEN`.
    ///
    /// ```
    /// use crashpoint_simulator::operations::Broken;
    /// use crashpoint_simulator::{Operations, Simulated as _};
    ///
    /// let broken = Operations(Some(Broken::StatusLies));
    /// assert_eq!(broken.name(), "operations~StatusLies");
    /// assert_eq!(Operations::named("operations~StatusLies"), Some(broken));
    /// assert_eq!(Operations::named("operations~Nope"), None);
    /// ```
    pub fn named(name: &str) -> Option<Self> {
        match name.split_once('~') {
            None => (name == NAME).then_some(Self(None)),
            Some((NAME, broken)) => Broken::named(broken).map(|broken| Self(Some(broken))),
            Some(_) => None,
        }
    }

    /// Runs a schedule, and checks the simulation with every oracle. Also returns its tape, an ordinary
    /// recording.
    ///
    /// # Errors
    ///
    /// If the store has no such place, or a fault of the schedule did not fire.
    pub fn run_schedule(
        &self,
        store: StoreKind,
        schedule: &OperationsSchedule,
    ) -> Result<(OperationsTrial, TapeFile), BadOperationsSchedule> {
        let settings = Settings {
            store,
            ..Settings::within(schedule.faults.budget())
        };
        let (trial, planned) = self.run(&settings, schedule.choices(store)?);
        planned.finish()?;
        let tape = TapeFile::of(&self.name(), &settings, trial.tape());
        Ok((trial, tape))
    }

    /// Whether operations run over such a store: over memory, and over the embedded store on a disk that
    /// keeps its name and the order of its syncs.
    pub fn run_over(store: StoreKind) -> bool {
        match store {
            StoreKind::Memory | StoreKind::Redb | StoreKind::RedbLosingWrites => true,
            StoreKind::RedbLosingNames | StoreKind::RedbWithoutBarriers => false,
        }
    }
}

/// A simulation of operations, with its verdicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationsTrial {
    /// The simulation.
    pub simulation: Simulation,
    /// The promises that were broken.
    pub verdicts: Vec<Verdict>,
}

impl Simulated for Operations {
    type Trial = OperationsTrial;

    fn name(&self) -> String {
        match self.0 {
            None => NAME.to_owned(),
            Some(broken) => format!("{NAME}~{broken}"),
        }
    }

    fn run<C: Choices + 'static>(&self, settings: &Settings, choices: C) -> (OperationsTrial, C) {
        let choices = Arc::new(Mutex::new(choices));
        let shared = Arc::clone(&choices) as Arc<Mutex<dyn Choices>>;
        let simulation = simulate(settings, shared, self.0);
        let verdicts = judge(&simulation);
        let choices = Arc::into_inner(choices).expect("a simulation that is over keeps nothing");
        let choices = choices.into_inner().unwrap_or_else(PoisonError::into_inner);
        let trial = OperationsTrial {
            simulation,
            verdicts,
        };
        (trial, choices)
    }
}

impl Judged for OperationsTrial {
    fn tape(&self) -> &Tape {
        &self.simulation.tape
    }

    fn verdicts(&self) -> &[Verdict] {
        &self.verdicts
    }

    fn schedule(&self) -> Schedule {
        self.simulation.history.schedule()
    }

    fn trace(&self) -> HashedTrace {
        HashedTrace::of_operations(&self.simulation, &self.verdicts)
    }
}
