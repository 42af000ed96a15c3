//! The certificate: one test for each law.

mod harness;

use harness::Sqlite;

crashpoint_conformance::certify! {
    harness: Sqlite,
    claims: [
        reopen,
        limits,
        any_executor,
        outlives_runtime,
        exclusive_scope,
        fenced_cancellation,
        settled,
        process_crash,
        power_loss,
        many_processes,
        on_disk,
    ],
}
