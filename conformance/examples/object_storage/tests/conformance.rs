//! The certificates, on memory and on files. And what the probe says of storage that ignores conditions.

mod overwriting;

use std::sync::Arc;

use crashpoint_conformance::{
    BoxError, Harness, LawId, Options, Place, Plan, Probe, Verdict, claim, run_all,
};
use object_storage::{ID_BYTES_MAX, ObjectCheckpointStore};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use overwriting::Overwriting;

fn options() -> Options {
    let mut options = Options::default();
    options.id_bytes_max = Some(ID_BYTES_MAX);
    options
}

mod on_files {
    use super::*;

    /// Files that are synced.
    struct Files;

    impl Harness for Files {
        type Store = ObjectCheckpointStore;

        async fn open(place: &Place) -> Result<ObjectCheckpointStore, BoxError> {
            let files = LocalFileSystem::new_with_prefix(place.path())?.with_fsync(true);
            Ok(ObjectCheckpointStore::new(
                Arc::new(files),
                Path::from("rows"),
            ))
        }

        fn options() -> Options {
            options()
        }
    }

    crashpoint_conformance::certify! {
        harness: Files,
        claims: [
            reopen,
            limits,
            any_executor,
            outlives_runtime,
            process_crash,
            power_loss,
            many_handles,
            many_processes,
        ],
        expect_fail: [
            DUR_13 => "after a failed sync LocalFileSystem goes on",
            DUR_17 => "LocalFileSystem shows an object before it syncs the object's directory",
        ],
    }
}

mod in_memory {
    use super::*;

    struct Memory;

    impl Harness for Memory {
        type Store = ObjectCheckpointStore;

        async fn open(_place: &Place) -> Result<ObjectCheckpointStore, BoxError> {
            let memory = Arc::new(InMemory::new());
            Ok(ObjectCheckpointStore::new(memory, Path::from("rows")))
        }

        fn options() -> Options {
            options()
        }
    }

    crashpoint_conformance::certify! {
        harness: Memory,
        claims: [limits, any_executor, outlives_runtime],
    }
}

/// Files as `LocalFileSystem` keeps them unless it is told to sync.
struct Unsynced;

impl Harness for Unsynced {
    type Store = ObjectCheckpointStore;

    async fn open(place: &Place) -> Result<ObjectCheckpointStore, BoxError> {
        let files = LocalFileSystem::new_with_prefix(place.path())?;
        Ok(ObjectCheckpointStore::new(
            Arc::new(files),
            Path::from("rows"),
        ))
    }
}

#[test]
fn files_are_not_synced_by_default_and_the_kit_says_so() {
    let test = "files_are_not_synced_by_default_and_the_kit_says_so";
    let laws = [LawId::DUR_08, LawId::DUR_15];
    let plan = Plan::new().claims([claim::power_loss]).only_laws(laws);
    let report = run_all::<Unsynced>(&plan.again([test, "--exact"]));
    let verdicts: Vec<&Verdict> = report.laws().iter().map(|law| &law.verdict).collect();
    assert!(
        matches!(verdicts[..], [Verdict::Fail(_), Verdict::Fail(_)]),
        "{verdicts:?}"
    );
}

#[tokio::test]
async fn the_probe_takes_storage_that_keeps_conditions() -> Result<(), BoxError> {
    let memory = Arc::new(InMemory::new());
    let handles = [(); 2].map(|()| {
        Arc::new(ObjectCheckpointStore::new(
            Arc::clone(&memory) as _,
            Path::from("rows"),
        ))
    });
    Ok(Probe::new(&handles[0]).handle(&handles[1]).run().await?)
}

#[tokio::test]
async fn the_probe_finds_storage_that_ignores_conditions() {
    let storage = Arc::new(Overwriting(InMemory::new()));
    let store = Arc::new(ObjectCheckpointStore::new(storage, Path::from("rows")));
    let error = Probe::new(&store).run().await.expect_err("it overwrites");
    assert_eq!(error.law(), LawId::DUP_01, "{error}");
    assert!(matches!(error.verdict(), Verdict::Fail(_)), "{error}");
}
