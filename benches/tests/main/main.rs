//! Tests of the benchmarks' results.

mod compare;
mod soak_model;
mod turn_order;
