//! The kit certifies stores that keep the contract, and fails stores that do not.

#![expect(
    clippy::unwrap_used,
    reason = "clippy takes the helpers of an integration test for a library's code"
)]

mod differential;
mod harness;
mod kill_matrix;
mod linearize;
mod memory;
mod mutants;
mod pages;
mod places;
mod pooler;
mod probe;
mod redb;
mod reference;
mod report;
mod together;
