//! Tests of what the benchmarks say.

mod compare;
mod order;
mod told;
