//! The engine from outside: its log, its pure machine, its runs, its contract, its macros.

mod life;
mod log;
