//! Tapes as files.

use std::fs;
use std::path::{Path, PathBuf};

use crashpoint_simulator::{Judged, Shrunk, TapeFile};

use crate::exit::Failure;

/// The file extension of tapes.
pub(crate) const EXTENSION: &str = "tape";

/// The tape of a shrunk violation.
pub(crate) fn of_shrunk<T: Judged>(shrunk: &Shrunk<T>) -> TapeFile {
    let token = shrunk.token();
    TapeFile {
        workload: token.workload.clone(),
        store: token.store,
        budget: token.budget,
        tape: shrunk.trial.tape().clone(),
    }
}

/// The path of a tape in `folder`. The same tape always has the same path.
pub(crate) fn place(folder: &Path, tape: &TapeFile) -> PathBuf {
    let TapeFile {
        workload, store, ..
    } = tape;
    let fingerprint = tape.tape.fingerprint();
    folder.join(format!("{workload}.{store}.{fingerprint:08x}.{EXTENSION}"))
}

/// Writes a tape atomically, because the process may be killed at any moment.
pub(crate) fn write(path: &Path, tape: &TapeFile) -> Result<(), Failure> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let written = tape.write(&part).and_then(|()| fs::rename(&part, path));
    written.map_err(|error| Failure::File(path.to_owned(), error))
}
