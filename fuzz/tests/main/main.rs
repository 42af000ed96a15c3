//! Replays the corpora on the stable toolchain, without libFuzzer.

mod canaries;
mod corpus;
mod damage;
mod rebuild_rows;
