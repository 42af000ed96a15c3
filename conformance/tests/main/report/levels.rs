//! Which level is reached, and which laws hold it back.

use std::fmt::Write as _;

use crashpoint_conformance::{Claim, Kind, Law, Level, Report, catalogue};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::{Line, all_passed, report, said};

/// A line for each level, with the first law that holds it back.
fn ladder(report: &Report) -> String {
    let mut ladder = String::new();
    for rung in report.ladder() {
        let _ = write!(ladder, "{} {}", rung.level, rung.level.title());
        match rung.held_back.first() {
            None => ladder.push_str(": reached\n"),
            Some(first) => {
                let more = rung.held_back.len() - 1;
                let _ = writeln!(ladder, ": {} {} (and {more} more)", first.law, first.reason);
            }
        }
    }
    ladder
}

fn check(report: &Report, expected: &Expect) {
    expected.assert_eq(&ladder(report));
}

#[test]
fn a_level_is_reached_when_all_its_laws_are_there_and_pass() {
    check(
        &report(all_passed().values()),
        &expect![[r#"
            L0 contract: reached
            L1 concurrency and cancellation: reached
            L2 reopening: reached
            L3 process crash: reached
            L4 power loss: reached
        "#]],
    );
}

/// A level without a law would be reached by every store.
#[test]
fn every_level_needs_laws_and_each_of_them_holds_it_back() {
    let whole = report(all_passed().values());
    for (index, rung) in whole.ladder().iter().enumerate() {
        assert!(rung.laws > 0, "{rung:?}");
        let mut laws = catalogue().iter().filter(|law| law.level() == rung.level);
        let law = laws.find(|law| law.kind != Kind::Advisory).unwrap().id;
        let spoiled = spoiled(&law.to_string(), "verdict", json!("inconclusive"));
        assert_eq!(spoiled.ladder()[index].held_back[0].law, law.to_string());
        assert_eq!(spoiled.level(), Level::ALL[..index].last().copied());
    }
}

/// One law that does not pass, and the report of it.
fn spoiled(id: &str, key: &str, value: Value) -> Report {
    let mut lines = all_passed();
    for line in lines.values_mut() {
        if key == "verdict" {
            continue;
        }
        *line = line.clone().with(key, value.clone());
    }
    if key == "verdict" {
        let line = Line::pass(id)
            .with("verdict", value)
            .with("reason", "because");
        lines.insert(id.to_owned(), line);
    }
    report(lines.values())
}

#[test]
fn every_verdict_but_a_pass_holds_a_level_back_and_says_why() {
    let contract = |report: &Report| {
        let rung = &report.ladder()[0];
        assert_eq!(report.level(), None);
        assert_eq!(rung.held_back.len(), 1, "{rung:?}");
        format!("{}: {}", rung.held_back[0].law, rung.held_back[0].reason)
    };
    for verdict in [
        "fail",
        "inconclusive",
        "harness_error",
        "expected_fail",
        "not_run",
    ] {
        let report = spoiled("ISO-09", "verdict", json!(verdict));
        assert_eq!(contract(&report), format!("ISO-09: {verdict}: because"));
    }
    let waived = spoiled("ISO-09", "waived", json!({ "ISO-09": "because" }));
    assert_eq!(
        contract(&waived),
        "ISO-09: waived: because (it ran anyway: pass)"
    );
}

#[test]
fn a_store_that_claims_nothing_can_reach_what_needs_no_claim() {
    let report = spoiled("", "claims", json!(["engine_kinds"]));
    assert!(said(&report, "PAY-07").starts_with("not_claimed: limits"));
    assert!(said(&report, "DUR-01").starts_with("not_claimed: reopen"));
    assert!(report.level() >= Some(Level::Contract), "{report}");
    let held_back = &report.ladder()[2].held_back;
    assert!(
        held_back
            .iter()
            .any(|held| held.law == "DUR-01" && held.reason.starts_with("not_claimed: reopen"))
    );
}

#[test]
fn what_is_claimed_beside_the_levels_has_to_hold_all_the_same() {
    let report = spoiled("PAY-07", "verdict", json!("fail"));
    assert_eq!(report.level(), None);
    assert_eq!(report.ladder()[0].held_back[0].law, "PAY-07");
}

#[test]
fn advice_holds_nothing_back() {
    let advisory = catalogue().iter().filter(|law| law.kind == Kind::Advisory);
    for law in advisory {
        let report = spoiled(&law.id.to_string(), "verdict", json!("fail"));
        assert!(report.level() >= Some(Level::Contract), "{law:?}");
    }
}

#[test]
fn a_claim_about_reopening_and_crashes_belongs_to_its_level() {
    let of = |claim: Option<Claim>| -> Vec<Level> {
        let laws = catalogue().iter().filter(|law| law.claim == claim);
        laws.map(Law::level).collect()
    };
    assert!(
        of(Some(Claim::Reopen))
            .iter()
            .all(|level| *level == Level::Reopening)
    );
    assert!(of(None).contains(&Level::Contract));
}

/// The laws of power loss watch a store that syncs files. A store on a server has a law of its own.
#[test]
fn a_store_on_a_server_reaches_the_last_level_by_the_law_about_its_server() {
    let without = |lacked: &[Claim]| -> Vec<&str> {
        let claims = Claim::ALL.iter().filter(|claim| !lacked.contains(claim));
        claims.map(|claim| claim.word()).collect()
    };
    let on_a_server = without(&[Claim::PowerLoss]);
    assert_eq!(
        spoiled("", "claims", json!(on_a_server)).level(),
        Some(Level::PowerLoss)
    );
    let neither = without(&[Claim::PowerLoss, Claim::ServerCrash]);
    assert_eq!(
        spoiled("", "claims", json!(neither)).level(),
        Some(Level::ProcessCrash)
    );

    let mut lines = all_passed();
    for line in lines.values_mut() {
        *line = line.clone().with("claims", json!(on_a_server));
    }
    let lost = Line::fail("SRV-01", "expected its 64 acknowledged rows")
        .with("claims", json!(on_a_server));
    lines.insert("SRV-01".to_owned(), lost);
    assert_eq!(report(lines.values()).level(), Some(Level::ProcessCrash));
}
