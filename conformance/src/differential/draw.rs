//! Where operations are drawn from: few runs and few sequences, so that operations meet.

use crashpoint::RowKind;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::contract::REFERENCE_KINDS;

use super::operations::{Operation, Operations, append, clear, load, reopen, row, rows_from};

/// Plain ids first, since drawn ids shrink towards them.
const IDS: [&str; 6] = ["a", "b", "c", "ab", "a:1", "A"];

/// Sequences that no run reaches by counting.
const FAR: [u64; 6] = [
    255,
    256,
    1 << 32,
    (1 << 53) + 1,
    i64::MAX as u64 + 1,
    u64::MAX,
];

/// The most rows that one operation appends. More would hide the other operations.
const ROWS_MAX: u64 = 40;

/// Which operations may be drawn, and how many.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope {
    pub(super) operations_max: usize,
    pub(super) reopens: bool,
    pub(super) engine_kinds: bool,
}

pub(super) fn cases(scope: Scope) -> impl Strategy<Value = Operations> {
    // `Differential::operations_max` sets at least 1.
    assert!(scope.operations_max >= 1, "a case has an operation");
    vec(operation(scope), 1..=scope.operations_max).prop_map(Operations::new)
}

fn operation(scope: Scope) -> impl Strategy<Value = Operation> {
    let id = || (0..IDS.len()).prop_map(|index| IDS[index]);
    let appended = (id(), sequence(), 0..3_u8, kind(scope), blob());
    let appended =
        appended.prop_map(|(id, at, mark, kind, blob)| append(id, row(at, mark, kind, blob)));
    let rows = (id(), 0..4_u64, 2..=ROWS_MAX);
    let rows = rows.prop_map(|(id, from, count)| rows_from(id, from, count));
    prop_oneof![
        10 => appended,
        2 => rows,
        4 => id().prop_map(load),
        3 => id().prop_map(clear),
        u32::from(scope.reopens) => Just(()).prop_map(|()| reopen()),
    ]
}

fn sequence() -> impl Strategy<Value = u64> {
    prop_oneof![12 => 0..6_u64, 2 => 6..40_u64, 1 => select(&FAR[..])]
}

fn kind(scope: Scope) -> impl Strategy<Value = RowKind> {
    let kinds: &'static [RowKind] = if scope.engine_kinds {
        RowKind::ALL
    } else {
        &REFERENCE_KINDS
    };
    (0..kinds.len()).prop_map(|index| kinds[index])
}

fn blob() -> impl Strategy<Value = Option<Vec<u8>>> {
    option::of(vec(any::<u8>(), 0..12))
}
