//! What the author of an upgrade expects of it, and how the resumptions differ.

use std::collections::BTreeSet;

use crate::explore::{ResumedLogs, Resumption, Resumptions};
use crate::sim::Release;

/// The expectations of an upgrade. By default the new release carries every log.
#[derive(Debug, Clone, Default)]
pub(super) struct Expected {
    /// The labels of the states of the old release whose runs the new release refuses.
    pub(super) refused: BTreeSet<String>,
    /// Whether the old release carries every log of the new release.
    pub(super) carries_back: bool,
}

impl Expected {
    /// The refusals that were not expected: those of open runs first, and those of the fewest faults.
    pub(super) fn unexpected_refusals<'a>(
        &self,
        resumptions: &'a Resumptions,
    ) -> Vec<(&'a Resumption, &'a ResumedLogs)> {
        let refused = resumptions.0.iter();
        let mut refused: Vec<_> = refused.filter(|(it, _)| !self.permits(it)).collect();
        refused.sort_by_key(|(it, logs)| {
            let has_ended = it.place.phase.is_terminal();
            (has_ended, logs.schedule.0.len())
        });
        refused
    }

    /// The states whose runs were expected to be refused, and never were.
    pub(super) fn missing_refusals(&self, resumptions: &Resumptions) -> Vec<&str> {
        let refused = |state: &str| {
            let mut all = resumptions.0.keys();
            all.any(|it| it.by == Release::New && it.refused.is_some() && it.place.state == state)
        };
        let states = self.refused.iter().map(String::as_str);
        states.filter(|state| !refused(state)).collect()
    }

    fn permits(&self, resumption: &Resumption) -> bool {
        match (&resumption.refused, resumption.by) {
            (None, _) => true,
            (Some(_), Release::New) => self.refused.contains(&resumption.place.state),
            (Some(_), Release::Old) => !self.carries_back,
        }
    }
}
