//! The catalogue: each law of the [table](crate::contract) with its kind, its guide and its check.

pub(crate) mod page;

use std::fmt;

use crate::case::Case;
use crate::contract::capability::Claim;
use crate::contract::{LawId, claim};
use crate::finding::expect::Checked;
use crate::guide::{self, GroupGuide, Guide};
use crate::harness::BoxFuture;

/// How a law is run.
#[derive(Clone, Copy)]
pub(crate) enum Check {
    /// On a runtime of two workers that the kit starts.
    Task(for<'a> fn(&'a Case) -> BoxFuture<'a, Checked>),
    /// On a bare thread.
    Thread(fn(&Case) -> Checked),
}

macro_rules! check {
    (task $check:path) => {
        Check::Task(|case| Box::pin($check(case)))
    };
    (task_race $check:path) => {
        check!(task $check)
    };
    (thread $check:path) => {
        Check::Thread($check)
    };
    (race $check:path) => {
        check!(thread $check)
    };
    (alone $check:path) => {
        check!(thread $check)
    };
    (task_alone $check:path) => {
        check!(task $check)
    };
}

macro_rules! sensitivity {
    (task) => {
        Sensitivity::None
    };
    (thread) => {
        Sensitivity::None
    };
    (task_race) => {
        Sensitivity::Scheduling
    };
    (race) => {
        Sensitivity::Scheduling
    };
    (alone) => {
        Sensitivity::Time
    };
    (task_alone) => {
        Sensitivity::Time
    };
}

macro_rules! needs {
    (always) => {
        None
    };
    ($claim:ident) => {
        Some(claim::$claim)
    };
}

macro_rules! define {
    ([] $($key:ident $module:ident $title:literal { $(
        $id:ident $name:ident $kind:ident $claim:ident $runs:ident $sentence:literal;
    )* })*) => {
        static LAWS: &[Law] = &[$($(
            Law {
                id: LawId::$id,
                name: stringify!($name),
                sentence: $sentence,
                kind: Kind::$kind,
                claim: needs!($claim),
                group: Group {
                    key: stringify!($key),
                    title: $title,
                    guide: guide::$module::GROUP,
                },
                guide: guide::$module::$id,
                sensitivity: sensitivity!($runs),
                check: check!($runs crate::laws::$module::$name),
            },
        )*)*];
    };
}

crate::__catalogue! { (define) [] }

/// Why a law holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// R: the contract's own text.
    Contract,
    /// N: implied by what the engine does with a store.
    Implied,
    /// C: only where the capability is claimed.
    Capability,
    /// A: reported, never failing.
    Advisory,
}

impl Kind {
    /// The letter of the catalogue: `R`, `N`, `C` or `A`.
    pub const fn letter(self) -> char {
        match self {
            Self::Contract => 'R',
            Self::Implied => 'N',
            Self::Capability => 'C',
            Self::Advisory => 'A',
        }
    }
}

/// What the finding of a check depends on beside the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sensitivity {
    /// Nothing: the check finds the same in every run.
    None,
    /// How callers interleave, or where a killed process had got to. A store that keeps the law always
    /// passes; a store that breaks it may pass by chance, so the check is repeated.
    Scheduling,
    /// The time that operations take. The check runs alone, and compares times within one run.
    Time,
}

/// What a law is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// The first part of the group's ids, lower case.
    pub key: &'static str,
    /// The same in words.
    pub title: &'static str,
    /// What its laws have in common, and what helps stores of each kind.
    pub guide: GroupGuide,
}

/// One named clause of the contract.
pub struct Law {
    /// Its id, stable for ever.
    pub id: LawId,
    /// The name of the test that [`certify!`](crate::certify) makes of it.
    pub name: &'static str,
    /// What it says.
    pub sentence: &'static str,
    /// Why it holds.
    pub kind: Kind,
    /// The claim without which it is not run.
    pub claim: Option<Claim>,
    /// What it is about.
    pub group: Group,
    /// Why it holds in full, and what to do when it fails.
    pub guide: Guide,
    /// What its finding depends on beside the store.
    pub sensitivity: Sensitivity,
    pub(crate) check: Check,
}

impl Law {
    /// Whether no other law may run beside it.
    pub(crate) fn runs_alone(&self) -> bool {
        self.sensitivity == Sensitivity::Time
    }
}

impl fmt::Debug for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.id, self.sentence)
    }
}

impl LawId {
    /// The law that goes by this id.
    ///
    /// # Panics
    ///
    /// Never: ids and laws are made of one table.
    pub fn law(self) -> &'static Law {
        let law = &LAWS[self as usize];
        // The ids and the laws are made of one table, in its order.
        assert_eq!(law.id, self, "the index of a law is its id");
        law
    }
}

/// Every law, in the order of the ids within each group.
pub fn catalogue() -> &'static [Law] {
    LAWS
}

/// Where the whole of it can be read.
const PAGE: &str = "conformance/LAWS.md";

impl Law {
    /// Why the law holds and what to do, as lines below the message of a test that failed.
    pub fn advice(&self) -> String {
        let Guide { why, fix, .. } = self.guide;
        let anchor = self.id.to_string().to_lowercase();
        format!("why:  {why}\nfix:  {fix}\nmore: {PAGE}#{anchor}")
    }
}
