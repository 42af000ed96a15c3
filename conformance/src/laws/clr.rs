//! Clear: it removes every row of its id, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crashpoint::{CheckpointRow, Error, RowKind};

use crate::case::race::{Arena, Contender, Driver, HEATS, repeat};
use crate::case::{Case, Session};
use crate::contract::capability::Claim;
use crate::finding::expect::{Checked, broken, describe, failed, marked, quote, row, rows};
use crate::harness::DynStore;
use crate::runtime::clock::Stopwatch;

pub(crate) async fn clr_01_clear_removes_every_row(case: &Case) -> Checked {
    let store = case.open().await?;
    let mut spread = rows(0..10);
    // A row whose blob a store may keep elsewhere.
    spread.push(row(10).with_output(vec![b'l'; 100_000]));
    spread.extend(rows([500, u64::from(u32::MAX) + 1, u64::MAX]));
    store.append_all("run", &spread).await?;
    store.clear("run").await?;
    store.holds("run", &[], "after its clear").await
}

pub(crate) async fn clr_02_clearing_an_unknown_id_succeeds(case: &Case) -> Checked {
    let store = case.open().await?;
    store.clear("unknown").await?;
    store.append("run", &row(0)).await?;
    store.clear("unknown").await?;
    store
        .holds("run", &rows([0]), "after a clear of an unknown id")
        .await
}

pub(crate) async fn clr_03_clearing_twice_succeeds(case: &Case) -> Checked {
    let store = case.open().await?;
    store.append_all("run", &rows(0..3)).await?;
    store.clear("run").await?;
    store.clear("run").await?;
    store.holds("run", &[], "after two clears").await
}

pub(crate) async fn clr_04_clear_leaves_other_ids_alone(case: &Case) -> Checked {
    const LOOKALIKES: [&str; 8] = [
        "ru", "run1", "run-", "RUN", " run", "run ", "r%n", "another",
    ];
    let store = case.open().await?;
    for id in LOOKALIKES {
        store.append_all(id, &rows(0..3)).await?;
    }
    store.append_all("run", &rows(0..3)).await?;
    store.clear("run").await?;
    for id in LOOKALIKES {
        store
            .holds(id, &rows(0..3), "after a clear of run \"run\"")
            .await?;
    }
    Ok(())
}

pub(crate) async fn clr_05_a_cleared_run_starts_again_from_zero(case: &Case) -> Checked {
    let store = case.open().await?;
    for life in ["first", "second", "third"] {
        let expected: Vec<CheckpointRow> = (0..5).map(|sequence| marked(sequence, life)).collect();
        store.append_all("run", &expected).await?;
        let when = format!("in its {life} life");
        store.holds("run", &expected, &when).await?;
        store.clear("run").await?;
    }
    Ok(())
}

pub(crate) async fn clr_06_nothing_is_left_once_clear_returned(case: &Case) -> Checked {
    let store = case.open().await?;
    for round in 0..20 {
        store.append_all("run", &rows(0..20)).await?;
        // A cache that this load fills must go with the run.
        store.load("run").await?;
        store.clear("run").await?;
        let when = format!("right after clear {round} returned");
        store.holds("run", &[], &when).await?;
    }
    Ok(())
}

pub(crate) async fn clr_07_clear_survives_reopening(case: &Case) -> Checked {
    let store = case.open().await?;
    store.append_all("run", &rows(0..3)).await?;
    store.append_all("kept", &rows(0..3)).await?;
    store.clear("run").await?;
    let store = case.reopen(store).await?;
    store.holds("run", &[], "cleared before reopening").await?;
    store.holds("kept", &rows(0..3), "after reopening").await
}

/// Enough rows to see a clear that deletes row by row.
const WATCHED_ROWS: u64 = 48;
/// The number of the contender that clears; the other loads.
const CLEARER: usize = 0;

