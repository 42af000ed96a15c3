//! What the child does: its part, on the store that it opens.

use std::io::BufRead;
use std::process::exit;

use crashpoint::{CheckpointRow, Error};

use super::Role;
use super::message::tell;
use crate::finding::expect::{marked, row};
use crate::harness::place::Place;
use crate::harness::{DynStore, Subject};
use crate::runtime::{Workers, start};

/// Steps after which a child that nobody kills has done enough.
const STEPS_MAX: u64 = 5_000;

/// The run of [`Role::Writes`], and its row at a step.
pub(crate) const WRITTEN: &str = "written";

/// A row of several blocks.
pub(crate) fn wide(sequence: u64) -> CheckpointRow {
    let mut wide = row(sequence);
    wide.state = format!("wide {sequence} ").repeat(40);
    wide.with_output(vec![b'w'; 20_000])
}

/// The runs of [`Role::WritesInTurn`].
pub(crate) const IN_TURN: [&str; 3] = ["first", "second", "third"];

/// Rows of each run of [`Role::Clears`]: a step is a row, or the clear that comes after them.
pub(crate) const CLEARED_ROWS: u64 = 12;

pub(crate) fn cleared_run(number: u64) -> String {
    format!("cleared {number}")
}

/// The run of [`Role::Contends`], and how many rows each child appends to it.
pub(crate) const CONTENDED: &str = "contended";
pub(crate) const CONTENDED_ROWS: u64 = 200;

/// The row of a child at a step.
pub(crate) fn contended(step: u64, who: u8) -> CheckpointRow {
    marked(step, &format!("child {who}"))
}

/// One step of [`Role::Script`].
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Append(&'static str, CheckpointRow),
    Clear(&'static str),
}

/// What a run of the engine does in short, beside another run, and begun again after its clear.
pub(crate) fn script() -> Vec<Step> {
    let append = |id, sequence| Step::Append(id, row(sequence));
    vec![
        append("one", 0),
        append("one", 1),
        append("other", 0),
        Step::Append("one", wide(2)),
        Step::Clear("one"),
        append("one", 0),
    ]
}

/// Plays the part and ends this process.
pub(crate) fn play(subject: &Subject, role: Role, place: &Place) -> ! {
    let played = start(Workers::Pool(2)).map_err(|_| "no runtime".to_owned());
    let played = played.and_then(|runtime| {
        runtime.block_on(async {
            let open = async || subject.open(place).await.map(|opened| opened.store);
            let refused = |error| format!("opening the store: expected Ok, got \"{error}\"");
            // The script is about the first opening, too.
            let opened = match role {
                Role::Script => None,
                _ => Some(open().await.map_err(refused)?),
            };
            tell("ready");
            // Ends where the parent has.
            let _ = std::io::stdin().lock().read_line(&mut String::new());
            let store = match opened {
                Some(store) => store,
                None => open().await.map_err(refused)?,
            };
            steps(&store, role).await.map_err(|error| error.to_string())
        })
    });
    match played {
        Ok(()) => tell("ended"),
        Err(message) => tell(&format!("refused {}", message.replace('\n', " "))),
    }
    exit(0)
}

async fn steps(store: &DynStore, role: Role) -> Result<(), Error> {
    match role {
        Role::Writes => {
            for step in 0..STEPS_MAX {
                store.append(WRITTEN, wide(step)).await?;
                tell(&format!("ack {step}"));
            }
        }
        Role::WritesInTurn => {
            for step in 0..STEPS_MAX {
                let turn = (step % IN_TURN.len() as u64) as usize;
                let sequence = step / IN_TURN.len() as u64;
                store.append(IN_TURN[turn], row(sequence)).await?;
                tell(&format!("ack {step}"));
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
                tell(&format!("ack {step}"));
            }
        }
        Role::ScriptWithFaults => whatever_is_refused(store).await,
        Role::Contends(who) => {
            for step in 0..CONTENDED_ROWS {
                let appended = store.append(CONTENDED, contended(step, who)).await;
                tell(&match appended {
                    Ok(()) => format!("ack {step}"),
                    Err(_) => format!("nak {step}"),
                });
            }
        }
        Role::Script => {
            for (number, step) in script().into_iter().enumerate() {
                match step {
                    Step::Append(id, row) => store.append(id, row).await?,
                    Step::Clear(id) => store.clear(id).await?,
                }
                tell(&format!("ack {number}"));
            }
        }
    }
    Ok(())
}

/// The script, each step of it once: one that was refused is followed by a load of its run.
async fn whatever_is_refused(store: &DynStore) {
    for (number, step) in script().into_iter().enumerate() {
        let (id, done) = match step {
            Step::Append(id, row) => (id, store.append(id, row).await),
            Step::Clear(id) => (id, store.clear(id).await),
        };
        if done.is_ok() {
            tell(&format!("ack {number}"));
            continue;
        }
        tell(&format!("nak {number}"));
        let loaded = store.load_run(id).await;
        let count = loaded.map_or_else(|_| "none".to_owned(), |rows| rows.len().to_string());
        tell(&format!("loaded {count}"));
    }
}
