//! Stores of release 0.12 of the reference crate, which the contract follows. It needs Rust 1.95.

super::adapter!(cano_0_12, |_| None);
