//! A checkpoint store of one's own, and its certificate: every law of the contract is run on it.
//!
//! `conformance/examples/plain_files` is a store that keeps its rows, with the laws as tests.
//!
//!     cargo run --example certify_store

#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use crashpoint::{CheckpointRow, CheckpointStore, Error, checkpoint_store};
use crashpoint_conformance::{BoxError, Harness, Outcome, Place, Plan, claim, run_all};

/// The rows of each run, by their sequence.
type Runs = BTreeMap<String, BTreeMap<u64, CheckpointRow>>;

/// A store in a map. Its rows die with the process.
#[derive(Default)]
struct MapStore(Mutex<Runs>);

impl MapStore {
    fn with<T>(&self, operation: impl FnOnce(&mut Runs) -> T) -> T {
        operation(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[checkpoint_store]
impl CheckpointStore for MapStore {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.with(|runs| {
            let rows = runs.entry(workflow_id.to_owned()).or_default();
            if rows.contains_key(&row.sequence) {
                return Err(Error::conflict(workflow_id, row.sequence));
            }
            rows.insert(row.sequence, row);
            Ok(())
        })
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let rows = self.with(|runs| runs.get(workflow_id).cloned());
        Ok(rows.unwrap_or_default().into_values().collect())
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.with(|runs| _ = runs.remove(workflow_id));
        Ok(())
    }
}

/// Tells the kit how to open the store.
struct Map;

impl Harness for Map {
    type Store = MapStore;

    async fn open(_place: &Place) -> Result<MapStore, BoxError> {
        Ok(MapStore::default())
    }
}

fn main() -> ExitCode {
    // What the store promises beyond the contract; the laws of other claims are not run.
    let plan = Plan::new().claims([claim::any_executor, claim::outlives_runtime]);
    let report = run_all::<Map>(&plan);
    println!("{report}");
    if report.outcome() == Outcome::Passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
