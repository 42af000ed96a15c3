//! A schedule as data: what goes wrong in a simulation, and where. It prints as words, reads back
//! from them, and can be made to happen.
//!
//! A tape says the same to the simulator it was drawn from; once a draw is added anywhere it means
//! something else. A schedule names instants, so it outlives most changes, and people write it.

use std::fmt;
use std::str::FromStr;

use crate::fault::{BadFault, Budget, Fired};

/// How a schedule is said in which nothing goes wrong.
const CALM: &str = "no fault";

/// What goes wrong, in the order in which it does.
///
/// ```
/// use crashpoint_simulator::{Schedule, Source, StoreKind, run_schedule, workload};
///
/// let schedule: Schedule = "at life1/append#3:before: the process crashes; \
///                           at life2/append#4:before: the store fails, after the effect"
///     .parse()?;
/// assert_eq!(schedule.budget().to_string(), "c1f1");
/// let order = workload::named("order").expect("it is built in");
/// let (trial, _) = run_schedule(Source::Fixed(&order), StoreKind::Memory, &schedule)?;
/// assert_eq!(trial.schedule(), schedule);
/// assert_eq!(trial.verdicts, []);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schedule(pub Vec<Fired>);

impl Schedule {
    /// The least budget that has room for it.
    pub fn budget(&self) -> Budget {
        let mut budget = Budget::default();
        for fired in &self.0 {
            *budget.purse(fired.fault) += 1;
        }
        // What comes late can do so only where somebody may come in the meantime.
        let alone = !budget.has_company();
        if alone && self.0.iter().any(|fired| fired.fault.needs_company()) {
            budget.takeovers = 1;
        }
        budget
    }

    /// Each thing that goes wrong, in words.
    pub fn words(&self) -> Vec<String> {
        self.0.iter().map(Fired::to_string).collect()
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(CALM);
        }
        f.write_str(&self.words().join("; "))
    }
}

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSchedule {
    /// It has not the words of a fault where they are due.
    #[error("expected `at INSTANT: FAULT`, found {0:?}")]
    Shape(String),
    /// What goes wrong is nothing that can.
    #[error(transparent)]
    Fault(#[from] BadFault),
}

impl FromStr for Schedule {
    type Err = BadSchedule;

    /// Reads faults that stand on lines of their own, or have a semicolon between them.
    fn from_str(text: &str) -> Result<Self, BadSchedule> {
        let mut faults = Vec::new();
        let between = |c: char| c == ';' || c.is_whitespace();
        let mut rest = text.trim_matches(between);
        if rest == CALM {
            return Ok(Self::default());
        }
        while !rest.is_empty() {
            let (point, behind) = point(rest).ok_or_else(|| BadSchedule::Shape(rest.to_owned()))?;
            let end = behind.find([';', '\n']).unwrap_or(behind.len());
            let fault = behind[..end].trim().parse()?;
            faults.push(Fired {
                point: point.into(),
                fault,
            });
            rest = behind[end..].trim_start_matches(between);
        }
        Ok(Self(faults))
    }
}

/// The name of the instant that the text begins with, and what comes behind it.
fn point(text: &str) -> Option<(String, &str)> {
    let named = text.strip_prefix("at ")?;
    if !named.starts_with('"') {
        let (point, behind) = named.split_once(": ")?;
        return Some((point.to_owned(), behind));
    }
    let mut quoted = serde_json::Deserializer::from_str(named).into_iter::<String>();
    let point = quoted.next()?.ok()?;
    let behind = named[quoted.byte_offset()..].strip_prefix(": ")?;
    Some((point, behind))
}
