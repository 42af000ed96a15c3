//! How a call of a store reaches the rows, and what may happen at a sync.

use std::sync::Arc;

use crashpoint::{CheckpointRow, Error};
use smol_str::SmolStr;

use crate::disk::{Image, Loss};
use crate::executor::lock;
use crate::fault::{DiskFault, Fault};
use crate::operations::history::What;
use crate::operations::machine::{Answers, Change, Syncs};
use crate::operations::state::{Instant, Offers, State};
use crate::operations::storage::Storage;

/// The faults of a sync, beside a power loss.
const SYNC_FAULTS: &[DiskFault] = &[DiskFault::SyncError];

impl State {
    /// The log of a run.
    pub(super) async fn rows(&self, caller: u8, id: &str) -> Result<Vec<CheckpointRow>, Error> {
        match &self.storage {
            Storage::Memory(runs) => {
                let runs = lock(runs);
                Ok(runs.get(id).map_or_else(Vec::new, |rows| rows.to_vec()))
            }
            Storage::Embedded(machine) => {
                let rows = machine.rows(id).await;
                self.hang_if_dead(caller).await;
                rows
            }
        }
    }

    /// The ids after this one.
    pub(super) async fn ids(
        &self,
        caller: u8,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        match &self.storage {
            Storage::Memory(runs) => {
                let runs = lock(runs);
                let ids = runs.keys().copied();
                let ids = ids.filter(|id| after.is_none_or(|after| *id > after));
                Ok(ids.take(limit).map(str::to_owned).collect())
            }
            Storage::Embedded(machine) => {
                let ids = machine.ids(after, limit).await;
                self.hang_if_dead(caller).await;
                ids
            }
        }
    }

    /// Appends a row to a log.
    pub(super) async fn append(
        &self,
        caller: u8,
        id: &'static str,
        row: CheckpointRow,
        answers: Answers,
    ) -> Result<(), Error> {
        let Storage::Embedded(machine) = &self.storage else {
            return self.land_in_memory(caller, id, row);
        };
        let change = Change::Append(id, Arc::new(row));
        let answer = machine.change(caller, change.clone(), answers).await;
        self.hang_if_dead(caller).await;
        answer.map(|()| self.record(caller, change.what()))
    }

    /// Appends a row to a log in memory.
    ///
    /// # Panics
    ///
    /// If the store is embedded: nothing reaches it late.
    pub(super) fn land_in_memory(
        &self,
        caller: u8,
        id: &'static str,
        row: CheckpointRow,
    ) -> Result<(), Error> {
        let Storage::Memory(runs) = &self.storage else {
            unreachable!("a store that one process holds has no late rows")
        };
        let mut runs = lock(runs);
        let rows = runs.entry(id).or_default();
        if rows.iter().any(|other| other.sequence == row.sequence) {
            return Err(Error::conflict(id, row.sequence));
        }
        Arc::make_mut(rows).push(row.clone());
        drop(runs);
        let (id, row) = (id.into(), Arc::new(row));
        self.record(caller, What::Landed { id, row });
        Ok(())
    }

    /// Clears a log.
    pub(super) async fn clear(
        &self,
        caller: u8,
        id: &'static str,
        answers: Answers,
    ) -> Result<(), Error> {
        match &self.storage {
            Storage::Memory(runs) => {
                lock(runs).remove(id);
            }
            Storage::Embedded(machine) => {
                let answer = machine.change(caller, Change::Clear(id), answers).await;
                self.hang_if_dead(caller).await;
                answer?;
            }
        }
        self.record(caller, What::Cleared(SmolStr::new_static(id)));
        Ok(())
    }

    /// Nothing follows in a process that has crashed within a call of the store.
    async fn hang_if_dead(&self, caller: u8) {
        if !self.is_active(caller) {
            std::future::pending::<()>().await;
        }
    }
}

impl Syncs for State {
    fn fails(&self, caller: u8, change: &Change, disk: &Image) -> bool {
        let (call, row) = match change {
            Change::Append(_, row) => ("append", Some(row.sequence)),
            Change::Clear(_) => ("clear", None),
        };
        let instant = Instant {
            call,
            id: Some(change.id()),
            row,
            when: "before-sync",
        };
        let losses = match self.has_partial_losses() {
            true => disk.losses(),
            false => Vec::new(),
        };
        let is_partial = |loss: &Loss| ![Loss::OF_ALL, Loss::OF_NOTHING].contains(loss);
        let losses: Vec<Loss> = losses.into_iter().filter(is_partial).collect();
        let offers = Offers {
            power: true,
            disk: SYNC_FAULTS,
            losses: &losses,
            ..Offers::default()
        };
        let fault = self.decide(caller, instant, &offers);
        fault == Some(Fault::Disk(DiskFault::SyncError))
    }
}
