//! The child's side: it plays a role on the store that it opens.

use std::io::BufRead;
use std::process::exit;
use std::sync::Arc;

use crashpoint::{CheckpointRow, Error};

use super::Role;
use super::message::Message;
use super::script::{Script, Step, wide};
use crate::case::recorded::is_conflict;
use crate::finding::expect::{marked, row};
use crate::harness::place::Place;
use crate::harness::{BoxFuture, DynStore, Opened, Subject, append_at_once};
use crate::runtime::{Workers, start};

/// The steps after which a child ends that nobody kills.
const STEPS_MAX: u64 = 5_000;

/// The run of [`Role::Writes`], and its row at a step.
pub(crate) const WRITTEN: &str = "written";

/// The runs of [`Role::WritesInTurn`].
pub(crate) const IN_TURN: [&str; 3] = ["first", "second", "third"];

/// Rows of each run of [`Role::Clears`]. A step is a row, or the clear after them.
pub(crate) const CLEARED_ROWS: u64 = 12;

pub(crate) fn cleared_run(number: u64) -> String {
    format!("cleared {number}")
}

/// The run of [`Role::ClearsLarge`], with more rows than stores clear at a time. Its first step fills it, the
/// second clears it.
pub(crate) const LARGE: &str = "large";
pub(crate) const LARGE_ROWS: u64 = 1_100;

/// The run of [`Role::Loads`] and [`Role::LoadsBesideAppends`].
pub(crate) const SHOWN: &str = "shown";

/// The rows that a child appends beside its loads.
const SHOWN_ROWS: u64 = 4;

/// The most loads beside an append, for a store that never ends it.
const LOADS_MAX: u32 = 1_000;

/// The run of [`Role::Contends`], and how many rows each child appends to it.
pub(crate) const CONTENDED: &str = "contended";
pub(crate) const CONTENDED_ROWS: u64 = 200;

/// The row of a child at a step.
pub(crate) fn contended(step: u64, who: u8) -> CheckpointRow {
    marked(step, &format!("child {who}"))
}

/// Plays the role and ends this process.
pub(crate) fn play(subject: &Subject, role: Role, place: &Place) -> ! {
    let played = start(Workers::Pool(2)).map_err(|_| "no runtime".to_owned());
    let played = played.and_then(|runtime| {
        runtime.block_on(async {
            let open = async || subject.open(place).await;
            let refused = |error| format!("opening the store: expected Ok, got \"{error}\"");
            // The script includes the first opening.
            let opened = match role {
                Role::Script | Role::LongScript => None,
                _ => Some(open().await.map_err(refused)?),
            };
            Message::Ready.send();
            // Returns too if the parent has ended.
            let _ = std::io::stdin().lock().read_line(&mut String::new());
            let opened = match opened {
                Some(opened) => opened,
                None => open().await.map_err(refused)?,
            };
            steps(&opened, role).await
        })
    });
    match played {
        Ok(()) => Message::Ended.send(),
        Err(message) => Message::Refused(message).send(),
    }
    exit(0)
}

async fn steps(opened: &Opened, role: Role) -> Result<(), String> {
    let script = match role {
        Role::Script => Script::short(),
        Role::LongScript => Script::long(),
        _ => {
            let played = play_without_a_script(&opened.store, role).await;
            return played.map_err(|error| error.to_string());
        }
    };
    for (number, step) in (0..).zip(script.steps) {
        perform(opened, step).await?;
        Message::Acknowledged(number).send();
    }
    Ok(())
}

async fn perform(opened: &Opened, step: Step) -> Result<(), String> {
    let done = match step {
        Step::Append(id, row) => opened.store.append(id, row).await,
        Step::Clear(id) => opened.store.clear(id).await,
        // Without the hook the store does it by itself, or not at all.
        Step::Maintain => {
            let maintained = (opened.maintain)().await;
            return maintained.map_or_else(|error| Err(error.to_string()), |_| Ok(()));
        }
    };
    done.map_err(|error| error.to_string())
}

