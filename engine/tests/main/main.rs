//! The engine from outside: its log, its pure machine, its runs, its contract, its macros, what observes it, and the helpers for tests.

mod contract;
mod engine;
mod export;
mod life;
mod log;
mod macros;
mod messages;
#[cfg(any(feature = "metrics", feature = "tracing"))]
mod observed;
mod runtime;
#[cfg(feature = "redb")]
mod store;
mod support;
#[cfg(feature = "testing")]
mod testing;
mod workflow;
