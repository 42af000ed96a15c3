//! A file after a kill, held against what was said before it.

use std::path::Path;

use crashpoint_engine::{CheckpointStore as _, ListRuns as _, RedbCheckpointStore};

use crate::rounds::runtime;
use crate::soak::child::row;
use crate::soak::told::{Clear, Known, ROWS_OF_A_RUN, Told};

/// Opens the store, looks at every run and clears it, so that the next process begins with nothing.
///
/// # Errors
///
/// What is wrong.
pub(crate) fn check(file: &Path, epoch: u64, told: &Told) -> Result<(), String> {
    let store = RedbCheckpointStore::new(file).map_err(|error| error.to_string())?;
    runtime().block_on(async {
        for (id, known) in told.runs() {
            judge(&store, id, *known).await?;
        }
        let ids = store.run_ids(None, usize::MAX).await;
        for id in ids.map_err(|error| error.to_string())? {
            if !id.starts_with(&format!("{epoch}-")) {
                return Err(format!("{id} is there, which was cleared before"));
            }
            // Of those of which nothing was heard, too.
            judge(&store, &id, told.of(&id)).await?;
            store.clear(&id).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    })
}

/// A run is dense, has what was acknowledged, and nothing that was not sent.
async fn judge(store: &RedbCheckpointStore, id: &str, known: Known) -> Result<(), String> {
    let rows = store
        .load_run(id)
        .await
        .map_err(|error| error.to_string())?;
    if let Some((at, _)) = (0..).zip(&rows).find(|(at, found)| **found != row(id, *at)) {
        return Err(format!("{id} has another row at {at}"));
    }
    let count = rows.len() as u64;
    let right = match known.clear {
        Clear::Acknowledged => count == 0,
        Clear::Begun => count == 0 || count == ROWS_OF_A_RUN,
        Clear::NotBegun => (known.rows..=ROWS_OF_A_RUN).contains(&count),
    };
    match right {
        true => Ok(()),
        false => Err(format!("{id} has {count} rows, and {known:?}")),
    }
}
