//! A log with the instant and the writer of each row.

use std::collections::BTreeSet;
use std::sync::Arc;

use crashpoint::{Bytes, CheckpointRow, Event, Label, Polled, Undone};

use crate::history::{History, What};

/// The rows between two clears.
#[derive(Debug, Clone)]
pub struct Log {
    /// The rows, in the order in which they became durable.
    pub rows: Vec<Stored>,
    /// The place of the clear that ended the log, or the end of the history.
    pub until: usize,
    from: usize,
    visits: Vec<Spanned>,
}

/// A visit by the indices of the rows that entered and left it. Computed once, because most oracles
/// need it.
#[derive(Debug, Clone, Copy)]
struct Spanned {
    entered: usize,
    closed: Option<usize>,
}

/// A row that became durable.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The place in the history.
    pub place: usize,
    /// The life that sent it.
    pub life: u32,
    /// The row.
    pub row: Arc<CheckpointRow>,
    /// Its meaning.
    pub event: Event,
}

/// A visit, from its rows.
#[derive(Debug, Clone)]
pub struct VisitRecord<'a> {
    /// The sequence of the row that entered it.
    pub id: u64,
    /// Its state.
    pub state: &'a Label,
    /// The row that left it: a completion, an entry or the start of a rollback.
    pub closed_by: Option<&'a Stored>,
}

/// An effect that a rollback must undo.
#[derive(Debug, Clone)]
pub struct Owed<'a> {
    /// The task.
    pub task: Label,
    /// The visit in which the task ran.
    pub visit: u64,
    /// The places at which its undos were settled, failures included.
    pub settled: Vec<usize>,
    /// The record of its success.
    pub compensated: Option<&'a Stored>,
}

impl Log {
    /// Every log of a history.
    pub(super) fn all(history: &History) -> Vec<Self> {
        let empty = |from| Self {
            rows: Vec::new(),
            until: history.0.len(),
            from,
            visits: Vec::new(),
        };
        let mut logs = vec![empty(0)];
        for (place, entry) in history.0.iter().enumerate() {
            let log = logs.last_mut().expect("there is always a log");
            match &entry.what {
                What::Landed(row) => {
                    // A row that does not decode is reported by the life that loads it.
                    if let Ok(event) = Event::from_row(row) {
                        let (row, life) = (row.clone(), entry.life);
                        log.rows.push(Stored {
                            place,
                            life,
                            row,
                            event,
                        });
                    }
                }
                What::Cleared => {
                    log.until = place;
                    logs.push(empty(place + 1));
                }
                _ => {}
            }
        }
        for log in &mut logs {
            log.visits = spans(&log.rows);
        }
        logs
    }

    /// The place in the history at which the log began.
    pub fn began(&self) -> usize {
        self.from
    }

    /// Whether this was the log at a place of the history.
    pub fn contains(&self, place: usize) -> bool {
        (self.from..=self.until).contains(&place)
    }

    /// The lives that wrote to it.
    pub fn lives(&self) -> BTreeSet<u32> {
        self.rows.iter().map(|stored| stored.life).collect()
    }

    /// The place at which the newest claim of a life became durable.
    pub fn claimed_at(&self, life: u32) -> Option<usize> {
        let claims = self.rows.iter().rev().filter(|stored| is_claim(stored));
        claims
            .filter(|stored| stored.life == life)
            .map(|stored| stored.place)
            .next()
    }

    /// The place at which another life's claim after that of `life` became durable.
    pub fn overtaken_at(&self, life: u32) -> Option<usize> {
        let claimed = self.claimed_at(life)?;
        let mut claims = self.rows.iter().filter(|stored| is_claim(stored));
        let overtaken = claims.find(|stored| stored.place > claimed && stored.life != life);
        overtaken.map(|stored| stored.place)
    }

    /// Whether another life had overtaken `life` at this place.
    pub fn overtaken(&self, life: u32, place: usize) -> bool {
        self.overtaken_at(life)
            .is_some_and(|overtaken| overtaken < place)
    }

    /// The number of rows when another life overtook `life`.
    pub fn own_rows(&self, life: u32) -> usize {
        let overtaken = self.overtaken_at(life).unwrap_or(usize::MAX);
        self.rows
            .iter()
            .filter(|stored| stored.place < overtaken)
            .count()
    }

