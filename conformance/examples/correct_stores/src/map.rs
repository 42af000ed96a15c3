//! Rows in memory.

use std::collections::BTreeMap;

use crashpoint::{CheckpointRow, Error};

use crate::Rows;

/// A map from ids to rows by sequence.
#[derive(Debug, Default)]
pub struct Map(BTreeMap<String, BTreeMap<u64, CheckpointRow>>);

impl Map {
    /// All rows of a run, in order.
    pub fn rows(&self, id: &str) -> Vec<CheckpointRow> {
        let run = self.0.get(id);
        run.map_or_else(Vec::new, |run| run.values().cloned().collect())
    }

    /// Whether a sequence is taken.
    pub fn has(&self, id: &str, sequence: u64) -> bool {
        let run = self.0.get(id);
        run.is_some_and(|run| run.contains_key(&sequence))
    }
}

impl Rows for Map {
    fn append(&mut self, id: &str, row: CheckpointRow) -> Result<(), Error> {
        if self.has(id, row.sequence) {
            return Err(Error::conflict(id, row.sequence));
        }
        let run = self.0.entry(id.to_owned()).or_default();
        run.insert(row.sequence, row);
        Ok(())
    }

    fn load(&mut self, id: &str) -> Result<Vec<CheckpointRow>, Error> {
        Ok(self.rows(id))
    }

    fn clear(&mut self, id: &str) -> Result<(), Error> {
        self.0.remove(id);
        Ok(())
    }
}
