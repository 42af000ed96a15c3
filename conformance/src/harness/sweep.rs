//! Removes what aborted runs of the laws have left.

use crashpoint::BoxError;

use super::place::Place;
use super::{Harness, Subject};
use crate::runtime::{Workers, start};

/// Removes the places of `H` whose process has ended without removing them, since it was killed or a law missed
/// its deadline. Lets [`Harness::destroy`] remove what they left outside of their directories: with what the harness
/// has [remembered](Place::remember) it finds the servers and schemas of a run that nobody knows any more. Returns
/// the names of the places.
///
/// Call it before the laws, or in a test of its own, and not in async code. On Linux it leaves places of processes that run alone;
/// elsewhere it removes nothing.
///
/// # Errors
///
/// If the folder of places can't be read, or a place can't be destroyed. Such a place stays.
pub fn sweep<H: Harness>() -> Result<Vec<String>, BoxError> {
    let subject = Subject::of::<H>();
    let left = Place::left_behind(subject.name, subject.options.folder.as_deref())?;
    let runtime = start(Workers::Caller).map_err(|failure| format!("{failure:?}"))?;
    let mut swept = Vec::new();
    let mut failed = None;
    for place in left {
        match runtime.block_on(subject.destroy(&place)) {
            Ok(()) => swept.push(place.name().to_owned()),
            Err(error) => {
                place.stay();
                failed = Some(error);
            }
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(swept),
    }
}
