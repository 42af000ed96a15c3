//! The rows that a server has acknowledged survive its kill.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crashpoint::CheckpointRow;
use tokio::task::JoinHandle;

use crate::case::{Blame, Case, Session};
use crate::finding::expect::{
    Checked, Failure, broken, describe, failed, marked, quote, task_error,
};
use crate::harness::hooks::offered;

/// How often the server is killed, each time with the rows of the times before.
const KILLS: u64 = 5;
/// The callers that append when the server is killed.
const WRITERS: u64 = 8;
/// Acknowledged rows before a kill, more each time. A server that answers from memory has then written some of
/// them, and not the last.
const ROWS_BEFORE: u64 = 64;
/// Every so many appends a writer tries to overwrite its last row.
const INTRUDES_AFTER: u64 = 8;
/// How often the store is tried once the server is started again.
const TRIES: u32 = 50;

pub(crate) async fn srv_01_acknowledged_rows_survive_a_kill_of_the_server(case: &Case) -> Checked {
    let mut store = case.open().await?;
    let mut runs = Vec::new();
    for kill in 1..=KILLS {
        let load = Load::start(&store, kill);
        load.until(ROWS_BEFORE * kill).await;
        load.kill.store(true, Ordering::SeqCst);
        case.progress.step(Blame::Harness, "crashing the backend");
        offered(
            "crash_backend",
            case.subject.crash_backend(case.place()).await,
        )?;
        runs.extend(load.end(case).await?);
        is_gone(&store).await?;
        case.progress.step(Blame::Harness, "starting the backend");
        offered(
            "start_backend",
            case.subject.start_backend(case.place()).await,
        )?;
        store = open_again(case, store).await?;
        let when =
            format!("after the server was killed under {WRITERS} writers (kill {kill} of {KILLS})");
        for run in &mut runs {
            run.judge(&store, &when).await?;
        }
    }
    Ok(())
}

/// Fails if the server still takes rows: then nothing was killed.
async fn is_gone(store: &Session) -> Checked {
    match store.try_append("while the server is down", row(0)).await {
        Err(_) => Ok(()),
        Ok(()) => Err(Failure::Harness(
            "after `crash_backend` an append succeeded: does it kill the server of this place?"
                .to_owned(),
        )),
    }
}

/// What a writer knows of its run.
struct Run {
    id: String,
    /// The rows that were acknowledged: their sequences begin at 0.
    acknowledged: u64,
    /// Whether the row after these was sent, and its append returned an error.
    doubt: bool,
    /// The error before the kill.
    early: Option<String>,
    /// A sequence at which a second row was accepted.
    overwritten: Option<u64>,
}

fn row(sequence: u64) -> CheckpointRow {
    marked(sequence, "load")
}

/// Writers that append until the server is gone.
struct Load {
    acknowledged: Arc<AtomicU64>,
    /// Whether the server is being killed.
    kill: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    writers: Vec<JoinHandle<Run>>,
}

impl Load {
    fn start(store: &Session, kill: u64) -> Self {
        let mut load = Self {
            acknowledged: Arc::default(),
            kill: Arc::default(),
            stop: Arc::default(),
            writers: Vec::new(),
        };
        for writer in 0..WRITERS {
            let (id, store) = (format!("kill {kill}, writer {writer}"), store.clone());
            let (acknowledged, killed) = (Arc::clone(&load.acknowledged), Arc::clone(&load.kill));
            let stop = Arc::clone(&load.stop);
            load.writers.push(tokio::spawn(async move {
                let mut run = Run::new(id);
                while !stop.load(Ordering::SeqCst) && run.append(&store).await {
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                    // A store that never waits would keep the timers of this runtime waiting.
                    tokio::task::yield_now().await;
                }
                if killed.load(Ordering::SeqCst) {
                    // The server is gone, and may return errors.
                    run.early = None;
                }
                run
            }));
        }
        load
    }

