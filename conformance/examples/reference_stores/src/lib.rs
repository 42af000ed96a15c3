//! Nothing of its own: the stores that `tests/` certifies are those of two releases of the reference
//! crate, `cano` 0.12.0 and 0.15.2.
