//! The Rust code of the README and of the book: `cargo test -p crashpoint-docs` compiles and runs it.

/// The README.
#[doc = include_str!("../README.md")]
#[cfg(doctest)]
pub struct Readme;