async fn play_without_a_script(store: &DynStore, role: Role) -> Result<(), Error> {
    match role {
        Role::Writes => {
            for step in 0..STEPS_MAX {
                store.append(WRITTEN, wide(step)).await?;
                Message::Acknowledged(step).send();
            }
        }
        Role::WritesInTurn => {
            for step in 0..STEPS_MAX {
                let turn = (step % IN_TURN.len() as u64) as usize;
                let sequence = step / IN_TURN.len() as u64;
                store.append(IN_TURN[turn], row(sequence)).await?;
                Message::Acknowledged(step).send();
            }
        }
        Role::Clears => {
            for step in 0..STEPS_MAX {
                let (number, of_run) = (step / (CLEARED_ROWS + 1), step % (CLEARED_ROWS + 1));
                let id = cleared_run(number);
                if of_run < CLEARED_ROWS {
                    store.append(&id, row(of_run)).await?;
                } else {
                    store.clear(&id).await?;
                }
                Message::Acknowledged(step).send();
            }
        }
        Role::ClearsLarge => {
            append_at_once(store, LARGE, (0..LARGE_ROWS).map(row).collect()).await?;
            Message::Acknowledged(0).send();
            store.clear(LARGE).await?;
            Message::Acknowledged(1).send();
        }
        Role::Loads => {
            let loaded = store.load_run(SHOWN).await?;
            Message::Loaded(Some(loaded.len() as u64)).send();
        }
        Role::LoadsBesideAppends => load_beside_appends(store).await?,
        Role::ScriptWithFaults => continue_after_errors(store).await,
        Role::Contends(who) => {
            for step in 0..CONTENDED_ROWS {
                let appended = store.append(CONTENDED, contended(step, who)).await;
                match appended {
                    Ok(()) => Message::Acknowledged(step).send(),
                    Err(_) => Message::Failed(step).send(),
                }
            }
        }
        Role::Script | Role::LongScript => unreachable!("its steps are those of a script"),
    }
    Ok(())
}

/// Loads a run while each of its rows is being appended.
async fn load_beside_appends(store: &DynStore) -> Result<(), Error> {
    for sequence in 0..SHOWN_ROWS {
        let row = match sequence {
            2 => wide(sequence),
            _ => row(sequence),
        };
        let writer = Arc::clone(store);
        // On a thread of the pool. The loads are on this thread, since an append may block its own.
        let append: BoxFuture<'static, Result<(), Error>> =
            Box::pin(async move { writer.append(SHOWN, row).await });
        let append = tokio::spawn(append);
        for _ in 0..LOADS_MAX {
            let is_over = append.is_finished();
            let loaded = store.load_run(SHOWN).await?;
            Message::Loaded(Some(loaded.len() as u64)).send();
            if is_over {
                break;
            }
            tokio::task::yield_now().await;
        }
        let appended = append.await;
        appended
            .map_err(|error| Error::checkpoint_store(format!("a caller failed: {error}")))??;
        Message::Acknowledged(sequence).send();
    }
    Ok(())
}

/// Performs each step of the script once. A load of its run follows a step that returned an error.
async fn continue_after_errors(store: &DynStore) {
    for (number, step) in (0..).zip(Script::short().steps) {
        let (id, done) = match step {
            Step::Append(id, row) => (id, store.append(id, row).await),
            Step::Clear(id) => (id, store.clear(id).await),
            Step::Maintain => continue,
        };
        match done {
            Ok(()) => {
                Message::Acknowledged(number).send();
                continue;
            }
            Err(error) if is_conflict(&error) => Message::Conflicted(number).send(),
            Err(_) => Message::Failed(number).send(),
        }
        let loaded = store.load_run(id).await;
        Message::Loaded(loaded.ok().map(|rows| rows.len() as u64)).send();
    }
}
