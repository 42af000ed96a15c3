//! Appends that race for one sequence, through one handle or two.

use std::sync::Arc;

use crashpoint::{CheckpointRow, Error};

use crate::case::race::{Arena, Contender, HEATS, repeat, repeat_over};
use crate::case::{Case, Session};
use crate::finding::expect::{Checked, Failure, broken, describe, marked, quote};
use crate::harness::DynStore;

pub(crate) fn dup_07_of_racing_appends_exactly_one_wins(case: &Case) -> Checked {
    repeat(case, |arena, store, number| {
        let id = format!("race {number}");
        let heats = race(arena, std::slice::from_ref(store), &id)?;
        one_winner_each(arena, &id, &heats)
    })
}

pub(crate) fn dup_08_the_row_stored_is_the_winners(case: &Case) -> Checked {
    repeat(case, |arena, store, number| {
        let id = format!("race {number}");
        let heats = race(arena, std::slice::from_ref(store), &id)?;
        winners_rows(arena, store, &id, &heats)
    })
}

pub(crate) fn dup_13_two_handles_have_one_winner(case: &Case) -> Checked {
    repeat_over(case, HANDLES, |arena, handles, number| {
        let id = format!("race of two handles {number}");
        let heats = race(arena, handles, &id)?;
        one_winner_each(arena, &id, &heats)?;
        for handle in handles {
            winners_rows(arena, handle, &id, &heats)?;
            arena.block_on(handle.rejects(&id, contender_row(0, usize::MAX)))?;
        }
        Ok(())
    })
}

/// Handles on one place that race each other.
const HANDLES: usize = 2;

fn one_winner_each(arena: &Arena, id: &str, heats: &[Vec<usize>]) -> Checked {
    for (sequence, winners) in heats.iter().enumerate() {
        if winners.len() != 1 {
            let (contenders, driver) = (arena.driver.contenders(), arena.driver.words());
            let (count, id) = (winners.len(), quote(id));
            return Err(broken(format!(
                "{contenders} {driver} append to sequence {sequence} of run {id} at once: \
                 expected exactly one Ok, got {count} (contenders {winners:?})"
            )));
        }
    }
    Ok(())
}

fn winners_rows(arena: &Arena, store: &Session, id: &str, heats: &[Vec<usize>]) -> Checked {
    let stored = arena.block_on(store.load(id))?;
    for (sequence, winners) in (0_u64..).zip(heats) {
        let at_sequence = stored.iter().filter(|row| row.sequence == sequence);
        let at_sequence: Vec<&CheckpointRow> = at_sequence.collect();
        let of = |row: &CheckpointRow, winner| *row == contender_row(sequence, winner);
        match at_sequence[..] {
            [row] if winners.iter().any(|&winner| of(row, winner)) => {}
            _ => {
                let driver = arena.driver.words();
                let got: Vec<String> = at_sequence.into_iter().map(describe).collect();
                let id = quote(id);
                return Err(broken(format!(
                    "after {driver} raced for sequence {sequence} of run {id}: expected the row of \
                     the contender that got Ok (of {winners:?}), got {got:?}"
                )));
            }
        }
    }
    Ok(())
}

fn contender_row(sequence: u64, number: usize) -> CheckpointRow {
    marked(sequence, &format!("contender {number}"))
}

/// Races for the first sequences of `id`, one in each heat. Returns the contenders that got Ok.
///
/// Contenders use the handles in turn.
fn race(arena: &Arena, handles: &[Session], id: &str) -> Result<Vec<Vec<usize>>, Failure> {
    let stores: Vec<DynStore> = handles
        .iter()
        .map(|handle| Arc::clone(handle.store()))
        .collect();
    let id = id.to_owned();
    let contender: Contender<Result<(), Error>> = Arc::new(move |number, heat| {
        let store = Arc::clone(&stores[number % stores.len()]);
        let id = id.clone();
        let row = contender_row(heat as u64, number);
        Box::pin(async move { store.append(&id, row).await })
    });
    let answers = arena.round(arena.driver.contenders(), &contender)?;
    let winners = |heat: usize| {
        let numbered = answers.iter().enumerate();
        let winners = numbered.filter(|(_, heats)| heats[heat].is_ok());
        winners.map(|(number, _)| number).collect()
    };
    Ok((0..HEATS).map(winners).collect())
}
