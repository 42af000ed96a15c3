//! Tests of the workspace as a whole: the shape of its sources, the command, and its pages.

mod command;
mod page;
mod tidy;
