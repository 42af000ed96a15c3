//! The checks: a file for each group of laws, a function for each law, with the name of its test.
//!
//! Checks do not know the type of the store, so that they are compiled once, in this crate.

pub(crate) mod bas;
pub(crate) mod can;
pub(crate) mod clr;
pub(crate) mod concurrency;
pub(crate) mod dup;
pub(crate) mod dur;
pub(crate) mod eng;
pub(crate) mod err;
pub(crate) mod iso;
pub(crate) mod lst;
pub(crate) mod ord;
pub(crate) mod pay;
pub(crate) mod prf;
pub(crate) mod run;
pub(crate) mod srv;

mod ids;
