//! Tests of what the benchmarks say.

mod compare;
mod soak_model;
mod turn_order;
