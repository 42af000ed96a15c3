//! The simulator's tests, a module a topic.

mod choices;
mod coverage;
mod crash_test;
mod determinism;
mod disk;
mod drivers;
mod executor;
mod generated;
mod images;
mod lanes;
mod merging;
mod mutants;
mod no_return;
mod operations;
mod oracles;
mod pool;
mod schedule;
#[path = "../shared/second_process.rs"]
mod second_process;
mod seeds;
mod shrink;
mod steps;
mod support;
mod upgrade;
mod vacuity;
mod workloads;
