//! A file after a kill, held against what was said before it.

use std::path::Path;

use crashpoint::RedbReader;
use crashpoint_benches::Told;

/// Looks at every run and changes no byte of the file: what the kill left is for the next process.
///
/// # Errors
///
/// What is wrong.
pub(crate) fn check(file: &Path, told: &mut Told) -> Result<(), String> {
    // Before the first process has made it, there is none.
    if !file.try_exists().map_err(|error| error.to_string())? {
        return told.check(&[].into());
    }
    let mut reader = RedbReader::open(file).map_err(|error| error.to_string())?;
    let ids = reader.run_ids(None, usize::MAX);
    let ids = ids.map_err(|error| error.to_string())?;
    let rows = ids.iter().map(|id| {
        let rows = reader.load_run(id).map_err(|error| error.to_string())?;
        Ok((id.parse()?, rows))
    });
    let found: Result<_, String> = rows.collect();
    told.check(&found?)
}
