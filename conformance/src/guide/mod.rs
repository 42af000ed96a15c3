//! The guide to the laws: which clause of the contract each enforces, why the engine needs it, what
//! usually breaks it, and how to fix a store that does.
//!
//! One file for each group, one entry for each law. The catalogue names the entry of every law: a law
//! without an entry does not compile, and an entry without a law is dead code. `LAWS.md`, the messages
//! of failed tests and the certificates print these entries.

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
pub(crate) mod lst;
pub(crate) mod ord;
pub(crate) mod pay;
pub(crate) mod prf;
pub(crate) mod run;
pub(crate) mod srv;

pub use clause::Clause;

/// What an author of a store needs to know about a law, beside its sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guide {
    /// The clause of the contract that the law enforces.
    pub clause: Clause,
    /// How the kit reads the clause, if it can be read in another way.
    pub reading: Option<&'static str>,
    /// Why the engine needs the law: what goes wrong in a workflow if a store breaks it.
    pub why: &'static str,
    /// What usually breaks the law.
    pub cause: &'static str,
    /// How to fix the store.
    pub fix: &'static str,
}

/// Help for all laws of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupGuide {
    /// What the group is about.
    pub about: &'static str,
    /// Advice for a store on SQL.
    pub sql: &'static str,
    /// Advice for a store on keys and values.
    pub kv: &'static str,
    /// Advice for a store on files.
    pub files: &'static str,
}

/// Help for a law whose deadline passed, in place of the law's own entry: what is wrong is not what the law is
/// about.
pub(crate) const LATE: Help = Help {
    why: "A run waits for its store. An operation that never ends stops the run, with the thread or the \
          connection that it holds.",
    cause: "The store waits for itself, or a lock of it waits: a lock that is held across an await or taken \
            twice, a pool without a free connection, a thread that has ended, a server that does not answer.",
    fix: "Find out what the operation in the message waits for: a debugger shows threads that wait for a lock, \
          and a server lists its sessions. Give back locks and connections on every path, also after an error \
          and when a future is dropped. If a healthy store is as slow as that, set `Options::operation_max`.",
};

/// The lines of a guide that help with a failed law.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Help {
    /// Why the engine needs it.
    pub why: &'static str,
    /// What usually breaks it.
    pub cause: &'static str,
    /// How to fix the store.
    pub fix: &'static str,
}

impl Guide {
    /// Help for a law that failed, but not by a deadline.
    pub(crate) fn help(self) -> Help {
        let Self {
            why, cause, fix, ..
        } = self;
        Help { why, cause, fix }
    }
}

/// The entries of a group: help for all its laws, then each law as
/// `ID Clause why "..." cause "..." fix "..."`, with `(reading "...")` after the clause if needed.
macro_rules! guide {
    (
        about $about:literal
        sql $sql:literal
        kv $kv:literal
        files $files:literal
        $(
            $id:ident $clause:ident $((reading $reading:literal))?
            why $why:literal cause $cause:literal fix $fix:literal;
        )*
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
            cause: $cause,
            fix: $fix,
        };)*
    };
    (@reading) => { None };
    (@reading $reading:literal) => { Some($reading) };
}

use guide;
