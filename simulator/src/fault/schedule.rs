//! A schedule as data: what goes wrong in a simulation, and where. It prints as text, reads back from
//! it, and can be made to happen.
//!
//! A tape says the same to the simulator that it was drawn from; once a draw is added anywhere, the tape
//! means something else. A schedule names instants and faults, so it survives most changes, and people
//! write it.

use std::fmt;
use std::str::FromStr;

use crate::fault::{BadFault, Budget, Fired, sentences};

/// The version of the text of a schedule. Version 1 stands for the names of faults and instants.
const VERSION: &str = "v1";

/// The text of a schedule in which nothing goes wrong.
const CALM: &str = "no fault";

/// What goes wrong, in the order in which it does.
///
/// The text of a schedule is its version and a fault for each item, with a semicolon or a line break
/// between them:
///
/// ```text
/// v1; at life1/append#3:before: crash; at life2/append#4:before: in-doubt-applied
/// ```
///
/// - An item is `at INSTANT: FAULT`. A remark in parentheses may follow, which is ignored.
/// - An instant is `lifeN/WHAT:WHEN`. `WHAT` is `begin`, `open`, `load`, `append#ROW`, `clear`, `close`, the
///   name of a task, or `undo` and the name of a task; the second time that a life comes to the same
///   instant `WHAT` is followed by `.2`, and so on. `WHEN` says where in it the instant lies: `before`,
///   `unacked` (it is durable, and the life has not been told), `acked`, `pending`, `before-effect`,
///   `after-effect`, `attempt`, and so on. An instant that could be misread is in JSON quotes.
///   Where a test has several runs, the life says its run: `life2@run-1/append#3:before`.
/// - A fault is its name, for some with an argument: `in-doubt-late=2`. [`Fault::pattern`](crate::Fault::pattern) lists them.
///
/// Without a version the sentences that named faults before version 1 are read as well.
///
/// ```
/// use crashpoint_simulator::{Schedule, Source, StoreKind, run_schedule, workload};
///
/// let schedule: Schedule = "at life1/append#3:before: crash; \
///                           at life2/append#4:before: in-doubt-applied"
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
            *budget.count_mut(fired.fault.group()) += 1;
        }
        // What comes late can do so only where somebody may come in the meantime.
        let alone = !budget.has_company();
        if alone && self.0.iter().any(|fired| fired.fault.needs_company()) {
            budget.takeovers = 1;
        }
        budget
    }

    /// Each thing that goes wrong, as `at INSTANT: FAULT`.
    pub fn items(&self) -> Vec<String> {
        self.0.iter().map(Fired::to_string).collect()
    }

    /// The same with the sentence of each fault as a remark, for people.
    pub fn remarked(&self) -> Vec<String> {
        self.0.iter().map(Fired::remarked).collect()
    }

    /// Whether a text is meant as a schedule: it begins with a version or an item of one. What follows
    /// may still be wrong.
    pub fn is_meant_by(text: &str) -> bool {
        let text = text.trim_matches(is_between);
        let version = text.split_once(is_between).map_or(text, |(first, _)| first);
        text == CALM || text.starts_with("at ") || is_version(version)
    }
}

impl fmt::Display for Schedule {
    /// The version and the items, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return write!(f, "{VERSION}; {CALM}");
        }
        write!(f, "{VERSION}; {}", self.items().join("; "))
    }
}

/// Why a text is not a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSchedule {
    /// It is of another version.
    #[error("the schedule has version {0:?}, this simulator reads version {VERSION}")]
    Version(String),
    /// An item has another shape.
    #[error("expected `at INSTANT: FAULT`, found {0:?}")]
    Shape(String),
    /// An item names no fault.
    #[error(transparent)]
    Fault(#[from] BadFault),
}

impl FromStr for Schedule {
    type Err = BadSchedule;

    fn from_str(text: &str) -> Result<Self, BadSchedule> {
        let (version, mut rest) = versioned(text.trim_matches(is_between));
        if version.is_some_and(|version| version != VERSION) {
            return Err(BadSchedule::Version(version.unwrap_or_default().to_owned()));
        }
        if rest == CALM {
            return Ok(Self::default());
        }
        let mut faults = Vec::new();
        while !rest.is_empty() {
            let (point, behind) = point(rest).ok_or_else(|| BadSchedule::Shape(rest.to_owned()))?;
            let end = behind.find([';', '\n']).unwrap_or(behind.len());
            let fault = without_remark(behind[..end].trim());
            faults.push(match sentences::read(&point, fault) {
                Some((point, fault)) if version.is_none() => Fired {
                    point: point.into(),
                    fault,
                },
                _ => Fired {
                    point: point.into(),
                    fault: fault.parse()?,
                },
            });
            rest = behind[end..].trim_start_matches(is_between);
        }
        Ok(Self(faults))
    }
}

fn is_between(c: char) -> bool {
    c == ';' || c.is_whitespace()
}

/// The version that a text opens with, and what follows it.
fn versioned(text: &str) -> (Option<&str>, &str) {
    let (first, rest) = text.split_once(is_between).unwrap_or((text, ""));
    if is_version(first) {
        (Some(first), rest.trim_start_matches(is_between))
    } else {
        (None, text)
    }
}

fn is_version(word: &str) -> bool {
    let digits = word.strip_prefix('v').unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn without_remark(fault: &str) -> &str {
    match fault.split_once(" (") {
        Some((fault, remark)) if remark.ends_with(')') => fault,
        _ => fault,
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
