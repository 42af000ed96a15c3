//! The faults that a test leaves out, on purpose.

use std::collections::BTreeSet;
use std::fmt;

use smol_str::SmolStr;

use crate::fault::{Budget, Fault, Group};

/// The faults that no schedule of a workload has.
///
/// ```
/// use crashpoint_simulator::{AttemptFault, Fault, Group, LeftOut};
///
/// let mut left_out = LeftOut::default();
/// left_out.add(Fault::Cancel);
/// left_out.add(Group::Clock);
/// left_out.pivot("ship");
/// assert!(!left_out.permits(Fault::Cancel));
/// assert!(left_out.permits(AttemptFault::Twice.into()));
/// assert_eq!(
///     left_out.to_string(),
///     "cancel, clock-ahead, clock-back, sleep, and whatever makes ship fail for good"
/// );
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    kinds: BTreeSet<Fault>,
    pivots: BTreeSet<SmolStr>,
}

/// Some kinds of faults: one, several, or a whole group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kinds(BTreeSet<Fault>);

impl From<Fault> for Kinds {
    fn from(fault: Fault) -> Self {
        [fault].into()
    }
}

impl From<Group> for Kinds {
    fn from(group: Group) -> Self {
        [group].into()
    }
}

impl<const N: usize> From<[Fault; N]> for Kinds {
    fn from(faults: [Fault; N]) -> Self {
        Self(faults.into_iter().map(Fault::kind).collect())
    }
}

impl<const N: usize> From<[Group; N]> for Kinds {
    fn from(groups: [Group; N]) -> Self {
        Self(groups.into_iter().flat_map(Group::kinds).collect())
    }
}

impl LeftOut {
    /// Leaves these kinds of faults out.
    pub fn add(&mut self, kinds: impl Into<Kinds>) {
        self.kinds.extend(kinds.into().0);
    }

    /// Leaves every other kind out.
    pub fn all_but(&mut self, kinds: impl Into<Kinds>) {
        let kept = kinds.into().0;
        self.kinds
            .extend(Fault::kinds().filter(|kind| !kept.contains(kind)));
    }

    /// Leaves out whatever makes the forward action of this task fail for good.
    pub fn pivot(&mut self, task: &str) {
        self.pivots.insert(task.into());
    }

    /// The tasks whose forward action never fails for good.
    pub fn pivots(&self) -> impl Iterator<Item = &str> {
        self.pivots.iter().map(SmolStr::as_str)
    }

    /// Whether nothing is left out.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a schedule may have this kind of fault.
    pub fn permits(&self, fault: Fault) -> bool {
        self.kinds.is_empty() || !self.kinds.contains(&fault.kind())
    }

    /// The budget without the groups from which nothing is possible, where `is_possible` says which
    /// faults could happen otherwise.
    pub(crate) fn within(&self, mut budget: Budget, is_possible: impl Fn(Fault) -> bool) -> Budget {
        for group in Group::KINDS.iter().copied() {
            let mut kinds = group.kinds().into_iter();
            if !kinds.any(|kind| self.permits(kind) && is_possible(kind)) {
                *budget.count_mut(group) = 0;
            }
        }
        budget
    }
}

impl fmt::Display for LeftOut {
    /// The kinds and the tasks, separated by commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept: Vec<Fault> = Fault::kinds().filter(|kind| self.permits(*kind)).collect();
        let words = |kinds: &[Fault]| -> Vec<String> {
            kinds.iter().copied().map(Fault::pattern).collect()
        };
        // What `all_but` leaves out is shorter by what it keeps.
        let mut parts = match kept.len() < self.kinds.len() {
            true => vec![format!("everything but {}", words(&kept).join(" and "))],
            false => words(&self.kinds.iter().copied().collect::<Vec<_>>()),
        };
        let pivots = self.pivots.iter();
        parts.extend(pivots.map(|task| format!("whatever makes {task} fail for good")));
        match parts.split_last() {
            None => f.write_str("nothing"),
            Some((last, [])) => f.write_str(last),
            Some((last, others)) => write!(f, "{}, and {last}", others.join(", ")),
        }
    }
}
