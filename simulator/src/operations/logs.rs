//! The logs of the fleet, made by a real engine in an earlier process.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crashpoint::{CheckpointRow, Error, Status};
use futures_util::FutureExt as _;

use crate::executor::quietly;
use crate::operations::fleet::{DONE, Health, RUNS, Run, WHOLE};
use crate::operations::state::{Rows, State};
use crate::operations::store::{Caller, Store};
use crate::operations::workflow::{Job, POISONED, workflow};

/// The logs of the fleet, by id. They are made by a real engine, once.
pub(super) fn logs() -> BTreeMap<&'static str, Rows> {
    static LOGS: LazyLock<BTreeMap<&'static str, Rows>> = LazyLock::new(|| {
        let logs = RUNS.iter().filter(|run| run.health != Health::Absent);
        logs.map(|run| (run.id, Arc::new(log(run)))).collect()
    });
    LOGS.clone()
}

/// Runs the engine until the run ends or has its rows, and then drops it like a crash.
fn log(run: &Run) -> Vec<CheckpointRow> {
    let state = State::of_an_earlier_process();
    let store = Store::dying_after(Caller::of_an_earlier_process(&state), run.rows_max);
    let engine = store.engine();
    let workflow = workflow(run.workflow, store.caller());
    let made_as = match run.health {
        Health::Mixed => DONE,
        _ => run.id,
    };
    let life = engine.run(&workflow, made_as, Job::Reserve, &run.course);
    // The store answers at once, or never.
    let life = quietly(|| life.now_or_never());
    assert_eq!(
        life.is_some(),
        run.rows_max == WHOLE,
        "a run that is not whole has not ended"
    );
    let mut rows = state.rows_of(made_as);
    let last = rows.last_mut().expect("the run has begun");
    match run.health {
        Health::Corrupt => last.state.clear(),
        Health::Poisoned => last.output_blob = Some(POISONED.to_vec()),
        _ => {}
    }
    let status = Status::of_log(run.id, &rows);
    assert_eq!(
        matches!(status, Err(Error::CorruptLog { .. })),
        run.health.is_corrupt(),
        "a row without a state does not decode, and a claim names its run"
    );
    rows
}
