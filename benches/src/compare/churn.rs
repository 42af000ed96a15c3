//! Measures how long the file of a store gets while runs are written and cleared.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::arguments::Churning;
use crate::folder::BenchFolder;
use crate::peers::{Peer, Subject};
use crate::rounds::runtime;

const WRITERS: u64 = 256;
const ROWS_OF_A_RUN: u64 = 3;

/// How often the length is printed.
const REPORTS: u64 = 10;

/// A store whose file is sampled while runs are written and cleared.
struct Churn {
    subject: Arc<dyn Subject>,
    file: PathBuf,
    next: AtomicU64,
    /// How many samples of the length were taken.
    samples: AtomicU64,
    longest: AtomicU64,
}

/// Runs writers until they have cleared `runs` runs. Prints the length of the file ten times, and its
/// maximum at the end.
pub(crate) fn run(churning: &Churning) -> Result<ExitCode, String> {
    let bench_folder = BenchFolder::open(&churning.common)?;
    let folder = bench_folder.subfolder();
    let churn = Arc::new(Churn {
        subject: Peer::CrashpointRedb.open(folder.path()),
        file: folder.path().join("store"),
        next: AtomicU64::new(0),
        samples: AtomicU64::new(0),
        longest: AtomicU64::new(0),
    });
    let runtime = runtime();
    for part in 1..=REPORTS {
        let until = churning.runs * part / REPORTS;
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                let churn = Arc::clone(&churn);
                runtime.spawn(async move { churn.write(until).await })
            })
            .collect();
        for writer in writers {
            let written = runtime.block_on(writer);
            let written = written.map_err(|error| error.to_string())?;
            written.map_err(|error| error.to_string())?;
        }
        let length = churn.sample().map_err(|error| error.to_string())?;
        let printed = writeln!(io::stdout(), "{until} runs cleared: {length} bytes");
        printed.map_err(|error| error.to_string())?;
    }
    let most = churn.longest.load(Ordering::SeqCst);
    let samples = churn.samples.load(Ordering::SeqCst);
    let printed = writeln!(io::stdout(), "at most {most} bytes, in {samples} samples");
    printed.map_err(|error| error.to_string())?;
    if most > churning.bytes_max {
        return Err(format!("the file grew to {most} bytes"));
    }
    Ok(ExitCode::SUCCESS)
}

impl Churn {
    /// Writes and clears runs until `until` runs have begun.
    async fn write(&self, until: u64) -> io::Result<()> {
        let begun = |run| (run < until).then_some(run + 1);
        let next = || {
            self.next
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, begun)
        };
        while let Ok(run) = next() {
            let id = format!("order-{run}");
            for sequence in 0..ROWS_OF_A_RUN {
                self.subject.append(&id, sequence).await;
            }
            self.subject.clear(&id).await;
            // Other writers are at work, so the sample includes space that a commit needs for a while.
            self.sample()?;
        }
        Ok(())
    }

    /// Samples the length of the file, in bytes, and keeps the maximum.
    fn sample(&self) -> io::Result<u64> {
        let length = fs::metadata(&self.file)?.len();
        self.samples.fetch_add(1, Ordering::SeqCst);
        self.longest.fetch_max(length, Ordering::SeqCst);
        Ok(length)
    }
}
