//! How fast it is: appends by so many runs at a time, blobs of several lengths, loads, clears, and
//! opening again.

#[path = "../tests/harness/mod.rs"]
mod harness;

fn main() {
    crashpoint_conformance::bench::run::<harness::Sqlite>("sqlite");
}
