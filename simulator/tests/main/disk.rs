//! The simulated disk keeps synced content and nothing else, and the embedded store survives on it.

use std::collections::BTreeSet;

use crashpoint::protocol::{Faithful, Rule, Without};
use crashpoint_simulator::disk::{Call, Failure, Lasting, Lie, Loss, SimDisk, Which};
use crashpoint_simulator::workload::all;
use crashpoint_simulator::{
    Crash, DiskFault, Fault, Possible, Schedule, Settings, Source, StoreKind, explore,
    explore_seeds, replay, run_schedule,
};
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
        linear: 120 of 120 points
        order: 119 of 119 points
        order-fails: 179 of 179 points
        order-fails-once: 122 of 122 points
        order-undo-fails: 302 of 302 points
        order-panics: 179 of 179 points
        order-hangs: 184 of 184 points
        order-cleared: 128 of 128 points
        import-loop: 226 of 226 points
        offer: 145 of 145 points
        reminder: 162 of 162 points
        parcel: 131 of 131 points"#]]
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
    expect!["7546 schedules"].assert_eq(&format!("{} schedules", findings.schedules));
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

/// A canary for the oracles: a disk that loses content reported as durable is caught, and the
/// failure replays.
#[test]
fn a_disk_that_lies_about_a_sync_is_caught() {
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
        assert!(faults.any(|(_, _, fired)| fired.fault == Fault::Crash(Crash::PowerLoss)));
    }
}

