//! The logs that the lives of an upgrade found, and whether their release refused them.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher as _};

use crashpoint::{CheckpointRow, RowKind};

use crate::fault::Schedule;
use crate::record::Token;
use crate::sim::{Resumption, Run, Settings, Workload, resumptions};

/// Every log that a life of one release found in the state in which the other release had left it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resumptions(pub BTreeMap<Resumption, ResumedLogs>);

/// The logs of equal [`Resumption`]s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumedLogs {
    /// Hashes of the logs, without what differs from life to life. Equal logs count once.
    logs: BTreeSet<u64>,
    /// The schedule with the fewest faults that leaves such a log.
    pub schedule: Schedule,
    /// The token of that schedule.
    pub token: Token,
}

impl ResumedLogs {
    /// The number of different logs.
    pub fn count(&self) -> u64 {
        self.logs.len() as u64
    }

    fn merge(&mut self, other: Self) {
        let size = |schedule: &Schedule| (schedule.0.len(), schedule.to_string());
        let order = |it: &Self| (size(&it.schedule), it.token.workload.clone());
        if order(&other) < order(self) {
            (self.schedule, self.token) = (other.schedule, other.token);
        }
        self.logs.extend(other.logs);
    }
}

impl Resumptions {
    /// The resumptions of one simulation.
    pub(crate) fn of(workload: &Workload, settings: &Settings, run: &Run) -> Self {
        let mut all = Self::default();
        for (found, resumption) in resumptions(workload, &run.history) {
            let logs = ResumedLogs {
                logs: BTreeSet::from([shape(found.rows)]),
                schedule: Schedule::of(&run.history),
                token: Token::of(&workload.name, settings, &run.tape),
            };
            all.add(resumption, logs);
        }
        all
    }

    fn add(&mut self, resumption: Resumption, logs: ResumedLogs) {
        match self.0.get_mut(&resumption) {
            Some(known) => known.merge(logs),
            None => _ = self.0.insert(resumption, logs),
        }
    }

    /// Adds the resumptions of other simulations.
    pub fn merge(&mut self, other: Self) {
        for (resumption, logs) in other.0 {
            self.add(resumption, logs);
        }
    }
}

/// A hash of a log without its claims' nonces and times.
fn shape(rows: &[CheckpointRow]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for row in rows {
        let blob = row
            .output_blob
            .as_ref()
            .filter(|_| row.kind != RowKind::Claim);
        (row.sequence, row.kind, &row.state, &row.task_id, blob).hash(&mut hasher);
    }
    hasher.finish()
}
