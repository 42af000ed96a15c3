//! Stores without a fault pass every law of the matrix, each law has its line, and what is not run is
//! never taken for a pass.

use std::collections::BTreeSet;

use crashpoint_conformance::{
    BoxError, Claim, Harness, LawId, Place, Plan, Verdict, catalogue, claim, run_all,
};

use super::line::failing;
use super::{EXEMPT, LONG, NAMED, NAMED_CLAIMED, NAMED_KILLED, durability, everything, in_groups};
use crate::mutants::concurrency::Remote;
use crate::mutants::disk::InFile;
use crate::mutants::drafts::InDrafts;
use crate::mutants::outage::Breakable;
use crate::mutants::replicated::{self, InNodes};
use crate::mutants::segments::{self, InSegments};
use crate::mutants::server::Served;
use crate::mutants::shown::InShowing;
use crate::mutants::trees::{self, InTrees};
use crate::mutants::{Broken, Faithful, Mutated, can, clr, damaged, disk, outage, pay};

#[test]
fn a_store_that_answers_errors_while_its_backend_is_down_keeps_the_laws_of_an_outage() {
    let plan = in_groups("", &[claim::outage], &["err"]);
    for report in [
        run_all::<Breakable<outage::Polite>>(&plan),
        run_all::<Breakable<outage::PoliteWhenReopened>>(&plan),
    ] {
        assert_eq!(failing(&report), BTreeSet::new(), "{report}");
    }
}

#[test]
fn two_processes_may_take_turns_or_keep_each_other_out() {
    let test = "kill_matrix::controls::two_processes_may_take_turns_or_keep_each_other_out";
    let plan = in_groups(test, &[claim::many_processes], &["dup"]);
    for report in [
        run_all::<InFile<damaged::Locks>>(&plan),
        run_all::<InFile<damaged::Shares>>(&plan),
    ] {
        assert_eq!(failing(&report), BTreeSet::new(), "{report}");
    }
}

/// The server is killed five times in each round.
#[test]
fn a_server_that_writes_before_it_answers_survives_every_kill_and_no_other_does() {
    let plan = in_groups("", &[claim::server_crash], &["bas", "srv"]);
    for _ in 0..5 {
        let report = run_all::<Served<0>>(&plan);
        assert_eq!(failing(&report), BTreeSet::new(), "{report}");
        let report = run_all::<Served<16>>(&plan);
        assert_eq!(
            failing(&report),
            BTreeSet::from([LawId::SRV_01]),
            "{report}"
        );
    }
}

/// Each failover has an append whose answer is lost, and requests that are refused until a node has taken over.
#[test]
fn nodes_that_agree_before_they_answer_survive_every_failover() {
    let plan = in_groups("", &[claim::failover], &["bas", "srv"]);
    let report = run_all::<InNodes<replicated::Everywhere>>(&plan);
    assert_eq!(failing(&report), BTreeSet::new(), "{report}");
    assert_eq!(report.count("not_claimed"), 1, "{report}");
}

/// Where a claim is made whose hook the harness does not have, the law is not run, and that is no pass.
#[test]
fn a_claim_without_its_hook_is_reported_as_not_offered() {
    let plan = Plan::new()
        .claims([claim::outage, claim::corruption])
        .claims([claim::server_crash, claim::failover])
        .only_laws([
            LawId::ERR_03,
            LawId::ERR_04,
            LawId::DUR_12,
            LawId::SRV_01,
            LawId::SRV_04,
        ]);
    let report = run_all::<Mutated<Broken<Faithful>>>(&plan);
    for law in report.laws() {
        let Verdict::NotRun(reason) = &law.verdict else {
            panic!("{report}");
        };
        assert!(
            reason.starts_with("not offered: the harness has no `"),
            "{reason}"
        );
    }
    assert!(!report.passed());
}

#[test]
fn every_law_kills_a_mutant_or_says_why_not() {
    for law in catalogue() {
        let mut named = NAMED.iter().chain(NAMED_KILLED).chain(NAMED_CLAIMED);
        let kills = named.any(|named| named.by == law.id);
        let exempt = EXEMPT.iter().any(|(id, _)| *id == law.id);
        assert!(
            kills != exempt,
            "{law:?} needs a mutant, or a reason why it has none"
        );
    }
}

