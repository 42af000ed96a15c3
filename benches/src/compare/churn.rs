//! How long the file gets while runs come and go.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::arguments::Churning;
use crate::peers::{Peer, Subject};
use crate::place::Place;
use crate::rounds::runtime;

const WRITERS: u64 = 256;
const ROWS_OF_A_RUN: u64 = 3;

/// How often the length is told.
const TOLD: u64 = 10;

/// A store whose file is looked at while runs come and go in it.
struct Churn {
    subject: Arc<dyn Subject>,
    file: PathBuf,
    next: AtomicU64,
    /// How often the length was looked at.
    looks: AtomicU64,
    longest: AtomicU64,
}

/// Has writers append to runs and clear them until so many are cleared; prints the file's length on
/// the way, and in the end the longest that it had.
pub(crate) fn run(churning: &Churning) -> Result<ExitCode, String> {
    let place = Place::of(&churning.common)?;
    let folder = place.folder();
    let churn = Arc::new(Churn {
        subject: Peer::CrashpointRedb.open(folder.path()),
        file: folder.path().join("store"),
        next: AtomicU64::new(0),
        looks: AtomicU64::new(0),
        longest: AtomicU64::new(0),
    });
    let runtime = runtime();
    for part in 1..=TOLD {
        let until = churning.runs * part / TOLD;
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
        let length = churn.look().map_err(|error| error.to_string())?;
        let told = writeln!(io::stdout(), "{until} runs cleared: {length} bytes");
        told.map_err(|error| error.to_string())?;
    }
    let most = churn.longest.load(Ordering::SeqCst);
    let looks = churn.looks.load(Ordering::SeqCst);
    let told = writeln!(
        io::stdout(),
        "at most {most} bytes while they were written, in {looks} looks"
    );
    told.map_err(|error| error.to_string())?;
    if most > churning.bytes_max {
        return Err(format!("the file grew to {most} bytes"));
    }
    Ok(ExitCode::SUCCESS)
}

impl Churn {
    /// Writes and clears runs until so many are begun.
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
            // The others are at work meanwhile, so that what a commit needs for a while is seen too.
            self.look()?;
        }
        Ok(())
    }

    /// The length of the file, held against the longest.
    fn look(&self) -> io::Result<u64> {
        let length = fs::metadata(&self.file)?.len();
        self.looks.fetch_add(1, Ordering::SeqCst);
        self.longest.fetch_max(length, Ordering::SeqCst);
        Ok(length)
    }
}
