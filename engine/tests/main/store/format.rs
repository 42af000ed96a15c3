//! Format 1, byte for byte: what an earlier release wrote has to be read by every later one.

use crashpoint::CheckpointRow;
use expect_test::{Expect, expect};
use redb::{ReadableDatabase as _, ReadableTable as _};

use super::disk::MemoryDisk;
use super::{ABOUT, ROWS, append, load, meddle, one_of_each, open};

/// Every key and value of the file, a line for each.
fn dump(disk: &MemoryDisk) -> String {
    let file = disk.named().expect("there is a store");
    let database = redb::Builder::new().create_with_backend(file);
    let database = database.expect("it is a database");
    let read = database.begin_read().expect("it can be read");
    let about = read.open_table(ABOUT).expect("a store has it");
    let rows = read.open_table(ROWS).expect("a store has it");
    let about = about.iter().expect("it can be read").map(|entry| {
        let (key, value) = entry.expect("it can be read");
        format!("about {:?} {}\n", key.value(), value.value())
    });
    let rows = rows.iter().expect("it can be read").map(|entry| {
        let (key, value) = entry.expect("it can be read");
        let (id, sequence) = key.value();
        let hex: String = value
            .value()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{id:?} {sequence} {hex}\n")
    });
    about.chain(rows).collect()
}

fn check(rows: &[(&str, CheckpointRow)], expected: &Expect) {
    let disk = MemoryDisk::default();
    let store = open(&disk).expect("an empty place");
    for (id, row) in rows {
        append(&store, id, row.clone()).expect("a free sequence");
    }
    drop(store);
    expected.assert_eq(&dump(&disk));
}

#[test]
fn every_kind_of_row_has_these_bytes() {
    let rows: Vec<_> = one_of_each()
        .into_iter()
        .map(|row| ("order-1", row))
        .collect();
    check(
        &rows,
        &expect![[r#"
        about "format" 1
        "order-1" 0 00000500000050c3a4636b06000000636861726765c510c0a2
        "order-1" 1 00010500000050c3a4636b0600000063686172676500ffcce02ede
        "order-1" 2 01000500000050c3a4636b06000000636861726765132115fb
        "order-1" 3 01010500000050c3a4636b0600000063686172676500ffbadb9258
        "order-1" 4 02000500000050c3a4636b0600000063686172676569736a11
        "order-1" 5 02010500000050c3a4636b0600000063686172676500ff61902708
        "order-1" 6 03000500000050c3a4636b06000000636861726765bf42bf48
        "order-1" 7 03010500000050c3a4636b0600000063686172676500ff17ab9b8e
        "order-1" 8 04000500000050c3a4636b06000000636861726765dcd1e51e
        "order-1" 9 04010500000050c3a4636b0600000063686172676500ffd7074da9
        "order-1" 10 05000500000050c3a4636b060000006368617267650ae03047
        "order-1" 11 05010500000050c3a4636b0600000063686172676500ffa13cf12f
        "order-1" 12 06000500000050c3a4636b0600000063686172676570b24fad
        "order-1" 13 06010500000050c3a4636b0600000063686172676500ff7a77447f
        "order-1" 14 07000500000050c3a4636b06000000636861726765a6839af4
        "order-1" 15 07010500000050c3a4636b0600000063686172676500ff0c4cf8f9
        "order-1" 16 08000500000050c3a4636b06000000636861726765b694fa01
        "order-1" 17 08010500000050c3a4636b0600000063686172676500fffa2ee930
        "order-1" 18 09000500000050c3a4636b0600000063686172676560a52f58
        "order-1" 19 09010500000050c3a4636b0600000063686172676500ff8c1555b6
        "order-1" 20 0a000500000050c3a4636b060000006368617267651af750b2
        "order-1" 21 0a010500000050c3a4636b0600000063686172676500ff575ee0e6
        "order-1" 22 0b000500000050c3a4636b06000000636861726765ccc685eb
        "order-1" 23 0b010500000050c3a4636b0600000063686172676500ff21655c60
        "order-1" 24 0c000500000050c3a4636b06000000636861726765af55dfbd
        "order-1" 25 0c010500000050c3a4636b0600000063686172676500ffe1c98a47
    "#]],
    );
}

#[test]
fn the_checksum_covers_the_key_and_the_order_is_that_of_the_key() {
    let same = |sequence| CheckpointRow::new(sequence, "S", "t");
    let rows = [
        ("b", same(0)),
        ("a", same(u64::MAX)),
        ("a", same(256)),
        ("a", same(1)),
        ("", same(0)),
        ("a\0", same(0)),
        ("ü", same(0)),
    ];
    check(
        &rows,
        &expect![[r#"
        about "format" 1
        "" 0 0000010000005301000000741bfaa08f
        "a" 1 000001000000530100000074014117fe
        "a" 256 0000010000005301000000741ffa924c
        "a" 18446744073709551615 0000010000005301000000749faa1e78
        "a\0" 0 00000100000053010000007493a0ec22
        "b" 0 000001000000530100000074a4f86ee0
        "ü" 0 000001000000530100000074451d5a12
    "#]],
    );
}

/// The other direction: bytes that were not written by this code.
#[test]
fn written_bytes_are_read_as_the_row_that_they_were() {
    let disk = MemoryDisk::default();
    drop(open(&disk).expect("an empty place"));
    let frozen = [
        "00000500000050c3a4636b06000000636861726765c510c0a2",
        "00010500000050c3a4636b0600000063686172676500ffcce02ede",
    ];
    meddle(&disk, |transaction| {
        let mut rows = transaction.open_table(ROWS).expect("a store has it");
        for (sequence, hex) in (0..).zip(frozen) {
            let bytes: Vec<u8> = (0..hex.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"))
                .collect();
            rows.insert(("order-1", sequence), &bytes[..])
                .expect("memory takes it");
        }
    });
    let store = open(&disk).expect("it is whole");
    assert_eq!(
        load(&store, "order-1").expect("it is whole"),
        one_of_each()[..2]
    );
}
