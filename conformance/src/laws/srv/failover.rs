//! Failovers: the leader of a backend goes away under load, another node takes over, and the first comes back.

use std::collections::BTreeMap;
use std::time::Duration;

use super::load::{Load, Run, Seen, WRITERS, patiently, row};
use crate::case::{Blame, Case, Session};
use crate::finding::expect::{Checked, Failure, broken, describe, quote};
use crate::harness::hooks::offered;
use crate::runtime::clock::Stopwatch;

/// How often the leader goes away, each time with the rows of the times before.
const FAILOVERS: u64 = 3;
/// Acknowledged rows of each writer before the leader goes, while it is away, and once it is back.
const ROWS: u64 = 12;
/// The time between two looks at the load.
const LOOK: Duration = Duration::from_millis(2);

pub(crate) async fn srv_02_acknowledged_rows_survive_a_failover(case: &Case) -> Checked {
    let mut store = case.open().await?;
    for failover in 1..=FAILOVERS {
        let failed_over = fail_over(case, &store, failover).await;
        let (runs, _) = failed_over.map_err(Stopped::failure)?;
        store = case.reopen(store).await?;
        let when = format!("after failover {failover} of {FAILOVERS} under {WRITERS} writers");
        for run in &runs {
            keeps_its_rows(case, &store, run, &when).await?;
        }
    }
    Ok(())
}

async fn keeps_its_rows(case: &Case, store: &Session, run: &Run, when: &str) -> Checked {
    let (id, acknowledged) = (quote(&run.id), run.acknowledged);
    let got = patiently(case, || store.try_load(&run.id)).await?;
    for sequence in 0..acknowledged {
        let expected = row(sequence);
        match got.iter().find(|row| row.sequence == sequence) {
            Some(got) if *got == expected => {}
            Some(got) => {
                let (expected, got) = (describe(&expected), describe(got));
                return Err(broken(format!(
                    "run {id} {when}: expected {expected}, got {got}"
                )));
            }
            None => {
                let count = got.len();
                return Err(broken(format!(
                    "run {id} {when}: expected its {acknowledged} acknowledged rows, got {count} without \
                     sequence {sequence}"
                )));
            }
        }
    }
    // The next row may have been sent, and its answer lost.
    let most = acknowledged + u64::from(run.doubt);
    if got.len() as u64 > most {
        let count = got.len();
        return Err(broken(format!(
            "run {id} {when}: expected at most {most} rows, got {count}"
        )));
    }
    Ok(())
}

pub(crate) async fn srv_03_reads_do_not_go_backwards_at_a_failover(case: &Case) -> Checked {
    let store = case.open().await?;
    for failover in 1..=FAILOVERS {
        let failed_over = fail_over(case, &store, failover).await;
        let (_, mut seen) = failed_over.map_err(Stopped::failure)?;
        seen.sort_by_key(|load| load.begun);
        forwards(&seen, failover)?;
    }
    Ok(())
}

/// Fails if a load, of those in the order of their beginnings, shows less than was known when it began.
fn forwards(seen: &[Seen], failover: u64) -> Checked {
    let mut ends: Vec<&Seen> = seen.iter().collect();
    ends.sort_by_key(|load| load.ended);
    let mut ends = ends.into_iter().peekable();
    let mut shown: BTreeMap<&str, u64> = BTreeMap::new();
    for load in seen {
        while let Some(before) = ends.next_if(|before| before.ended < load.begun) {
            let most = shown.entry(&before.run).or_default();
            *most = before.rows.max(*most);
        }
        let shown = shown.get(load.run.as_str()).copied().unwrap_or(0);
        let (expected, why) = match shown > load.acknowledged {
            true => (shown, "which a load had shown before"),
            false => (load.acknowledged, "which were acknowledged before"),
        };
        if load.rows < expected {
            let (id, got) = (quote(&load.run), load.rows);
            return Err(broken(format!(
                "a load of run {id} during failover {failover} of {FAILOVERS}: expected at least {expected} \
                 rows, {why}, got {got}"
            )));
        }
    }
    Ok(())
}

pub(crate) async fn srv_04_progress_returns_after_a_failover(case: &Case) -> Checked {
    let store = case.open().await?;
    for failover in 1..=FAILOVERS {
        match fail_over(case, &store, failover).await {
            Err(Stopped::Stuck(message)) => return Err(broken(message)),
            done => done.map(drop).map_err(Stopped::failure)?,
        }
    }
    Ok(())
}

/// Why a failover has no result.
enum Stopped {
    /// There was no progress in time: SRV-04 is about that, and other laws learn nothing.
    Stuck(String),
    Other(Failure),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

impl Stopped {
    /// For a law that is not about progress.
    fn failure(self) -> Failure {
        match self {
            Self::Stuck(message) => Failure::Inconclusive(message),
            Self::Other(failure) => failure,
        }
    }
}

/// One failover under load. Returns what the writers know of their runs, and all that the readers have seen.
async fn fail_over(
    case: &Case,
    store: &Session,
    failover: u64,
) -> Result<(Vec<Run>, Vec<Seen>), Stopped> {
    let load = Load::start(store, failover);
    load_goes_on(case, &load, ROWS, "before the leader went away").await?;
    case.progress
        .step(Blame::Harness, "taking the leader of the backend away");
    offered("stop_leader", case.subject.stop_leader(case.place()).await)?;
    load_goes_on(case, &load, ROWS, "after the leader went away").await?;
    case.progress.step(Blame::Harness, "bringing the node back");
    offered("start_node", case.subject.start_node(case.place()).await)?;
    load_goes_on(case, &load, ROWS, "after the node came back").await?;
    let errors = load.errors();
    let ended = load.end().await?;
    if errors == 0 {
        return Err(Stopped::Other(Failure::Inconclusive(
            "no operation answered an error when the leader went away: does `stop_leader` take it away, or does \
             the client hide it?"
                .to_owned(),
        )));
    }
    Ok(ended)
}

/// Waits until each writer has so many rows more, within the bound that the harness states.
async fn load_goes_on(case: &Case, load: &Load, rows: u64, when: &str) -> Result<(), Stopped> {
    let limit = case.options().failover_max;
    let before = load.acknowledged();
    case.progress.step(Blame::Store, "operations at a failover");
    let watch = Stopwatch::start();
    loop {
        let now = load.acknowledged();
        let mut writers = before.iter().zip(&now);
        if load.has_ended() || writers.all(|(before, now)| *now >= before + rows) {
            return Ok(());
        }
        if watch.elapsed() >= limit {
            let stuck = before.iter().zip(&now);
            let stuck = stuck.filter(|(before, now)| **now < *before + rows).count();
            return Err(Stopped::Stuck(format!(
                "{when}: expected {rows} more rows of each of {WRITERS} writers within {limit:?}, got fewer of \
                 {stuck}"
            )));
        }
        tokio::time::sleep(LOOK).await;
    }
}
