//! ENG-04: the rows that the engine writes come back, whatever their kind.

use std::sync::Arc;

use crashpoint::{CheckpointRow, CheckpointStore, MemoryCheckpointStore, RowKind};

use crate::case::Case;
use crate::finding::expect::{Checked, Failure, broken};
use crate::laws::eng::saga::{Ending, Saga, engine};

pub(crate) async fn eng_04_every_kind_of_the_engine_comes_back(case: &Case) -> Checked {
    let written = written().await?;
    let store = case.open().await?;
    for &kind in RowKind::ALL {
        let of_kind = written.iter().filter(|row| row.kind == kind).cloned();
        let mut rows: Vec<CheckpointRow> = of_kind.collect();
        if rows.is_empty() {
            // A kind that no task writes today.
            rows.push(CheckpointRow::new(0, "split", "branch").with_blob(kind, vec![7; 3]));
        }
        for (number, mut row) in rows.into_iter().enumerate() {
            // Each alone, since the order of kinds concerns only the engine.
            let id = format!("{kind} {number}");
            row.sequence = 0;
            store.append(&id, &row).await?;
            let when = "with a row as the engine writes it";
            store.holds(&id, &[row], when).await?;
        }
    }
    Ok(())
}

/// The logs of a run to each ending, as the engine writes them.
async fn written() -> Result<Vec<CheckpointRow>, Failure> {
    let memory = Arc::new(MemoryCheckpointStore::new());
    let mut written = Vec::new();
    for ending in [Ending::Done, Ending::RolledBack, Ending::Stuck] {
        let saga = Saga::new(format!("{ending:?}"), ending);
        let got = saga.run(&engine(Arc::clone(&memory))).await;
        ending.check(&got, "a run in memory")?;
        let loaded = memory.load_run(&saga.id).await;
        written.extend(loaded.map_err(|error| broken(format!("a load in memory: {error}")))?);
    }
    Ok(written)
}