pub(crate) fn clr_08_a_load_beside_a_clear_sees_all_or_nothing(case: &Case) -> Checked {
    repeat(case, |arena, store, number| {
        let whole = Arc::new(rows(0..WATCHED_ROWS));
        let id = |heat: usize| format!("watched {number} {heat}");
        for heat in 0..HEATS {
            arena.block_on(store.append_all(&id(heat), &whole))?;
        }
        let id = format!("watched {number}");
        watch(arena, store, id, &whole, Clearing::AtOnce)?;
        if number == 0 && arena.driver == Driver::Tasks {
            // Once each, since they take long to fill: a store that clears in parts shows at the beginning of a
            // clear, one that loads in parts amid a load.
            let whole = Arc::new(rows(0..LARGE_ROWS));
            for (id, clearing) in [
                ("large", Clearing::FirstAtOnce),
                ("larger", Clearing::AmidALoad),
            ] {
                let first = format!("{id} 0");
                arena.block_on(store.append_at_once(&first, whole.to_vec()))?;
                watch(arena, store, id.to_owned(), &whole, clearing)?;
            }
        }
        Ok(())
    })
}

/// More rows than a store loads or clears at a time.
const LARGE_ROWS: u64 = 2_500;

/// When a run is cleared that is loaded all the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clearing {
    /// Together with the first load, in each heat.
    AtOnce,
    /// The same in the first heat only.
    FirstAtOnce,
    /// In the midst of a later load, if that takes as long as the first; in the first heat only.
    AmidALoad,
}

/// Clears a run in each heat while it is loaded. Each run has the rows `whole`.
fn watch(
    arena: &Arena,
    store: &Session,
    round: String,
    whole: &Arc<Vec<CheckpointRow>>,
    clearing: Clearing,
) -> Checked {
    let contender = clear_and_watch(store.store(), round, whole, clearing);
    let seen = arena.round(2, &contender)?;
    for loaded in seen.into_iter().flatten().flatten() {
        let loaded = loaded.map_err(|error| failed("beside a clear", &error))?;
        if !loaded.is_empty() && loaded != **whole {
            let (driver, count, rows) = (arena.driver.words(), loaded.len(), whole.len());
            let first = loaded[0].sequence;
            return Err(broken(format!(
                "a load beside a clear of the same run ({driver}): expected all {rows} rows or none, \
                 got {count} rows from sequence {first}"
            )));
        }
    }
    Ok(())
}

/// The answer of the clear, or the loads that did not show the whole run.
type Seen = Vec<Result<Vec<CheckpointRow>, Error>>;

/// The most loads of a watcher before it stops waiting for the clear.
const LOADS_MAX: usize = 20_000;

/// What the contenders of a heat know of each other.
#[derive(Default)]
struct Heat {
    cleared: AtomicBool,
    /// Loads that have begun, and how long the first took, in nanoseconds.
    loads: AtomicU64,
    first_took: AtomicU64,
}

impl Heat {
    /// Waits until a load has begun after the first, and a third of its time is over: a load of three pages has
    /// then read the first.
    async fn amid_a_load(&self) {
        while self.loads.load(Ordering::SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
        let watch = Stopwatch::start();
        let third = Duration::from_nanos(self.first_took.load(Ordering::SeqCst) / 3);
        while watch.elapsed() < third {
            tokio::task::yield_now().await;
        }
    }
}

/// Lets nobody wait for loads that do not come, also after a panic.
struct Over<'a>(&'a Heat);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.loads.store(u64::MAX, Ordering::SeqCst);
    }
}

