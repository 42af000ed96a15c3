//! The fold: which event may follow which state, and what every refusal says.

use crashpoint::{
    CheckpointRow, ClaimRecord, Event, IllegalEvent, LogFault, Nonce, Phase, RowFault, RowKind,
    RunState, Undone, rebuild,
};
use expect_test::{Expect, expect};

use super::{
    RUN, claim_record, compensated, compensation_failed, completed, entered, first_claim,
    later_claim, polled, produced, rollback_started, routed, rows, stepped, timer_started,
};

/// Every kind of phase, each with a log that leads there.
fn phases() -> Vec<(&'static str, Vec<Event>)> {
    let charged = vec![first_claim("charge"), completed("pack", "charge", b"1")];
    let then = |before: &[Event], more: &[Event]| [before, more].concat();
    let turned = then(&charged, &[rollback_started("pack", "pack", true)]);
    let open_undone = then(&turned, &[compensated("pack", Undone::InDoubt(1))]);
    let stuck = then(
        &open_undone,
        &[compensation_failed("charge", Undone::Completion(1))],
    );
    let settled = then(
        &open_undone,
        &[compensated("charge", Undone::Completion(1))],
    );
    vec![
        ("unclaimed", vec![]),
        ("forward", charged.clone()),
        ("stepping", then(&charged, &[stepped("pack", "pack", b"9")])),
        (
            "waiting",
            then(&charged, &[timer_started("pack", "pack", 8)]),
        ),
        (
            "polling",
            then(&charged, &[polled("pack", "pack", 4, Some(8))]),
        ),
        ("done", then(&charged, &[entered("shipped", "pack")])),
        ("turned", turned),
        ("one undone", open_undone),
        ("settled", settled.clone()),
        ("stuck", stuck),
        ("rolled back", then(&settled, &[Event::RolledBack])),
    ]
}

/// Every kind of event, in the form that would be right in one of the phases.
fn events() -> Vec<(&'static str, Event)> {
    vec![
        ("first claim", first_claim("pack")),
        ("later claim", later_claim("pack")),
        ("entered", entered("ship", "pack")),
        ("entered exit", entered("shipped", "pack")),
        ("completed", completed("ship", "pack", b"2")),
        ("produced", produced("ship", "pack", b"3")),
        ("routed", routed("ship", "pack")),
        ("timed", timer_started("pack", "pack", 9)),
        ("polled", polled("pack", "pack", 8, Some(8))),
        ("polled less", polled("pack", "pack", 4, Some(8))),
        ("polled later", polled("pack", "pack", 8, Some(9))),
        ("stepped", stepped("pack", "pack", b"10")),
        ("turned", rollback_started("pack", "pack", true)),
        ("undone pack", compensated("pack", Undone::InDoubt(1))),
        (
            "undone charge",
            compensated("charge", Undone::Completion(1)),
        ),
        (
            "failed charge",
            compensation_failed("charge", Undone::Completion(1)),
        ),
        ("rolled back", Event::RolledBack),
    ]
}

fn folded(log: &[Event]) -> RunState {
    rebuild(&rows(log)).expect("the log of a phase is legal")
}

fn phase_in_words(state: &RunState) -> String {
    match state.phase() {
        Phase::Unclaimed => "unclaimed".to_owned(),
        Phase::Forward(visit) => format!(
            "in {} since {}, {} cursors, {} completed, life {}",
            visit.state,
            visit.id,
            visit.cursors,
            state.completed().len(),
            state.header().expect("claimed").lives,
        ),
        Phase::RollingBack(rollback) => format!(
            "rolling back {}, {} pending, {} failed{}",
            rollback.state,
            rollback.pending.len(),
            rollback.failed.len(),
            if state.is_stuck() { ", stuck" } else { "" },
        ),
        Phase::Done { state } => format!("done in {state}"),
        Phase::RolledBack { state, cause, .. } => format!("rolled back from {state}: {cause}"),
    }
}