#[test]
fn a_store_without_a_fault_keeps_every_law() {
    let report = run_all::<Mutated<Broken<Faithful>>>(&everything());
    assert_eq!(failing(&report), BTreeSet::new(), "{report}");
    assert!(report.passed());
}

#[test]
fn a_store_without_a_fault_costs_no_more_than_it_should() {
    let report = run_all::<Mutated<Broken<Faithful>>>(&Plan::new().only(["prf"]));
    assert_eq!(failing(&report), BTreeSet::new(), "{report}");
}

#[test]
fn a_store_without_a_fault_lists_its_runs() {
    let plan = in_groups("", &[claim::listing], &["lst"]);
    let report = run_all::<Mutated<Broken<Faithful>>>(&plan);
    assert_eq!(failing(&report), BTreeSet::new(), "{report}");
    assert_eq!(report.count("pass"), 4, "{report}");
}

/// It needs no exclusive scope, and its purges leave runs alone that were begun again.
#[test]
fn a_store_of_several_handles_clears_under_a_condition() {
    let plan = in_groups("", &[claim::many_handles], &["clr"]);
    let report = run_all::<Mutated<Broken<clr::LooksFirst>>>(&plan);
    assert_eq!(failing(&report), BTreeSet::new(), "{report}");
}

/// Its second process is kept out by a lock, and finds the rows once the store is dropped.
#[test]
fn a_store_that_locks_its_place_may_have_an_exclusive_scope() {
    let test = "kill_matrix::controls::a_store_that_locks_its_place_may_have_an_exclusive_scope";
    let claims = [claim::reopen, claim::exclusive_scope, claim::settled];
    let plan = in_groups(test, &claims, &["dur", "eng"]);
    let report = run_all::<InFile<damaged::Locks>>(&plan);
    assert_eq!(failing(&report), BTreeSet::new(), "{report}");
}

/// Dropping a future stops nothing, but what comes later waits behind it.
#[test]
fn a_pool_with_one_connection_for_each_id_settles() {
    let plan = everything().only(["bas", "can"]);
    let report = run_all::<Mutated<Remote<can::Pooled<true>>>>(&plan);
    assert_eq!(failing(&report), BTreeSet::new(), "{report}");
}

#[test]
fn a_store_with_an_honest_limit_keeps_every_law() {
    let report = run_all::<Mutated<pay::HonestLimit>>(&everything());
    assert_eq!(failing(&report), BTreeSet::new(), "{report}");
}

fn keeps_every_law_of_durability<H: Harness>(test: &str) {
    let report = run_all::<H>(&durability(test));
    assert_eq!(failing(&report), BTreeSet::new(), "{report}");
    assert!(report.passed());
}

#[test]
fn a_file_that_is_written_carefully_survives_every_kill() {
    keeps_every_law_of_durability::<InFile<disk::Careful>>(
        "kill_matrix::controls::a_file_that_is_written_carefully_survives_every_kill",
    );
}

#[test]
fn a_file_that_is_cut_after_its_sync_is_not_taken_for_one_that_was_not_synced() {
    let test = "kill_matrix::controls::a_file_that_is_cut_after_its_sync_is_not_taken_for_one_that_was_not_synced";
    let plan = durability(test).only_laws([LawId::DUR_08]);
    let report = run_all::<InFile<disk::CutsAfterTheSync>>(&plan);
    assert_eq!(failing(&report), BTreeSet::new(), "{report}");
    assert!(report.passed());
}

#[test]
fn a_store_that_gives_up_the_file_whose_sync_failed_may_go_on() {
    let test = "kill_matrix::controls::a_store_that_gives_up_the_file_whose_sync_failed_may_go_on";
    let claims = [claim::reopen, claim::process_crash, claim::power_loss];
    let report = run_all::<InDrafts<false>>(&short(test, &claims));
    assert_eq!(failing(&report), BTreeSet::new(), "{report}");
}

/// The laws of durability, but for those that write several MiB.
fn short(test: &str, claims: &[Claim]) -> Plan {
    let laws = catalogue().iter().map(|law| law.id);
    let laws = laws.filter(|law| !LONG.contains(law));
    in_groups(test, claims, &["bas", "dur"]).only_laws(laws)
}

