//! What a law finds: the message of a failure, and the verdict.

pub(crate) mod expect;
pub(crate) mod verdict;