/// One contender clears. The other loads until nothing is left, or once more after the clear has ended.
fn clear_and_watch(
    store: &DynStore,
    round: String,
    whole: &Arc<Vec<CheckpointRow>>,
    clearing: Clearing,
) -> Contender<Seen> {
    let (store, whole) = (Arc::clone(store), Arc::clone(whole));
    let heats: Arc<[Heat; HEATS]> = Arc::default();
    Arc::new(move |number, heat| {
        let (store, id) = (Arc::clone(&store), format!("{round} {heat}"));
        let (whole, heats) = (Arc::clone(&whole), Arc::clone(&heats));
        Box::pin(async move {
            let is_first = heat == 0;
            let heat = &heats[heat];
            if clearing != Clearing::AtOnce && !is_first {
                return Vec::new();
            }
            if number == CLEARER {
                if clearing == Clearing::AmidALoad {
                    heat.amid_a_load().await;
                }
                let answer = store.clear(&id).await;
                heat.cleared.store(true, Ordering::SeqCst);
                return vec![answer.map(|()| Vec::new())];
            }
            let _over = Over(heat);
            let mut seen = Vec::new();
            let watch = Stopwatch::start();
            for load in 0..LOADS_MAX {
                let over = heat.cleared.load(Ordering::SeqCst);
                heat.loads.fetch_add(1, Ordering::SeqCst);
                let loaded = store.load_run(&id).await;
                if load == 0 {
                    let took = u64::try_from(watch.elapsed().as_nanos()).unwrap_or(u64::MAX);
                    heat.first_took.store(took, Ordering::SeqCst);
                }
                let last = over || loaded.as_ref().map_or(true, Vec::is_empty);
                if loaded.as_ref().ok() != Some(whole.as_ref()) {
                    seen.push(loaded);
                }
                if last {
                    break;
                }
                tokio::task::yield_now().await;
            }
            seen
        })
    })
}

pub(crate) async fn clr_09_a_large_run_clears(case: &Case) -> Checked {
    const ROWS: u64 = 2500;
    let store = case.open().await?;
    for sequence in 0..ROWS {
        store.append("run", &row(sequence)).await?;
    }
    store.clear("run").await?;
    store
        .holds("run", &[], "of 2,500 rows after its clear")
        .await?;
    store.append("run", &row(0)).await?;
    store
        .holds("run", &rows([0]), "begun again after a clear of 2,500 rows")
        .await
}

/// Rows that differ from the first row of a run in a single field, by the field, and its second row.
fn other_firsts(
    first: &CheckpointRow,
    second: &CheckpointRow,
) -> [(&'static str, CheckpointRow); 7] {
    let changed = |change: fn(&mut CheckpointRow)| {
        let mut other = first.clone();
        change(&mut other);
        other
    };
    [
        ("sequence", changed(|row| row.sequence += 1)),
        ("state", changed(|row| row.state.push('2'))),
        ("task", changed(|row| row.task_id.push('2'))),
        ("kind", changed(|row| row.kind = RowKind::StepCursor)),
        (
            "blob",
            changed(|row| row.output_blob = Some(b"another".to_vec())),
        ),
        ("missing blob", changed(|row| row.output_blob = None)),
        ("place in the run", second.clone()),
    ]
}

pub(crate) async fn clr_10_a_clear_under_a_condition_looks_at_the_first_row(
    case: &Case,
) -> Checked {
    let store = case.open().await?;
    // A purge of a store that others use meets runs that were begun again.
    let is_shared = case.subject.claims.contains(&Claim::ManyHandles)
        && store.store().exclusive_scope().is_none();
    let (first, second) = (marked(0, "first").with_output(b"one".to_vec()), row(1));
    let run = [first.clone(), second.clone()];
    for (field, other) in other_firsts(&first, &second) {
        let id = format!("run with another {field}");
        store.append_all(&id, &run).await?;
        let cleared = store.clear_if_begun_with(&id, &other).await?;
        let expected = if cleared { &[][..] } else { &run };
        let when = format!("after a clear under a condition that answered {cleared}");
        store.holds(&id, expected, &when).await?;
        if cleared && is_shared {
            return Err(broken(format!(
                "a clear of run {} if it begins with {}, on a store of several handles: expected false, since it \
                 begins with {}, got true",
                quote(&id),
                describe(&other),
                describe(&first)
            )));
        }
    }
    store.append_all("run", &run).await?;
    store.append_all("beside", &run).await?;
    if !store.clear_if_begun_with("run", &first).await? {
        return Err(broken(format!(
            "a clear of run \"run\" if it begins with {}: expected true, since it does, got false",
            describe(&first)
        )));
    }
    store
        .holds("run", &[], "after a clear under a condition that it meets")
        .await?;
    let when = "beside a run that was cleared under a condition";
    store.holds("beside", &run, when).await?;
    // What it answers for a run that is gone, nobody needs to know.
    store.clear_if_begun_with("run", &first).await?;
    store.append_all("run", &run).await?;
    store
        .holds("run", &run, "begun again after a clear under a condition")
        .await
}
