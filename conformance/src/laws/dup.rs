//! Duplicates: a taken sequence is taken. This rejection is the fence between two lives of a run.

use std::sync::Arc;

use crashpoint_engine::{CheckpointRow, Error};

use crate::case::{Case, Session};
use crate::expect::{Checked, Failure, broken, describe, marked, quote, row, rows, sequences};
use crate::race::{Arena, Contender, repeat};

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
    // The engine's fence hangs on this: two lives can write the same bytes.
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
        // Whether this is rejected is the business of DUP-01.
        let rejected = store.try_append("run", marked(sequence, "intruder")).await;
        if rejected.is_err() {
            let when = format!("after a rejection at sequence {sequence}");
            store.holds("run", &original, &when).await?;
        }
    }
    Ok(())
}

pub(crate) async fn dup_04_a_rejection_leaves_the_store_working(case: &Case) -> Checked {
    let store = case.open().await?;
    store.append("run", &row(0)).await?;
    // What comes of it is the business of the laws before.
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
        let came = sequences(&written);
        return Err(broken(format!(
            "run \"run\" continued after a rejection: expected sequences 0, 1, 2, came {came}"
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

pub(crate) fn dup_07_of_racing_appends_exactly_one_wins(case: &Case) -> Checked {
    repeat(case, |arena, store, number| {
        let (id, sequence) = race_target(number);
        let winners = winners(&race(arena, store, &id, sequence)?);
        if winners.len() == 1 {
            return Ok(());
        }
        let (contenders, driver) = (arena.driver.contenders(), arena.driver.words());
        let (count, id) = (winners.len(), quote(&id));
        Err(broken(format!(
            "{contenders} {driver} append to sequence {sequence} of run {id} at once: expected \
             exactly one Ok, came {count} (contenders {winners:?}, round {number})"
        )))
    })
}

pub(crate) fn dup_08_the_row_stored_is_the_winners(case: &Case) -> Checked {
    repeat(case, |arena, store, number| {
        let (id, sequence) = race_target(number);
        let winners = winners(&race(arena, store, &id, sequence)?);
        let stored = arena.block_on(store.load(&id))?;
        let at_sequence: Vec<&CheckpointRow> = stored
            .iter()
            .filter(|row| row.sequence == sequence)
            .collect();
        let won = |row: &CheckpointRow| winners.iter().any(|&n| *row == contender_row(sequence, n));
        match at_sequence[..] {
            [row] if won(row) => Ok(()),
            _ => {
                let driver = arena.driver.words();
                let came: Vec<String> = at_sequence.iter().map(|row| describe(row)).collect();
                let id = quote(&id);
                Err(broken(format!(
                    "after {driver} raced for sequence {sequence} of run {id}: expected the row \
                     of the contender that was told Ok (of {winners:?}), came {came:?}"
                )))
            }
        }
    })
}

/// Rounds for one id: short, so that races for a new run's first row come up often.
const ROUNDS_OF_AN_ID: u64 = 8;

fn race_target(round: u64) -> (String, u64) {
    (
        format!("race {}", round / ROUNDS_OF_AN_ID),
        round % ROUNDS_OF_AN_ID,
    )
}

fn contender_row(sequence: u64, number: usize) -> CheckpointRow {
    marked(sequence, &format!("contender {number}"))
}

fn race(
    arena: &Arena,
    store: &Session,
    id: &str,
    sequence: u64,
) -> Result<Vec<Result<(), Error>>, Failure> {
    let (store, id) = (Arc::clone(store.store()), id.to_owned());
    let contender: Contender<_> = Arc::new(move |number| {
        let (store, id) = (Arc::clone(&store), id.clone());
        let row = contender_row(sequence, number);
        Box::pin(async move { store.append(&id, row).await })
    });
    arena.round(arena.driver.contenders(), &contender)
}

fn winners(results: &[Result<(), Error>]) -> Vec<usize> {
    let told = results.iter().enumerate();
    told.filter(|(_, result)| result.is_ok())
        .map(|(number, _)| number)
        .collect()
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
