//! Rows as bytes, for a fuzzer to damage.
//!
//! Every byte string is a list of rows, and undamaged bytes keep their meaning. A row whose sequence
//! is its index has none in the bytes, so an inserted or a removed row shifts the others.

use crashpoint::{CheckpointRow, RowKind};

/// A flag: the sequence of the row follows.
const SEQUENCE: u8 = 0x80;
/// A flag: the row has a blob.
const BLOB: u8 = 0x40;
/// The bits of the kind, modulo the number of kinds.
const KIND: u8 = 0x3f;

/// The input that [`rows`](crate::rows) reads as these rows.
///
/// # Panics
///
/// If a name is longer than 255 bytes or a blob is longer than 65535.
pub fn write_rows(rows: &[CheckpointRow]) -> Vec<u8> {
    let mut input = vec![0];
    for (index, row) in (0..).zip(rows) {
        let kind = RowKind::ALL.iter().position(|kind| *kind == row.kind);
        let mut head = u8::try_from(kind.expect("every kind is listed")).expect("there are few");
        if row.sequence != index {
            head |= SEQUENCE;
        }
        if row.output_blob.is_some() {
            head |= BLOB;
        }
        input.push(head);
        if row.sequence != index {
            input.extend(row.sequence.to_le_bytes());
        }
        for name in [&row.state, &row.task_id] {
            input.push(u8::try_from(name.len()).expect("a name of at most 255 bytes"));
            input.extend(name.as_bytes());
        }
        if let Some(blob) = &row.output_blob {
            let length = u16::try_from(blob.len()).expect("a blob of at most 65535 bytes");
            input.extend(length.to_le_bytes());
            input.extend(blob);
        }
    }
    input
}

/// Reads rows from the bytes after the mode.
pub(crate) fn read(bytes: &[u8]) -> Vec<CheckpointRow> {
    let mut rows = Vec::new();
    let mut rest = bytes;
    while let [head, tail @ ..] = rest {
        rest = tail;
        let index = rows.len() as u64;
        let sequence = match head & SEQUENCE {
            0 => index,
            _ => u64::from_le_bytes(array(&mut rest)),
        };
        let state = name(&mut rest);
        let task = name(&mut rest);
        let mut row = CheckpointRow::new(sequence, state, task);
        row.kind = RowKind::ALL[usize::from(head & KIND) % RowKind::ALL.len()];
        if head & BLOB != 0 {
            let length = u16::from_le_bytes(array(&mut rest));
            row.output_blob = Some(take(&mut rest, length.into()).to_vec());
        }
        rows.push(row);
    }
    assert!(
        rows.len() <= bytes.len(),
        "each row takes at least the byte of its kind"
    );
    rows
}

/// Takes `length` bytes, or all that are left if there are fewer.
fn take<'a>(rest: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, tail) = rest.split_at(length.min(rest.len()));
    *rest = tail;
    taken
}

/// Takes `N` bytes; missing bytes are zero.
fn array<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let mut array = [0; N];
    let taken = take(rest, N);
    array[..taken.len()].copy_from_slice(taken);
    array
}

fn name(rest: &mut &[u8]) -> String {
    let [length] = array(rest);
    String::from_utf8_lossy(take(rest, length.into())).into_owned()
}