#[test]
fn every_event_after_every_phase_is_applied_or_refused_by_name() {
    let mut table = String::new();
    for (phase, log) in phases() {
        let before = folded(&log);
        table.push_str(&format!("{phase}: {}\n", phase_in_words(&before)));
        for (name, event) in events() {
            let mut after = before.clone();
            let verdict = match after.apply(&event) {
                Ok(()) => {
                    assert_eq!(after.next_sequence(), before.next_sequence() + 1);
                    phase_in_words(&after)
                }
                Err(illegal) => {
                    assert_eq!(after, before, "{phase} is unchanged by {name}");
                    format!("! {illegal}")
                }
            };
            table.push_str(&format!("  {name:14} {verdict}\n"));
        }
    }
    expect![[r#"
        unclaimed: unclaimed
          first claim    in pack since 0, 0 cursors, 0 completed, life 1
          later claim    ! the first claim has no input
          entered        ! the first row is not a claim
          entered exit   ! the first row is not a claim
          completed      ! the first row is not a claim
          produced       ! the first row is not a claim
          routed         ! the first row is not a claim
          timed          ! the first row is not a claim
          polled         ! the first row is not a claim
          polled less    ! the first row is not a claim
          polled later   ! the first row is not a claim
          stepped        ! the first row is not a claim
          turned         ! the first row is not a claim
          undone pack    ! the first row is not a claim
          undone charge  ! the first row is not a claim
          failed charge  ! the first row is not a claim
          rolled back    ! the first row is not a claim
        forward: in pack since 1, 0 cursors, 1 completed, life 1
          first claim    ! a repeated claim has an input
          later claim    in pack since 1, 0 cursors, 1 completed, life 2
          entered        in ship since 2, 0 cursors, 1 completed, life 1
          entered exit   done in shipped
          completed      in ship since 2, 0 cursors, 2 completed, life 1
          produced       in ship since 2, 0 cursors, 1 completed, life 1
          routed         in ship since 2, 0 cursors, 1 completed, life 1
          timed          in pack since 1, 0 cursors, 1 completed, life 1
          polled         in pack since 1, 0 cursors, 1 completed, life 1
          polled less    in pack since 1, 0 cursors, 1 completed, life 1
          polled later   in pack since 1, 0 cursors, 1 completed, life 1
          stepped        in pack since 1, 1 cursors, 1 completed, life 1
          turned         rolling back pack, 2 pending, 0 failed
          undone pack    ! an undo is recorded before a rollback started
          undone charge  ! an undo is recorded before a rollback started
          failed charge  ! an undo is recorded before a rollback started
          rolled back    ! an undo is recorded before a rollback started
        stepping: in pack since 1, 1 cursors, 1 completed, life 1
          first claim    ! a repeated claim has an input
          later claim    in pack since 1, 1 cursors, 1 completed, life 2
          entered        in ship since 3, 0 cursors, 1 completed, life 1
          entered exit   done in shipped
          completed      in ship since 3, 0 cursors, 2 completed, life 1
          produced       in ship since 3, 0 cursors, 1 completed, life 1
          routed         in ship since 3, 0 cursors, 1 completed, life 1
          timed          in pack since 1, 1 cursors, 1 completed, life 1
          polled         in pack since 1, 1 cursors, 1 completed, life 1
          polled less    in pack since 1, 1 cursors, 1 completed, life 1
          polled later   in pack since 1, 1 cursors, 1 completed, life 1
          stepped        in pack since 1, 2 cursors, 1 completed, life 1
          turned         rolling back pack, 2 pending, 0 failed
          undone pack    ! an undo is recorded before a rollback started
          undone charge  ! an undo is recorded before a rollback started
          failed charge  ! an undo is recorded before a rollback started
          rolled back    ! an undo is recorded before a rollback started
        waiting: in pack since 1, 0 cursors, 1 completed, life 1
          first claim    ! a repeated claim has an input
          later claim    in pack since 1, 0 cursors, 1 completed, life 2
          entered        in ship since 3, 0 cursors, 1 completed, life 1
          entered exit   done in shipped
          completed      in ship since 3, 0 cursors, 2 completed, life 1
          produced       in ship since 3, 0 cursors, 1 completed, life 1
          routed         in ship since 3, 0 cursors, 1 completed, life 1
          timed          ! the timer of the visit is set a second time
          polled         in pack since 1, 0 cursors, 1 completed, life 1
          polled less    in pack since 1, 0 cursors, 1 completed, life 1
          polled later   in pack since 1, 0 cursors, 1 completed, life 1
          stepped        in pack since 1, 1 cursors, 1 completed, life 1
          turned         rolling back pack, 2 pending, 0 failed
          undone pack    ! an undo is recorded before a rollback started
          undone charge  ! an undo is recorded before a rollback started
          failed charge  ! an undo is recorded before a rollback started
          rolled back    ! an undo is recorded before a rollback started
        polling: in pack since 1, 0 cursors, 1 completed, life 1
          first claim    ! a repeated claim has an input
          later claim    in pack since 1, 0 cursors, 1 completed, life 2
          entered        in ship since 3, 0 cursors, 1 completed, life 1
          entered exit   done in shipped
          completed      in ship since 3, 0 cursors, 2 completed, life 1
          produced       in ship since 3, 0 cursors, 1 completed, life 1
          routed         in ship since 3, 0 cursors, 1 completed, life 1
          timed          in pack since 1, 0 cursors, 1 completed, life 1
          polled         in pack since 1, 0 cursors, 1 completed, life 1
          polled less    ! the rounds of the poll go back, or its deadline changes
          polled later   ! the rounds of the poll go back, or its deadline changes
          stepped        in pack since 1, 1 cursors, 1 completed, life 1
          turned         rolling back pack, 2 pending, 0 failed
          undone pack    ! an undo is recorded before a rollback started
          undone charge  ! an undo is recorded before a rollback started
          failed charge  ! an undo is recorded before a rollback started
          rolled back    ! an undo is recorded before a rollback started
        done: done in shipped
          first claim    ! a row follows the terminal row
          later claim    ! a row follows the terminal row
          entered        ! a row follows the terminal row
          entered exit   ! a row follows the terminal row
          completed      ! a row follows the terminal row
          produced       ! a row follows the terminal row
          routed         ! a row follows the terminal row
          timed          ! a row follows the terminal row
          polled         ! a row follows the terminal row
          polled less    ! a row follows the terminal row
          polled later   ! a row follows the terminal row
          stepped        ! a row follows the terminal row
          turned         ! a row follows the terminal row
          undone pack    ! a row follows the terminal row
          undone charge  ! a row follows the terminal row
          failed charge  ! a row follows the terminal row
          rolled back    ! a row follows the terminal row
        turned: rolling back pack, 2 pending, 0 failed
          first claim    ! a repeated claim has an input
          later claim    rolling back pack, 2 pending, 0 failed
          entered        ! a forward row follows the start of the rollback
          entered exit   ! a forward row follows the start of the rollback
          completed      ! a forward row follows the start of the rollback
          produced       ! a forward row follows the start of the rollback
          routed         ! a forward row follows the start of the rollback
          timed          ! a forward row follows the start of the rollback
          polled         ! a forward row follows the start of the rollback
          polled less    ! a forward row follows the start of the rollback
          polled later   ! a forward row follows the start of the rollback
          stepped        ! a forward row follows the start of the rollback
          turned         ! the rollback starts a second time
          undone pack    rolling back pack, 1 pending, 0 failed
          undone charge  ! an undo of charge is recorded, but pack of sequence 1 is due
          failed charge  ! an undo of charge is recorded, but pack of sequence 1 is due
          rolled back    ! the rollback ends with 2 undos unsettled or failed
        one undone: rolling back pack, 1 pending, 0 failed
          first claim    ! a repeated claim has an input
          later claim    rolling back pack, 1 pending, 0 failed
          entered        ! a forward row follows the start of the rollback
          entered exit   ! a forward row follows the start of the rollback
          completed      ! a forward row follows the start of the rollback
          produced       ! a forward row follows the start of the rollback
          routed         ! a forward row follows the start of the rollback
          timed          ! a forward row follows the start of the rollback
          polled         ! a forward row follows the start of the rollback
          polled less    ! a forward row follows the start of the rollback
          polled later   ! a forward row follows the start of the rollback
          stepped        ! a forward row follows the start of the rollback
          turned         ! the rollback starts a second time
          undone pack    ! an undo of pack is recorded, but charge of sequence 1 is due
          undone charge  rolling back pack, 0 pending, 0 failed
          failed charge  rolling back pack, 0 pending, 1 failed, stuck
          rolled back    ! the rollback ends with 1 undos unsettled or failed
        settled: rolling back pack, 0 pending, 0 failed
          first claim    ! a repeated claim has an input
          later claim    rolling back pack, 0 pending, 0 failed
          entered        ! a forward row follows the start of the rollback
          entered exit   ! a forward row follows the start of the rollback
          completed      ! a forward row follows the start of the rollback
          produced       ! a forward row follows the start of the rollback
          routed         ! a forward row follows the start of the rollback
          timed          ! a forward row follows the start of the rollback
          polled         ! a forward row follows the start of the rollback
          polled less    ! a forward row follows the start of the rollback
          polled later   ! a forward row follows the start of the rollback
          stepped        ! a forward row follows the start of the rollback
          turned         ! the rollback starts a second time
          undone pack    ! an undo of pack is recorded, but none is due
          undone charge  ! an undo of charge is recorded, but none is due
          failed charge  ! an undo of charge is recorded, but none is due
          rolled back    rolled back from pack: failed: no stock
        stuck: rolling back pack, 0 pending, 1 failed, stuck
          first claim    ! a repeated claim has an input
          later claim    rolling back pack, 1 pending, 0 failed
          entered        ! a forward row follows the start of the rollback
          entered exit   ! a forward row follows the start of the rollback
          completed      ! a forward row follows the start of the rollback
          produced       ! a forward row follows the start of the rollback
          routed         ! a forward row follows the start of the rollback
          timed          ! a forward row follows the start of the rollback
          polled         ! a forward row follows the start of the rollback
          polled less    ! a forward row follows the start of the rollback
          polled later   ! a forward row follows the start of the rollback
          stepped        ! a forward row follows the start of the rollback
          turned         ! the rollback starts a second time
          undone pack    ! an undo of pack is recorded, but none is due
          undone charge  ! an undo of charge is recorded, but none is due
          failed charge  ! an undo of charge is recorded, but none is due
          rolled back    ! the rollback ends with 1 undos unsettled or failed
        rolled back: rolled back from pack: failed: no stock
          first claim    ! a row follows the terminal row
          later claim    ! a row follows the terminal row
          entered        ! a row follows the terminal row
          entered exit   ! a row follows the terminal row
          completed      ! a row follows the terminal row
          produced       ! a row follows the terminal row
          routed         ! a row follows the terminal row
          timed          ! a row follows the terminal row
          polled         ! a row follows the terminal row
          polled less    ! a row follows the terminal row
          polled later   ! a row follows the terminal row
          stepped        ! a row follows the terminal row
          turned         ! a row follows the terminal row
          undone pack    ! a row follows the terminal row
          undone charge  ! a row follows the terminal row
          failed charge  ! a row follows the terminal row
          rolled back    ! a row follows the terminal row
    "#]]
    .assert_eq(&table);
}

fn check_illegal(log: &[Event], event: &Event, expected: &IllegalEvent, message: &Expect) {
    let mut state = folded(log);
    let found = state.apply(event).expect_err("the event is illegal");
    assert_eq!(&found, expected);
    message.assert_eq(&found.to_string());

    let mut log = rows(log);
    log.push(event.to_row(log.len() as u64));
    let corrupt = rebuild(&log).expect_err("and so is its row");
    assert_eq!(corrupt.sequence, log.len() as u64 - 1);
    assert_eq!(corrupt.fault, LogFault::Illegal(found));
}

fn claim(state: &str, change: impl FnOnce(&mut ClaimRecord)) -> Event {
    let mut claim = claim_record(Nonce([3; 16]));
    change(&mut claim);
    Event::Claimed {
        state: state.into(),
        claim,
    }
}

#[test]
fn a_first_row_that_is_no_first_claim_is_refused() {
    let input = Some(b"42".as_slice().into());
    check_illegal(
        &[],
        &entered("pack", "charge"),
        &IllegalEvent::FirstRowNotClaim,
        &expect!["the first row is not a claim"],
    );
    check_illegal(
        &[],
        &claim("charge", |claim| claim.nonce = RUN),
        &IllegalEvent::ClaimWithoutInput,
        &expect!["the first claim has no input"],
    );
    check_illegal(
        &[],
        &claim("charge", |claim| claim.input = input.clone()),
        &IllegalEvent::RunIdNotNonce,
        &expect!["the first claim has a run id that is not its nonce"],
    );
    check_illegal(
        &[],
        &first_claim("shipped"),
        &IllegalEvent::StartsAtExit("shipped".into()),
        &expect![[r#"the run begins in the exit state "shipped""#]],
    );
}

#[test]
fn a_repeated_claim_must_be_of_the_same_run_and_definition() {
    let log = [first_claim("charge")];
    check_illegal(
        &log,
        &first_claim("charge"),
        &IllegalEvent::RepeatedClaimWithInput,
        &expect!["a repeated claim has an input"],
    );
    check_illegal(
        &log,
        &claim("charge", |claim| claim.run_id = Nonce([9; 16])),
        &IllegalEvent::ForeignRun,
        &expect!["a claim belongs to another run of the id"],
    );
    check_illegal(
        &log,
        &claim("charge", |claim| claim.definition = "refund".into()),
        &IllegalEvent::ForeignDefinition {
            expected: "order".into(),
            found: "refund".into(),
        },
        &expect![[r#"a claim names definition "refund", but the run belongs to "order""#]],
    );
    check_illegal(
        &log,
        &later_claim("pack"),
        &IllegalEvent::WrongState {
            expected: "charge".into(),
            found: "pack".into(),
        },
        &expect![[r#"the row names state "pack", but the run is in "charge""#]],
    );
}

#[test]
fn a_terminal_row_is_the_last_one() {
    let done = [first_claim("charge"), entered("shipped", "charge")];
    let rolled_back = [
        first_claim("charge"),
        rollback_started("charge", "charge", false),
        Event::RolledBack,
    ];
    for log in [&done[..], &rolled_back[..]] {
        check_illegal(
            log,
            &later_claim("shipped"),
            &IllegalEvent::AfterTerminal,
            &expect!["a row follows the terminal row"],
        );
    }
}

#[test]
fn a_rollback_never_turns_forward_again() {
    let log = [
        first_claim("charge"),
        rollback_started("charge", "charge", true),
    ];
    for forward in [
        entered("pack", "charge"),
        completed("pack", "charge", b"1"),
        stepped("charge", "charge", b"1"),
    ] {
        check_illegal(
            &log,
            &forward,
            &IllegalEvent::ForwardAfterRollback,
            &expect!["a forward row follows the start of the rollback"],
        );
    }
    check_illegal(
        &log,
        &rollback_started("charge", "charge", true),
        &IllegalEvent::SecondRollback,
        &expect!["the rollback starts a second time"],
    );
}

#[test]
fn undos_are_recorded_in_reverse_and_to_the_last_one() {
    let forward = vec![
        first_claim("charge"),
        completed("pack", "charge", b"1"),
        completed("ship", "pack", b"2"),
    ];
    check_illegal(
        &forward,
        &compensated("pack", Undone::Completion(2)),
        &IllegalEvent::UndoBeforeRollback,
        &expect!["an undo is recorded before a rollback started"],
    );
    let mut log = forward;
    log.push(rollback_started("ship", "ship", false));
    check_illegal(
        &log,
        &compensated("charge", Undone::Completion(1)),
        &IllegalEvent::UndoOutOfOrder {
            expected: Some(("pack".into(), Undone::Completion(2))),
            found: "charge".into(),
        },
        &expect!["an undo of charge is recorded, but pack of sequence 2 is due"],
    );
    check_illegal(
        &log,
        &Event::RolledBack,
        &IllegalEvent::RolledBackTooEarly(2),
        &expect!["the rollback ends with 2 undos unsettled or failed"],
    );
    log.push(compensated("pack", Undone::Completion(2)));
    log.push(compensated("charge", Undone::Completion(1)));
    check_illegal(
        &log,
        &compensated("charge", Undone::Completion(1)),
        &IllegalEvent::UndoOutOfOrder {
            expected: None,
            found: "charge".into(),
        },
        &expect!["an undo of charge is recorded, but none is due"],
    );
}

#[test]
fn a_claim_reopens_what_failed_in_the_order_of_the_first_try() {
    let log = [
        first_claim("charge"),
        completed("pack", "charge", b"1"),
        completed("ship", "pack", b"2"),
        rollback_started("ship", "ship", false),
        compensation_failed("pack", Undone::Completion(2)),
        compensation_failed("charge", Undone::Completion(1)),
        later_claim("ship"),
    ];
    assert!(folded(&log[..6]).is_stuck());
    let reopened = folded(&log);
    let Phase::RollingBack(rollback) = reopened.phase() else {
        panic!("still rolling back");
    };
    let due: Vec<_> = rollback
        .pending
        .iter()
        .rev()
        .map(|undo| &*undo.task)
        .collect();
    assert_eq!(due, ["pack", "charge"]);
    assert_eq!(rollback.failed, []);
}

#[test]
fn a_cursor_dies_with_its_visit() {
    let log = [
        first_claim("scan"),
        stepped("scan", "scan", b"1"),
        stepped("scan", "scan", b"2"),
        entered("scan", "scan"),
    ];
    let visit = |log: &[Event]| match folded(log).phase() {
        Phase::Forward(visit) => (visit.id, visit.cursors, visit.cursor.clone()),
        other => panic!("{other:?} is forward"),
    };
    assert_eq!(visit(&log[..3]), (0, 2, Some(b"2".as_slice().into())));
    assert_eq!(visit(&log), (3, 0, None));
}

fn check_fault(log: &[CheckpointRow], expected: &Expect) {
    let error = rebuild(log).expect_err("the log is corrupt");
    expected.assert_eq(&error.to_string());
}

#[test]
fn a_fault_names_the_first_row_that_can_not_be_right() {
    let gap = [
        first_claim("charge").to_row(0),
        entered("pack", "charge").to_row(2),
    ];
    check_fault(&gap, &expect!["sequence 2: expected sequence 1"]);
    check_fault(
        &[first_claim("charge").to_row(1)],
        &expect!["sequence 1: expected sequence 0"],
    );
    let unknown = [
        first_claim("charge").to_row(0),
        CheckpointRow::new(1, "pack", "charge").with_blob(RowKind::BranchCompletion, vec![]),
    ];
    check_fault(
        &unknown,
        &expect!["sequence 1: row kind branch_completion is not known to this engine"],
    );
    let fault = rebuild(&unknown).expect_err("an unknown kind").fault;
    assert_eq!(
        fault,
        LogFault::Row(RowFault::UnknownKind(RowKind::BranchCompletion))
    );
    check_fault(
        &[CheckpointRow::new(0, "Start", "fetch")],
        &expect!["sequence 0: the first row is not a claim"],
    );
}

/// What a completed task leaves is shared with the tasks under way; applying goes on beside that.
#[test]
fn a_state_that_was_cloned_does_not_change_with_its_original() {
    let mut state = folded(&[first_claim("charge")]);
    let before = state.clone();
    state
        .apply(&completed("pack", "charge", b"1"))
        .expect("a completion is legal");
    assert!(before.completed().is_empty());
    assert_eq!(state.completed().len(), 1);
}

/// A task that kept its context made each later completion copy the whole list: 20,000 visits took 21
/// seconds instead of a quarter of a second, and every kept context had a list of its own in memory.
#[test]
fn states_that_are_kept_share_their_completions() {
    let mut state = folded(&[first_claim("charge")]);
    let kept: Vec<RunState> = (0..50)
        .map(|_| {
            let done = completed("charge", "charge", b"1");
            state.apply(&done).expect("a visit is open");
            state.clone()
        })
        .collect();
    for (index, kept) in kept.iter().enumerate() {
        assert_eq!(kept.completed().len(), index + 1);
        let shared = kept.completed().iter().zip(state.completed().iter());
        assert!(
            shared
                .into_iter()
                .all(|(one, other)| std::ptr::eq(one, other))
        );
        let sequences = kept.completed().iter().map(|done| done.sequence);
        assert!(sequences.eq(1..=index as u64 + 1));
        let newest = kept.completed().newest_first().next();
        assert_eq!(newest, kept.completed().last());
    }
    assert_eq!(kept[7], kept[7].clone());
    assert_ne!(kept[7].completed(), kept[8].completed());
}

/// A list of entries that point to the entry before them is dropped one by one, not by a recursion as
/// deep as the run is long. The thread has a stack on which that recursion does not fit.
#[test]
fn a_long_run_is_dropped_on_a_small_stack() {
    const COMPLETIONS: u64 = 100_000;
    let work = || {
        let mut state = folded(&[first_claim("charge")]);
        let done = completed("charge", "charge", b"1");
        (0..COMPLETIONS).for_each(|_| state.apply(&done).expect("a visit is open"));
        let kept = state.clone();
        drop(state);
        let length = kept.completed().len() as u64;
        drop(kept);
        length
    };
    let thread = std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(work);
    let length = thread.expect("a thread").join();
    assert_eq!(length.expect("the stack is enough"), COMPLETIONS);
}

#[test]
fn the_newest_output_of_each_plain_task_is_kept() {
    let mut log = vec![
        first_claim("weigh"),
        produced("pack", "weigh", b"1"),
        produced("weigh", "pack", b"2"),
    ];
    let before = folded(&log);
    log.push(produced("pack", "weigh", b"3"));
    let after = folded(&log);
    let outputs = |state: &RunState| {
        let outputs = state.outputs().iter();
        let outputs = outputs.map(|(task, output)| {
            let text = String::from_utf8_lossy(&output.output);
            format!("{task} {text} of row {}", output.sequence)
        });
        outputs.collect::<Vec<_>>()
    };
    assert_eq!(outputs(&before), ["pack 2 of row 2", "weigh 1 of row 1"]);
    assert_eq!(outputs(&after), ["pack 2 of row 2", "weigh 3 of row 3"]);
    assert_eq!(after.outputs().get("weigh").map(|it| it.sequence), Some(3));
    assert_eq!(after.outputs().get("ship"), None);
    assert!(after.completed().is_empty(), "nothing undoes them");
}
