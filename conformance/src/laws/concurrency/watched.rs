//! One caller appends in order while others load: what each load may show.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crashpoint::{CheckpointRow, Error};

use crate::case::race::{Arena, Contender, Driver, HEATS, repeat, repeat_over};
use crate::case::recorded::Recorded;
use crate::case::{Case, Session};
use crate::finding::expect::{
    Checked, Failure, broken, describe, failed, quote, row, sequences, wide,
};
use crate::harness::DynStore;

/// Rows of a run: enough for a load half-way, and few enough for a slow disk.
const ROWS: u64 = 10;
/// The number of the contender that appends.
const WRITER: usize = 0;
const READERS_MAX: usize = 3;
/// The most loads of a reader before it stops waiting for the writer.
const LOADS_MAX: usize = 400;

/// A load, between the ticks at which it began and ended.
struct Seen {
    begun: u64,
    ended: u64,
    rows: Result<Vec<CheckpointRow>, Error>,
}

pub(crate) fn con_02_every_load_beside_a_writer_is_a_prefix(case: &Case) -> Checked {
    repeat(case, |arena, store, number| {
        let rows: Vec<CheckpointRow> = (0..ROWS).map(row).collect();
        watch(arena, &[store], number, row, |id, seen| {
            for load in seen {
                let got = loaded(&load.rows, id)?;
                if got.len() > rows.len() || rows[..got.len()] != got[..] {
                    let (driver, got) = (arena.driver.words(), sequences(got));
                    return Err(broken(format!(
                        "a load beside the one caller that appends sequences 0..{ROWS} in order to \
                         run {} ({driver}): expected the first rows of it, got sequences {got}",
                        quote(id)
                    )));
                }
            }
            Ok(())
        })
    })
}

pub(crate) fn con_03_no_row_is_torn(case: &Case) -> Checked {
    let written: Vec<CheckpointRow> = (0..ROWS).map(wide).collect();
    repeat(case, |arena, store, number| {
        watch(arena, &[store], number, wide, |id, seen| {
            for row in seen.iter().flat_map(|load| load.rows.iter().flatten()) {
                if usize::try_from(row.sequence).is_ok_and(|at| written.get(at) == Some(row)) {
                    continue;
                }
                let (driver, got) = (arena.driver.words(), describe(row));
                let whole = describe(&wide(row.sequence));
                return Err(broken(format!(
                    "a load beside an append to run {} ({driver}): expected {whole} or no such \
                     row, got {got}",
                    quote(id)
                )));
            }
            Ok(())
        })
    })
}

pub(crate) fn con_04_reads_do_not_go_backwards(case: &Case) -> Checked {
    repeat(case, |arena, store, number| {
        watch(arena, &[store], number, row, |id, seen| {
            forwards(arena, id, seen, "")
        })
    })
}

/// Handles on one place. The writer uses the first, the readers all in turn.
const HANDLES: usize = 2;

pub(crate) fn con_10_reads_do_not_go_backwards_across_handles(case: &Case) -> Checked {
    repeat_over(case, HANDLES, |arena, handles, number| {
        let handles: Vec<&Session> = handles.iter().collect();
        watch(arena, &handles, number, row, |id, seen| {
            forwards(arena, id, seen, ", through two handles")
        })
    })
}

/// Fails if a load shows less than a load that had ended when it began.
fn forwards(arena: &Arena, id: &str, seen: &[Seen], how: &str) -> Checked {
    for (index, load) in seen.iter().enumerate() {
        let count = loaded(&load.rows, id)?.len();
        let before = seen[..index]
            .iter()
            .filter(|earlier| earlier.ended < load.begun);
        let most = before.filter_map(|earlier| earlier.rows.as_ref().ok().map(Vec::len));
        let most = most.max().unwrap_or(0);
        if count < most {
            let (driver, id) = (arena.driver.words(), quote(id));
            return Err(broken(format!(
                "two loads of run {id}, one after the other{how}, beside the caller that appends to it \
                 ({driver}): expected the second to show the {most} rows of the first, got {count}"
            )));
        }
    }
    Ok(())
}

fn loaded<'a>(
    rows: &'a Result<Vec<CheckpointRow>, Error>,
    id: &str,
) -> Result<&'a [CheckpointRow], Failure> {
    let load = || format!("a load of run {} beside an append", quote(id));
    rows.as_deref().map_err(|error| failed(&load(), error))
}

/// One round: in each heat one contender writes a run and the others load it. `judge` gets the loads of
/// each run in the order of their beginnings.
fn watch(
    arena: &Arena,
    handles: &[&Session],
    number: u64,
    row: fn(u64) -> CheckpointRow,
    judge: impl Fn(&str, &[Seen]) -> Checked,
) -> Checked {
    let contenders = match arena.driver {
        Driver::Tasks => 1 + READERS_MAX,
        Driver::Threads => arena.driver.contenders().min(1 + READERS_MAX),
    };
    let id = move |heat: usize| format!("watched {number} {heat}");
    let got = arena.round(contenders, &write_and_watch(handles, id, row))?;
    let mut heats: Vec<Vec<Seen>> = (0..HEATS).map(|_| Vec::new()).collect();
    for contender in got {
        for (heat, seen) in contender.into_iter().enumerate() {
            heats[heat].extend(seen?);
        }
    }
    for (heat, seen) in heats.iter_mut().enumerate() {
        seen.sort_by_key(|load| load.begun);
        judge(&id(heat), seen)?;
    }
    Ok(())
}

fn write_and_watch(
    handles: &[&Session],
    id: impl Fn(usize) -> String + Send + Sync + 'static,
    row: fn(u64) -> CheckpointRow,
) -> Contender<Result<Vec<Seen>, Failure>> {
    let clock = Recorded::new(handles[WRITER]);
    let stores = handles.iter().map(|handle| Arc::clone(handle.store()));
    let stores: Vec<DynStore> = stores.collect();
    let written: Arc<[AtomicBool; HEATS]> = Arc::default();
    Arc::new(move |number, heat| {
        let (id, clock) = (id(heat), clock.clone());
        let store = Arc::clone(&stores[number % stores.len()]);
        let written = Arc::clone(&written);
        Box::pin(async move {
            if number == WRITER {
                let got = write(&store, &clock, &id, row).await;
                written[heat].store(true, Ordering::SeqCst);
                return got;
            }
            Ok(look(&store, &clock, &id, &written[heat]).await)
        })
    })
}

async fn write(
    store: &DynStore,
    clock: &Recorded,
    id: &str,
    row: fn(u64) -> CheckpointRow,
) -> Result<Vec<Seen>, Failure> {
    for sequence in 0..ROWS {
        let appended = store.append(id, row(sequence)).await;
        clock.beat();
        appended.map_err(|error| {
            let id = quote(id);
            let append = format!(
                "append of sequence {sequence} to run {id} by its only caller, beside loads"
            );
            failed(&append, &error)
        })?;
    }
    Ok(Vec::new())
}

/// Loads until every row is there, or once more after the writer has ended.
async fn look(store: &DynStore, clock: &Recorded, id: &str, written: &AtomicBool) -> Vec<Seen> {
    let mut seen = Vec::new();
    while seen.len() < LOADS_MAX {
        let over = written.load(Ordering::SeqCst);
        let begun = clock.tick();
        let rows = store.load_run(id).await;
        clock.beat();
        let ended = clock.tick();
        let last = rows.as_ref().map_or(true, |rows| rows.len() as u64 >= ROWS);
        seen.push(Seen { begun, ended, rows });
        if last || over {
            break;
        }
        tokio::task::yield_now().await;
    }
    seen
}
