//! The input of every oracle: one simulation, and the logs at any place of its history.

use std::collections::BTreeMap;

use crashpoint::CheckpointRow;

use crate::fault::{Fault, Fired};
use crate::operations::history::{Answer, Ending, Entry, Rows, What};
use crate::operations::logs::logs;
use crate::operations::operation::Operation;
use crate::operations::simulation::Simulation;
use crate::operations::state::{DRAWN, Placement, RECOVERY};

/// A simulation, with the logs of the fleet before it.
#[derive(Debug)]
pub struct Case<'a> {
    pub(super) simulation: &'a Simulation,
    before: BTreeMap<&'static str, Rows>,
}

/// An operation, from its beginning to its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) caller: u8,
    pub(super) operation: Operation,
    pub(super) answer: &'a Answer,
    /// The places in the history at which it began and answered.
    pub(super) from: usize,
    pub(super) to: usize,
}

/// What a log says during a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) rows: usize,
    /// `None` for an absent log, and for a log that does not decode.
    pub(super) ending: Option<Ending>,
}

impl<'a> Case<'a> {
    pub(super) fn new(simulation: &'a Simulation) -> Self {
        Self {
            simulation,
            before: logs(),
        }
    }

    pub(super) fn entries(&self) -> &'a [Entry] {
        &self.simulation.history.0
    }

    /// The operations that answered.
    pub(super) fn calls(&self) -> impl Iterator<Item = Call<'a>> + '_ {
        let entries = self.entries();
        entries.iter().enumerate().filter_map(move |(to, entry)| {
            let What::Answered(answer) = &entry.what else {
                return None;
            };
            let (from, operation) = self.began(entry.caller)?;
            Some(Call {
                caller: entry.caller,
                operation,
                answer,
                from,
                to,
            })
        })
    }

    /// The operation of a caller, and the place at which it began.
    pub(super) fn began(&self, caller: u8) -> Option<(usize, Operation)> {
        let mut entries = self.entries().iter().enumerate();
        entries.find_map(|(place, entry)| match entry.what {
            What::Began(operation) if entry.caller == caller => Some((place, operation)),
            _ => None,
        })
    }

    /// Whether two callers share a process.
    pub(super) fn share_a_process(&self, one: u8, other: u8) -> bool {
        let drawn = one != RECOVERY && other != RECOVERY;
        one == other || (drawn && self.simulation.placement == Placement::OneProcess)
    }

    /// The events of a run up to a place: rows and clears.
    fn changes(
        &self,
        id: &'a str,
        to: usize,
    ) -> impl Iterator<Item = (usize, Option<&'a CheckpointRow>)> {
        let entries = self.entries()[..to].iter().enumerate();
        entries.filter_map(move |(place, entry)| match &entry.what {
            What::Landed { id: of, row } if of == id => Some((place, Some(&**row))),
            What::Cleared(of) if of == id => Some((place, None)),
            What::Found { id: of, .. } if of == id => Some((place, None)),
            _ => None,
        })
    }

    /// The log of a run before a place of the history.
    pub(super) fn log<'b>(&'b self, id: &'b str, place: usize) -> Vec<&'b CheckpointRow>
    where
        'a: 'b,
    {
        let before = self.before.get(id).into_iter().flat_map(|rows| rows.iter());
        let mut rows: Vec<&CheckpointRow> = before.collect();
        for entry in &self.entries()[..place] {
            match &entry.what {
                What::Landed { id: of, row } if of == id => rows.push(row),
                What::Cleared(of) if of == id => rows.clear(),
                What::Found {
                    id: of,
                    rows: found,
                } if of == id => rows = found.iter().collect(),
                _ => {}
            }
        }
        rows
    }

    /// What the log of a run says before a place of the history.
    pub(super) fn said_at(&self, id: &str, place: usize) -> Said {
        let rows = self.log(id, place);
        Said {
            rows: rows.len(),
            ending: Ending::of_rows(rows.into_iter()),
        }
    }

    /// Everything that the log of a run says during a call.
    pub(super) fn said_during(&self, id: &'a str, call: &Call<'_>) -> Vec<Said> {
        let mut said = vec![self.said_at(id, call.from)];
        for (place, _) in self.changes(id, call.to) {
            if place > call.from {
                said.push(self.said_at(id, place + 1));
            }
        }
        said
    }

    /// The runs that the store listed for a call.
    pub(super) fn listed(&self, call: &Call<'_>) -> Vec<&'a str> {
        let entries = self.entries()[call.from..call.to].iter();
        let of_call = entries.filter(|entry| entry.caller == call.caller);
        let ids = of_call.filter_map(|entry| match &entry.what {
            What::Listed(ids) => Some(ids.iter().map(smol_str::SmolStr::as_str)),
            _ => None,
        });
        ids.flatten().collect()
    }

    /// Whether a run, or a listing, may have failed within a call: a drawn fault hit it, or a sync has failed
    /// in the process before, after which the store refuses everything.
    pub(super) fn met_a_fault(&self, call: &Call<'_>, id: Option<&str>) -> bool {
        let has_failed = self.entries()[..call.to].iter().any(|entry| {
            self.share_a_process(entry.caller, call.caller)
                && matches!(
                    &entry.what,
                    What::Fault {
                        fired: Fired {
                            fault: Fault::Disk(_),
                            ..
                        },
                        ..
                    }
                )
        });
        has_failed || self.was_hit(call, id)
    }

    /// Whether a drawn fault hit a run, or a listing, within a call and by its caller.
    pub(super) fn was_hit(&self, call: &Call<'_>, id: Option<&str>) -> bool {
        self.entries()[call.from..call.to].iter().any(|entry| {
            entry.caller == call.caller
                && matches!(&entry.what, What::Fault { id: of, fired: Fired { fault: Fault::Store(_), .. } } if of.as_deref() == id)
        })
    }

    /// Whether a caller's operation is under way somewhere between two places: it has begun, and has
    /// not answered or died before.
    pub(super) fn is_active(&self, caller: u8, from: usize, to: usize) -> bool {
        let Some((began, _)) = self.began(caller) else {
            return false;
        };
        let over = self.entries().iter().position(|entry| match &entry.what {
            What::Answered(_) | What::Panicked(_) | What::Hung => entry.caller == caller,
            What::Fault { fired, .. } if fired.fault.is_crash() => {
                self.share_a_process(entry.caller, caller)
            }
            _ => false,
        });
        began < to && over.is_none_or(|over| over > from)
    }

    /// The other callers whose operations have a life of this run.
    pub(super) fn other_lives(&self, caller: u8, id: &str) -> impl Iterator<Item = u8> {
        let others = DRAWN.filter(move |other| *other != caller);
        others.filter(move |other| {
            self.began(*other)
                .is_some_and(|(_, operation)| operation.lives() == Some(id))
        })
    }

    /// Whether another caller in the process performs such an operation during a call.
    pub(super) fn has_neighbour(&self, call: &Call<'_>, is: impl Fn(Operation) -> bool) -> bool {
        let mut others = DRAWN.filter(|other| *other != call.caller);
        others.any(|other| {
            self.share_a_process(call.caller, other)
                && self.is_active(other, call.from, call.to)
                && self
                    .began(other)
                    .is_some_and(|(_, operation)| is(operation))
        })
    }

    /// Whether another caller appended to a run between two places.
    pub(super) fn has_rival_rows(&self, caller: u8, id: &str, from: usize, to: usize) -> bool {
        self.entries()[from..to].iter().any(|entry| {
            entry.caller != caller && matches!(&entry.what, What::Landed { id: of, .. } if of == id)
        })
    }
}
