//! The simulator's tests, a module a topic.

mod mutants;
mod oracles;
mod protocol;
mod support;
mod workloads;
