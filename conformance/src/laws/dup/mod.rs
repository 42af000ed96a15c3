//! Duplicates: an append at a taken sequence is rejected. This is the fence between two lives of a run.

mod processes;
mod raced;

use crate::case::Case;
use crate::finding::expect::{Checked, broken, marked, row, rows, sequences};

pub(crate) use self::processes::dup_14_two_processes_have_one_winner;
pub(crate) use self::raced::{
    dup_07_of_racing_appends_exactly_one_wins, dup_08_the_row_stored_is_the_winners,
    dup_13_two_handles_have_one_winner,
};

pub(crate) async fn dup_01_another_row_at_a_taken_sequence_is_rejected(case: &Case) -> Checked {
    let store = case.open().await?;
    store.append("run", &row(0)).await?;
    store.rejects("run", marked(0, "other")).await?;
    let mut other_blob = row(1);
    store.append("run", &other_blob).await?;
    other_blob.output_blob = Some(b"other blob".to_vec());
    store.rejects("run", other_blob).await?;
    Ok(())
}

pub(crate) async fn dup_02_the_identical_row_is_rejected_too(case: &Case) -> Checked {
    let store = case.open().await?;
    // The engine's fence depends on this: two lives can write the same bytes.
    for same in rows(0..3) {
        store.append("run", &same).await?;
        store.rejects("run", same).await?;
    }
    Ok(())
}

pub(crate) async fn dup_03_a_rejection_leaves_the_original_unchanged(case: &Case) -> Checked {
    let store = case.open().await?;
    let original = rows(0..3);
    store.append_all("run", &original).await?;
    for sequence in [2, 0, 1] {
        // DUP-01 checks that this is rejected.
        let rejected = store.try_append("run", marked(sequence, "intruder")).await;
        if rejected.is_err() {
            let when = format!("after a rejection at sequence {sequence}");
            store.holds("run", &original, &when).await?;
        }
    }
    // Undoing a rejected append must not remove a run of one row. At another place, since DUP-04 checks
    // that a store works after a rejection.
    let place = case.another_place()?;
    let store = case.open_at(&place).await?;
    store.append("run", &row(0)).await?;
    let rejected = store.try_append("run", marked(0, "intruder")).await;
    if rejected.is_err() {
        let when = "after a rejection at its only row";
        store.holds("run", &rows([0]), when).await?;
    }
    drop(store);
    case.leave(&place).await
}

pub(crate) async fn dup_04_a_rejection_leaves_the_store_working(case: &Case) -> Checked {
    let store = case.open().await?;
    store.append("run", &row(0)).await?;
    // Laws before this one check the answer.
    let _ = store.try_append("run", row(0)).await;
    store.append("run", &row(1)).await?;
    store.append("other", &row(0)).await?;
    store
        .holds("other", &rows([0]), "written after a rejection")
        .await?;
    store.clear("other").await?;
    store.append("run", &row(2)).await?;
    let written = store.load("run").await?;
    if written.len() != 3 {
        let got = sequences(&written);
        return Err(broken(format!(
            "run \"run\" continued after a rejection: expected sequences 0, 1, 2, got {got}"
        )));
    }
    Ok(())
}

pub(crate) async fn dup_05_a_middle_row_is_protected(case: &Case) -> Checked {
    let store = case.open().await?;
    store.append_all("run", &rows(0..10)).await?;
    for sequence in [5, 0, 8] {
        store.rejects("run", marked(sequence, "other")).await?;
    }
    store
        .holds("run", &rows(0..10), "after rejections in its middle")
        .await
}

pub(crate) async fn dup_06_ids_have_sequences_of_their_own(case: &Case) -> Checked {
    let store = case.open().await?;
    for id in ["first", "second", "third"] {
        store.append_all(id, &rows(0..3)).await?;
    }
    for id in ["first", "second", "third"] {
        store
            .holds(id, &rows(0..3), "beside the same sequences of others")
            .await?;
    }
    Ok(())
}

pub(crate) async fn dup_09_rejection_survives_reopening(case: &Case) -> Checked {
    let store = case.open().await?;
    store.append_all("run", &rows(0..4)).await?;
    let store = case.reopen(store).await?;
    for sequence in 0..4 {
        store.rejects("run", marked(sequence, "other")).await?;
    }
    store
        .holds("run", &rows(0..4), "after rejections since reopening")
        .await
}

pub(crate) async fn dup_10_a_cleared_sequence_is_free_again(case: &Case) -> Checked {
    let store = case.open().await?;
    store.append_all("run", &rows(0..6)).await?;
    store.clear("run").await?;
    for sequence in [3, 5, 0] {
        store
            .append("run", &marked(sequence, "second life"))
            .await?;
    }
    let expected = [0, 3, 5].map(|sequence| marked(sequence, "second life"));
    store
        .holds("run", &expected, "written again after a clear")
        .await
}

pub(crate) async fn dup_11_u64_max_is_protected_too(case: &Case) -> Checked {
    let store = case.open().await?;
    store.append("run", &row(u64::MAX)).await?;
    store.rejects("run", marked(u64::MAX, "other")).await?;
    store.rejects("run", row(u64::MAX)).await?;
    store
        .holds("run", &[row(u64::MAX)], "after rejections at u64::MAX")
        .await
}

pub(crate) async fn dup_12_a_thousand_rejections_leave_nothing_stuck(case: &Case) -> Checked {
    let store = case.open().await?;
    store.append("run", &row(0)).await?;
    for _ in 0..1000 {
        store.rejects("run", marked(0, "other")).await?;
    }
    store.append("run", &row(1)).await?;
    store
        .holds("run", &rows(0..2), "after a thousand rejections")
        .await?;
    store.clear("run").await?;
    store
        .holds("run", &[], "cleared after a thousand rejections")
        .await
}
