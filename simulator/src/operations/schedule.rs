//! A schedule of operations as data: which run, where, and what goes wrong. It prints as text and reads
//! back from it.

use std::fmt;
use std::str::FromStr;

use crate::choices::Choices;
use crate::choices::scheduled::{Scheduled, Unfired};
use crate::fault::{BadSchedule, Fault, Schedule};
use crate::operations::operation::{OPERATIONS, Operation};
use crate::operations::simulation::Simulation;
use crate::operations::state::Placement;
use crate::sim::StoreKind;

/// The version of the text. Version 1 stands for the names of operations, places, faults and instants.
const VERSION: &str = "v1";

/// Two or three operations, where they run, and what goes wrong.
///
/// The text has the version, `run OPERATION` for each operation, `place PLACE`, and the items of a
/// [`Schedule`], with a semicolon or a line break between them:
///
/// ```text
/// v1; run purge; run status=open; place one-process; at 1 purge/clear done:before: switch=life2
/// ```
///
/// - The operations are `resume-all`, `purge`, `unfinished`, `status=RUN`, `run-or-resume=RUN`,
///   `run-and-clear=RUN` and `retry-stuck=RUN`, for the runs that [`OPERATIONS`] has.
/// - The places are `one-process` (the default), `apart` (each in its own process, over memory) and
///   `in-turn` (one process after the other, over an embedded store).
/// - An instant is `CALLER OPERATION/CALL:WHEN`, as a replay prints it. `switch=life2` lets the caller 2
///   go on.
///
/// ```
/// use crashpoint_simulator::operations::OperationsSchedule;
/// use crashpoint_simulator::{Judged as _, Operations, StoreKind};
///
/// let schedule: OperationsSchedule = "v1; run purge; run status=open; place in-turn; \
///                                     at 1 purge/clear done:before-sync: power-loss"
///     .parse()?;
/// let (trial, _) = Operations(None).run_schedule(StoreKind::Redb, &schedule)?;
/// assert_eq!(trial.verdicts(), []);
/// assert_eq!(trial.simulation.schedule(), schedule);
/// assert_eq!(schedule.to_string().parse(), Ok(schedule));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationsSchedule {
    /// The operations of the callers 1, 2 and so on.
    pub operations: Vec<Operation>,
    /// Where they run.
    pub placement: Placement,
    /// What goes wrong, and the switches between the operations.
    pub faults: Schedule,
}

/// Why a text is not a schedule of operations, or can't be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadOperationsSchedule {
    /// It does not begin with the version.
    #[error("a schedule of operations begins with {VERSION:?}, found {0:?}")]
    Version(String),
    /// An operation has another name.
    #[error("unknown operation {found:?}; the operations are {known}", known = known_operations())]
    Operation {
        /// The name.
        found: String,
    },
    /// A place has another name.
    #[error("unknown place {0:?}; the places are one-process, apart and in-turn")]
    Place(String),
    /// It has too few operations, or too many.
    #[error(
        "a schedule has two or three operations, such as `run purge; run status=open`; found {0}"
    )]
    Count(usize),
    /// The store has no such place.
    #[error("over {store} no operations run {placement}")]
    Impossible {
        /// The place.
        placement: Placement,
        /// The store.
        store: StoreKind,
    },
    /// A fault or an instant is written otherwise.
    #[error(transparent)]
    Faults(#[from] BadSchedule),
    /// A fault did not fire.
    #[error(transparent)]
    Unfired(#[from] Unfired),
}

fn known_operations() -> String {
    let names = OPERATIONS.iter().map(|operation| operation.name());
    names.collect::<Vec<_>>().join(", ")
}

impl fmt::Display for OperationsSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(VERSION)?;
        for operation in &self.operations {
            write!(f, "; run {}", operation.name())?;
        }
        write!(f, "; place {}", self.placement)?;
        let faults = self.faults.items().into_iter();
        faults
            .into_iter()
            .try_for_each(|item| write!(f, "; {item}"))
    }
}

impl FromStr for OperationsSchedule {
    type Err = BadOperationsSchedule;

    fn from_str(text: &str) -> Result<Self, BadOperationsSchedule> {
        let is_between = |c: char| c == ';' || c.is_whitespace();
        let item_of = |text: &'_ str| -> (usize, String) {
            let end = text.find([';', '\n']).unwrap_or(text.len());
            (end, text[..end].trim().to_owned())
        };
        let text = text.trim_matches(is_between);
        let (end, version) = item_of(text);
        if version != VERSION {
            return Err(BadOperationsSchedule::Version(version));
        }
        let mut rest = text[end..].trim_start_matches(is_between);
        let (mut operations, mut placement) = (Vec::new(), Placement::OneProcess);
        loop {
            let (end, item) = item_of(rest);
            if let Some(name) = item.strip_prefix("run ") {
                let found = name.trim().to_owned();
                let operation = Operation::named(&found);
                operations.push(operation.ok_or(BadOperationsSchedule::Operation { found })?);
            } else if let Some(name) = item.strip_prefix("place ") {
                let place = Placement::named(name.trim());
                placement = place.ok_or_else(|| BadOperationsSchedule::Place(name.to_owned()))?;
            } else {
                break;
            }
            rest = rest[end..].trim_start_matches(is_between);
        }
        if !(2..=3).contains(&operations.len()) {
            return Err(BadOperationsSchedule::Count(operations.len()));
        }
        Ok(Self {
            operations,
            placement,
            faults: format!("{VERSION}; {rest}").parse()?,
        })
    }
}

impl OperationsSchedule {
    /// Choices by which it happens over such a store, and nothing else.
    ///
    /// # Errors
    ///
    /// If the store has no such place.
    pub(crate) fn choices(&self, store: StoreKind) -> Result<Planned, BadOperationsSchedule> {
        let in_turn = store.disk().is_some();
        let place = match (self.placement, in_turn) {
            (Placement::OneProcess, _) => 0,
            (Placement::Apart, false) | (Placement::InTurn, true) => 1,
            (placement, _) => return Err(BadOperationsSchedule::Impossible { placement, store }),
        };
        let index = |operation: &Operation| {
            let index = OPERATIONS.iter().position(|it| it == operation);
            index.expect("an operation is read by its name, or was drawn")
        };
        let mut plan = vec![self.operations.len() - 2];
        plan.extend(self.operations.iter().map(index));
        plan.push(place);
        Ok(Planned {
            plan: plan.into_iter(),
            faults: Scheduled::new(&self.faults),
        })
    }
}

impl Simulation {
    /// What ran, where, and what went wrong.
    pub fn schedule(&self) -> OperationsSchedule {
        OperationsSchedule {
            operations: self.operations.clone(),
            placement: self.placement,
            faults: self.history.schedule(),
        }
    }
}

/// Choices by which a schedule of operations happens: first the plan, then its faults.
#[derive(Debug)]
pub(crate) struct Planned {
    plan: std::vec::IntoIter<usize>,
    faults: Scheduled,
}

impl Planned {
    /// Checks that the whole schedule has happened.
    pub(crate) fn finish(&self) -> Result<(), Unfired> {
        self.faults.finish()
    }
}

impl Choices for Planned {
    fn choose(&mut self, _: &str, _: usize) -> usize {
        self.plan.next().unwrap_or_default()
    }

    fn choose_fault(&mut self, point: &str, faults: &[Fault]) -> usize {
        self.faults.choose_fault(point, faults)
    }
}
