//! Everything that runs a simulation again: tokens, files of tapes, trials, hashed traces.

mod hashed_trace;
mod operations;
mod recording;
mod simulated;
mod steps;
mod tape_file;
mod text_file;
mod token;
mod trial;

pub use hashed_trace::{Divergence, HashedTrace};
pub use operations::{Operations, OperationsTrial};
pub use recording::{BadRecording, Recording, ReplayError, replay, replay_recording};
pub use simulated::{Judged, Simulated, run_seed};
pub use tape_file::{BadLine, BadTape, TapeFile};
pub use text_file::{BadFile, TextLimits};
pub use token::{BadToken, Draws, TOKEN_LENGTH_MAX, Token, TooLong};
pub use trial::{Source, Trial, run_schedule};
