//! A child process is killed with SIGKILL after a number of acknowledged steps.

use std::sync::Arc;
use std::time::Duration;

use crashpoint::CheckpointRow;

use super::listed::lists_its_runs;
use crate::case::{Blame, Case, Session};
use crate::child::{
    CLEARED_ROWS, IN_TURN, LARGE, LARGE_ROWS, Message, Role, Running, WRITTEN, cleared_run, wide,
};
use crate::finding::expect::{Checked, Failure, broken, describe, quote, row, rows, same_rows};
use crate::harness::place::Place;
use crate::runtime::clock::Stopwatch;
use crate::runtime::{Workers, start};

/// The numbers of acknowledged steps after which children are killed.
const KILLED_AFTER: [u64; 6] = [1, 2, 3, 5, 9, 20];

/// How long a child may go on after its last step that counts. The news of a step may wake the kit on the core of the
/// child, which is then killed before it has begun the next.
const GOES_ON: Duration = Duration::from_millis(20);

/// Kills a child with `role` at once after `steps` steps and opens the place again. `judge` gets the store and the
/// number of acknowledged steps.
fn kill_and_open(
    case: &Case,
    role: Role,
    steps: u64,
    judge: impl AsyncFnOnce(&Session, u64) -> Checked,
) -> Checked {
    kill_later_and_open(case, role, steps, Duration::ZERO, judge)
}

/// Does the same, but lets the child go on for a while.
fn kill_later_and_open(
    case: &Case,
    role: Role,
    steps: u64,
    goes_on: Duration,
    judge: impl AsyncFnOnce(&Session, u64) -> Checked,
) -> Checked {
    let place = case.another_place()?;
    let mut running = Running::start(case, role, &place)?;
    running.go()?;
    let heard = running.receive_steps(steps)?;
    std::thread::park_timeout(goes_on);
    let acknowledged = running.kill(heard)?;
    judge_at(case, &place, "SIGKILL of a child", async |store| {
        judge(&store, acknowledged).await
    })
}

/// Opens the place of a dead child. `after` says how the child ended.
pub(super) fn judge_at(
    case: &Case,
    place: &Arc<Place>,
    after: &str,
    judge: impl AsyncFnOnce(Session) -> Checked,
) -> Checked {
    let runtime = start(Workers::Pool(2))?;
    case.progress
        .step(Blame::Store, &format!("opening the store after {after}"));
    let checked = runtime.block_on(async {
        let opened = case.open_at(place).await;
        let store = opened.map_err(|failure| match failure {
            Failure::Harness(message) => broken(format!("after {after}, {message}")),
            other => other,
        })?;
        judge(store).await
    });
    case.close_inside(runtime.handle());
    runtime.block_on(case.leave(place))?;
    checked
}

pub(crate) fn dur_03_acknowledged_rows_survive_a_kill(case: &Case) -> Checked {
    for steps in KILLED_AFTER {
        kill_and_open(case, Role::Writes, steps, async |store, acknowledged| {
            let got = store.load(WRITTEN).await?;
            let held = |row: &CheckpointRow| got.iter().any(|held| held.sequence == row.sequence);
            let lost = (0..acknowledged).map(wide).find(|row| !held(row));
            let Some(lost) = lost else {
                let when = "after SIGKILL of a child";
                return lists_its_runs(case, store, [WRITTEN], when).await;
            };
            let (sequence, count) = (lost.sequence, got.len());
            Err(broken(format!(
                "after SIGKILL of a child with {acknowledged} acknowledged rows: expected all of \
                 them, got {count} rows without sequence {sequence}"
            )))
        })?;
    }
    Ok(())
}

pub(crate) fn dur_04_an_unacknowledged_row_is_whole_or_absent(case: &Case) -> Checked {
    for (number, steps) in (0..).zip(KILLED_AFTER) {
        let goes_on = GOES_ON * (number % 2);
        let judge = async |store: &Session, acknowledged| {
            let got = store.load(WRITTEN).await?;
            let torn = got.iter().find(|row| **row != wide(row.sequence));
            if let Some(torn) = torn {
                let (whole, torn) = (describe(&wide(torn.sequence)), describe(torn));
                return Err(broken(format!(
                    "after SIGKILL of a child inside an append: expected {whole} or no such row, \
                     got {torn}"
                )));
            }
            // The next row may have been under way; later rows never began.
            let beyond = got.iter().find(|row| row.sequence > acknowledged);
            beyond.map_or(Ok(()), |row| {
                let sequence = row.sequence;
                Err(broken(format!(
                    "after SIGKILL of a child with {acknowledged} acknowledged rows, appended one after \
                     another: expected at most one more, got sequence {sequence}"
                )))
            })
        };
        kill_later_and_open(case, Role::Writes, steps, goes_on, judge)?;
    }
    Ok(())
}

