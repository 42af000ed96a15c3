//! What a law finds: how a failure is put into words, and the verdict that is made of it.

pub(crate) mod expect;
pub(crate) mod verdict;
