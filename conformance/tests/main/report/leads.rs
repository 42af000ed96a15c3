//! Which law a report says to look at first.

use std::collections::BTreeSet;

use crashpoint_conformance::__private::{CONSEQUENCES, Consequence};
use crashpoint_conformance::{LawId, Lead, Report};

use super::{Line, all_passed, report};

/// The report of a store that fails these laws.
fn failing(laws: impl IntoIterator<Item = LawId>) -> Report {
    let mut lines = all_passed();
    for law in laws {
        let id = law.to_string();
        lines.insert(
            id.clone(),
            Line::fail(&id, "expected one thing, got another"),
        );
    }
    report(lines.values())
}

fn laws_of(fault: &Consequence) -> BTreeSet<LawId> {
    fault.also.iter().chain([&fault.by]).copied().collect()
}

#[test]
fn of_the_laws_that_a_fault_fails_the_law_about_it_is_first_and_the_others_follow() {
    assert!(CONSEQUENCES.len() > 50);
    for fault in CONSEQUENCES {
        let failed = laws_of(fault);
        let leads = failing(failed.iter().copied()).leads();
        let [Lead { law, follow }] = &leads[..] else {
            panic!("{}: {leads:?}", fault.mutant);
        };
        // Two faults may fail the same laws.
        let alike = |other: &&Consequence| laws_of(other) == failed;
        let mut alike = CONSEQUENCES.iter().filter(alike);
        assert!(
            alike.any(|other| other.by == *law),
            "{}: {leads:?}",
            fault.mutant
        );
        let explained: BTreeSet<LawId> = follow.iter().chain([law]).copied().collect();
        assert_eq!(explained, failed, "{}", fault.mutant);
    }
}

#[test]
fn two_faults_give_two_leads() {
    let upsert = CONSEQUENCES.iter().find(|it| it.mutant == "upsert");
    let trim = CONSEQUENCES.iter().find(|it| it.mutant == "trim");
    let [upsert, trim] = [upsert, trim].map(Option::unwrap);
    let both = [upsert, trim]
        .into_iter()
        .flat_map(|it| it.also.iter().copied().chain([it.by]));
    let leads = failing(both).leads();
    let laws: Vec<LawId> = leads.iter().map(|lead| lead.law).collect();
    assert_eq!(laws, [LawId::DUP_01, LawId::ISO_04]);
}

#[test]
fn laws_that_no_fault_of_the_matrix_fails_together_are_leads_of_their_own() {
    let leads = failing([LawId::ORD_08, LawId::PAY_02]).leads();
    let alone = |law| Lead {
        law,
        follow: Vec::new(),
    };
    assert_eq!(leads, [alone(LawId::ORD_08), alone(LawId::PAY_02)]);
    assert_eq!(failing([]).leads(), []);
}

#[test]
fn where_laws_share_a_place_this_is_said_before_anything_else() {
    let mut lines = all_passed();
    for id in ["BAS-01", "ORD-01", "DUP-01", "CLR-01"] {
        lines.insert(id.to_owned(), Line::fail(id, "expected an empty run"));
    }
    let shared = Line::pass("BAS-08")
        .with("verdict", "harness_error")
        .with("reason", "a place is not fresh and separate");
    lines.insert("BAS-08".to_owned(), shared);
    let leads = report(lines.values()).leads();
    let follow = vec![LawId::BAS_01, LawId::ORD_01, LawId::DUP_01, LawId::CLR_01];
    let law = LawId::BAS_08;
    assert_eq!(leads, [Lead { law, follow }]);
}

#[test]
fn the_advice_of_a_law_names_the_laws_that_explain_it() {
    let advice = LawId::DUP_12.law().advice();
    let line = advice.lines().find(|line| line.starts_with("first: "));
    let line = line.unwrap_or_else(|| panic!("{advice}"));
    assert!(line.contains("DUP-01"), "{line}");
    let advice = LawId::BAS_01.law().advice();
    assert!(!advice.contains("BAS-01,"), "{advice}");
}
