//! A store in one file, whose listing has a file of its own.

use std::collections::BTreeSet;
use std::{fs, io};

use crashpoint::CheckpointRow;

use super::Runs;
use super::disk::{Habit, Log, hex, line_of};

/// The ids are in a file of their own, which is written when the store is dropped.
#[derive(Default)]
pub(crate) struct IndexOnDrop(BTreeSet<String>);

impl Habit for IndexOnDrop {
    fn opened(&mut self, log: &Log) {
        let index = fs::read_to_string(log.path.with_file_name("index")).unwrap_or_default();
        self.0.extend(index.lines().map(str::to_owned));
    }

    fn append(&mut self, log: &mut Log, id: &str, row: &CheckpointRow) -> io::Result<()> {
        self.0.insert(id.to_owned());
        log.write(&line_of(id, row))
    }

    fn clear(&mut self, log: &mut Log, id: &str, _rows: &[CheckpointRow]) -> io::Result<()> {
        self.0.remove(id);
        log.write(&format!("C {}", hex(id.as_bytes())))
    }

    fn close(&mut self, log: &mut Log) {
        let ids: Vec<&str> = self.0.iter().map(String::as_str).collect();
        let _ = fs::write(log.path.with_file_name("index"), ids.join("\n"));
    }

    fn ids(&self, _runs: &Runs) -> Vec<String> {
        self.0.iter().cloned().collect()
    }
}
