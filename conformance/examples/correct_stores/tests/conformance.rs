//! The certificates. A law that fails here accuses a correct store.

use correct_stores::fjall_rows::Fjall;
use correct_stores::lmdb::Lmdb;
use correct_stores::log::Log;
use correct_stores::map::Map;
use correct_stores::shared::{Actor, Locked, Sharded, Threaded};
use crashpoint::ScopeId;
use crashpoint_conformance::{BoxError, Harness, Place};

/// A harness and its certificate, in a module of its own.
macro_rules! correct {
    ($name:ident: $store:ty = $open:expr, [$($claim:ident),*]) => {
        mod $name {
            use super::*;

            struct Correct;

            impl Harness for Correct {
                type Store = $store;

                async fn open(place: &Place) -> Result<$store, BoxError> {
                    let open: fn(&Place) -> Result<$store, BoxError> = $open;
                    open(place)
                }
            }

            crashpoint_conformance::certify! {
                harness: Correct,
                claims: [$($claim),*],
            }
        }
    };
}

correct! {
    locked: Locked = |_| Ok(Locked::default()),
    [limits, any_executor, outlives_runtime, fenced_cancellation, settled]
}

correct! {
    sharded: Sharded = |_| Ok(Sharded::default()),
    [limits, any_executor, outlives_runtime, fenced_cancellation, settled]
}

correct! {
    actor: Actor<Map> = |_| Ok(Actor::start(Map::default())),
    [limits, fenced_cancellation, settled]
}

correct! {
    thread: Threaded<Map> = |_| Ok(Threaded::start(Map::default(), None)?),
    [limits, any_executor, outlives_runtime, fenced_cancellation, settled]
}

correct! {
    log: Threaded<Log> = |place| Ok(Threaded::start(Log::open(place.path())?, Some(ScopeId::new()))?),
    [
        reopen, limits, any_executor, outlives_runtime, exclusive_scope, fenced_cancellation, settled,
        process_crash, power_loss, many_processes, on_disk
    ]
}

// LMDB does not sync its directory, so it does not claim `power_loss`.
correct! {
    lmdb: Threaded<Lmdb> = |place| Ok(Threaded::start(Lmdb::open(place.path())?, None)?),
    [reopen, limits, any_executor, outlives_runtime, fenced_cancellation, settled, process_crash]
}

// Killed while it creates its files, fjall does not open again, so it does not claim `process_crash`.
correct! {
    fjall: Threaded<Fjall> = |place| Ok(Threaded::start(Fjall::open(place.path())?, None)?),
    [reopen, limits, any_executor, outlives_runtime, fenced_cancellation, settled]
}
