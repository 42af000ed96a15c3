//! Concurrent appends that do not conflict must all land.

use std::sync::Arc;

use crashpoint::CheckpointRow;

use crate::case::race::{Arena, Contender, HEATS, repeat};
use crate::case::{Case, Session};
use crate::finding::expect::{Checked, failed, marked, quote, same_rows};

/// Rows of each caller.
const ROWS: u64 = 3;

pub(crate) fn con_05_distinct_sequences_of_one_run_all_land(case: &Case) -> Checked {
    repeat(case, |arena, store, number| {
        let callers = arena.driver.contenders() as u64;
        let id = move |heat: usize, _: usize| format!("shared {number} {heat}");
        let row = move |caller: usize, row: u64| {
            // Interleaved, so that the callers write side by side.
            let sequence = row * callers + caller as u64;
            marked(sequence, &format!("of caller {caller}"))
        };
        append_at_once(arena, store, id, row)?;
        for heat in 0..HEATS {
            let rows = (0..ROWS).flat_map(|nth| (0..callers).map(move |caller| (caller, nth)));
            let expected: Vec<_> = rows
                .map(|(caller, nth)| row(caller as usize, nth))
                .collect();
            let id = id(heat, 0);
            let got = arena.block_on(store.load(&id))?;
            let driver = arena.driver.words();
            let what = || {
                let id = quote(&id);
                format!(
                    "run {id}, whose sequences {callers} {driver} appended at once, each its own"
                )
            };
            same_rows(what, &expected, &got)?;
        }
        Ok(())
    })
}

pub(crate) fn con_06_distinct_ids_all_land(case: &Case) -> Checked {
    repeat(case, |arena, store, number| {
        let callers = arena.driver.contenders();
        let id = move |heat: usize, caller: usize| format!("own {number} {heat} {caller}");
        let row = |caller: usize, row: u64| marked(row, &format!("of caller {caller}"));
        append_at_once(arena, store, id, row)?;
        for heat in 0..HEATS {
            for caller in 0..callers {
                let expected: Vec<_> = (0..ROWS).map(|nth| row(caller, nth)).collect();
                let (id, driver) = (id(heat, caller), arena.driver.words());
                let when = format!("written beside the runs of others ({driver})");
                arena.block_on(store.holds(&id, &expected, &when))?;
            }
        }
        Ok(())
    })
}

/// Lets each caller append its rows to its id in each heat. All appends must be accepted.
fn append_at_once(
    arena: &Arena,
    session: &Session,
    id: impl Fn(usize, usize) -> String + Send + Sync + 'static,
    row: impl Fn(usize, u64) -> CheckpointRow + Send + Sync + Copy + 'static,
) -> Checked {
    let (store, progress) = (Arc::clone(session.store()), Arc::clone(session.progress()));
    let driver = arena.driver.words();
    let contender: Contender<Checked> = Arc::new(move |caller, heat| {
        let (store, progress) = (Arc::clone(&store), Arc::clone(&progress));
        let id = id(heat, caller);
        Box::pin(async move {
            for nth in 0..ROWS {
                let row = row(caller, nth);
                let sequence = row.sequence;
                let appended = store.append(&id, row).await;
                progress.beat();
                appended.map_err(|error| {
                    let id = quote(&id);
                    let append = format!(
                        "append of sequence {sequence} to run {id}, where nobody else appends it \
                         ({driver})"
                    );
                    failed(&append, &error)
                })?;
            }
            Ok(())
        })
    });
    let got = arena.round(arena.driver.contenders(), &contender)?;
    got.into_iter().flatten().collect()
}
