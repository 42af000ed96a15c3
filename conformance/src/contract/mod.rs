//! The contract: the table of its laws with their ids, and the claims beyond it.

pub(crate) mod capability;
pub mod claim;
mod table;

use crashpoint::RowKind;

pub(crate) use self::table::CONTRACT;
pub use self::table::LawId;

/// The kinds of rows of the reference contract. The engine has more: the claim `engine_kinds`.
pub(crate) const REFERENCE_KINDS: [RowKind; 3] = [
    RowKind::StateEntry,
    RowKind::CompensationCompletion,
    RowKind::StepCursor,
];