/// A power loss that keeps any part of the unsynced content, a call that fails once or permanently,
/// and a full disk, at every instant of the disk.
#[test]
fn whatever_a_power_loss_keeps_and_whichever_call_fails_no_promise_is_broken() {
    let mut table = Vec::new();
    for workload in ["order", "order-cleared", "import-loop"] {
        let workload = named(workload, Faithful);
        let findings = explore(&workload, &over(StoreKind::Redb, "d1"));
        assert_eq!(findings.violations, [], "{}", workload.name);
        table.push(format!("{}: {}", workload.name, findings.schedules));
    }
    expect![[r#"
        order: 482
        order-cleared: 510
        import-loop: 901"#]]
    .assert_eq(&table.join("\n"));
}

/// Two disk faults with crashes beside them. They include a failed sync whose content the system
/// still shows, which is opened again and then lost with the power.
#[test]
fn several_faults_of_the_disk_break_no_promise() {
    let workload = named("trip-cleared", Faithful);
    let source = Source::Fixed(&workload);
    for most in ["d2", "c1d1", "c2d2", "d1f1t1p1"] {
        let settings = over(StoreKind::Redb, most);
        let findings = explore_seeds(source, &settings, Possible::All, 0..150);
        assert_eq!(findings.violations, [], "{most}");
    }
    // A failing sync, and a power loss at the next one, whatever it keeps.
    let mut lost = 0;
    for keeps in ["subset-1", "subset-2", "torn-0-all-first-1"] {
        for sync in ["life2/open:before-sync", "life2/append#2:before-sync"] {
            let schedule = format!(
                "v1; at life1/append#1:before-sync: sync-error; at {sync}: partial-power-loss={keeps}"
            );
            let schedule: Schedule = schedule.parse().expect("it is a schedule");
            if let Ok((trial, _)) = run_schedule(source, StoreKind::Redb, &schedule) {
                assert_eq!(trial.verdicts, [], "{schedule}");
                lost += 1;
            }
        }
    }
    assert!(lost >= 2, "{lost} of the schedules happened");
}

/// A permanent failure lasts until somebody repairs it: the life in which the disk broke and the
/// next life achieve nothing, and the life after that ends the run.
#[test]
fn a_permanently_broken_disk_is_replaced_after_a_life_that_achieved_nothing() {
    let workload = named("order", Faithful);
    let ends = |call: &str, fault: DiskFault| {
        let fault = Fault::Disk(fault);
        let schedule = format!("at life1/append#1:before-{call}: {fault}");
        let schedule: Schedule = schedule.parse().expect("it is a schedule");
        let run = run_schedule(Source::Fixed(&workload), StoreKind::Redb, &schedule);
        let (trial, _) = run.unwrap_or_else(|unfired| panic!("{unfired}"));
        assert_eq!(trial.verdicts, [], "{schedule}");
        let answers = trial.run.history.returned();
        let answers: Vec<String> = answers.map(|(.., end)| end.to_string()).collect();
        answers.join(", ")
    };
    expect!["suspended, done in Shipped, done in Shipped"]
        .assert_eq(&ends("sync", DiskFault::SyncError));
    expect!["suspended, suspended, done in Shipped, done in Shipped"]
        .assert_eq(&ends("sync", DiskFault::SyncErrorLasting));
    expect!["suspended, done in Shipped, done in Shipped"]
        .assert_eq(&ends("write", DiskFault::WriteError));
    expect!["suspended, suspended, done in Shipped, done in Shipped"]
        .assert_eq(&ends("write", DiskFault::WriteErrorLasting));
    expect!["suspended, suspended, done in Shipped, done in Shipped"]
        .assert_eq(&ends("write", DiskFault::Full));
}

/// Each way in which a disk call fails catches an engine that returns an outcome before it is
/// durable.
#[test]
fn an_engine_that_returns_an_outcome_although_the_disk_failed_is_caught() {
    let mutant = named("order", Without(Rule::OutcomeAfterRow));
    let settings = Settings {
        violations_max: usize::MAX,
        ..over(StoreKind::Redb, "d1")
    };
    let findings = explore(&mutant, &settings);
    let words: BTreeSet<String> = findings
        .violations
        .iter()
        .filter(|found| found.oracle == "outcome-is-durable")
        .flat_map(|found| {
            found
                .schedule
                .0
                .iter()
                .map(|fired| fired.fault.kind().to_string())
        })
        .collect();
    let words: Vec<String> = words.into_iter().collect();
    expect![[r#"
        disk-full
        sync-error
        sync-error-lasting
        write-error
        write-error-lasting"#]]
    .assert_eq(&words.join("\n"));
}

/// A system that omits the first sync of each operation loses nothing permanently, because the
/// second makes up for it. Only a power loss that keeps the later of two writes shows that their
/// order is lost.
#[test]
fn a_disk_without_barriers_is_caught_only_by_partial_power_losses() {
    let workload = named("order", Faithful);
    let objections = |most: &str| {
        let settings = over(StoreKind::RedbWithoutBarriers, most);
        let findings = explore(&workload, &settings);
        let first = findings.violations.into_iter().next();
        first.map(|found| format!("{}: {}\n{}", found.oracle, found.message, found.schedule))
    };
    assert_eq!(objections("c1"), None);
    expect![[r#"
        liveness: life 25 met no fault but did not end the run: suspended
        v1; at life1/append#0.2:before-sync: partial-power-loss=subset-20"#]]
    .assert_eq(&objections("d1").expect("it is noticed"));
}

/// A change of a file, or an end of one of its lives.
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

/// An empty file whose name is durable.
fn published() -> SimDisk {
    let disk = SimDisk::new(Lie::None);
    disk.begin_draft();
    disk.sync(Which::Draft).expect("there is a draft");
    disk.name_draft().expect("the name is free");
    disk.sync_name().expect("the folder is synced");
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
    /// The model keeps two whole copies, the visible and the durable content.
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

/// The sectors of a write that survive a loss, from its text: `first`, `last`, `even` or `odd`.
fn survives(how: &str, sector: u64, first: u64, last: u64) -> bool {
    let (index, count) = (sector - first, last - first + 1);
    let (how, size) = how.split_once('-').unwrap_or((how, "0"));
    let size: u64 = size.parse().expect("it is a number");
    match how {
        "first" => index < size,
        "last" => index + size >= count,
        "even" => index.is_multiple_of(2),
        _ => !index.is_multiple_of(2),
    }
}

/// The content of a naive disk after a loss of power: changes byte by byte.
fn naive(durable: &[u8], writes: &[(u64, Vec<u8>)], loss: &str) -> Vec<u8> {
    let mut bytes = durable.to_vec();
    for (index, (offset, data)) in writes.iter().enumerate() {
        let parts: Vec<&str> = loss.splitn(4, '-').collect();
        let number = |part: usize| parts[part].parse::<usize>().expect("it is a number");
        let (first, last) = (offset / 512, (offset + data.len() as u64 - 1) / 512);
        for (at, byte) in (*offset..).zip(data) {
            let left = match parts[0] {
                "all" => true,
                "none" => false,
                "prefix" => index < number(1),
                "without" => index != number(1),
                "only" => index == number(1),
                "subset" => u64::from_str_radix(parts[1], 16).expect("a mask") >> index & 1 == 1,
                "torn" if index == number(1) => survives(parts[3], at / 512, first, last),
                _ => index < number(1) || parts[2] == "all",
            };
            if left {
                bytes[usize::try_from(at).expect("it is small")] = *byte;
            }
        }
    }
    bytes
}

fn losses() -> impl Strategy<Value = String> {
    let sectors = prop_oneof![
        (1..9_u64).prop_map(|count| format!("first-{count}")),
        (1..9_u64).prop_map(|count| format!("last-{count}")),
        Just("even".to_owned()),
        Just("odd".to_owned()),
    ];
    prop_oneof![
        Just("all".to_owned()),
        Just("none".to_owned()),
        (0..6_usize).prop_map(|length| format!("prefix-{length}")),
        (0..5_usize).prop_map(|one| format!("without-{one}")),
        (0..5_usize).prop_map(|one| format!("only-{one}")),
        (0..32_u64).prop_map(|mask| format!("subset-{mask:x}")),
        (
            0..5_usize,
            prop::sample::select(vec!["earlier", "all"]),
            sectors
        )
            .prop_map(|(at, others, sectors)| format!("torn-{at}-{others}-{sectors}")),
    ]
}

proptest! {
    #[test]
    fn a_loss_of_power_leaves_the_changes_and_the_sectors_that_it_says(
        before in prop::collection::vec(any::<u8>(), 12_000),
        writes in prop::collection::vec(
            (0..8_000_u64, prop::collection::vec(any::<u8>(), 1..4_000)), 5),
        loss in losses(),
    ) {
        let disk = published();
        disk.set_len(Which::Named, 12_000).expect("there is room");
        disk.write(Which::Named, 0, &before).expect("the file is as long");
        disk.sync(Which::Named).expect("the disk is well");
        for (offset, data) in &writes {
            disk.write(Which::Named, *offset, data).expect("the file is as long");
        }
        disk.lose_power_but(&loss.parse::<Loss>().expect("it is one"));
        prop_assert_eq!(content(&disk), naive(&before, &writes, &loss), "{}", loss);
        prop_assert!(!disk.has_unsynced());
    }

    #[test]
    fn a_loss_of_power_parses_as_it_prints(loss in losses()) {
        prop_assert_eq!(loss.parse::<Loss>().expect("it is one").to_string(), loss);
    }
}

#[test]
fn a_write_survives_the_loss_of_the_length_before_it() {
    let disk = published();
    disk.set_len(Which::Named, 6).expect("there is room");
    disk.write(Which::Named, 2, b"ab")
        .expect("the file is as long");
    disk.lose_power_but(&"only-1".parse().expect("it is a loss"));
    assert_eq!(content(&disk), b"\0\0ab");
}

/// Linux does this: after a failed sync the pages are visible, and no later sync writes them.
#[test]
fn the_content_of_a_failed_sync_is_visible_until_the_power_is_lost() {
    let disk = published();
    disk.set_len(Which::Named, 8192).expect("there is room");
    disk.sync(Which::Named).expect("the disk is well");
    let (call, lasting) = (Call::Sync, Lasting::Once);
    disk.arm(Failure::Broken {
        call,
        at: 0,
        lasting,
    });
    disk.write(Which::Named, 0, b"lost")
        .expect("the file is as long");
    disk.sync(Which::Named).expect_err("the sync fails");
    assert_eq!(&content(&disk)[..4], b"lost", "it is seen");
    disk.write(Which::Named, 4096, b"kept")
        .expect("the file is as long");
    disk.sync(Which::Named).expect("it fails once");
    assert!(disk.has_unsynced(), "the first page is not durable");
    disk.lose_power();
    let after = content(&disk);
    assert_eq!(
        (&after[..4], &after[4096..4100]),
        (&[0; 4][..], &b"kept"[..])
    );
    assert_eq!(disk.mend(), 1);
}

#[test]
fn a_disk_fails_at_the_call_that_was_named_once_or_for_good_and_does_nothing_then() {
    for (lasting, fails) in [
        (Lasting::Once, [false, false, true, false, false]),
        (Lasting::ForGood, [false, false, true, true, true]),
    ] {
        let disk = published();
        let call = Call::Write;
        disk.arm(Failure::Broken {
            call,
            at: 2,
            lasting,
        });
        disk.set_len(Which::Named, 5)
            .expect("the first change goes well");
        let written = [0_u8, 1, 2, 3].map(|at| disk.write(Which::Named, at.into(), &[at + 1]));
        let failed: Vec<bool> = written.iter().map(Result::is_err).collect();
        assert_eq!(failed, fails[1..], "{lasting:?}");
        let seen = content(&disk);
        let there: Vec<bool> = seen.iter().map(|byte| *byte == 0).collect();
        assert_eq!(there[..4], fails[1..], "{lasting:?}");
        disk.mend();
        disk.write(Which::Named, 0, &[9]).expect("it is mended");
    }
}

#[test]
fn a_full_disk_takes_no_byte_beyond_its_size() {
    let disk = published();
    disk.arm(Failure::Full { bytes: 10 });
    disk.set_len(Which::Named, 10).expect("there is room");
    let full = disk.set_len(Which::Named, 11).expect_err("there is none");
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    assert_eq!(disk.len(Which::Named).expect("the file is there"), 10);
    disk.write(Which::Named, 2, &[1; 8]).expect("there is room");
}

#[test]
fn every_fifth_sync_lies() {
    let disk = SimDisk::of(published().image(), Lie::EveryNth(5));
    disk.set_len(Which::Named, 1).expect("there is room");
    for sync in 1..=10_u8 {
        disk.write(Which::Named, 0, &[sync])
            .expect("the file is as long");
        disk.sync(Which::Named).expect("it says so");
        assert_eq!(disk.has_unsynced(), sync % 5 == 0, "sync {sync}");
    }
}

/// A sync of the folder could not fail. So a store that wrongly took a name for durable was never
/// tested on a broken disk.
#[test]
fn a_folder_sync_fails_like_any_other_and_leaves_the_name_to_the_next_loss_of_power() {
    for lasting in [Lasting::Once, Lasting::ForGood] {
        let disk = SimDisk::new(Lie::None);
        disk.begin_draft();
        disk.sync(Which::Draft).expect("there is a draft");
        disk.name_draft().expect("the name is free");
        disk.arm(Failure::Broken {
            call: Call::Sync,
            at: 0,
            lasting,
        });
        disk.sync_name().expect_err("it is made to fail");
        let again = disk.sync_name().is_ok();
        assert_eq!(again, lasting == Lasting::Once);
        assert!(disk.has_name());
        let mended = disk.clone();
        assert_eq!(mended.mend(), if again { 1 } else { 2 });
        disk.lose_power();
        assert_eq!(disk.has_name(), again, "{lasting:?}");
    }
}
