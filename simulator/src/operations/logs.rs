//! The logs of the fleet, made by a real engine in an earlier process.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crashpoint::{CheckpointRow, CheckpointStore as _, Error, RedbCheckpointStore, Status};
use futures_util::FutureExt as _;

use crate::disk::{Image, Lie, SimDisk};
use crate::executor::quietly;
use crate::operations::fleet::{DONE, Health, RUNS, Run, WHOLE};
use crate::operations::history::Rows;
use crate::operations::state::State;
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

/// A disk with the file of an embedded store that has these logs, made once.
pub(super) fn file() -> Image {
    static FILE: LazyLock<Image> = LazyLock::new(|| {
        let (disk, state) = (SimDisk::new(Lie::None), State::of_an_earlier_process());
        let store = RedbCheckpointStore::on_disk(&disk, state.runtime(0));
        let store = store.expect("the disk has no fault");
        for (id, rows) in logs() {
            for row in rows.iter() {
                let appended = store.append(id, row.clone()).now_or_never();
                let appended = appended.expect("the store answers at once");
                appended.expect("the disk has no fault");
            }
        }
        drop(store);
        disk.image()
    });
    FILE.clone()
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
    let rows = state.rows(store.caller().number(), made_as).now_or_never();
    let rows = rows.expect("the store answers at once");
    let mut rows = rows.expect("the store in memory does not fail");
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
