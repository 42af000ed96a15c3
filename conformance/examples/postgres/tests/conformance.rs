//! The certificate: one test for each law. Behind it, what the laws do not see.

mod harness;

use crashpoint::{CheckpointRow, CheckpointStore};
use crashpoint_conformance::{BoxError, LawId, Plan, Verdict, claim, run_all};
use harness::{Asynchronous, Postgres, Unsynced, pool_on_shared};
use postgres_store::PostgresCheckpointStore;

crashpoint_conformance::certify! {
    harness: Postgres,
    claims: [
        reopen,
        limits,
        process_crash,
        server_crash,
        failover,
        many_handles,
        many_processes,
        outage,
        listing,
    ],
}

#[test]
fn commits_that_are_acknowledged_before_they_are_synced_are_lost_and_the_kit_says_so() {
    let plan = Plan::new().claims([claim::server_crash]);
    let report = run_all::<Unsynced>(&plan.only_laws([LawId::SRV_01]));
    let verdicts: Vec<&Verdict> = report.laws().iter().map(|law| &law.verdict).collect();
    assert!(matches!(verdicts[..], [Verdict::Fail(_)]), "{verdicts:?}");
}

#[test]
fn commits_that_an_asynchronous_standby_has_not_received_are_lost_and_the_kit_says_so() {
    let plan = Plan::new().claims([claim::failover]);
    let report = run_all::<Asynchronous>(&plan.only_laws([LawId::SRV_02]));
    let verdicts: Vec<&Verdict> = report.laws().iter().map(|law| &law.verdict).collect();
    let lost = |message: &str| message.contains("expected its ");
    assert!(
        matches!(verdicts[..], [Verdict::Fail(message)] if lost(message)),
        "{verdicts:?}"
    );
}

#[tokio::test]
async fn a_server_that_may_lose_acknowledged_rows_is_refused() -> Result<(), BoxError> {
    let pool = pool_on_shared("refused", "-c synchronous_commit=off").await?;
    let refused = PostgresCheckpointStore::open(pool).await;
    let message = refused.expect_err("the setting loses rows").to_string();
    assert_eq!(
        message,
        "checkpoint store: the server may lose acknowledged rows: synchronous_commit = off"
    );
    Ok(())
}

#[tokio::test]
async fn a_clear_of_a_run_that_begins_with_another_row_keeps_it() -> Result<(), BoxError> {
    let pool = pool_on_shared("begun_again", "").await?;
    let store = PostgresCheckpointStore::open(pool).await?;
    let [first, other] = ["first", "other"].map(|state| CheckpointRow::new(0, state, "task"));
    store.append("run", first.clone()).await?;
    store
        .append("run", CheckpointRow::new(1, "next", "task"))
        .await?;

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
