//! Another process sees what a store has left that this process has dropped.

use crate::case::Case;
use crate::child::{Role, Running, SHOWN};
use crate::finding::expect::{Checked, broken, rows};
use crate::runtime::{Workers, start};

const ROWS: u64 = 5;

pub(crate) fn dur_16_rows_are_there_for_another_process(case: &Case) -> Checked {
    let runtime = start(Workers::Pool(2))?;
    runtime.block_on(async {
        let store = case.open().await?;
        store.append_all(SHOWN, &rows(0..ROWS)).await?;
        case.drop_all(store).await
    })?;
    match Running::start(case, Role::Loads, case.place())?.rows_seen()? {
        Ok(ROWS) => Ok(()),
        Ok(got) => Err(broken(format!(
            "run \"{SHOWN}\" of a store that was dropped, loaded by another process: expected {ROWS} rows, \
             got {got}: are they in the memory of this process?"
        ))),
        Err(message) => Err(broken(format!(
            "run \"{SHOWN}\" of a store that was dropped, loaded by another process: expected {ROWS} rows, \
             got \"{message}\""
        ))),
    }
}
