//! The engine from outside: its log, its pure machine, its runs, its contract, its macros.

mod engine;
mod life;
mod log;
mod support;