    /// The visits, in order.
    pub fn visits(&self) -> impl Iterator<Item = VisitRecord<'_>> {
        self.visits.iter().filter_map(|visit| {
            let entered = &self.rows[visit.entered];
            Some(VisitRecord {
                id: entered.row.sequence,
                state: state_entered(&entered.event)?,
                closed_by: visit.closed.map(|closed| &self.rows[closed]),
            })
        })
    }

    /// The visit with this id.
    pub fn visit(&self, id: u64) -> Option<VisitRecord<'_>> {
        self.visits().find(|visit| visit.id == id)
    }

    /// The cursors of a visit, each with the place at which it became durable.
    pub fn cursors(&self, visit: u64) -> Vec<(usize, &Bytes)> {
        let after = self
            .rows
            .iter()
            .skip_while(|stored| stored.row.sequence <= visit);
        let within = after.take_while(|stored| stored.event.entry().is_none());
        let cursors = within.filter_map(|stored| match &stored.event {
            Event::StepAdvanced { cursor, .. } => Some((stored.place, cursor)),
            _ => None,
        });
        cursors.collect()
    }

    /// The deadline of a visit's timer, if it is durable.
    pub fn deadline(&self, visit: u64) -> Option<u64> {
        let after = self
            .rows
            .iter()
            .skip_while(|stored| stored.row.sequence <= visit);
        let mut within = after.take_while(|stored| stored.event.entry().is_none());
        within.find_map(|stored| match &stored.event {
            Event::TimerStarted {
                deadline_unix_ms, ..
            } => Some(*deadline_unix_ms),
            _ => None,
        })
    }

    /// The rounds of a visit that were durable at a place of the history, if there were any.
    pub fn polled(&self, visit: u64, place: usize) -> Option<Polled> {
        let after = self
            .rows
            .iter()
            .skip_while(|stored| stored.row.sequence <= visit);
        let within = after.take_while(|stored| stored.event.entry().is_none());
        let before = within.take_while(|stored| stored.place < place);
        let polled = before.filter_map(|stored| match &stored.event {
            Event::Polled { polled, .. } => Some(*polled),
            _ => None,
        });
        polled.last()
    }

    /// The undos that the rollback owes, if there is one: for every completion, and for the open
    /// visit if the log says so.
    pub fn owed(&self) -> Vec<Owed<'_>> {
        let mut owed = Vec::new();
        for visit in self.visits() {
            let task = match visit.closed_by.map(|stored| &stored.event) {
                Some(
                    Event::Completed { task, .. }
                    | Event::RollbackStarted {
                        task,
                        undo_open_visit: true,
                        ..
                    },
                ) => task.clone(),
                _ => continue,
            };
            owed.push(Owed {
                task,
                visit: visit.id,
                settled: Vec::new(),
                compensated: None,
            });
        }
        for stored in &self.rows {
            let (Event::Compensated { undone, .. } | Event::CompensationFailed { undone, .. }) =
                &stored.event
            else {
                continue;
            };
            let visit = self.visit_of(*undone);
            if let Some(owed) = owed.iter_mut().find(|owed| Some(owed.visit) == visit) {
                owed.settled.push(stored.place);
                if matches!(stored.event, Event::Compensated { .. }) {
                    owed.compensated = Some(stored);
                }
            }
        }
        owed
    }

    /// The visit to which an undo belongs.
    fn visit_of(&self, undone: Undone) -> Option<u64> {
        match undone {
            Undone::InDoubt(visit) => Some(visit),
            Undone::Completion(sequence) => {
                let closed = |visit: &VisitRecord<'_>| {
                    visit
                        .closed_by
                        .is_some_and(|stored| stored.row.sequence == sequence)
                };
                self.visits().find(closed).map(|visit| visit.id)
            }
        }
    }
}

/// The visits of these rows. A claim enters a visit only if there is none; a rollback enters none.
fn spans(rows: &[Stored]) -> Vec<Spanned> {
    let mut visits: Vec<Spanned> = Vec::new();
    for (at, stored) in rows.iter().enumerate() {
        let enters = match &stored.event {
            Event::Claimed { .. } if visits.is_empty() => true,
            Event::Entered { .. }
            | Event::Produced { .. }
            | Event::Routed { .. }
            | Event::Completed { .. } => true,
            Event::RollbackStarted { .. } => false,
            Event::Claimed { .. }
            | Event::StepAdvanced { .. }
            | Event::TimerStarted { .. }
            | Event::Polled { .. }
            | Event::Compensated { .. }
            | Event::CompensationFailed { .. }
            | Event::RolledBack => continue,
        };
        if let Some(open) = visits.last_mut() {
            open.closed.get_or_insert(at);
        }
        if enters {
            visits.push(Spanned {
                entered: at,
                closed: None,
            });
        }
    }
    visits
}

fn state_entered(event: &Event) -> Option<&Label> {
    match event {
        Event::Claimed { state, .. } => Some(state),
        other => other.entry().map(|(state, _)| state),
    }
}

fn is_claim(stored: &Stored) -> bool {
    matches!(stored.event, Event::Claimed { .. })
}
