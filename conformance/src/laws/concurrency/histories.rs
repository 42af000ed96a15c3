//! Random operations of several callers on few sequences of few runs must be linearizable.

use std::cell::Cell;
use std::sync::Arc;

use crate::case::race::{Contender, Driver, repeat_until};
use crate::case::recorded::{OnRun, Recorded, by_run};
use crate::case::{Case, Session};
use crate::finding::expect::{Checked, Failure, broken, quote};
use crate::linearize::{OPERATIONS_MAX, Start};
use crate::runtime::draws::Draws;

/// The most callers of a history.
const CALLERS_MAX: usize = 6;
/// Operations of all callers of a history. Few callers perform more each.
const OPERATIONS_TOTAL: usize = 36;
const _: () = assert!(OPERATIONS_TOTAL <= OPERATIONS_MAX);
/// Few, so that callers meet.
const RUNS: usize = 2;
const SEQUENCES: usize = 3;

pub(crate) fn con_01_small_histories_are_linearizable(case: &Case) -> Checked {
    let met = Cell::new(false);
    repeat_until(
        case,
        || met.get(),
        |arena, store, number| {
            let callers = arena.driver.contenders().min(CALLERS_MAX);
            let got = arena.round(callers, &caller(store, arena.driver, number))?;
            let runs = by_run(got.into_iter().flatten().flatten());
            for (id, history) in runs {
                if let Some(window) = history.failing_window(&Start::default()) {
                    let driver = arena.driver.words();
                    let id = quote(&id);
                    return Err(broken(format!(
                        "{callers} {driver} on run {id}: expected answers that one order of these \
                         operations explains, got\n{window}"
                    )));
                }
                met.set(met.get() || history.overlaps());
            }
            Ok(())
        },
    )?;
    if met.get() {
        return Ok(());
    }
    Err(Failure::Inconclusive(
        "no two operations on one run ever overlapped: on one core a store that never waits does not \
         race"
            .to_owned(),
    ))
}

fn caller(session: &Session, driver: Driver, number: u64) -> Contender<Vec<OnRun>> {
    let store = Recorded::new(session);
    let callers = driver.contenders().min(CALLERS_MAX);
    Arc::new(move |caller, heat| {
        let store = store.clone();
        Box::pin(async move {
            let mut draws = Draws::of(&[number, heat as u64, caller as u64]);
            let mut got = Vec::new();
            for step in 0..OPERATIONS_TOTAL / callers {
                let id = format!("history {number} {heat} {}", draws.below(RUNS));
                let mark = (caller * OPERATIONS_MAX + step) as u32;
                got.push(match draws.below(20) {
                    0..10 => {
                        let sequence = draws.below(SEQUENCES) as u64;
                        store.append(caller, &id, sequence, mark).await
                    }
                    10..17 => store.load(caller, &id).await,
                    _ => store.clear(caller, &id).await,
                });
                if draws.below(3) == 0 {
                    tokio::task::yield_now().await;
                }
            }
            got
        })
    })
}
