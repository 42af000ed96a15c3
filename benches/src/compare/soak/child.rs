//! The process that is killed: writers, readers and clears on one store.

use std::convert::Infallible;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use crashpoint::{CheckpointStore as _, ListRuns as _, RedbCheckpointStore, StoreErrorKind};
use crashpoint_benches::{ROWS_OF_A_RUN, RunId, row_of};

use crate::arguments::SoakChild;
use crate::rounds::runtime;

const WRITERS: u64 = 64;
const READERS: u64 = 8;

/// One of this many runs is kept until the next kept run ends.
const KEPT_EVERY: u64 = 16;

/// A run that a process left is cleared this many processes later, so it survives the kills in
/// between.
const KEPT_FOR: u64 = 3;

/// Lines that are printed in one go.
const LINES_AT_A_TIME: usize = 1000;

/// The newest run of a writer, and how many of its rows were acknowledged.
#[derive(Default)]
struct Progress {
    run: AtomicU64,
    rows: AtomicU64,
}

struct Soak {
    store: RedbCheckpointStore,
    process: u64,
    progress: Vec<Progress>,
    reports: Sender<String>,
}

pub(crate) fn run(arguments: &SoakChild) -> Result<ExitCode, String> {
    print_now("s\n").map_err(|error| error.to_string())?;
    let store = RedbCheckpointStore::new(&arguments.file).map_err(|error| error.to_string())?;
    print_now("o\n").map_err(|error| error.to_string())?;
    let (reports, lines) = mpsc::channel();
    let printer = thread::Builder::new().spawn(move || print(&lines));
    printer.map_err(|error| error.to_string())?;
    let soak = Arc::new(Soak {
        store,
        process: arguments.process,
        progress: (0..WRITERS).map(|_| Progress::default()).collect(),
        reports,
    });
    let runtime = runtime();
    let left = runtime.block_on(soak.runs_to_clear())?;
    let mut tasks = Vec::new();
    for writer in 0..WRITERS {
        let soak = Arc::clone(&soak);
        let own = left.iter().skip(writer as usize).step_by(WRITERS as usize);
        let own = own.cloned().collect();
        tasks.push(runtime.spawn(async move {
            let Err(wrong) = soak.write(writer, own).await;
            wrong
        }));
    }
    for reader in 0..READERS {
        let soak = Arc::clone(&soak);
        tasks.push(runtime.spawn(async move { soak.read(reader).await }));
    }
    let (first, ..) = runtime.block_on(futures_util::future::select_all(tasks));
    Err(match first {
        Ok(wrong) => wrong,
        Err(panic) => panic.to_string(),
    })
}

/// Prints reports, all that are waiting in one write.
fn print(lines: &Receiver<String>) {
    while let Ok(first) = lines.recv() {
        let mut some = first + "\n";
        for line in lines.try_iter().take(LINES_AT_A_TIME) {
            some = some + &line + "\n";
        }
        if print_now(&some).is_err() {
            return;
        }
    }
}

/// The lines are in the pipe when this returns, even if the process is killed then.
fn print_now(lines: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(lines.as_bytes())?;
    out.flush()
}

impl Soak {
    fn id(&self, writer: u64, number: u64) -> String {
        let id = RunId {
            process: self.process,
            writer,
            number,
        };
        id.to_string()
    }

    /// The runs of earlier processes that are due to be cleared.
    async fn runs_to_clear(&self) -> Result<Vec<String>, String> {
        let ids = self.store.run_ids(None, usize::MAX).await;
        let mut left = Vec::new();
        for id in ids.map_err(|error| error.to_string())? {
            let RunId { process, .. } = id.parse()?;
            if process + KEPT_FOR <= self.process {
                left.push(id);
            }
        }
        Ok(left)
    }

    fn report(&self, line: String) {
        // The printer ends when the parent is gone; then this process ends too.
        _ = self.reports.send(line);
    }

    /// Writes runs until something is wrong, which it returns. It clears a run of an earlier process
    /// before each run of its own, so that the file does not grow from process to process.
    async fn write(&self, writer: u64, mut left: Vec<String>) -> Result<Infallible, String> {
        let mut kept = None;
        for run in 0.. {
            if let Some(id) = left.pop() {
                self.duplicate(&id, 0).await?;
                self.clear(&id).await?;
            }
            let id = self.write_run(writer, run).await?;
            let cleared = match run.is_multiple_of(KEPT_EVERY) {
                true => kept.replace(id),
                false => Some(id),
            };
            if let Some(id) = cleared {
                self.clear(&id).await?;
            }
        }
        unreachable!("there are more numbers than time")
    }

    async fn write_run(&self, writer: u64, run: u64) -> Result<String, String> {
        let progress = &self.progress[writer as usize];
        let id = self.id(writer, run);
        progress.rows.store(0, Ordering::SeqCst);
        progress.run.store(run, Ordering::SeqCst);
        for sequence in 0..ROWS_OF_A_RUN {
            let appended = self.store.append(&id, row_of(&id, sequence)).await;
            appended.map_err(|error| format!("wrong: {error}"))?;
            self.report(format!("a {id} {sequence}"));
            progress.rows.store(sequence + 1, Ordering::SeqCst);
            if (run + sequence).is_multiple_of(50) {
                self.duplicate(&id, sequence).await?;
            }
        }
        Ok(id)
    }

    async fn clear(&self, id: &str) -> Result<(), String> {
        // An unreported acknowledgement proves nothing, but an unreported clear would look like a
        // loss.
        print_now(&format!("b {id}\n")).map_err(|error| error.to_string())?;
        let cleared = self.store.clear(id).await;
        cleared.map_err(|error| format!("wrong: {error}"))?;
        self.report(format!("c {id}"));
        Ok(())
    }

    /// Checks that the store refuses a second row at a taken sequence.
    async fn duplicate(&self, id: &str, sequence: u64) -> Result<(), String> {
        let refused = self.store.append(id, row_of(id, sequence)).await.err();
        let kind = refused.as_ref().and_then(|error| error.store_error());
        match kind.map(crashpoint::StoreError::kind) {
            Some(StoreErrorKind::Conflict) => Ok(()),
            _ => Err(format!(
                "wrong: a second row {sequence} of {id}: {refused:?}"
            )),
        }
    }

    /// Loads runs that are being written until something is wrong, which it returns.
    async fn read(&self, reader: u64) -> String {
        for turn in reader.. {
            let writer = turn * 7 % WRITERS;
            let progress = &self.progress[writer as usize];
            let run = progress.run.load(Ordering::SeqCst);
            let acknowledged = progress.rows.load(Ordering::SeqCst);
            let id = self.id(writer, run);
            let rows = match self.store.load_run(&id).await {
                Ok(rows) => rows,
                Err(error) => return format!("wrong: {error}"),
            };
            let dense = (0..).zip(&rows);
            if let Some((sequence, _)) = dense
                .into_iter()
                .find(|(at, found)| **found != row_of(&id, *at))
            {
                return format!("wrong: {id} has a row at {sequence} that was not sent");
            }
            // The writer may have cleared this run since; then the number of rows proves nothing. The
            // count of rows is read first: a writer resets it before it names its next run.
            let rows_now = progress.rows.load(Ordering::SeqCst);
            let is_same = progress.run.load(Ordering::SeqCst) == run;
            let not_cleared = (acknowledged..ROWS_OF_A_RUN).contains(&rows_now);
            if is_same && not_cleared && (rows.len() as u64) < acknowledged {
                return format!("wrong: {id} has {} rows of {acknowledged}", rows.len());
            }
        }
        unreachable!("there are more numbers than time")
    }
}
