//! Cancellation: a dropped future leaves the store whole, and its caller can load to learn the outcome.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use crashpoint::CheckpointRow;

use crate::case::{Blame, Case, Session};
use crate::finding::expect::{
    Checked, Failure, broken, describe, quote, row, rows, same_rows, wide,
};
use crate::harness::BoxFuture;
use crate::runtime::dropped::{Cut, Cuts, cut_off};

/// More callers at once than most pools open connections for at first.
const CALLERS: usize = 8;

/// Opens the store and loads from several callers at once. A pool then has several connections, and what a
/// dropped future left on one of them need not be in the way of the next caller.
async fn warm(case: &Case) -> Result<Session, Failure> {
    let store = case.open().await?;
    looks(&store, "nothing", CALLERS).await?;
    Ok(store)
}

/// Loads `id` from several callers at once.
async fn looks(
    store: &Session,
    id: &str,
    callers: usize,
) -> Result<Vec<Vec<CheckpointRow>>, Failure> {
    let load =
        || -> BoxFuture<'_, Result<Vec<CheckpointRow>, Failure>> { Box::pin(store.load(id)) };
    let mut loads: Vec<_> = std::iter::repeat_with(load).take(callers).collect();
    let mut loaded: Vec<_> = std::iter::repeat_with(|| None).take(callers).collect();
    poll_fn(|context| {
        for (load, loaded) in loads.iter_mut().zip(&mut loaded) {
            if loaded.is_none()
                && let Poll::Ready(rows) = load.as_mut().poll(context)
            {
                *loaded = Some(rows);
            }
        }
        match loaded.iter().all(Option::is_some) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
    loaded.into_iter().flatten().collect()
}

/// Begins an append and drops it. Returns whether it was accepted, if it ended before.
async fn dropped_append(store: &Session, id: &str, row: CheckpointRow, cut: Cut) -> Option<bool> {
    store.step(Blame::Store, &format!("an append that is dropped {cut}"));
    let ended = cut_off(store.store().append(id, row), cut).await;
    ended.map(|appended| appended.is_ok())
}

/// Appends to one run after another, each dropped at another cut.
struct Dropped<'a> {
    store: &'a Session,
    cuts: Cuts,
    number: u64,
}

impl<'a> Dropped<'a> {
    fn on(store: &'a Session) -> Self {
        Self {
            store,
            cuts: Cuts::new(),
            number: 0,
        }
    }

    /// Begins an append of `row` to a new run and drops it. Returns the run and the cut.
    async fn next(&mut self, row: CheckpointRow) -> Option<(String, Cut)> {
        let cut = self.cuts.next()?;
        let id = format!("run {}", self.number);
        self.number += 1;
        if dropped_append(self.store, &id, row, cut).await.is_some() {
            self.cuts.ended();
        }
        Some((id, cut))
    }

    /// Begins with the first cut again, on new runs.
    fn again(&mut self) {
        self.cuts = Cuts::new();
    }
}

pub(crate) async fn can_01_a_dropped_append_is_whole_or_absent(case: &Case) -> Checked {
    let store = warm(case).await?;
    let mut cuts = Cuts::new();
    let mut number = 0_u64;
    while let Some(cut) = cuts.next() {
        let id = format!("run {number}");
        number += 1;
        store.append_all(&id, &rows(0..2)).await?;
        if dropped_append(&store, &id, wide(2), cut).await.is_some() {
            cuts.ended();
        }
        for _ in 0..LOOKS {
            let got = store.load(&id).await?;
            let (kept, new) = got.split_at(got.len().min(2));
            let when = format!("beside an append dropped {cut}");
            same_rows(|| format!("run {} {when}", quote(&id)), &rows(0..2), kept)?;
            if !new.is_empty() && *new != [wide(2)] {
                let (id, got) = (quote(&id), new.iter().map(describe).collect::<Vec<_>>());
                return Err(broken(format!(
                    "run {id} after an append dropped {cut}: expected its row whole or absent, \
                     got {got:?}"
                )));
            }
            pause().await;
        }
    }
    Ok(())
}

pub(crate) async fn can_02_a_future_never_polled_has_no_effect(case: &Case) -> Checked {
    let store = case.open().await?;
    store.append_all("run", &rows(0..2)).await?;
    store.step(Blame::Store, "futures that are never polled");
    drop(store.store().append("run", row(2)));
    drop(store.store().append("other", row(0)));
    drop(store.store().clear("run"));
    drop(store.store().load_run("run"));
    for _ in 0..LOOKS {
        let when = "after futures that were never polled";
        store.holds("run", &rows(0..2), when).await?;
        store.holds("other", &[], when).await?;
        pause().await;
    }
    store.append("run", &row(2)).await
}

pub(crate) async fn can_03_a_retry_agrees_with_what_load_shows(case: &Case) -> Checked {
    let store = warm(case).await?;
    let mut dropped = Dropped::on(&store);
    while let Some((id, cut)) = dropped.next(wide(0)).await {
        let shown = !store.load(&id).await?.is_empty();
        let accepted = sent_again(&store, &id).await?;
        if shown && accepted {
            return Err(broken(format!(
                "run {}: after an append dropped {cut} a load showed its row: expected a rejection \
                 when it is sent again, got Ok",
                quote(&id)
            )));
        }
        let answer = if accepted { "accepted" } else { "rejected" };
        let when = format!("whose append was dropped {cut}, and {answer} when sent again");
        store.holds(&id, &[wide(0)], &when).await?;
    }
    Ok(())
}

/// Sends the dropped row again until the store has it: by Ok, or by a load if it has landed in between.
/// Pending work may keep the store busy for a while.
async fn sent_again(store: &Session, id: &str) -> Result<bool, Failure> {
    for _ in 0..LOOKS {
        if store.try_append(id, wide(0)).await.is_ok() {
            return Ok(true);
        }
        if !store.load(id).await?.is_empty() {
            break;
        }
        pause().await;
    }
    Ok(false)
}

/// More than a pool has connections.
const DROPPED: u64 = 1000;
/// How many appends are dropped between two that are awaited, so that pending work does not pile up.
const DROPPED_AT_ONCE: u64 = 25;

pub(crate) async fn can_04_a_thousand_dropped_futures_leave_the_store_usable(
    case: &Case,
) -> Checked {
    let store = case.open().await?;
    for number in 0..DROPPED {
        let cut = Cut {
            polls: 1 + (number % 2) as u32,
            woken: number % 3 == 0,
        };
        let id = format!("dropped {}", number % DROPPED_AT_ONCE);
        dropped_append(&store, &id, row(number), cut).await;
        if number % DROPPED_AT_ONCE == 0 {
            store.append("kept", &row(number / DROPPED_AT_ONCE)).await?;
        }
    }
    let when = "beside a thousand dropped appends";
    let kept = rows(0..DROPPED / DROPPED_AT_ONCE);
    store.holds("kept", &kept, when).await?;
    store.clear("kept").await?;
    store.holds("kept", &[], when).await
}

pub(crate) async fn can_05_dropped_loads_and_clears_too(case: &Case) -> Checked {
    const ROWS: u64 = 12;
    let store = warm(case).await?;
    let mut number = 0_u64;
    let mut cuts = Cuts::new();
    while let Some(cut) = cuts.next() {
        let id = format!("loaded {number}");
        number += 1;
        store.append_all(&id, &rows(0..3)).await?;
        store.step(Blame::Store, &format!("a load that is dropped {cut}"));
        if cut_off(store.store().load_run(&id), cut).await.is_some() {
            cuts.ended();
        }
        let when = format!("after a load dropped {cut}");
        store.holds(&id, &rows(0..3), &when).await?;
    }
    let mut cuts = Cuts::new();
    while let Some(cut) = cuts.next() {
        let id = format!("cleared {number}");
        number += 1;
        store.append_all(&id, &rows(0..ROWS)).await?;
        store.step(Blame::Store, &format!("a clear that is dropped {cut}"));
        if cut_off(store.store().clear(&id), cut).await.is_some() {
            cuts.ended();
        }
        for _ in 0..LOOKS {
            let got = store.load(&id).await?;
            if !got.is_empty() && got != rows(0..ROWS) {
                let (id, count) = (quote(&id), got.len());
                return Err(broken(format!(
                    "run {id} after a clear dropped {cut}: expected all {ROWS} rows or none, got \
                     {count}"
                )));
            }
            pause().await;
        }
    }
    Ok(())
}

pub(crate) async fn can_06_the_state_settles(case: &Case) -> Checked {
    let store = warm(case).await?;
    let mut dropped = Dropped::on(&store);
    while let Some((id, cut)) = dropped.next(row(0)).await {
        let mut shown = false;
        for _ in 0..LOOKS {
            let now = !store.load(&id).await?.is_empty();
            if shown && !now {
                return Err(broken(format!(
                    "run {} after an append dropped {cut}: expected a row that was shown to stay, \
                     got a load without it",
                    quote(&id)
                )));
            }
            shown = now;
            pause().await;
        }
    }
    Ok(())
}

pub(crate) async fn can_07_a_dropped_append_does_not_outlive_a_clear(case: &Case) -> Checked {
    let store = warm(case).await?;
    let mut dropped = Dropped::on(&store);
    for _ in 0..LATE_PASSES {
        while let Some((id, cut)) = dropped.next(row(0)).await {
            store.clear(&id).await?;
            stays_away(&store, &id, || {
                format!("whose append was dropped {cut}, after a clear returned")
            })
            .await?;
        }
        dropped.again();
    }
    Ok(())
}

pub(crate) async fn can_08_nothing_lands_late(case: &Case) -> Checked {
    let store = warm(case).await?;
    let mut dropped = Dropped::on(&store);
    for _ in 0..LATE_PASSES {
        while let Some((id, cut)) = dropped.next(row(0)).await {
            if store.load(&id).await?.is_empty() {
                stays_away(&store, &id, || {
                    format!("whose append was dropped {cut}, after a load without its row")
                })
                .await?;
            }
        }
        dropped.again();
    }
    Ok(())
}

/// How often the laws about work that lands late try all cuts. On a busy machine such work has often landed before
/// the clear or the load that it should come after.
const LATE_PASSES: u32 = 3;

/// Loads of a run on which work may still be pending.
const LOOKS: u32 = 8;

/// Callers that look at the same time, each through a connection of its own if the store has several.
const LOOKERS: usize = 3;

async fn stays_away(store: &Session, id: &str, when: impl Fn() -> String) -> Checked {
    for _ in 0..LOOKS {
        pause().await;
        for got in looks(store, id, LOOKERS).await? {
            same_rows(|| format!("run {} {}", quote(id), when()), &[], &got)?;
        }
    }
    Ok(())
}

/// Gives pending work of a dropped future some time.
async fn pause() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}
