//! How long the file gets while runs come and go.

use std::fs;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::arguments::Churning;
use crate::peers::Peer;
use crate::place::Place;
use crate::rounds::runtime;

const WRITERS: u64 = 256;
const ROWS_OF_A_RUN: u64 = 3;

/// How often the length is told.
const TOLD: u64 = 10;

/// Has writers append to runs and clear them until so many are cleared; prints the file's length on
/// the way.
pub(crate) fn run(churning: &Churning) -> Result<ExitCode, String> {
    let place = Place::of(&churning.common)?;
    let folder = place.folder();
    let subject = Peer::CrashpointRedb.open(folder.path());
    let runtime = runtime();
    let next = Arc::new(AtomicU64::new(0));
    let mut most = 0;
    for part in 1..=TOLD {
        let until = churning.runs * part / TOLD;
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                let (subject, next) = (Arc::clone(&subject), Arc::clone(&next));
                runtime.spawn(async move {
                    while let Ok(run) =
                        next.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |run| {
                            (run < until).then_some(run + 1)
                        })
                    {
                        let id = format!("order-{run}");
                        for sequence in 0..ROWS_OF_A_RUN {
                            subject.append(&id, sequence).await;
                        }
                        subject.clear(&id).await;
                    }
                })
            })
            .collect();
        for writer in writers {
            runtime
                .block_on(writer)
                .map_err(|error| error.to_string())?;
        }
        let length =
            fs::metadata(folder.path().join("store")).map_err(|error| error.to_string())?;
        most = most.max(length.len());
        let told = writeln!(io::stdout(), "{until} runs cleared: {} bytes", length.len());
        told.map_err(|error| error.to_string())?;
    }
    if most > churning.bytes_max {
        return Err(format!("the file grew to {most} bytes"));
    }
    Ok(ExitCode::SUCCESS)
}
