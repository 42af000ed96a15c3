//! The engine from outside: its log, its pure machine, its runs, its contract, its macros.

mod contract;
mod engine;
mod export;
mod life;
mod log;
mod macros;
mod messages;
mod runtime;
#[cfg(feature = "redb")]
mod store;
mod support;
mod workflow;
