//! The simulator's tests, a module a topic.

mod choices;
mod coverage;
mod determinism;
mod disk;
mod executor;
mod generated;
mod images;
mod merging;
mod mutants;
mod oracles;
mod protocol;
mod support;
mod workloads;
