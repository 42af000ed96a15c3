//! Which law to look at first: one fault of a store fails many laws, and one of them explains the others.
//!
//! The kill matrix says which laws fail together. Of the faults in it, the one that fits the failed laws best
//! gives the law to look at; the laws that it leaves unexplained are explained in the same way.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;

use super::consequences::{CONSEQUENCES, Consequence, May};
use crate::contract::LawId;

/// A law to look at, and the failed laws that follow from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// The law to look at first.
    pub law: LawId,
    /// Failed laws that say nothing new, in the order of the catalogue.
    pub follow: Vec<LawId>,
}

impl fmt::Display for Lead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "look at {} first", self.law)?;
        match self.follow.len() {
            0 => Ok(()),
            1 => write!(f, "; {} follows from it", self.follow[0]),
            more => write!(f, "; {more} laws follow from it"),
        }
    }
}

/// The laws to look at, the first first, each with the failed laws that follow from it. Of the laws that
/// passed, those count that a fault would have failed. `shares_places`: BAS-08 has found that the harness
/// opens one place for several laws.
pub(crate) fn leads(
    mut failed: BTreeSet<LawId>,
    passed: &BTreeSet<LawId>,
    shares_places: bool,
) -> Vec<Lead> {
    let mut leads = Vec::new();
    while !failed.is_empty() {
        let before = failed.len();
        leads.push(next(&mut failed, passed, shares_places));
        assert!(failed.len() < before, "a lead explains its own law");
    }
    leads
}

/// Takes the best lead out of the failed laws.
fn next(failed: &mut BTreeSet<LawId>, passed: &BTreeSet<LawId>, shares_places: bool) -> Lead {
    let first = *failed.first().expect("a law has failed");
    let alone = Fit {
        strangers: failed.len() - 1,
        precision: Precision::Named,
        sure: 0,
        law: first,
        follow: BTreeSet::new(),
    };
    let known = CONSEQUENCES
        .iter()
        .filter(|fault| failed.contains(&fault.by));
    let fits = known.map(|fault| Fit::of(fault, failed, passed));
    let shared = (shares_places && failed.contains(&LawId::BAS_08)).then(|| Fit::of_shared(failed));
    let fits = fits.chain(shared).chain([alone]);
    let best = fits.min_by_key(|fit| {
        (
            fit.strangers,
            fit.precision,
            Reverse(fit.sure),
            Reverse(fit.follow.len()),
            fit.law,
        )
    });
    let Fit { law, follow, .. } = best.expect("a law alone is a fit");
    failed.remove(&law);
    failed.retain(|law| !follow.contains(law));
    Lead {
        law,
        follow: follow.into_iter().collect(),
    }
}

/// How much a fault says about the laws that it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Precision {
    /// These laws.
    Named,
    /// Any law, since laws share places.
    Shared,
    /// Any law but some.
    AllBut,
}

/// How well a fault of the matrix fits the failed laws.
struct Fit {
    /// Failed laws that the fault does not explain, and passed laws that it should have failed.
    strangers: usize,
    precision: Precision,
    /// How many of the failed laws the fault surely fails.
    sure: usize,
    law: LawId,
    follow: BTreeSet<LawId>,
}

impl Fit {
    /// The harness opened one place for several laws: any law may fail.
    fn of_shared(failed: &BTreeSet<LawId>) -> Self {
        let law = LawId::BAS_08;
        let follow = failed.iter().copied().filter(|other| *other != law);
        Self {
            strangers: 0,
            precision: Precision::Shared,
            sure: 0,
            law,
            follow: follow.collect(),
        }
    }

    fn of(fault: &Consequence, failed: &BTreeSet<LawId>, passed: &BTreeSet<LawId>) -> Self {
        let others = failed.iter().filter(|law| **law != fault.by);
        let (follow, unexplained): (BTreeSet<LawId>, BTreeSet<LawId>) =
            others.partition(|law| fault.explains(**law));
        let missing = fault.also.iter().filter(|law| passed.contains(law));
        Self {
            strangers: unexplained.len() + missing.count(),
            precision: match fault.may {
                May::Nothing | May::Racing => Precision::Named,
                May::AllBut(_) => Precision::AllBut,
            },
            sure: follow.iter().filter(|law| fault.also.contains(law)).count(),
            law: fault.by,
            follow,
        }
    }
}
