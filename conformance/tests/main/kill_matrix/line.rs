//! One line of the matrix, and whether a report is what it says.

use std::collections::BTreeSet;

use crashpoint_conformance::__private::CONSEQUENCES;
use crashpoint_conformance::{
    Law, LawId, LawReport, Report, Sensitivity, Verdict, catalogue, run_all,
};

use super::{everything, everything_has, journal, power};
use crate::mutants::{Mutant, Mutated};

/// One line of the matrix.
pub(super) struct Kill {
    pub(super) mutant: &'static str,
    /// The law that must catch the mutant.
    pub(super) by: LawId,
    /// What its message must contain.
    pub(super) saying: &'static str,
    /// The other laws that must catch it.
    pub(super) also: &'static [LawId],
    /// Whether laws that are sensitive to scheduling may catch it, too.
    pub(super) races: bool,
    /// For a mutant that breaks what most laws stand on: some that must pass all the same. What is said
    /// of other laws then says nothing.
    pub(super) spares: &'static [LawId],
}

/// Holds a store in memory against its line.
pub(super) fn check<S: Mutant>(kill: &Kill) {
    if kill.by.law().sensitivity == Sensitivity::Scheduling {
        // The law is asked by itself, and counted.
        power::check::<S>(kill);
        let others = catalogue().iter().filter(|law| law.id != kill.by);
        let others = others.filter(|law| everything_has(law.id) && is_asked(kill, law));
        let plan = everything().only_laws(others.map(|law| law.id));
        let report = run_all::<Mutated<S>>(&plan);
        journal::note(kill.mutant, &report);
        others_object(kill, &report);
    } else {
        let laws = catalogue().iter();
        let asked = laws.filter(|law| everything_has(law.id) && is_asked(kill, law));
        let plan = everything().only_laws(asked.map(|law| law.id));
        judged(kill, &run_all::<Mutated<S>>(&plan));
    }
}

/// Whether the line says what the law has to answer. Of a law that may object and need not, no answer is wrong.
fn is_asked(kill: &Kill, law: &Law) -> bool {
    let may_object = kill.races && law.sensitivity == Sensitivity::Scheduling;
    law.id == kill.by || kill.also.contains(&law.id) || !may_object
}

/// Fails unless `report` is what the line says.
pub(super) fn judged(kill: &Kill, report: &Report) {
    journal::note(kill.mutant, report);
    let killer = report.laws().iter().find(|law| law.law.id == kill.by);
    let verdict = killer.map(|law| &law.verdict);
    assert!(
        says(kill, verdict),
        "{} does not catch the mutant by saying {:?}, got {verdict:?}\n{report}",
        kill.by,
        kill.saying
    );
    let lead = report.leads().first().map(|lead| lead.law);
    // Two faults may fail the same laws.
    let alike = CONSEQUENCES.iter().filter(|it| it.also.contains(&kill.by));
    // Laws that race fail together by chance, and none explains the other.
    let races = |law: LawId| law.law().sensitivity == Sensitivity::Scheduling;
    let is_first = |law| {
        law == kill.by
            || alike.clone().any(|it| it.by == law && kill.also == [law])
            || kill.races && races(kill.by) && races(law)
    };
    assert!(
        lead.is_some_and(is_first),
        "look at {} first\n{report}",
        kill.by
    );
    others_object(kill, report);
}

/// Whether a verdict catches the mutant in the words of the line.
pub(super) fn says(kill: &Kill, verdict: Option<&Verdict>) -> bool {
    matches!(verdict, Some(Verdict::Fail(message)) if message.contains(kill.saying))
}

/// Fails unless all laws object that have to, and none that may not.
fn others_object(kill: &Kill, report: &Report) {
    let mut objecting = failing(report);
    objecting.remove(&kill.by);
    let line = format!("{}, killed by {}", kill.mutant, kill.by);
    if !kill.spares.is_empty() {
        let spared = kill.spares.iter().copied().collect();
        let unspared: Vec<_> = objecting.intersection(&spared).collect();
        assert!(
            unspared.is_empty(),
            "{line}: {unspared:?} object, too\n{report}"
        );
        let known = CONSEQUENCES.iter().find(|it| it.mutant == kill.mutant);
        let silent = known.map_or(&[][..], |it| it.also).iter();
        let silent: Vec<_> = silent.filter(|law| !objecting.contains(law)).collect();
        assert!(
            silent.is_empty(),
            "{line}: {silent:?} must object, says the table of consequences\n{report}"
        );
        return;
    }
    let must: BTreeSet<LawId> = kill.also.iter().copied().collect();
    let silent: Vec<_> = must.difference(&objecting).collect();
    assert!(
        silent.is_empty(),
        "{line}: {silent:?} must object\n{report}"
    );
    let may = |law: LawId| kill.races && law.law().sensitivity == Sensitivity::Scheduling;
    let unnamed: Vec<_> = objecting
        .difference(&must)
        .filter(|&&law| !may(law))
        .collect();
    assert!(
        unnamed.is_empty(),
        "{line}: {unnamed:?} may not object\n{report}"
    );
}

/// The laws that did not pass.
pub(super) fn failing(report: &Report) -> BTreeSet<LawId> {
    let not_passed = report.laws().iter().filter(|law| objects(law));
    not_passed.map(|law| law.law.id).collect()
}

fn objects(law: &LawReport) -> bool {
    match &law.verdict {
        Verdict::Pass | Verdict::NotClaimed(_) => false,
        // Threads that did not meet on a busy machine have said nothing about the store.
        Verdict::Inconclusive(_) => law.law.sensitivity != Sensitivity::Scheduling,
        _ => true,
    }
}

/// The arguments with which libtest runs this test, and no other.
pub(super) fn tests_again(test: &str) -> [&str; 4] {
    [test, "--exact", "--nocapture", "--test-threads=1"]
}
