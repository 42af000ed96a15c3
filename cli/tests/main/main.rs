//! Tests of the command: what it prints and keeps, its exit codes and its pages.

mod certificates;
mod command;
mod dates;
mod escapes;
mod exit_codes;
mod export;
mod inputs;
mod junit;
mod operations;
mod page;
mod probe;
mod readme;
mod recordings;
mod soak;
mod step;
mod stored;
mod upgrades;
