//! This library is empty. `tests/` certifies the stores of two releases of the reference crate: `cano`
//! 0.12.0 and 0.15.2.
