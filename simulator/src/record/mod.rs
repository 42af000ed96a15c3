//! What a simulation leaves to be run again: tokens, files of tapes, trials, courses.

mod course;
mod recording;
mod tape_file;
mod token;
mod trial;

pub use course::{Course, Parting};
pub use recording::{BadRecording, Recording, ReplayError, replay, replay_recording};
pub use tape_file::{BadLine, BadTape, TapeFile};
pub use token::{BadToken, Draws, TOKEN_LENGTH_MAX, Token, TooLong};
pub use trial::{Source, Trial, run_schedule, run_seed};
