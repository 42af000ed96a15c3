//! A file whose bytes rot: an error, or the right rows. Never a wrong row, never a panic.

use crashpoint::CheckpointRow;
use crashpoint::disk::OpenCheck;
use expect_test::expect;
use proptest::prelude::*;

use super::disk::MemoryDisk;
use super::{append, ids, load, one_of_each, open, open_with_check, row};

/// Two runs of several pages, in a file that was closed, or one whose process has crashed.
fn image(closed: bool) -> (Vec<u8>, [(&'static str, Vec<CheckpointRow>); 2]) {
    let disk = MemoryDisk::default();
    let store = open(&disk).expect("an empty place");
    let long = (0..60).map(|sequence| row(sequence).with_output(vec![7; 200]));
    let runs = [("order-1", one_of_each()), ("order-2", long.collect())];
    for (id, rows) in &runs {
        for row in rows {
            append(&store, id, row.clone()).expect("a free sequence");
        }
    }
    let crashed = disk.bytes();
    drop(store);
    (if closed { disk.bytes() } else { crashed }, runs)
}

/// Whether the file still gives every row; panics where it gives a wrong one, or one less.
fn survives(bytes: Vec<u8>, runs: &[(&str, Vec<CheckpointRow>)], what: &str) -> bool {
    let disk = MemoryDisk::holding(bytes);
    let Ok(store) = open(&disk) else { return false };
    let listed = ids(&store);
    assert!(
        listed.is_err() || listed.as_ref().is_ok_and(|ids| ids.len() == runs.len()),
        "{what}"
    );
    let loaded = runs.iter().filter_map(|(id, rows)| {
        let found = load(&store, id).ok()?;
        // Not compared by `assert_eq`, which would print pages of rows.
        assert!(found == *rows, "{what}: run {id} has {} rows", found.len());
        Some(())
    });
    loaded.count() == runs.len() && listed.is_ok()
}

/// How many of the flips are noticed. Each inverts the bit at a byte.
fn refused(closed: bool, flips: impl Iterator<Item = (usize, usize)>) -> usize {
    let (bytes, runs) = image(closed);
    let lost = flips.filter(|(byte, bit)| {
        let mut rotten = bytes.clone();
        rotten[*byte] ^= 1 << bit;
        !survives(
            rotten,
            &runs,
            &format!("closed: {closed}, byte {byte}, bit {bit}"),
        )
    });
    lost.count()
}

/// The byte of the header that says which of its two halves counts. It has no checksum, and to a
/// half that was written last and not chosen it looks like a commit that never came to its end.
const CHOICE: usize = 9;

/// The header has no second copy.
#[test]
fn a_flipped_bit_in_the_header_loses_no_row_in_silence() {
    for closed in [true, false] {
        let opening = (0..64).flat_map(|byte| (0..8).map(move |bit| (byte, bit)));
        let halves = (64..320).map(|byte| (byte, byte % 8));
        let known = |flip: &(usize, usize)| !closed && *flip == (CHOICE, 0);
        let flips = opening.chain(halves).filter(|flip| !known(flip));
        let refused = refused(closed, flips);
        assert!(
            refused > 100,
            "closed: {closed}: {refused} flips were noticed"
        );
    }
}

/// The one bit of a file whose loss is not noticed, after a crash: the last commit is gone with it.
/// An older copy of the file would look the same.
#[test]
fn the_bit_that_chooses_the_newer_half_of_the_header_is_the_one_that_is_trusted() {
    let (mut bytes, runs) = image(false);
    bytes[CHOICE] ^= 1;
    let store = open(&MemoryDisk::holding(bytes)).expect("it looks like a crash");
    let [(first, whole), (second, cut)] = &runs;
    assert!(load(&store, first).expect("it is whole") == *whole);
    assert!(load(&store, second).expect("it is whole") == cut[..cut.len() - 1]);
}

#[test]
fn a_flipped_bit_in_a_page_loses_no_row_in_silence() {
    for closed in [true, false] {
        let (bytes, _) = image(closed);
        let used = (320..bytes.len()).filter(|at| bytes[*at] != 0);
        let refused = refused(closed, used.step_by(61).map(|byte| (byte, byte % 8)));
        assert!(
            refused > 50,
            "closed: {closed}: {refused} flips were noticed"
        );
    }
}

/// What the check at the opening is for, and what holds without it.
#[test]
fn without_the_check_at_the_opening_rows_can_be_missing_and_none_is_wrong() {
    let (mut right, mut refused, mut missing) = (0, 0, 0);
    for closed in [true, false] {
        let (bytes, runs) = image(closed);
        let used = (320..bytes.len()).filter(|at| bytes[*at] != 0);
        for (byte, bit) in used.step_by(17).map(|byte| (byte, byte % 8)) {
            let mut rotten = bytes.clone();
            rotten[byte] ^= 1 << bit;
            let disk = MemoryDisk::holding(rotten);
            let Ok(store) = open_with_check(&disk, OpenCheck::Skipped) else {
                refused += 1;
                continue;
            };
            let loaded = runs.each_ref().map(|(id, rows)| (load(&store, id), rows));
            let shown = loaded
                .iter()
                .filter_map(|(found, rows)| Some((found.as_ref().ok()?, rows)));
            let mut lacks = false;
            for (found, rows) in shown {
                let known = found.iter().all(|row| rows.contains(row));
                assert!(
                    known,
                    "closed: {closed}, byte {byte}, bit {bit}: a wrong row"
                );
                lacks |= found.len() < rows.len();
            }
            match loaded.iter().all(|(found, _)| found.is_ok()) {
                _ if lacks => missing += 1,
                true => right += 1,
                false => refused += 1,
            }
        }
    }
    expect!["315 right, 1757 refused, 14 with rows missing"].assert_eq(&format!(
        "{right} right, {refused} refused, {missing} with rows missing"
    ));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_smeared_or_lost_sector_loses_no_row_in_silence(
        closed: bool,
        sector in 1_usize..4096,
        fill in prop_oneof![Just(0_u8), any::<u8>()],
        length in 1_usize..=512,
    ) {
        let (mut bytes, runs) = image(closed);
        let from = sector % (bytes.len() / 512) * 512;
        bytes[from..from + length].fill(fill);
        survives(bytes, &runs, &format!("closed: {closed}, {length} bytes at {from} are {fill}"));
    }

    #[test]
    fn a_file_that_was_cut_or_grew_loses_no_row_in_silence(
        closed: bool,
        length in 0_usize..300_000,
    ) {
        let (mut bytes, runs) = image(closed);
        bytes.resize(length, 0);
        survives(bytes, &runs, &format!("closed: {closed}, {length} bytes long"));
    }
}
