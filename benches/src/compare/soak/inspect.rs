//! Compares a file after a kill with the model of the soak.

use std::path::Path;

use crashpoint::RedbReader;
use crashpoint_benches::SoakModel;

/// Reads every run and writes nothing, so that the next process recovers the file after the kill.
///
/// # Errors
///
/// Names the fault of the file.
pub(crate) fn check(file: &Path, model: &mut SoakModel) -> Result<(), String> {
    // A process that was killed early has not created the file.
    if !file.try_exists().map_err(|error| error.to_string())? {
        return model.check(&[].into());
    }
    let mut reader = RedbReader::open(file).map_err(|error| error.to_string())?;
    let ids = reader.run_ids(None, usize::MAX);
    let ids = ids.map_err(|error| error.to_string())?;
    let rows = ids.iter().map(|id| {
        let rows = reader.load_run(id).map_err(|error| error.to_string())?;
        Ok((id.parse()?, rows))
    });
    let found: Result<_, String> = rows.collect();
    model.check(&found?)
}
