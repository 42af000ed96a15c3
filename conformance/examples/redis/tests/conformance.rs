//! The certificate: one test for each law. Behind it, what the laws do not see.

mod harness;

use crashpoint::{CheckpointRow, CheckpointStore};
use crashpoint_conformance::{BoxError, Harness, LawId, Plan, Verdict, claim, run_all};
use harness::{Redis, SyncedEachSecond, WithoutLog, connected_to_shared, server_with};
use redis_store::RedisCheckpointStore;

crashpoint_conformance::certify! {
    harness: Redis,
    claims: [
        reopen,
        limits,
        process_crash,
        server_crash,
        many_handles,
        many_processes,
        outage,
        listing,
    ],
}

/// Fails unless the server loses acknowledged rows, and the kit says so.
fn loses_rows<H: Harness>() {
    let plan = Plan::new().claims([claim::server_crash]);
    let report = run_all::<H>(&plan.only_laws([LawId::SRV_01]));
    let verdicts: Vec<&Verdict> = report.laws().iter().map(|law| &law.verdict).collect();
    assert!(matches!(verdicts[..], [Verdict::Fail(_)]), "{verdicts:?}");
}

#[test]
fn a_server_with_default_settings_loses_rows_and_the_kit_says_so() {
    loses_rows::<WithoutLog>();
}

#[test]
fn a_server_that_syncs_each_second_loses_rows_and_the_kit_says_so() {
    loses_rows::<SyncedEachSecond>();
}

#[tokio::test]
async fn a_server_that_may_lose_acknowledged_rows_is_refused() -> Result<(), BoxError> {
    let unsafe_servers: [(&[&str], &str, &str); 3] = [
        (&[], "default", "appendonly is no, expected yes"),
        (
            &["--appendonly", "yes"],
            "each-second",
            "appendfsync is everysec, expected always",
        ),
        (
            &[
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
                "--maxmemory-policy",
                "allkeys-lru",
            ],
            "evicting",
            "maxmemory-policy is allkeys-lru, expected noeviction",
        ),
    ];
    for (settings, name, reason) in unsafe_servers {
        let (_server, connection) = server_with(settings, name).await?;
        let refused = RedisCheckpointStore::open(connection, "refused").await;
        assert_eq!(
            refused.expect_err("the settings lose rows").to_string(),
            format!("checkpoint store: the server may lose acknowledged rows: {reason}")
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_prefix_that_could_be_part_of_anothers_keys_is_refused() -> Result<(), BoxError> {
    let refused = RedisCheckpointStore::open(connected_to_shared().await?, "a:run:b").await;
    assert_eq!(
        refused.expect_err("it has colons").to_string(),
        "checkpoint store: a prefix is of letters, digits, '-' and '_', and not empty: \"a:run:b\""
    );
    Ok(())
}

#[tokio::test]
async fn a_clear_of_a_run_that_begins_with_another_row_keeps_it() -> Result<(), BoxError> {
    let store = RedisCheckpointStore::open(connected_to_shared().await?, "begun_again").await?;
    let [first, other] = ["first", "other"].map(|state| CheckpointRow::new(0, state, "task"));
    store
        .append("run", CheckpointRow::new(1, "next", "task"))
        .await?;
    store.append("run", first.clone()).await?;

    assert!(!store.clear_if_begun_with("run", &other).await?);
    assert_eq!(store.load_run("run").await?.len(), 2);
    assert!(store.clear_if_begun_with("run", &first).await?);
    assert_eq!(store.load_run("run").await?, []);
    assert!(
        !store.clear_if_begun_with("run", &first).await?,
        "it is gone"
    );
    Ok(())
}
