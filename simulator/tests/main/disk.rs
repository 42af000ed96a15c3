//! The simulated disk keeps what was synced and nothing else, and the embedded store survives on it.

use crashpoint_engine::protocol::Faithful;
use crashpoint_simulator::disk::{Lie, SimDisk, Which};
use crashpoint_simulator::workload::all;
use crashpoint_simulator::{Fault, Settings, StoreKind, explore, replay};
use expect_test::expect;
use proptest::prelude::*;

use crate::support::budget;
use crate::workloads::named;

fn over(store: StoreKind, most: &str) -> Settings {
    Settings {
        store,
        ..Settings::within(budget(most))
    }
}

#[test]
fn a_crash_at_every_change_of_the_disk_breaks_no_promise() {
    let mut table = Vec::new();
    for workload in all() {
        let findings = explore(&workload, &over(StoreKind::Redb, "c1"));
        assert_eq!(findings.violations, [], "{}", workload.name);
        let missed: Vec<&str> = findings.recorder.missed().collect();
        assert_eq!(missed, [""; 0], "{}", workload.name);
        let (covered, total) = (findings.recorder.covered(), findings.recorder.total());
        table.push(format!("{}: {covered} of {total} points", workload.name));
    }
    expect![[r#"
        linear: 123 of 123 points
        order: 122 of 122 points
        order-fails: 184 of 184 points
        order-fails-once: 125 of 125 points
        order-undo-fails: 296 of 296 points
        order-panics: 184 of 184 points
        order-hangs: 189 of 189 points
        order-cleared: 132 of 132 points
        import-loop: 230 of 230 points"#]]
    .assert_eq(&table.join("\n"));
}

#[test]
fn a_second_crash_inside_the_recovery_from_the_first_breaks_no_promise() {
    let findings = explore(
        &named("trip-cleared", Faithful),
        &over(StoreKind::Redb, "c2"),
    );
    assert_eq!(findings.violations, []);
    assert_eq!(findings.recorder.missed().count(), 0);
    expect!["8293 schedules"].assert_eq(&format!("{} schedules", findings.schedules));
}

#[test]
fn the_first_creation_of_the_file_is_inside_the_window() {
    let findings = explore(&named("linear", Faithful), &over(StoreKind::Redb, "c1"));
    let points: Vec<&str> = findings.recorder.points().collect();
    for part in [
        "life1/open:before-create",
        "life1/open:before-write",
        "life1/open:before-sync",
        "life1/open:before-rename",
        "life1/open:before-folder-sync",
        "life1/open:before-folder-sync, power lost",
        "life1/append#0:before-write",
        "life1/append#0:before-sync, power lost",
        "life1/close:before-write",
    ] {
        assert!(points.contains(&part), "{part} is missing in {points:#?}");
    }
}

/// For the oracles: a disk that loses what it said was durable is noticed, and the failure replays.
#[test]
fn a_disk_that_lies_about_a_sync_is_noticed() {
    for (store, oracle) in [
        (StoreKind::RedbLosingWrites, "store-keeps-rows"),
        (StoreKind::RedbLosingNames, "store-keeps-rows"),
    ] {
        let workload = named("order", Faithful);
        let findings = explore(&workload, &over(store, "c1"));
        let found = findings.violations.iter();
        let noticed = found.clone().find(|violation| violation.oracle == oracle);
        let noticed = noticed.unwrap_or_else(|| panic!("{store}: {:#?}", findings.violations));
        let run = replay(&workload, &noticed.token).expect("the schedule is the same");
        let mut faults = run.history.faults();
        assert!(faults.any(|(_, _, fired)| fired.fault == Fault::PowerLoss));
    }
}

/// One change of a file, or an end of one of its lives.
#[derive(Debug, Clone)]
enum Change {
    Write(u64, Vec<u8>),
    SetLen(u64),
    Sync,
    LosePower,
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let bytes = prop::collection::vec(any::<u8>(), 0..40);
    let change = prop_oneof![
        4 => (0..100_u64, bytes).prop_map(|(offset, bytes)| Change::Write(offset, bytes)),
        2 => (0..100_u64).prop_map(Change::SetLen),
        1 => Just(Change::Sync),
        1 => Just(Change::LosePower),
    ];
    prop::collection::vec(change, 0..40)
}

/// An empty file that has its name for good.
fn published() -> SimDisk {
    let disk = SimDisk::new(Lie::None);
    disk.begin_draft();
    disk.sync(Which::Draft).expect("there is a draft");
    disk.name_draft().expect("the name is free");
    disk.sync_name();
    disk
}

fn content(disk: &SimDisk) -> Vec<u8> {
    let length = disk.len(Which::Named).expect("the file is there");
    let mut bytes = vec![0; usize::try_from(length).expect("the file is small")];
    disk.read(Which::Named, 0, &mut bytes)
        .expect("the file is as long as it says");
    bytes
}

proptest! {
    /// The model keeps two whole copies, what is seen and what is durable.
    #[test]
    fn a_disk_shows_what_was_written_and_keeps_what_was_synced(changes in changes()) {
        let disk = published();
        let (mut live, mut durable) = (Vec::new(), Vec::new());
        for change in changes {
            match change {
                Change::Write(offset, bytes) => {
                    let written = disk.write(Which::Named, offset, &bytes);
                    let start = usize::try_from(offset).expect("it is small");
                    match live.get_mut(start..start + bytes.len()) {
                        Some(target) => {
                            prop_assert!(written.is_ok());
                            target.copy_from_slice(&bytes);
                        }
                        None => prop_assert!(written.is_err()),
                    }
                }
                Change::SetLen(length) => {
                    disk.set_len(Which::Named, length).expect("there is room");
                    live.resize(usize::try_from(length).expect("it is small"), 0);
                }
                Change::Sync => {
                    disk.sync(Which::Named).expect("the disk is well");
                    durable.clone_from(&live);
                    prop_assert!(!disk.has_unsynced());
                }
                Change::LosePower => {
                    disk.lose_power();
                    live.clone_from(&durable);
                }
            }
            prop_assert_eq!(&content(&disk), &live);
        }
    }
}

#[test]
fn a_draft_and_a_name_that_was_not_synced_are_gone_when_the_power_fails() {
    let disk = SimDisk::new(Lie::None);
    disk.begin_draft();
    disk.lose_power();
    assert!(disk.name_draft().is_err(), "the draft is gone");

    disk.begin_draft();
    disk.set_len(Which::Draft, 3).expect("there is a draft");
    disk.sync(Which::Draft).expect("there is a draft");
    disk.name_draft().expect("the name is free");
    assert!(disk.has_name() && disk.has_unsynced());
    disk.lose_power();
    assert!(!disk.has_name(), "the folder was not synced");

    let disk = published();
    disk.begin_draft();
    let taken = disk.name_draft().expect_err("the name is taken");
    assert_eq!(taken.kind(), std::io::ErrorKind::AlreadyExists);
}