    /// Waits for so many acknowledged rows, or until the writers have ended.
    async fn until(&self, rows: u64) {
        while self.acknowledged.load(Ordering::SeqCst) < rows
            && !self.writers.iter().all(JoinHandle::is_finished)
        {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn end(mut self, case: &Case) -> Result<Vec<Run>, Failure> {
        self.stop.store(true, Ordering::SeqCst);
        let mut runs = Vec::new();
        for writer in std::mem::take(&mut self.writers) {
            let joined = writer.await;
            let run = joined.map_err(|error| {
                let message = task_error(error);
                broken(format!(
                    "an append while the server was killed: expected an error, got a panic: {message}"
                ))
            })?;
            case.progress.beat();
            if let Some(error) = &run.early {
                let append = format!(
                    "an append to run {} before the server was killed",
                    quote(&run.id)
                );
                return Err(failed(&append, error));
            }
            if let Some(sequence) = run.overwritten {
                let id = quote(&run.id);
                return Err(broken(format!(
                    "a second append of sequence {sequence} to run {id}, under load: expected a rejection, \
                     got Ok"
                )));
            }
            runs.push(run);
        }
        Ok(runs)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

impl Run {
    fn new(id: String) -> Self {
        Self {
            id,
            acknowledged: 0,
            doubt: false,
            early: None,
            overwritten: None,
        }
    }

    /// Appends the next row, and returns whether it was acknowledged.
    async fn append(&mut self, store: &Session) -> bool {
        let sequence = self.acknowledged;
        if let Err(error) = store.try_append(&self.id, row(sequence)).await {
            self.doubt = true;
            self.early = Some(error.to_string());
            return false;
        }
        self.acknowledged += 1;
        if self.acknowledged.is_multiple_of(INTRUDES_AFTER) {
            let again = store
                .try_append(&self.id, marked(sequence, "intruder"))
                .await;
            self.overwritten = again.is_ok().then_some(sequence).or(self.overwritten);
        }
        true
    }

    /// Fails unless the run has each acknowledged row, and nothing but the row in doubt beside them.
    async fn judge(&mut self, store: &Session, when: &str) -> Checked {
        let (id, acknowledged) = (quote(&self.id), self.acknowledged);
        let got = load(store, &self.id, when).await?;
        let missing =
            (0..acknowledged).find(|sequence| got.iter().all(|row| row.sequence != *sequence));
        if let Some(sequence) = missing {
            let count = got.len();
            return Err(broken(format!(
                "run {id} {when}: expected its {acknowledged} acknowledged rows, got {count} without \
                 sequence {sequence}"
            )));
        }
        let expected = (0..).map(row).zip(&got);
        if let Some((expected, got)) = expected
            .into_iter()
            .find(|(expected, got)| expected != *got)
        {
            let (expected, got) = (describe(&expected), describe(got));
            return Err(broken(format!(
                "run {id} {when}: expected {expected}, got {got}"
            )));
        }
        let most = acknowledged + u64::from(self.doubt);
        if got.len() as u64 > most {
            let count = got.len();
            return Err(broken(format!(
                "run {id} {when}: expected at most {most} rows, got {count}"
            )));
        }
        // What a load has shown stays, and the next append goes on behind it.
        self.acknowledged = got.len() as u64;
        self.doubt = false;
        store.append(&self.id, &row(self.acknowledged)).await?;
        self.acknowledged += 1;
        Ok(())
    }
}

/// Opens the store as soon as the server takes connections.
async fn open_again(case: &Case, store: Session) -> Result<Session, Failure> {
    case.drop_all(store).await?;
    let pause = pause(case);
    let mut last = None;
    for _ in 0..TRIES {
        match case.open().await {
            Ok(store) => return Ok(store),
            Err(failure) => last = Some(failure),
        }
        tokio::time::sleep(pause).await;
    }
    let why = match last {
        Some(Failure::Harness(message) | Failure::Broken(message)) => message,
        _ => "no answer".to_owned(),
    };
    Err(broken(format!(
        "after the server was started again, tried {TRIES} times: {why}"
    )))
}

fn pause(case: &Case) -> Duration {
    case.options().operation_max / (TRIES * 2)
}

/// Loads a run as soon as the server answers.
async fn load(store: &Session, id: &str, when: &str) -> Result<Vec<CheckpointRow>, Failure> {
    let mut last = String::new();
    for _ in 0..TRIES {
        match store.try_load(id).await {
            Ok(got) => return Ok(got),
            Err(error) => last = error.to_string(),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err(failed(
        &format!("load of run {} {when}, tried {TRIES} times", quote(id)),
        &last,
    ))
}
