//! The kit certifies stores that keep the contract, and fails those that do not.

mod memory;