pub(crate) fn dur_05_a_kill_inside_clear_leaves_all_or_nothing(case: &Case) -> Checked {
    for round in 1..=KILLED_AFTER.len() as u64 {
        // The last row before the clear of run number `round`, which is the next step.
        let steps = round * (CLEARED_ROWS + 1) - 1;
        kill_and_open(case, Role::Clears, steps, async |store, acknowledged| {
            for number in 0..=acknowledged / (CLEARED_ROWS + 1) {
                let id = cleared_run(number);
                let got = store.load(&id).await?;
                let begun = number * (CLEARED_ROWS + 1);
                let is_cleared = acknowledged > begun + CLEARED_ROWS;
                let is_full = acknowledged >= begun + CLEARED_ROWS;
                let allowed = match (is_cleared, is_full) {
                    (true, _) => got.is_empty(),
                    (_, true) => got.is_empty() || got == rows(0..CLEARED_ROWS),
                    // The laws before check its rows.
                    _ => true,
                };
                if !allowed {
                    let (id, count) = (quote(&id), got.len());
                    let expected = if is_cleared {
                        "no rows".to_owned()
                    } else {
                        format!("all {CLEARED_ROWS} rows or none")
                    };
                    return Err(broken(format!(
                        "run {id} after SIGKILL of a child inside or after its clear: expected \
                         {expected}, got {count}"
                    )));
                }
            }
            Ok(())
        })?;
    }
    let whole = time_to_clear(case)?;
    for part in 1..LARGE_PARTS {
        kill_inside_clear(case, whole * part / LARGE_PARTS)?;
    }
    Ok(())
}

/// The parts of a clear of a large run, between which a child is killed.
const LARGE_PARTS: u32 = 3;

/// How long a child takes to clear a large run.
fn time_to_clear(case: &Case) -> Result<Duration, Failure> {
    let place = case.another_place()?;
    let mut running = Running::start(case, Role::ClearsLarge, &place)?;
    running.go()?;
    running.receive_steps(1)?;
    let watch = Stopwatch::start();
    running.receive_steps(2)?;
    Ok(watch.elapsed())
}

/// Kills a child some time after it began to clear a large run.
fn kill_inside_clear(case: &Case, after: Duration) -> Checked {
    let place = case.another_place()?;
    let mut running = Running::start(case, Role::ClearsLarge, &place)?;
    running.go()?;
    let mut heard = running.receive_steps(1)?;
    if let Some(Message::Acknowledged(step)) = running.receive_within(after) {
        heard = step + 1;
    }
    let acknowledged = running.kill(heard)?;
    judge_at(case, &place, "SIGKILL of a child", async |store| {
        let got = store.load(LARGE).await?;
        let is_cleared = acknowledged > 1;
        if got.is_empty() || !is_cleared && got == rows(0..LARGE_ROWS) {
            return Ok(());
        }
        let (id, count) = (quote(LARGE), got.len());
        Err(broken(format!(
            "run {id} after SIGKILL of a child inside its clear: expected all {LARGE_ROWS} rows or none, \
             got {count}"
        )))
    })
}

pub(crate) fn dur_06_after_a_kill_the_store_opens_unaided(case: &Case) -> Checked {
    for steps in [1, 4] {
        kill_and_open(case, Role::Writes, steps, async |store, _| {
            // What the dead process left neither blocks the store nor counts as a duplicate.
            store.append("new", &row(0)).await?;
            store
                .holds("new", &rows([0]), "written after SIGKILL")
                .await?;
            store.clear(WRITTEN).await?;
            store.holds(WRITTEN, &[], "cleared after SIGKILL").await
        })?;
    }
    Ok(())
}

pub(crate) fn dur_14_acknowledged_rows_are_durable_in_order(case: &Case) -> Checked {
    let runs = IN_TURN.len() as u64;
    for steps in KILLED_AFTER {
        kill_and_open(
            case,
            Role::WritesInTurn,
            steps,
            async |store, acknowledged| {
                let mut last = None;
                let mut missing = None;
                let mut loaded = Vec::new();
                for id in IN_TURN {
                    loaded.push(store.load(id).await?);
                }
                for step in 0..=acknowledged {
                    let (turn, sequence) = ((step % runs) as usize, step / runs);
                    if loaded[turn].iter().any(|row| row.sequence == sequence) {
                        last = Some(step);
                    } else if missing.is_none() {
                        missing = Some(step);
                    }
                }
                if let (Some(missing), Some(last)) = (missing, last)
                    && missing < last
                {
                    let (turn, sequence) = ((missing % runs) as usize, missing / runs);
                    let id = quote(IN_TURN[turn]);
                    return Err(broken(format!(
                        "after SIGKILL of a child that appended to {runs} runs in turn: expected every \
                     row before the last that is there, got append {last} without append \
                     {missing} (sequence {sequence} of run {id})"
                    )));
                }
                for (id, got) in IN_TURN.iter().zip(&loaded) {
                    let what = || format!("run {} after SIGKILL", quote(id));
                    same_rows(what, &rows(0..got.len() as u64), got)?;
                }
                Ok(())
            },
        )?;
    }
    Ok(())
}
