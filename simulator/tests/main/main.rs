//! The simulator's tests, a module a topic.

mod protocol;
