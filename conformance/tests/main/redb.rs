//! The engine's embedded store keeps every law of its claims. It is opened by a path, as in a service.
//!
//! It does not claim `outage` here: nothing outside of a process takes an open file away from it. The harness
//! of `crashpoint certify --store redb` has its own disk between the store and the file, and claims it.

use crashpoint::RedbCheckpointStore;
use crashpoint_conformance::{BoxError, Damage, Harness, Hook, Options, Place};

struct Redb;

impl Harness for Redb {
    type Store = RedbCheckpointStore;

    async fn open(place: &Place) -> Result<RedbCheckpointStore, BoxError> {
        Ok(RedbCheckpointStore::new(place.path().join("runs.redb"))?)
    }

    async fn corrupt(place: &Place, damage: Damage<'_>) -> Result<Hook, BoxError> {
        Ok(damage.flip_bit(place.path())?)
    }

    fn options() -> Options {
        let mut options = Options::default();
        options.reserved_names = ["rows", "runs.redb", "meta"].map(str::to_owned).into();
        options
    }
}

// It does not claim `any_executor`: its blocking work needs tokio's pool.
crashpoint_conformance::certify! {
    harness: Redb,
    claims: [
        reopen,
        limits,
        outlives_runtime,
        exclusive_scope,
        fenced_cancellation,
        settled,
        process_crash,
        power_loss,
        many_processes,
        corruption,
        listing,
        on_disk,
    ],
}
