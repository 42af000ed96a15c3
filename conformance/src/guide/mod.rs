//! The guide to the laws: why each holds, which clause of the contract it enforces, and what to do
//! when a store breaks it.
//!
//! One file for each group, one entry for each law. The catalogue names the entry of every law, so a
//! law without one does not compile, and an entry without a law is dead code. `LAWS.md`, the messages
//! of failed tests and the certificates are made of it.

pub(crate) mod bas;
pub(crate) mod can;
mod clause;
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

pub use clause::Clause;

/// What to know about a law beside its sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guide {
    /// The clause of the contract that the law enforces.
    pub clause: Clause,
    /// Where the clause can be read in another way: how the kit reads it.
    pub reading: Option<&'static str>,
    /// What goes wrong in a workflow over a store that breaks the law.
    pub why: &'static str,
    /// What to look for in the store, and how it is mended.
    pub fix: &'static str,
}

/// What the laws of a group have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupGuide {
    /// What the group is about.
    pub about: &'static str,
    /// What helps a store on SQL.
    pub sql: &'static str,
    /// What helps a store on keys and values.
    pub kv: &'static str,
    /// What helps a store on files.
    pub files: &'static str,
}

/// The entries of a group: what they have in common, then each law as
/// `ID Clause "why" "fix"`, or `ID Clause (reading "...") "why" "fix"`.
macro_rules! guide {
    (
        about $about:literal
        sql $sql:literal
        kv $kv:literal
        files $files:literal
        $($id:ident $clause:ident $((reading $reading:literal))? $why:literal $fix:literal;)*
    ) => {
        pub(crate) const GROUP: $crate::guide::GroupGuide = $crate::guide::GroupGuide {
            about: $about,
            sql: $sql,
            kv: $kv,
            files: $files,
        };
        $(pub(crate) const $id: $crate::guide::Guide = $crate::guide::Guide {
            clause: $crate::guide::Clause::$clause,
            reading: $crate::guide::guide!(@reading $($reading)?),
            why: $why,
            fix: $fix,
        };)*
    };
    (@reading) => { None };
    (@reading $reading:literal) => { Some($reading) };
}

use guide;
