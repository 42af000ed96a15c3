//! Read-only access to the file of a store, for tools of operators.

use std::path::Path;

use crate::error::Error;
use crate::recovery::CheckpointRow;
use crate::store::redb::database::Database;
use crate::store::redb::opening::OpenCheck;
use crate::store::redb::operation::{Answer, Operation};
use crate::store::redb::overlay::ReadOnly;

/// Reads the file of a [`RedbCheckpointStore`](crate::RedbCheckpointStore), for tools of operators.
///
/// It changes no byte of the file, not even for a repair after a crash. Every method blocks.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use crashpoint::{CheckpointRow, CheckpointStore, RedbCheckpointStore, RedbReader};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("runs.redb");
/// let store = RedbCheckpointStore::new(&path)?;
/// store.append("run-1", CheckpointRow::new(0, "Start", "fetch")).await?;
/// drop(store);
///
/// let mut reader = RedbReader::open(&path)?;
/// assert_eq!(reader.run_ids(None, 10)?, ["run-1"]);
/// assert_eq!(reader.load_run("run-1")?[0].state, "Start");
/// # Ok(())
/// # }
/// ```
pub struct RedbReader(Database);

impl RedbReader {
    /// Opens the file and checks each page of it. While the reader lives, no process can open the
    /// store. Changes of a repair stay in memory.
    ///
    /// # Errors
    ///
    /// As [`RedbCheckpointStore::new`](crate::RedbCheckpointStore::new), and if there is no file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Database::open(&ReadOnly(path.as_ref()), OpenCheck::Whole).map(Self)
    }

    /// At most `limit` ids that have a row, in ascending order, each greater than `after`.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn run_ids(&mut self, after: Option<&str>, limit: usize) -> Result<Vec<String>, Error> {
        let after = after.map(ToOwned::to_owned);
        match self.execute(Operation::List { after, limit })? {
            Answer::Ids(ids) => Ok(ids),
            other => unreachable!("a listing is answered {other:?}"),
        }
    }

    /// Every row of the run, ascending by sequence; empty for an unknown id.
    ///
    /// # Errors
    ///
    /// If the file can't be read, or a row is damaged. The error names the row.
    pub fn load_run(&mut self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let mut rows = Vec::new();
        self.visit_run(workflow_id, |row| rows.push(row))?;
        Ok(rows)
    }

    /// Calls `visit` with every row of the run, ascending by sequence, and keeps none: a log can be
    /// larger than the memory.
    ///
    /// # Errors
    ///
    /// As [`load_run`](Self::load_run); the rows before a damaged row were visited. A panic of `visit`
    /// is an error, too.
    pub fn visit_run(
        &mut self,
        workflow_id: &str,
        visit: impl FnMut(CheckpointRow),
    ) -> Result<(), Error> {
        self.0.visit_run(workflow_id, visit)
    }

    fn execute(&mut self, operation: Operation) -> Result<Answer, Error> {
        let mut answered = None;
        self.0
            .apply(&[operation], |_, answer| answered = Some(answer));
        answered.expect("every operation is answered")
    }
}

impl std::fmt::Debug for RedbReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedbReader").finish_non_exhaustive()
    }
}
