//! Defects that are planted in a world, so that the oracles must object: to the store, to the
//! workers, or to the engine.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use crashpoint::{CheckpointRow, CheckpointStore, Error};
use madsim::time::sleep;

use crate::executor::lock;
use crate::madsim_lane::plan::PlannedRun;
use crate::workload::{self, Rule, Workload};

/// A defect of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// The store replaces a row at a taken sequence instead of refusing the second row.
    FenceRemoved,
    /// The same store, and workers that rely on a lease: each believes by its own clock that it has
    /// the run to itself.
    LeaseTrusted,
    /// The engine sends an append in doubt again without reading the log, and counts a second error
    /// as success.
    ResentBlindly,
    /// The store acknowledges a row before it is on the disk.
    AcknowledgedBeforeSync,
    /// The engine clears the log of a run that is done, although another life may exist.
    ZombieClears,
}

impl Defect {
    /// Every defect.
    pub const ALL: &'static [Self] = &[
        Self::FenceRemoved,
        Self::LeaseTrusted,
        Self::ResentBlindly,
        Self::AcknowledgedBeforeSync,
        Self::ZombieClears,
    ];

    /// Its name, for commands.
    pub fn name(self) -> &'static str {
        match self {
            Self::FenceRemoved => "fence-removed",
            Self::LeaseTrusted => "lease-trusted",
            Self::ResentBlindly => "resent-blindly",
            Self::AcknowledgedBeforeSync => "acknowledged-before-sync",
            Self::ZombieClears => "zombie-clears",
        }
    }

    /// The workload of a run in a world with this defect.
    pub(super) fn of_run(self, planned: &PlannedRun) -> Workload {
        match self {
            Self::ResentBlindly => planned.workload(Some(Rule::ReadBackBeforeResend)),
            // Its engine clears, and in this lane nothing makes its store exclusive.
            Self::ZombieClears => {
                let clears = workload::named("order-cleared");
                clears.expect("it is built in")
            }
            Self::FenceRemoved | Self::LeaseTrusted | Self::AcknowledgedBeforeSync => {
                planned.workload(None)
            }
        }
    }

    /// The store with this defect.
    pub(super) fn of_store(self, store: Arc<dyn CheckpointStore>) -> Arc<dyn CheckpointStore> {
        match self {
            Self::FenceRemoved | Self::LeaseTrusted => Arc::new(Unfenced(store)),
            Self::AcknowledgedBeforeSync => Arc::new(WriteBehind {
                store,
                waiting: Arc::default(),
            }),
            Self::ResentBlindly | Self::ZombieClears => store,
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Defect {
    type Err = BadDefect;

    fn from_str(name: &str) -> Result<Self, BadDefect> {
        let found = Self::ALL.iter().find(|defect| defect.name() == name);
        found.copied().ok_or_else(|| BadDefect(name.to_owned()))
    }
}

/// The name of an unknown defect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown defect {0:?}")]
pub struct BadDefect(String);

/// A store without the fence: the last row at a sequence stays.
struct Unfenced(Arc<dyn CheckpointStore>);

#[async_trait]
impl CheckpointStore for Unfenced {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let mut rows = self.0.load_run(workflow_id).await?;
        let Some(taken) = rows.iter_mut().find(|taken| taken.sequence == row.sequence) else {
            return self.0.append(workflow_id, row).await;
        };
        *taken = row;
        self.0.clear(workflow_id).await?;
        for row in rows {
            self.0.append(workflow_id, row).await?;
        }
        Ok(())
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.0.load_run(workflow_id).await
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.0.clear(workflow_id).await
    }
}

/// The time after which [`WriteBehind`] writes.
const BEHIND: Duration = Duration::from_millis(20);

/// A store that acknowledges a row when it has it in memory.
struct WriteBehind {
    store: Arc<dyn CheckpointStore>,
    waiting: Arc<Mutex<Vec<(String, CheckpointRow)>>>,
}

impl WriteBehind {
    fn waiting(&self, workflow_id: &str) -> Vec<CheckpointRow> {
        let waiting = lock(&self.waiting);
        let own = waiting.iter().filter(|(id, _)| id == workflow_id);
        own.map(|(_, row)| row.clone()).collect()
    }
}

#[async_trait]
impl CheckpointStore for WriteBehind {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let rows = self.load_run(workflow_id).await?;
        if rows.iter().any(|taken| taken.sequence == row.sequence) {
            return Err(Error::conflict(workflow_id, row.sequence));
        }
        lock(&self.waiting).push((workflow_id.to_owned(), row));
        let (store, waiting) = (Arc::clone(&self.store), Arc::clone(&self.waiting));
        madsim::task::spawn(async move {
            sleep(BEHIND).await;
            let first = lock(&waiting).first().cloned();
            if let Some((id, row)) = first
                && store.append(&id, row).await.is_ok()
            {
                lock(&waiting).remove(0);
            }
        });
        Ok(())
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let mut rows = self.store.load_run(workflow_id).await?;
        let written: Vec<u64> = rows.iter().map(|row| row.sequence).collect();
        let waiting = self.waiting(workflow_id).into_iter();
        rows.extend(waiting.filter(|row| !written.contains(&row.sequence)));
        rows.sort_by_key(|row| row.sequence);
        Ok(rows)
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        lock(&self.waiting).retain(|(id, _)| id != workflow_id);
        self.store.clear(workflow_id).await
    }
}
