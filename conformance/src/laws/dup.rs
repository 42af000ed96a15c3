//! Duplicates: a taken sequence is taken. This rejection is the fence between two lives of a run.

use std::sync::Arc;

use crashpoint_engine::{CheckpointRow, Error};

use crate::case::{Case, Session};
use crate::expect::{Checked, Failure, broken, describe, marked, quote, row, rows, sequences};
use crate::race::{Arena, Contender, HEATS, repeat};

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
        let id = format!("race {number}");
        for (sequence, winners) in (0_u64..).zip(race(arena, store, &id)?) {
            if winners.len() != 1 {
                let (contenders, driver) = (arena.driver.contenders(), arena.driver.words());
                let (count, id) = (winners.len(), quote(&id));
                return Err(broken(format!(
                    "{contenders} {driver} append to sequence {sequence} of run {id} at once: \
                     expected exactly one Ok, came {count} (contenders {winners:?})"
                )));
            }
        }
        Ok(())
    })
}

pub(crate) fn dup_08_the_row_stored_is_the_winners(case: &Case) -> Checked {
    repeat(case, |arena, store, number| {
        let id = format!("race {number}");
        let heats = race(arena, store, &id)?;
        let stored = arena.block_on(store.load(&id))?;
        for (sequence, winners) in (0_u64..).zip(heats) {
            let at_sequence = stored.iter().filter(|row| row.sequence == sequence);
            let at_sequence: Vec<&CheckpointRow> = at_sequence.collect();
            let of = |row: &CheckpointRow, winner| *row == contender_row(sequence, winner);
            match at_sequence[..] {
                [row] if winners.iter().any(|&winner| of(row, winner)) => {}
                _ => {
                    let driver = arena.driver.words();
                    let came: Vec<String> = at_sequence.into_iter().map(describe).collect();
                    let id = quote(&id);
                    return Err(broken(format!(
                        "after {driver} raced for sequence {sequence} of run {id}: expected the \
                         row of the contender that was told Ok (of {winners:?}), came {came:?}"
                    )));
                }
            }
        }
        Ok(())
    })
}

fn contender_row(sequence: u64, number: usize) -> CheckpointRow {
    marked(sequence, &format!("contender {number}"))
}

/// Races for the first sequences of `id`, one in each heat, and answers who was told Ok.
fn race(arena: &Arena, store: &Session, id: &str) -> Result<Vec<Vec<usize>>, Failure> {
    let (store, id) = (Arc::clone(store.store()), id.to_owned());
    let contender: Contender<Result<(), Error>> = Arc::new(move |number, heat| {
        let (store, id) = (Arc::clone(&store), id.clone());
        let row = contender_row(heat as u64, number);
        Box::pin(async move { store.append(&id, row).await })
    });
    let told = arena.round(arena.driver.contenders(), &contender)?;
    let winners = |heat: usize| {
        let numbered = told.iter().enumerate();
        let winners = numbered.filter(|(_, heats)| heats[heat].is_ok());
        winners.map(|(number, _)| number).collect()
    };
    Ok((0..HEATS).map(winners).collect())
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
