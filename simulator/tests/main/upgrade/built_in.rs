//! The built-in upgrades: the right upgrades keep every promise, each with a mistake is caught, and a token
//! of any runs again.

use crashpoint::Mismatch;
use crashpoint::protocol::Rule;
use crashpoint_simulator::vacuity::BROKEN_UPGRADES;
use crashpoint_simulator::workload::{self, Workload, default_crashes, upgrades};
use crashpoint_simulator::{Findings, Release, Settings, StoreKind, explore, oracle, replay};
use expect_test::expect;

use crate::support::{budget, find};

/// Every campaign of an upgrade over memory.
fn explored(upgrade: &Workload) -> Findings {
    let memory = StoreKind::Memory;
    let mut all = Findings::default();
    for budget in upgrade.campaigns(memory, default_crashes(memory)) {
        all.merge(explore(upgrade, &Settings::within(budget)));
    }
    all
}

#[test]
fn the_right_upgrades_keep_every_promise_and_refuse_what_they_permit() {
    let mut told = String::new();
    for upgrade in upgrades::all() {
        let findings = explored(&upgrade);
        assert!(findings.violations.is_empty(), "{findings:?}");
        let recorder = &findings.recorder;
        assert_eq!(recorder.covered(), recorder.total(), "{}", upgrade.name);
        told.push_str(&format!("{}\n{}\n", upgrade.name, findings.resumptions));
    }
    expect![[r#"
        upgrade-renames-state-old-new
        the new release, for 118 logs of the old release: carries 118, refuses 0
          runs of version 1 are carried
            open in Charge: 1 log
            open in Pack: 1 log
            open in Ship: 1 log
            rolling back from Charge: 10 logs
            rolling back from Pack: 10 logs
            rolling back from Ship: 15 logs
            stuck after Charge: 16 logs
            stuck after Pack: 16 logs
            stuck after Ship: 32 logs
            done in Shipped: 1 log
            rolled back from Charge: 5 logs
            rolled back from Pack: 5 logs
            rolled back from Ship: 5 logs
        upgrade-renames-state-old-old-new
        the new release, for 13 logs of the old release: carries 13, refuses 0
          runs of version 1 are carried
            open in Charge: 2 logs
            open in Pack: 3 logs
            open in Ship: 4 logs
            done in Shipped: 4 logs
        upgrade-renames-state-old-new-old
        the new release, for 7 logs of the old release: carries 7, refuses 0
          runs of version 1 are carried
            open in Charge: 1 log
            open in Pack: 1 log
            open in Ship: 1 log
            done in Shipped: 4 logs
        the old release, for 21 logs of the new release: carries 0, refuses 21
          runs of version 2 are refused: it accepts the versions [1]
            open in Charge: 2 logs
            open in Pack: 1 log
            open in Ship: 4 logs
            open in Wrap: 2 logs
            done in Shipped: 12 logs
        upgrade-removes-state-old-new
        the new release, for 166 logs of the old release: carries 32, refuses 134
          runs of version 1 are carried
            open in Charge: 1 log
            rolling back from Charge: 10 logs
            stuck after Charge: 16 logs
            rolled back from Charge: 5 logs
          runs of version 1 are refused: it has no state Pack
            open in Pack: 2 logs
            open in Ship: 3 logs
            rolling back from Pack: 10 logs
            rolling back from Ship: 15 logs
            stuck after Pack: 16 logs
            stuck after Ship: 32 logs
            done in Shipped: 6 logs
            rolled back from Pack: 20 logs
            rolled back from Ship: 30 logs
        upgrade-removes-state-old-old-new
        the new release, for 18 logs of the old release: carries 2, refuses 16
          runs of version 1 are carried
            open in Charge: 2 logs
          runs of version 1 are refused: it has no state Pack
            open in Pack: 3 logs
            open in Ship: 4 logs
            done in Shipped: 9 logs
        upgrade-removes-state-old-new-old
        the new release, for 7 logs of the old release: carries 1, refuses 6
          runs of version 1 are carried
            open in Charge: 1 log
          runs of version 1 are refused: it has no state Pack
            open in Pack: 1 log
            open in Ship: 1 log
            done in Shipped: 4 logs
        the old release, for 9 logs of the new release: carries 0, refuses 9
          runs of version 2 are refused: it accepts the versions [1]
            open in Charge: 2 logs
            open in Ship: 2 logs
            done in Shipped: 5 logs
        upgrade-can-be-undone-old-new
        the new release, for 118 logs of the old release: carries 118, refuses 0
          runs of version 1 are carried
            open in Charge: 1 log
            open in Pack: 1 log
            open in Ship: 1 log
            rolling back from Charge: 10 logs
            rolling back from Pack: 10 logs
            rolling back from Ship: 15 logs
            stuck after Charge: 16 logs
            stuck after Pack: 16 logs
            stuck after Ship: 32 logs
            done in Shipped: 1 log
            rolled back from Charge: 5 logs
            rolled back from Pack: 5 logs
            rolled back from Ship: 5 logs
        upgrade-can-be-undone-old-old-new
        the new release, for 13 logs of the old release: carries 13, refuses 0
          runs of version 1 are carried
            open in Charge: 2 logs
            open in Pack: 3 logs
            open in Ship: 4 logs
            done in Shipped: 4 logs
        upgrade-can-be-undone-old-new-old
        the new release, for 7 logs of the old release: carries 7, refuses 0
          runs of version 1 are carried
            open in Charge: 1 log
            open in Pack: 1 log
            open in Ship: 1 log
            done in Shipped: 4 logs
        the old release, for 13 logs of the new release: carries 13, refuses 0
          runs of version 2 are carried
            open in Charge: 2 logs
            open in Pack: 3 logs
            open in Ship: 4 logs
            done in Shipped: 4 logs
    "#]]
    .assert_eq(&told);
}

#[test]
fn an_upgrade_with_a_mistake_is_caught() {
    let mut told = String::new();
    for broken in BROKEN_UPGRADES {
        let upgrade = workload::named(&broken.name()).expect("it is built in");
        let found = find(&upgrade, budget(broken.budget), broken.oracle);
        let found = found.unwrap_or_else(|| panic!("{} misses {}", broken.oracle, upgrade.name));
        let (name, message) = (&upgrade.name, &found.verdict.message);
        told.push_str(&format!(
            "{name}: {}\n    {}\n    {message}\n",
            broken.oracle, found.schedule
        ));
    }
    expect![[r#"
        upgrade-forgets-version-old-new: releases-carry-logs
            no fault
            life 2, of the new release, refuses a run of version 1 that is done in Shipped: the run has version 1, accepted are [2]
        upgrade-renames-task-old-new: keys
            at life1/append#1:before: crash
            life 2 repeats charge the card under another key: the task charge has become bill
        upgrade-forgets-undo-old-new: all-or-nothing
            at life1/append#3:before: crash; at life2/ship:attempt: attempt-error
            rolled back, but the receiver that honours keys still holds charge (visit 0)
        upgrade-removes-state-old-new~MismatchBeforeClaim: refusals-do-nothing
            at life1/append#2:before: crash
            life 2 was refused, but it sent row 2
        upgrade-renames-state-old-new~UndoRunsOnce: undo-once
            at life1/append#3:before: crash; at life2/ship:attempt: attempt-error
            life 2 undid ship of visit 2 2 times in a row
    "#]].assert_eq(&told);
}

#[test]
fn a_violation_of_an_upgrade_runs_again_from_its_token() {
    let name = "upgrade-forgets-version-old-new";
    let upgrade = workload::named(name).expect("it is built in");
    let findings = explore(&upgrade, &Settings::within(budget("c1")));
    let violation = findings.violations.first().expect("it is caught");
    let token = violation
        .token
        .to_string()
        .parse()
        .expect("a token reads back");
    let again = workload::named(name).expect("it is built in");
    let run = replay(&again, &token).expect("it replays");
    let verdicts = oracle::judge(&again, &run);
    assert!(verdicts.iter().any(|it| it.oracle == violation.oracle));
}

/// The engine itself refuses with a type: no text decides what was refused.
#[test]
fn a_removed_state_is_refused_by_a_typed_mismatch() {
    let upgrade = workload::named("upgrade-removes-state-old-new").expect("it is built in");
    let resumptions = explored(&upgrade).resumptions;
    let mut refused = resumptions.0.keys().filter_map(|it| it.refused.as_ref());
    assert!(refused.all(|mismatch| matches!(mismatch, Mismatch::UnknownState { .. })));
    assert!(resumptions.refused(Release::New) > 0 && resumptions.carried(Release::New) > 0);
}

#[test]
fn every_upgrade_has_a_name_that_reads_back() {
    let mutants = upgrades::mutants(Rule::UndoRunsOnce);
    for upgrade in upgrades::all().iter().chain(&mutants) {
        let found = workload::named(&upgrade.name).map(|it| it.name);
        assert_eq!(found.as_deref(), Some(&*upgrade.name));
    }
    for unknown in [
        "upgrade-old-new",
        "upgrade-renames-state",
        "upgrade-renames-state-old-new~No",
    ] {
        assert!(workload::named(unknown).is_none(), "{unknown}");
    }
}
