//! Runs from their first row to their ending, through the public engine.

mod cancel;
mod definition;
mod faults;
mod ids;
mod keys;
mod lies;
mod observer;
mod outputs;
mod polls;
mod retention;
mod runs;
mod saga;
mod start_up;
mod stepped;
mod timers;
