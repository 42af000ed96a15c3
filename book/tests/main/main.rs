//! The failure that the README and the book show is a real failure.

mod failure;
