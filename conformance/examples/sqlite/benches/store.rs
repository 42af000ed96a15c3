//! Benchmarks: appends by several runs at a time, blobs of several lengths, loads, clears and reopening.

// Benchmarks and tests share the harness.
#[path = "../tests/harness/mod.rs"]
mod harness;

fn main() {
    crashpoint_conformance::bench::run::<harness::Sqlite>("sqlite");
}
