//! A damaged value is an error that names the row, never a row, and harms no other run.

use std::error::Error as _;

use crashpoint::{CheckpointRow, CheckpointStore as _, StoreErrorKind};
use expect_test::{Expect, expect};
use redb::ReadableTable as _;

use super::disk::MemoryDisk;
use super::{ROWS, append, ids, kind_of, load, meddle, now, open, row};

const ID: &str = "order-1";

type Change = fn(&mut Vec<u8>);

/// A row under sequence 7, with a blob.
fn sample() -> CheckpointRow {
    CheckpointRow::new(7, "Pack", "charge").with_output(b"receipt".to_vec())
}

fn value_of(disk: &MemoryDisk) -> Vec<u8> {
    let mut found = Vec::new();
    meddle(disk, |transaction| {
        let rows = transaction.open_table(ROWS).expect("a store has it");
        let value = rows.get((ID, 7)).expect("it can be read");
        found = value.expect("it is there").value().to_vec();
    });
    found
}

/// A store with the sample and a neighbour, and the sample's value changed.
fn damaged(change: impl FnOnce(&mut Vec<u8>)) -> MemoryDisk {
    let disk = MemoryDisk::default();
    let store = open(&disk).expect("an empty place");
    append(&store, ID, sample()).expect("a free sequence");
    append(&store, "order-2", row(0)).expect("a free sequence");
    drop(store);
    let mut value = value_of(&disk);
    change(&mut value);
    meddle(&disk, |transaction| {
        let mut rows = transaction.open_table(ROWS).expect("a store has it");
        rows.insert((ID, 7), &value[..]).expect("memory takes it");
    });
    disk
}

/// Replaces the content and has the checksum fit, as a faulty program could.
fn resealed(value: &mut Vec<u8>, change: impl FnOnce(&mut Vec<u8>)) {
    value.truncate(value.len() - 4);
    change(value);
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&(ID.len() as u64).to_le_bytes());
    hasher.update(ID.as_bytes());
    hasher.update(&7_u64.to_le_bytes());
    hasher.update(value);
    value.extend(hasher.finalize().to_le_bytes());
}

/// Everything that is promised of a store in which the sample is damaged.
fn check(what: &str, disk: &MemoryDisk) -> String {
    let store = open(disk).expect("the pages are whole");
    let error = load(&store, ID).expect_err(what);
    assert_eq!(kind_of(&error), Some(StoreErrorKind::Damaged), "{what}");
    let reason = error.store_error().and_then(|error| error.source());
    let reason = reason.expect("it says why").to_string();
    let expected = format!("checkpoint store: row 7 of run \"order-1\" is damaged: {reason}");
    assert_eq!(error.to_string(), expected, "{what}");

    assert_eq!(
        load(&store, "order-2").expect("it is whole"),
        [row(0)],
        "{what}"
    );
    assert_eq!(
        ids(&store).expect("keys are whole"),
        [ID, "order-2"],
        "{what}"
    );
    let refused = append(&store, ID, sample()).expect_err("the sequence is taken");
    assert_eq!(kind_of(&refused), Some(StoreErrorKind::Conflict), "{what}");
    now(store.clear(ID)).expect("what can't be read can be cleared");
    assert_eq!(load(&store, ID).expect("nothing is left"), [], "{what}");
    reason
}

#[test]
fn what_the_checksum_does_not_find_has_a_name_of_its_own() {
    let reason_of =
        |change: fn(&mut Vec<u8>)| check("resealed", &damaged(|value| resealed(value, change)));
    let cases: [(Change, Expect); 8] = [
        (|value| value[0] = 99, expect!["unknown row kind 99"]),
        (|value| value[1] = 2, expect!["invalid blob flag 2"]),
        // A blob that is denied.
        (|value| value[1] = 0, expect!["invalid blob flag 0"]),
        (|value| value[2] = 200, expect!["it is cut short"]),
        (|value| value[5] = 255, expect!["it is cut short"]),
        (|value| value[6] = 0xff, expect!["a text is not UTF-8"]),
        (|value| value.truncate(8), expect!["it is cut short"]),
        (Vec::clear, expect!["it is cut short"]),
    ];
    for (change, expected) in cases {
        expected.assert_eq(&reason_of(change));
    }
}

#[test]
fn every_flipped_bit_is_found() {
    let disk = damaged(|_| {});
    let length = value_of(&disk).len();
    assert_eq!(
        load(&open(&disk).expect("whole"), ID).expect("whole"),
        [sample()]
    );
    for bit in 0..length * 8 {
        let disk = damaged(|value| value[bit / 8] ^= 1 << (bit % 8));
        let reason = check(&format!("bit {bit}"), &disk);
        assert!(
            reason.starts_with("its checksum is "),
            "bit {bit}: {reason}"
        );
    }
}

#[test]
fn every_cut_and_every_addition_is_found() {
    let length = value_of(&damaged(|_| {})).len();
    for cut in 0..length {
        let reason = check(
            &format!("cut to {cut}"),
            &damaged(|value| value.truncate(cut)),
        );
        let expected = if cut < 4 {
            "it is cut short"
        } else {
            "its checksum is "
        };
        assert!(reason.starts_with(expected), "cut to {cut}: {reason}");
    }
    for added in 1..=8 {
        let longer = damaged(|value| value.extend(vec![0; added]));
        check(&format!("{added} bytes added"), &longer);
    }
}

#[test]
fn a_value_under_another_key_is_found() {
    for (id, sequence) in [
        (ID, 8),
        (ID, 0),
        ("order-2", 7),
        ("order-", 7),
        ("order-17", 7),
    ] {
        let disk = damaged(|_| {});
        let value = value_of(&disk);
        meddle(&disk, |transaction| {
            let mut rows = transaction.open_table(ROWS).expect("a store has it");
            rows.insert((id, sequence), &value[..])
                .expect("memory takes it");
        });
        let store = open(&disk).expect("the pages are whole");
        let error = load(&store, id).expect_err("it was moved");
        assert_eq!(kind_of(&error), Some(StoreErrorKind::Damaged));
        let expected =
            format!("checkpoint store: row {sequence} of run {id:?} is damaged: its checksum is ");
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
}
