//! Every check is seen working, and a check that is not is named.

use crashpoint::protocol::{Faithful, Rule};
use crashpoint_simulator::disk::{Call, Failure, Lasting, Lie};
use crashpoint_simulator::images::{Embedded, Exploration, Hazard, Modes, Op, Rot, Script};
use crashpoint_simulator::operations;
use crashpoint_simulator::vacuity::{BROKEN_UPGRADES, Table, WITNESSES, Witness};
use crashpoint_simulator::{
    Fault, Findings, Group, Operations, Pool, Settings, StoreFault, StoreKind, explore,
    explore_operations, workload,
};
use expect_test::{Expect, expect};

use crate::support::{budget, within};
use crate::workloads::named;

fn explored(workload: &str, store: StoreKind, most: &str) -> Findings {
    let settings = Settings {
        store,
        ..within(budget(most))
    };
    explore(&named(workload, Faithful), &settings)
}

/// The smallest exploration that has everything; the command explores all workloads.
fn complete(witnesses: &[Witness]) -> Table {
    let mut table = Table::of(witnesses);
    let (memory, redb) = (StoreKind::Memory, StoreKind::Redb);
    table.add("order", memory, &explored("order", memory, "c2"));
    table.add(
        "order-cleared",
        redb,
        &explored("order-cleared", redb, "c1"),
    );
    for most in ["t1p2", "x1", "c1f1", "c1b1", "f1t1", "j1"] {
        table.add_faults(&explored("order", memory, most));
    }
    table.add_faults(&explored("order-cleared", redb, "d1"));
    // Its last task has a time limit.
    table.add_faults(&explored("order-hangs", memory, "e1"));
    table.add_services();
    table.add_embedded();
    let crash = Settings::within("c1".parse().expect("it is a budget"));
    let operations = explore_operations(Pool::of_one(), Operations(None), &crash);
    table.add("operations", memory, &operations);
    table.add_broken_operations();
    for upgrade in [
        "upgrade-renames-state-old-new",
        "upgrade-removes-state-old-new",
    ] {
        let workload = workload::named(upgrade).expect("it is built in");
        table.add(upgrade, memory, &explore(&workload, &crash));
    }
    table.add_broken_upgrades();
    table
}

#[test]
fn every_fault_fires_every_point_is_covered_and_every_oracle_objects() {
    let table = complete(WITNESSES);
    assert_eq!(table.zeros(), [""; 0], "{table}");
}

fn check(table: &Table, expected: &Expect) {
    expected.assert_eq(&table.zeros().join("\n"));
}

#[test]
fn everything_that_was_not_seen_is_named() {
    let mut table = Table::of(&[]);
    let zeros = table.zeros();
    let silent = zeros.iter().filter(|it| it.ends_with("caught no mutant"));
    assert_eq!(silent.count(), crashpoint_simulator::oracle::ORACLES.len());
    let silent = zeros.iter().filter(|it| it.contains(" did not catch "));
    assert_eq!(
        silent.count(),
        operations::BROKEN.len() + BROKEN_UPGRADES.len()
    );
    assert!(zeros.contains(&"no upgrade refused a log".to_owned()));
    let unfired = zeros.iter().filter(|it| it.starts_with("no schedule had"));
    // The built-in workloads have no tasks whose order could change.
    let kinds = Fault::kinds().filter(|fault| fault.group() != Group::Order);
    assert_eq!(unfired.count(), kinds.count());
    let unarmed = zeros
        .iter()
        .filter(|it| it.starts_with("images: 0 of 0 fired: "));
    assert_eq!(unarmed.count(), Hazard::all().count());
    assert!(zeros.contains(&"no crash points were counted".to_owned()));
    table.add("nothing", StoreKind::Memory, &Findings::default());
    let upgrade = "upgrade-removes-state-old-new";
    table.add(upgrade, StoreKind::Memory, &Findings::default());
    let zeros = table.zeros();
    let unseen = format!("{upgrade} over memory: the new release found no log");
    assert!(zeros.contains(&unseen), "{zeros:?}");
    let counted = "nothing over memory: 0 of 0 crash points covered".to_owned();
    assert!(zeros.contains(&counted), "{zeros:?}");
}

#[test]
fn an_oracle_a_fault_and_a_crash_point_that_are_new_and_not_seen_are_zeros() {
    let seen = |oracle: &&Witness| oracle.oracle != "edges";
    let witnesses: Vec<Witness> = WITNESSES.iter().filter(seen).copied().collect();
    let mut table = complete(&witnesses);
    let mut newer = Findings::default();
    newer
        .fired
        .insert(Fault::Store(StoreFault::InDoubtLate(9)), 1);
    table.add_faults(&newer);
    let settings = Settings {
        skip: Some("life1/append#2:acked".to_owned()),
        ..within(budget("c1"))
    };
    let skipping = explore(&named("order", Faithful), &settings);
    table.add("order, skipping one", StoreKind::Memory, &skipping);
    check(
        &table,
        &expect![[r#"
            a fault of an unknown kind fired: in-doubt-late=9
            order, skipping one over memory: 17 of 18 crash points covered
            edges caught no mutant"#]],
    );
}

/// Hazards are not required of every image: one armed fault that never met its call, one lie that
/// was not caught, and unchecked bits are enough for a zero.
#[test]
fn a_fault_of_the_images_that_was_armed_and_did_not_fire_is_a_zero() {
    let mut table = complete(WITNESSES);
    let late = Failure::Broken {
        call: Call::Sync,
        at: 10_000,
        lasting: Lasting::Once,
    };
    let script = Script::new(10).then([Op::Append(0)]);
    let plain = Exploration::of(&script, &Embedded).modes(Modes::Plain);
    table.add_images(&plain.failing(late).explore());
    table.add_images(&plain.lying(Lie::EveryNth(1_000)).explore());
    table.add_rot(&Rot {
        images: 5,
        right: 5,
        ..Rot::default()
    });
    check(
        &table,
        &expect![[r#"
        images: 26 of 27 fired: the disk fails a sync
        images: 200 of 205 fired: a bit has flipped
        images: 1 of 2 fired: the disk lies about some syncs, and is caught"#]],
    );
}

#[test]
fn a_witness_that_shows_nothing_is_a_zero() {
    // Its violation needs no fault, but this workload never clears.
    let blind = Witness {
        oracle: "edges",
        workload: "order",
        rule: Some(Rule::ClearNeedsExclusivity),
        store: StoreKind::Memory,
        budget: "c1",
    };
    let zeros = Table::of(&[blind]).zeros();
    assert!(zeros.contains(&"edges caught no mutant".to_owned()));
}
