//! The codec between rows and events, and the bytes that it may never change.

use crashpoint::{
    BlobFault, Cause, CauseKind, CheckpointRow, ClaimRecord, Event, IdHash, Nonce, RowFault,
    RowKind, Undone,
};
use expect_test::{Expect, expect};
use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};

use super::{
    claim_record, compensated, compensation_failed, completed, entered, first_claim, later_claim,
    polled, produced, rollback_started, routed, row, stepped, timer_started,
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every event once, in the order of the codes.
fn one_of_each() -> Vec<Event> {
    vec![
        entered("pack", "charge"),
        completed("pack", "charge", b"\"r-1\""),
        stepped("scan", "scan", b"7"),
        first_claim("charge"),
        later_claim("pack"),
        rollback_started("pack", "pack", true),
        compensated("pack", Undone::InDoubt(1)),
        compensated("charge", Undone::Completion(3)),
        compensation_failed("charge", Undone::Completion(258)),
        Event::RolledBack,
        produced("pack", "weigh", b"7.5"),
        routed("pack", "decide"),
        timer_started("cool", "cool", 1_700_000_000_000),
        polled("track", "track", 0, Some(1_700_000_000_000)),
        polled("track", "track", 4, None),
    ]
}

#[test]
fn the_bytes_of_every_row_are_frozen() {
    let mut table = String::new();
    for event in one_of_each() {
        let row = event.to_row(5);
        let blob = row.output_blob.as_deref().map_or("none".to_owned(), hex);
        table.push_str(&format!(
            "{} {:?} {:?} {blob}\n",
            row.kind, row.state, row.task_id
        ));
    }
    expect![[r#"
        state_entry "pack" "charge" none
        compensation_completion "pack" "charge" 22722d3122
        step_cursor "scan" "scan" 37
        claim "charge" "" 010101010101010101010101010101010101010101010101010101010101010101050000006f72646572010000000700000000000000e80300000000000001000000070000007368697070656401020000003432
        claim "pack" "" 010101010101010101010101010101010102020202020202020202020202020202050000006f72646572010000000700000000000000e80300000000000001000000070000007368697070656400
        rollback_start "pack" "pack" 010001080000006e6f2073746f636b
        compensated "" "pack" 01010100000000000000
        compensated "" "charge" 01000300000000000000
        compensation_failed "" "charge" 010002010000000000000700000072656675736564
        rolled_back "" "" none
        task_output "pack" "weigh" 372e35
        routed "pack" "decide" none
        timer_start "cool" "cool" 010068e5cf8b010000
        poll_rounds "track" "track" 010000000000000000010068e5cf8b010000
        poll_rounds "track" "track" 01040000000000000000
    "#]].assert_eq(&table);
}

/// The rows above are of version 1, which the engine wrote until its claims named their workflow id.
#[test]
fn the_bytes_of_a_claim_record_of_version_2_are_frozen() {
    let id_hash = Some(IdHash::of("order-1"));
    let table: String = [
        ClaimRecord {
            id_hash,
            input: Some(b"42".as_slice().into()),
            ..claim_record(Nonce([1; 16]))
        },
        ClaimRecord {
            id_hash,
            ..claim_record(Nonce([2; 16]))
        },
    ]
    .iter()
    .map(|claim| format!("{}\n", hex(&claim.encode())))
    .collect();
    expect![[r#"
        020bafe22156d2698c143b86040446d3660101010101010101010101010101010101010101010101010101010101010101050000006f72646572010000000700000000000000e80300000000000001000000070000007368697070656401020000003432
        020bafe22156d2698c143b86040446d3660101010101010101010101010101010102020202020202020202020202020202050000006f72646572010000000700000000000000e80300000000000001000000070000007368697070656400
    "#]].assert_eq(&table);
    for line in table.lines() {
        assert!(line.starts_with("02"), "a version has a byte");
    }
    let bytes = ClaimRecord {
        id_hash,
        ..claim_record(Nonce([2; 16]))
    }
    .encode();
    for end in 0..bytes.len() {
        let cut = ClaimRecord::decode(&bytes[..end]);
        assert_eq!(cut, Err(BlobFault::Truncated), "{end} bytes");
    }
}

#[test]
fn the_codes_and_words_of_the_kinds_are_frozen() {
    let table: String = RowKind::ALL
        .iter()
        .map(|kind| format!("{} {kind}\n", kind.code()))
        .collect();
    expect![[r#"
        0 state_entry
        1 compensation_completion
        2 step_cursor
        3 claim
        4 branch_completion
        5 rollback_start
        6 compensated
        7 compensation_failed
        8 rolled_back
        9 task_output
        10 routed
        11 timer_start
        12 poll_rounds
    "#]]
    .assert_eq(&table);
    for &kind in RowKind::ALL {
        assert_eq!(RowKind::try_from(kind.code()), Ok(kind));
        assert_eq!(kind.as_str().parse(), Ok(kind));
    }
    let unknown = RowKind::try_from(13).expect_err("no kind has this code");
    assert_eq!(unknown.to_string(), "unknown row kind 13");
    let unknown = "Claim"
        .parse::<RowKind>()
        .expect_err("words are lower case");
    assert_eq!(unknown.to_string(), "unknown row kind \"Claim\"");
    assert_eq!(RowKind::default(), RowKind::StateEntry);
}

#[test]
fn every_cause_has_its_own_code() {
    let causes = [
        (CauseKind::Failure, "01000000000000", "failed: "),
        (CauseKind::Timeout, "01010000000000", "timed out: "),
        (CauseKind::Cancelled, "01020000000000", "cancelled"),
    ];
    for (kind, bytes, words) in causes {
        let cause = Cause {
            kind,
            message: "".into(),
        };
        assert_eq!(cause.to_string(), words);
        let event = Event::RollbackStarted {
            state: "pack".into(),
            task: "pack".into(),
            cause,
            undo_open_visit: false,
        };
        assert_eq!(hex(&event.to_row(0).output_blob.expect("a cause")), bytes);
    }
}

fn check_fault(row: &CheckpointRow, expected: &RowFault, message: &Expect) {
    let found = Event::from_row(row).expect_err("the row says nothing");
    assert_eq!(&found, expected);
    message.assert_eq(&found.to_string());
}

#[test]
fn a_row_with_too_much_or_too_little_says_nothing() {
    use RowKind::{
        BranchCompletion, Claim, Compensated, CompensationCompletion, CompensationFailed,
        PollRounds, RollbackStart, RolledBack, Routed, StateEntry, StepCursor, TaskOutput,
        TimerStart,
    };

    check_fault(
        &row(BranchCompletion, "split", "left", Some(b"1")),
        &RowFault::UnknownKind(BranchCompletion),
        &expect!["row kind branch_completion is not known to this engine"],
    );
    for kind in [
        Claim,
        CompensationCompletion,
        TaskOutput,
        StepCursor,
        TimerStart,
        PollRounds,
        RollbackStart,
        Compensated,
        CompensationFailed,
    ] {
        let state = if matches!(kind, Compensated | CompensationFailed) {
            ""
        } else {
            "pack"
        };
        let task = if kind == Claim { "" } else { "pack" };
        let found = Event::from_row(&row(kind, state, task, None));
        assert_eq!(found, Err(RowFault::BlobMissing(kind)));
    }
    check_fault(
        &row(StepCursor, "pack", "pack", None),
        &RowFault::BlobMissing(StepCursor),
        &expect!["a row of kind step_cursor needs a blob"],
    );
    check_fault(
        &row(RolledBack, "", "", Some(b"")),
        &RowFault::BlobUnexpected(RolledBack),
        &expect!["a row of kind rolled_back has no blob"],
    );
    check_fault(
        &row(StateEntry, "pack", "charge", Some(b"")),
        &RowFault::BlobUnexpected(StateEntry),
        &expect!["a row of kind state_entry has no blob"],
    );
    check_fault(
        &row(Routed, "pack", "decide", Some(b"")),
        &RowFault::BlobUnexpected(Routed),
        &expect!["a row of kind routed has no blob"],
    );
    let blob = claim_record(Nonce([2; 16])).encode();
    check_fault(
        &row(Claim, "pack", "charge", Some(&blob)),
        &RowFault::FieldUnexpected(Claim, "task", "charge".into()),
        &expect![[r#"a row of kind claim has no task, found "charge""#]],
    );
    check_fault(
        &row(CompensationCompletion, "", "charge", Some(b"1")),
        &RowFault::FieldMissing(CompensationCompletion, "state"),
        &expect!["a row of kind compensation_completion needs a state"],
    );
    check_fault(
        &row(StateEntry, "pack", "", None),
        &RowFault::FieldMissing(StateEntry, "task"),
        &expect!["a row of kind state_entry needs a task"],
    );
    for (kind, state, task, field) in [
        (Compensated, "pack", "pack", "state"),
        (CompensationFailed, "pack", "pack", "state"),
        (RolledBack, "pack", "", "state"),
        (RolledBack, "", "pack", "task"),
    ] {
        let blob = (kind != RolledBack).then_some(&b""[..]);
        let found = Event::from_row(&row(kind, state, task, blob));
        let expected = RowFault::FieldUnexpected(kind, field, "pack".into());
        assert_eq!(found, Err(expected));
    }
}

#[test]
fn a_blob_that_was_cut_or_changed_says_which_way() {
    let started = rollback_started("pack", "pack", true).to_row(0);
    let failed = compensation_failed("pack", Undone::Completion(3)).to_row(0);
    let changed = |row: &CheckpointRow, change: fn(&mut Vec<u8>)| {
        let mut row = row.clone();
        change(row.output_blob.as_mut().expect("the row has a blob"));
        row
    };
    let cases: [(CheckpointRow, BlobFault, Expect); 7] = [
        (
            changed(&started, |blob| _ = blob.pop()),
            BlobFault::Truncated,
            expect!["blob of a row of kind rollback_start can't be read: it ends too early"],
        ),
        (
            changed(&started, |blob| blob.extend([0, 0])),
            BlobFault::TrailingBytes(2),
            expect!["blob of a row of kind rollback_start can't be read: 2 bytes follow its end"],
        ),
        (
            changed(&started, |blob| blob[0] = 2),
            BlobFault::Version {
                found: 2,
                expected: 1,
            },
            expect![
                "blob of a row of kind rollback_start can't be read: it has version 2, expected 1"
            ],
        ),
        (
            changed(&started, |blob| blob[1] = 3),
            BlobFault::Tag(3),
            expect!["blob of a row of kind rollback_start can't be read: unknown tag 3"],
        ),
        (
            changed(&started, |blob| blob[2] = 2),
            BlobFault::Tag(2),
            expect!["blob of a row of kind rollback_start can't be read: unknown tag 2"],
        ),
        (
            changed(&failed, |blob| blob[1] = 9),
            BlobFault::Tag(9),
            expect!["blob of a row of kind compensation_failed can't be read: unknown tag 9"],
        ),
        (
            changed(&failed, |blob| *blob.last_mut().expect("not empty") = 0xff),
            BlobFault::NotUtf8,
            expect!["blob of a row of kind compensation_failed can't be read: a text is not UTF-8"],
        ),
    ];
    for (row, fault, message) in cases {
        check_fault(&row, &RowFault::Blob(row.kind, fault), &message);
    }
}

#[test]
fn every_beginning_of_a_claim_record_is_cut_short() {
    let record = claim_record(Nonce([2; 16]));
    let bytes = record.encode();
    assert_eq!(ClaimRecord::decode(&bytes), Ok(record));
    for end in 0..bytes.len() {
        assert_eq!(
            ClaimRecord::decode(&bytes[..end]),
            Err(BlobFault::Truncated),
            "{end} bytes"
        );
    }
}

/// A length that promises more than the blob has is an error, not an allocation.
#[test]
fn a_claim_record_with_four_billion_exits_is_refused_at_once() {
    let mut bytes = claim_record(Nonce([2; 16])).encode();
    let exits = 1 + 16 + 16 + (4 + "order".len()) + 4 + 8 + 8;
    bytes[exits..exits + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(ClaimRecord::decode(&bytes), Err(BlobFault::Truncated));
}

fn label() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,8}",
        prop::collection::vec(any::<char>(), 1..6).prop_map(String::from_iter),
    ]
}

fn blob() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..48)
}

fn claims() -> impl Strategy<Value = ClaimRecord> {
    let ids = (any::<[u8; 16]>(), any::<[u8; 16]>());
    let ids = (ids, prop::option::of(any::<[u8; 16]>()));
    let numbers = (any::<u32>(), any::<u64>(), any::<u64>());
    let exits = prop::collection::vec(label(), 0..4);
    (ids, label(), numbers, exits, prop::option::of(blob())).prop_map(
        |(
            ((run_id, nonce), id_hash),
            definition,
            (version, fingerprint, unix_ms),
            exits,
            input,
        )| {
            ClaimRecord {
                id_hash: id_hash.map(IdHash),
                run_id: Nonce(run_id),
                nonce: Nonce(nonce),
                definition: definition.into(),
                version,
                fingerprint,
                unix_ms,
                exits: exits.into_iter().map(Into::into).collect(),
                input: input.map(Into::into),
            }
        },
    )
}

fn undone() -> impl Strategy<Value = Undone> {
    prop_oneof![
        any::<u64>().prop_map(Undone::Completion),
        any::<u64>().prop_map(Undone::InDoubt),
    ]
}

fn any_event() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![
        Just(CauseKind::Failure),
        Just(CauseKind::Timeout),
        Just(CauseKind::Cancelled)
    ];
    let cause = (kind, ".{0,12}").prop_map(|(kind, message)| Cause {
        kind,
        message: message.into(),
    });
    prop_oneof![
        (label(), claims()).prop_map(|(state, claim)| Event::Claimed {
            state: state.into(),
            claim,
        }),
        (label(), label()).prop_map(|(state, task)| entered(&state, &task)),
        (label(), label(), blob()).prop_map(|(state, task, out)| completed(&state, &task, &out)),
        (label(), label(), blob()).prop_map(|(state, task, out)| produced(&state, &task, &out)),
        (label(), label()).prop_map(|(state, task)| routed(&state, &task)),
        (label(), label(), any::<u64>())
            .prop_map(|(state, task, at)| timer_started(&state, &task, at)),
        (label(), label(), any::<u64>(), any::<Option<u64>>())
            .prop_map(|(state, task, rounds, at)| polled(&state, &task, rounds, at)),
        (label(), label(), blob()).prop_map(|(state, task, at)| stepped(&state, &task, &at)),
        (label(), label(), cause, any::<bool>()).prop_map(|(state, task, cause, open)| {
            Event::RollbackStarted {
                state: state.into(),
                task: task.into(),
                cause,
                undo_open_visit: open,
            }
        }),
        (label(), undone()).prop_map(|(task, undone)| compensated(&task, undone)),
        (label(), undone(), ".{0,12}").prop_map(|(task, undone, error)| {
            Event::CompensationFailed {
                task: task.into(),
                undone,
                error: error.into(),
            }
        }),
        Just(Event::RolledBack),
    ]
}

/// Rows that nobody wrote: any kind, and a blob that is noise or begins like one of ours.
fn any_row() -> impl Strategy<Value = CheckpointRow> {
    let kind = prop::sample::select(RowKind::ALL);
    let ours = any_event().prop_map(|event| event.to_row(0).output_blob);
    let noise = prop::option::of(blob());
    let field = || prop_oneof![Just(String::new()), label()];
    (kind, field(), field(), prop_oneof![ours, noise]).prop_map(|(kind, state, task, blob)| {
        CheckpointRow {
            kind,
            output_blob: blob,
            ..CheckpointRow::new(3, state, task)
        }
    })
}

proptest! {
    #[test]
    fn an_event_comes_back_from_its_row(event in any_event(), sequence in any::<u64>()) {
        let row = event.to_row(sequence);
        prop_assert_eq!(row.sequence, sequence);
        prop_assert_eq!(Event::from_row(&row), Ok(event));
    }

    #[test]
    fn a_row_that_decodes_encodes_to_itself(row in any_row()) {
        if let Ok(event) = Event::from_row(&row) {
            prop_assert_eq!(event.to_row(row.sequence), row);
        }
    }

    #[test]
    fn a_claim_record_comes_back_from_its_bytes(claim in claims()) {
        prop_assert_eq!(ClaimRecord::decode(&claim.encode()), Ok(claim));
    }
}
