//! The checks, one file for each group of laws, one function for each law, under the name that its
//! test has.
//!
//! Checks know no store's type: they are compiled once, in this crate.

pub(crate) mod bas;
pub(crate) mod can;
pub(crate) mod clr;
pub(crate) mod concurrency;
pub(crate) mod dup;
pub(crate) mod dur;
pub(crate) mod eng;
pub(crate) mod err;
pub(crate) mod iso;
pub(crate) mod ord;
pub(crate) mod pay;
pub(crate) mod prf;
pub(crate) mod run;

mod ids;
