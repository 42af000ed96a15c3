//! How many laws of a harness run at a time, in all processes of the tests.
//!
//! A slot is a locked file. A lock ends with its process, so that a killed process gives its slot back.

use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// The time between two looks for a free slot.
const LOOK: Duration = Duration::from_millis(5);

/// Leave to run a law, until it is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    _locked: Option<File>,
}

impl Slot {
    /// Waits until fewer than `most` laws of `harness` run. Without a bound, or where files have no locks, a law
    /// runs at once.
    pub(crate) fn take(harness: &str, most: Option<NonZeroUsize>) -> Self {
        let Some(most) = most else {
            return Self { _locked: None };
        };
        loop {
            for number in 0..most.get() {
                match try_lock(&path_of(harness, number)) {
                    Ok(Some(file)) => {
                        return Self {
                            _locked: Some(file),
                        };
                    }
                    Ok(None) => {}
                    Err(_) => return Self { _locked: None },
                }
            }
            std::thread::park_timeout(LOOK);
        }
    }
}

/// The file, locked; `None` if somebody else has locked it.
fn try_lock(path: &PathBuf) -> std::io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    let file = options
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

fn path_of(harness: &str, number: usize) -> PathBuf {
    // The same in each process of this build.
    let mut hasher = DefaultHasher::new();
    (harness, std::env::current_exe().ok()).hash(&mut hasher);
    let name = format!("crashpoint-slot-{:016x}-{number}", hasher.finish());
    std::env::temp_dir().join(name)
}
