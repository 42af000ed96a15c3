//! Tests of the workspace as a whole: the shape of its sources, and the command.

mod command;
mod tidy;
