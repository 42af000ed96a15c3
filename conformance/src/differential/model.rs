//! The model: all rows in one list, which is searched from its beginning each time.

use crashpoint::CheckpointRow;

/// What a store must hold.
#[derive(Debug, Default)]
pub(super) struct Model(Vec<(String, CheckpointRow)>);

impl Model {
    /// Appends the row if its sequence is free, and returns whether it was.
    pub(super) fn append(&mut self, id: &str, row: CheckpointRow) -> bool {
        let taken = self.of(id).any(|stored| stored.sequence == row.sequence);
        if !taken {
            self.0.push((id.to_owned(), row));
        }
        !taken
    }

    pub(super) fn load(&self, id: &str) -> Vec<CheckpointRow> {
        let mut rows: Vec<_> = self.of(id).cloned().collect();
        rows.sort_by_key(|row| row.sequence);
        rows
    }

    /// Removes the run's rows, and returns whether it had any.
    pub(super) fn clear(&mut self, id: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|(owner, _)| owner != id);
        self.0.len() < before
    }

    fn of<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a CheckpointRow> {
        let rows = self.0.iter().filter(move |(owner, _)| owner == id);
        rows.map(|(_, row)| row)
    }
}