/// It compacts beside its writers, and what it leaves behind for a while counts for nothing.
#[test]
fn a_store_that_rotates_and_compacts_carefully_survives_every_crash() {
    let test =
        "kill_matrix::controls::a_store_that_rotates_and_compacts_carefully_survives_every_crash";
    let claims = [claim::reopen, claim::process_crash, claim::power_loss];
    let report = run_all::<InSegments<segments::Whole>>(&in_groups(test, &claims, &["bas", "dur"]));
    assert_eq!(failing(&report), BTreeSet::new(), "{report}");
}

/// It shows a row once its journal is synced, while another file of the append is not.
#[test]
fn a_store_that_shows_what_its_journal_has_may_go_on_with_the_append() {
    let test =
        "kill_matrix::controls::a_store_that_shows_what_its_journal_has_may_go_on_with_the_append";
    let claims = [claim::reopen, claim::process_crash, claim::power_loss];
    let report = run_all::<InShowing<false>>(&short(test, &claims));
    assert_eq!(failing(&report), BTreeSet::new(), "{report}");
}

/// Its directories are synced under a draft name, and one of its files is never synced.
#[test]
fn a_tree_that_is_synced_before_it_has_its_name_survives_every_power_loss() {
    let test = "kill_matrix::controls::a_tree_that_is_synced_before_it_has_its_name_survives_every_power_loss";
    let claims = [claim::reopen, claim::process_crash, claim::power_loss];
    let report = run_all::<InTrees<trees::All>>(&short(test, &claims));
    assert_eq!(failing(&report), BTreeSet::new(), "{report}");
}

#[test]
fn a_child_that_runs_no_test_is_not_taken_for_one_that_was_killed() {
    let report = run_all::<InFile<disk::Careful>>(&durability("no_such_test"));
    let law = report.laws().iter().find(|law| law.law.id == LawId::DUR_03);
    let Some(Verdict::HarnessError(message)) = law.map(|law| &law.verdict) else {
        panic!("{report}");
    };
    assert!(
        message.contains("is there a test that `no_such_test"),
        "{message}"
    );
}

/// A harness that can't open its store in a child.
struct PanicsInAChild;

impl Harness for PanicsInAChild {
    type Store = disk::Filed<disk::Careful>;

    async fn open(place: &Place) -> Result<Self::Store, BoxError> {
        let is_child = std::env::var_os("CRASHPOINT_CHILD_ROLE").is_some();
        assert!(!is_child, "the server knows no child");
        InFile::<disk::Careful>::open(place).await
    }
}

#[test]
fn what_a_child_says_before_it_dies_is_in_the_message() {
    let test = "kill_matrix::controls::what_a_child_says_before_it_dies_is_in_the_message";
    let plan = durability(test).only_laws([LawId::DUR_03]);
    let report = run_all::<PanicsInAChild>(&plan);
    let Verdict::HarnessError(message) = &report.laws()[0].verdict else {
        panic!("{report}");
    };
    assert!(message.contains("the server knows no child"), "{message}");
}

/// Between its fork and its exec a child of the kit holds the lock of a store that is being dropped.
#[test]
fn a_store_that_locks_its_place_opens_again_beside_starts_of_children() {
    const REOPENINGS_OF_THE_LAW: usize = 20;
    let reopens = Plan::new()
        .claims([claim::reopen])
        .only_laws([LawId::DUR_02]);
    let starts = durability("no_such_test").only_laws([LawId::DUR_03]);
    std::thread::scope(|scope| {
        let children = scope.spawn(|| {
            for _ in 0..200 {
                let report = run_all::<InFile<disk::Careful>>(&starts);
                assert_eq!(report.count("harness_error"), 1, "{report}");
            }
        });
        for _ in 0..200 / REOPENINGS_OF_THE_LAW {
            let report = run_all::<InFile<damaged::Locks>>(&reopens);
            assert_eq!(failing(&report), BTreeSet::new(), "{report}");
        }
        children.join().unwrap();
    });
}

#[test]
fn without_a_way_to_start_again_the_laws_of_a_kill_are_not_run() {
    let plan = Plan::new()
        .claims([claim::process_crash])
        .only_laws([LawId::DUR_03]);
    let report = run_all::<InFile<disk::Careful>>(&plan);
    let verdict = &report.laws()[0].verdict;
    assert!(
        matches!(verdict, Verdict::NotRun(why) if why.contains("Plan::again")),
        "{report}"
    );
    assert!(!report.passed());
}
