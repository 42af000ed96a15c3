//! The catalogue: each law of the [table](crate::contract) with its kind, its guide and its check.

pub(crate) mod consequences;
pub(crate) mod leads;
pub(crate) mod page;

use std::fmt;

use crate::case::Case;
use crate::contract::LawId;
use crate::contract::capability::Claim;
use crate::finding::expect::Checked;
use crate::guide::{self, GroupGuide, Guide, Help};
use crate::harness::BoxFuture;

/// How a law's check runs.
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
    (traced $check:path) => {
        traced!($check)
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

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
macro_rules! traced {
    ($check:path) => {
        Check::Thread($check)
    };
}

/// Elsewhere the check does not exist.
#[cfg(not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")))]
macro_rules! traced {
    ($check:path) => {
        Check::Thread(crate::laws::dur::not_traced)
    };
}

macro_rules! sensitivity {
    (task) => {
        Sensitivity::None
    };
    (traced) => {
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

macro_rules! define {
    ([] $($key:ident $module:ident $level:ident $title:literal { $(
        $id:ident $name:ident $kind:ident $claim:ident $runs:ident $sentence:literal;
    )* })*) => {
        static LAWS: &[Law] = &[$($(
            Law {
                id: LawId::$id,
                name: stringify!($name),
                sentence: $sentence,
                kind: Kind::$kind,
                claim: LawId::$id.claim(),
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

/// Where a law comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// R: the contract requires it.
    Contract,
    /// N: the engine needs it, given what it does with a store.
    Implied,
    /// C: required only of a store that claims the capability.
    Capability,
    /// A: advice, which is reported and never fails a store.
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

/// What the result of a check depends on, beside the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sensitivity {
    /// Nothing: every run has the same result.
    None,
    /// How callers interleave, or how far a killed process had got. A store that keeps the law always
    /// passes; a store that breaks it may pass by chance, so the check is repeated.
    Scheduling,
    /// The time that operations take. The check runs alone and compares times within one run.
    Time,
}

/// A group of laws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// The first part of the group's ids, lower case.
    pub key: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Help for its laws, in general and for each kind of store.
    pub guide: GroupGuide,
}

/// A requirement on a store, with a name and a check.
pub struct Law {
    /// Its id, which never changes its meaning.
    pub id: LawId,
    /// The name of its test in [`certify!`](crate::certify).
    pub name: &'static str,
    /// The requirement, in a sentence.
    pub sentence: &'static str,
    /// Where it comes from.
    pub kind: Kind,
    /// The claim without which it does not run.
    pub claim: Option<Claim>,
    /// Its group.
    pub group: Group,
    /// Why the engine needs it, and what to do when it fails.
    pub guide: Guide,
    /// What its result depends on, beside the store.
    pub sensitivity: Sensitivity,
    pub(crate) check: Check,
}

impl Law {
    /// Whether it must run without other laws beside it.
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
    /// The law with this id.
    ///
    /// # Panics
    ///
    /// Never: one table defines ids and laws.
    pub fn law(self) -> &'static Law {
        let law = &LAWS[self as usize];
        // One table defines the ids and the laws, in its order.
        assert_eq!(law.id, self, "the index of a law is its id");
        law
    }
}

/// Every law, in the order of the ids within each group.
pub fn catalogue() -> &'static [Law] {
    LAWS
}

/// The most laws to look at first that an advice names.
const NAMED_MAX: usize = 6;

/// The page that has the whole guide.
const PAGE: &str = "conformance/LAWS.md";

impl Law {
    /// Laws that fail together with this law and explain it: if one of them fails as well, look there first.
    pub fn look_first(&self) -> Vec<LawId> {
        let by = |law: &Law| law.id != self.id && consequences::entails(law.id, self.id);
        catalogue()
            .iter()
            .filter(|law| by(law))
            .map(|law| law.id)
            .collect()
    }

    /// Help for the law when it has failed, `late` if a deadline passed.
    pub(crate) fn help(&self, late: bool) -> Help {
        match late {
            true => guide::LATE,
            false => self.guide.help(),
        }
    }

    /// Why the engine needs the law, what usually breaks it and how to fix it: the lines below the message
    /// of a failed test.
    pub fn advice(&self) -> String {
        self.advice_with(self.help(false))
    }

    pub(crate) fn advice_with(&self, help: Help) -> String {
        let Help { why, cause, fix } = help;
        let anchor = self.id.to_string().to_lowercase();
        let mut lines = format!("why:   {why}\ncause: {cause}\nfix:   {fix}\n");
        let first = self.look_first();
        if !first.is_empty() {
            let more = if first.len() > NAMED_MAX { ", .." } else { "" };
            let first: Vec<String> = first.iter().take(NAMED_MAX).map(LawId::to_string).collect();
            let first = first.join(", ");
            lines.push_str(&format!(
                "first: another law, if it fails too: {first}{more}\n"
            ));
        }
        lines.push_str(&format!("more:  {PAGE}#{anchor}"));
        lines
    }
}
