//! Tests of the workspace as a whole: the shape of its sources, the command, what it keeps, and its
//! pages.

mod certificates;
mod command;
mod exit_codes;
mod junit;
mod page;
mod recordings;
mod soak;
mod stored;
mod tidy;
