//! The target `row_codec`: a written row is read back, a decoded row encodes to the same bytes, and no
//! input panics. It checks both codecs: events in rows, and rows in the values of the embedded store.

use crashpoint::disk::row_format::{self, Damage};
use crashpoint::{CheckpointRow, Event, RowFault};

use crate::logs::logs;
use crate::{Seed, rows};

/// The number of decoded parts of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decoded {
    /// Rows that are an event.
    pub events: usize,
    /// Values of the embedded store that are rows.
    pub values: usize,
}

/// The run that the values belong to.
const RUN: &str = "run-1";

/// Decodes the rows of `input`, as [`rows`] reads them, and the whole input as a value.
///
/// # Panics
///
/// As [`check_codec`] says.
pub fn row_codec(input: &[u8]) -> Decoded {
    check_codec(input, Event::from_row, row_format::decode)
}

/// Checks two decoders: of events, and of the values of the embedded store.
///
/// # Panics
///
/// If a decoder panics, does not read a row of the engine, or accepts bytes that the engine would not
/// write; if it accepts a value under another key, or a changed value.
pub fn check_codec(
    input: &[u8],
    event: impl Fn(&CheckpointRow) -> Result<Event, RowFault>,
    value: impl Fn(&str, u64, &[u8]) -> Result<CheckpointRow, Damage>,
) -> Decoded {
    let mut decoded = Decoded::default();
    for row in rows(input) {
        decoded.events += usize::from(check_event(&row, &event));
        check_row(&row, &value);
    }
    decoded.values += usize::from(check_value(input, &value));
    // A fuzzer does not find the checksum, so the target adds it.
    decoded.values += usize::from(check_value(&with_checksum(input), &value));
    decoded
}

fn check_event(
    row: &CheckpointRow,
    decode: impl Fn(&CheckpointRow) -> Result<Event, RowFault>,
) -> bool {
    let Ok(event) = decode(row) else { return false };
    let written = event.to_row(row.sequence);
    assert_eq!(written, *row, "a decoded row encodes to the same bytes");
    assert_eq!(
        decode(&written),
        Ok(event),
        "an encoded event decodes to itself"
    );
    true
}

fn check_row(
    row: &CheckpointRow,
    decode: impl Fn(&str, u64, &[u8]) -> Result<CheckpointRow, Damage>,
) {
    let value = row_format::encode(RUN, row).expect("a row this short has a value");
    let sequence = row.sequence;
    let read = decode(RUN, sequence, &value);
    assert_eq!(read.as_ref(), Ok(row), "an encoded row decodes to itself");
    assert_eq!(
        value,
        with_checksum_at(sequence, without_checksum(&value)),
        "the format is as documented"
    );
    for (run, sequence) in [("run-2", sequence), (RUN, sequence ^ 1)] {
        let moved = decode(run, sequence, &value);
        assert!(moved.is_err(), "a moved value is refused: {moved:?}");
    }
    let mut flipped = value;
    let index = row.state.len() % flipped.len();
    flipped[index] ^= 0x10;
    let read = decode(RUN, sequence, &flipped);
    assert!(
        read.is_err(),
        "a value with a flipped bit is refused: {read:?}"
    );
}

fn check_value(
    value: &[u8],
    decode: impl Fn(&str, u64, &[u8]) -> Result<CheckpointRow, Damage>,
) -> bool {
    let Ok(row) = decode(RUN, 0, value) else {
        return false;
    };
    let written = row_format::encode(RUN, &row);
    let again = written.as_deref() == Some(value);
    assert!(again, "a decoded value encodes to the same bytes: {row:?}");
    true
}

fn without_checksum(value: &[u8]) -> &[u8] {
    let length = value.len() - size_of::<u32>();
    &value[..length]
}

/// The content of a value followed by its checksum, as the format says.
fn with_checksum(content: &[u8]) -> Vec<u8> {
    with_checksum_at(0, content)
}

fn with_checksum_at(sequence: u64, content: &[u8]) -> Vec<u8> {
    let id = (RUN.len() as u64).to_le_bytes();
    let key = [&id[..], RUN.as_bytes(), &sequence.to_le_bytes()].concat();
    let checksum = crc32fast::hash(&[&key, content].concat());
    [content, &checksum.to_le_bytes()].concat()
}

/// Rows of events, and contents of values: valid, and with each fault.
pub(crate) fn seeds() -> Vec<Seed> {
    let seed = |name: &str, input: Vec<u8>| Seed {
        name: name.to_owned(),
        input,
    };
    let of_rows = [
        "done",
        "import-in-a-loop",
        "stuck-then-rolled-back",
        "cut-claim",
    ];
    let taken = logs().into_iter().filter(|log| of_rows.contains(&log.name));
    let mut seeds: Vec<Seed> = taken.map(|log| seed(log.name, log.input)).collect();
    assert_eq!(seeds.len(), of_rows.len(), "the names are those of logs");
    let row = CheckpointRow::new(0, "Ship", "charge");
    let content = |row: &CheckpointRow| {
        let value = row_format::encode(RUN, row).expect("a row this short has a value");
        without_checksum(&value).to_vec()
    };
    let plain = content(&row);
    let with_blob = content(&row.with_output(b"receipt".to_vec()));
    let at = |mut content: Vec<u8>, index: usize, byte: u8| {
        content[index] = byte;
        content
    };
    seeds.extend([
        seed("value-plain", plain.clone()),
        seed("value-with-blob", with_blob.clone()),
        seed("value-sealed", with_checksum(&with_blob)),
        seed("value-of-no-kind", at(plain.clone(), 0, 0xff)),
        seed("value-of-no-flag", at(plain.clone(), 1, 2)),
        seed("value-with-a-blob-it-denies", at(with_blob, 1, 0)),
        seed("value-too-short", at(plain.clone(), 2, 0xff)),
        seed("value-without-text", at(plain, 6, 0xff)),
    ]);
    seeds
}
