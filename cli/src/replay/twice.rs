//! Runs a recorded simulation twice: a simulation that does not repeat proves nothing.

use crashpoint_simulator::{HashedTrace, Judged, Recording, Simulated, replay_recording};

use crate::exit::Failure;
use crate::text::counted;

/// Runs a recorded simulation twice.
pub(super) fn replayed_twice<S: Simulated + Copy>(
    source: S,
    recording: &Recording,
) -> Result<S::Trial, Failure> {
    let trial = replay_recording(source, recording)?;
    let again = replay_recording(source, recording)?;
    match difference(&trial, &again) {
        None => Ok(trial),
        Some(difference) => Err(Failure::Nondeterminism(difference)),
    }
}

/// How long a trace is, and the hash of all its events.
pub(super) fn counted_trace(trace: &HashedTrace) -> String {
    let events = counted(trace.events() as u64, "event");
    format!(
        "{events}, identical in two runs; hash {:016x}",
        trace.hash()
    )
}

/// The first difference between two trials of the same choices, in words.
pub(crate) fn difference<T: Judged>(one: &T, other: &T) -> Option<String> {
    let divergence = HashedTrace::divergence_of_trials(one, other)?;
    Some(format!(
        "the same schedule ran differently the second time: {divergence}"
    ))
}
