//! The contract by name: the ids of its laws, and the claims that a store makes beyond it.

pub(crate) mod capability;
pub mod claim;
mod table;

pub(crate) use self::table::CONTRACT;
pub use self::table::LawId;
