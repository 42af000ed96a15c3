//! The protocol check: the faithful machine holds, and every rule is needed.

use crashpoint::Retention;
use crashpoint::protocol::Rule;
use crashpoint_protocol::{
    CheckReport, Invariant, Replies, Scope, Shape, Violation, check, check_without,
};
use expect_test::{Expect, expect};

const SAGA: Scope = Scope::of(Shape::Saga);
const LOOP: Scope = Scope::of(Shape::SteppedLoop { cursors: 1 });

/// Every fault happens once.
const fn troubled(scope: Scope) -> Scope {
    Scope {
        store_errors: 1,
        late_appends: 1,
        task_failures: 1,
        undo_failures: 1,
        cancellations: 1,
        ..scope
    }
}

const fn with_lives(lives: usize, scope: Scope) -> Scope {
    Scope { lives, ..scope }
}

/// Checks that nothing is violated, and the numbers: a space that shrinks undetected proves less.
#[expect(clippy::print_stdout, reason = "the numbers are what the run is for")]
fn holds(scope: Scope, expect: &Expect) {
    let report = check(&scope);
    println!("{}\n{report}", CheckReport::HEADER);
    expect.assert_eq(&report.to_string());
}

#[test]
fn a_saga_of_two_lives_holds_with_every_fault_once() {
    holds(
        with_lives(2, troubled(SAGA)),
        &expect![
            "   1384051     5937131    2115      95          0 saga, lives 2, store errors 1, late appends 1, task failures 1, undo failures 1, cancellations 1"
        ],
    );
}

#[test]
fn a_saga_of_three_lives_holds_over_a_store_error() {
    let scope = Scope {
        late_appends: 0,
        cancellations: 0,
        ..with_lives(3, at_once(troubled(SAGA)))
    };
    holds(
        scope,
        &expect![
            "   3103589    15664007    5555     245          0 saga, lives 3, store errors 1, task failures 1, undo failures 1, replies at once"
        ],
    );
}

#[test]
fn a_stepped_loop_of_two_lives_holds_with_every_fault_once() {
    let shape = Shape::SteppedLoop { cursors: 2 };
    holds(
        with_lives(2, troubled(Scope::of(shape))),
        &expect![
            "   2547949    11323547    4246     143          0 stepped loop of 2, lives 2, store errors 1, late appends 1, task failures 1, undo failures 1, cancellations 1"
        ],
    );
}

#[test]
fn a_stepped_loop_of_three_lives_holds_over_a_late_append() {
    let scope = Scope {
        store_errors: 0,
        cancellations: 0,
        ..with_lives(3, at_once(troubled(LOOP)))
    };
    holds(
        scope,
        &expect![
            "   2502372    13182779    5257     234          0 stepped loop of 1, lives 3, late appends 1, task failures 1, undo failures 1, replies at once"
        ],
    );
}

#[test]
fn cleared_logs_hold_in_an_exclusive_store() {
    for (scope, expect) in [
        (
            SAGA,
            expect![
                "    366419      824006    4701     460          0 saga, cleared, lives 3, store errors 1, late appends 1, task failures 1, undo failures 1, cancellations 1"
            ],
        ),
        (
            LOOP,
            expect![
                "    186211      438935    4132     380          0 stepped loop of 1, cleared, lives 3, store errors 1, late appends 1, task failures 1, undo failures 1, cancellations 1"
            ],
        ),
    ] {
        let retention = Retention::ClearWhenDone;
        let scope = with_lives(3, troubled(scope));
        holds(Scope { retention, ..scope }, &expect);
    }
}

#[test]
fn the_same_exploration_twice_is_the_same_report() {
    let scope = troubled(SAGA);
    assert_eq!(check(&scope), check(&scope));
    let without = || check_without(Rule::FencedStops, &with_lives(2, SAGA), Invariant::ALL);
    assert_eq!(without(), without());
}

/// The invariant and the scope that show why a rule is needed.
const NEEDED: &[(Rule, Scope)] = &[
    (Rule::CompletionIsOneRow, at_once(with_lives(2, SAGA))),
    (Rule::RollbackIsJournaled, at_once(with_task_failure(SAGA))),
    (Rule::OpenVisitIsUndone, at_once(with_task_failure(SAGA))),
    (Rule::TerminalAbsorbs, at_once(with_lives(2, SAGA))),
    (Rule::OutcomeAfterRow, at_once(with_store_error(SAGA))),
    (Rule::FencedStops, at_once(with_lives(2, SAGA))),
    (Rule::ClaimsAreUnique, at_once(with_lives(3, SAGA))),
    (
        Rule::AppendErrorIsNoTaskFailure,
        at_once(with_store_error(SAGA)),
    ),
    (
        Rule::StorageFaultSuspends,
        at_once(sent_once(with_store_error(SAGA))),
    ),
    (Rule::ReadBackBeforeResend, at_once(with_lives(2, SAGA))),
    (
        Rule::ReadBackSeesAll,
        at_once(with_lives(2, with_store_error(SAGA))),
    ),
    (Rule::PinnedRowIsFinal, at_once(with_store_error(SAGA))),
    (Rule::CursorBelongsToVisit, at_once(LOOP)),
    (Rule::CancelWaitsForAppend, with_cancellation(SAGA)),
    (
        Rule::ClearNeedsExclusivity,
        at_once(clearing(with_lives(2, SAGA))),
    ),
];

const fn with_task_failure(scope: Scope) -> Scope {
    Scope {
        task_failures: 1,
        ..scope
    }
}

const fn with_store_error(scope: Scope) -> Scope {
    Scope {
        store_errors: 1,
        ..scope
    }
}

const fn with_cancellation(scope: Scope) -> Scope {
    Scope {
        cancellations: 1,
        ..scope
    }
}

const fn clearing(scope: Scope) -> Scope {
    Scope {
        retention: Retention::ClearWhenDone,
        ..scope
    }
}

const fn at_once(scope: Scope) -> Scope {
    Scope {
        replies: Replies::AtOnce,
        ..scope
    }
}

const fn sent_once(scope: Scope) -> Scope {
    Scope {
        sends_max: 1,
        ..scope
    }
}

#[test]
fn without_any_one_rule_an_invariant_breaks() {
    let mut table = String::new();
    for (rule, scope) in NEEDED {
        assert_eq!(check(scope).violations, [], "{rule:?} kept");
        let report = check_without(*rule, scope, Invariant::ALL);
        let steps = report
            .violations
            .first()
            .map_or(0, |first| first.trace.len());
        let caught: Vec<String> = report
            .violations
            .iter()
            .map(|violation| format!("{:?}", violation.invariant))
            .collect();
        table += &format!("{rule:?}: {} in {steps} steps\n", caught.join(" and "));
    }
    expect![[r#"
        CompletionIsOneRow: AllOrNothing in 13 steps
        RollbackIsJournaled: Fold in 5 steps
        OpenVisitIsUndone: AllOrNothing in 9 steps
        TerminalAbsorbs: LegalLog and Terminal in 9 steps
        OutcomeAfterRow: Outcome in 7 steps
        FencedStops: Direction and Entitlement in 11 steps
        ClaimsAreUnique: Entitlement in 10 steps
        AppendErrorIsNoTaskFailure: Cause in 4 steps
        StorageFaultSuspends: Cause in 5 steps
        ReadBackBeforeResend: Fold in 8 steps
        ReadBackSeesAll: Entitlement in 7 steps
        PinnedRowIsFinal: Cause in 5 steps
        CursorBelongsToVisit: Cursor in 7 steps
        CancelWaitsForAppend: PinnedRow in 8 steps
        ClearNeedsExclusivity: LegalLog and Terminal in 10 steps
    "#]]
    .assert_eq(&table);
}

/// The shortest trace on which each of `invariants` alone would catch the engine without `rule`.
fn caught(rule: Rule, scope: Scope, invariants: &[Invariant]) -> Vec<Violation> {
    let alone = invariants.chunks(1);
    alone
        .flat_map(|alone| check_without(rule, &scope, alone).violations)
        .collect()
}

#[test]
fn every_invariant_can_break() {
    use Invariant as I;
    let broken = [
        caught(
            Rule::TerminalAbsorbs,
            with_lives(3, SAGA),
            &[I::LegalLog, I::Resumption, I::Terminal],
        ),
        caught(Rule::ReadBackBeforeResend, with_lives(2, SAGA), &[I::Fold]),
        caught(
            Rule::ClaimsAreUnique,
            with_lives(3, at_once(SAGA)),
            &[I::OneWriter, I::ClosedVisit, I::Entitlement],
        ),
        caught(
            Rule::FencedStops,
            with_lives(2, SAGA),
            &[I::Direction, I::AllOrNothing],
        ),
        caught(Rule::OutcomeAfterRow, with_store_error(SAGA), &[I::Outcome]),
        caught(
            Rule::CancelWaitsForAppend,
            with_cancellation(SAGA),
            &[I::PinnedRow, I::Rival],
        ),
        caught(
            Rule::PinnedRowIsFinal,
            with_store_error(SAGA),
            &[I::Cause, I::PinnedRow],
        ),
        caught(Rule::CursorBelongsToVisit, LOOP, &[I::Cursor]),
    ];
    let mut seen: Vec<Invariant> = broken
        .iter()
        .flatten()
        .map(|broken| broken.invariant)
        .collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, Invariant::ALL);
}

fn check_trace(rule: Rule, scope: Scope, invariants: &[Invariant], expect: &Expect) {
    let violations = caught(rule, scope, invariants);
    let text: Vec<String> = violations.iter().map(ToString::to_string).collect();
    expect.assert_eq(&text.join("\n"));
}

#[test]
fn a_fenced_life_that_compensates_undoes_what_its_rival_finishes() {
    check_trace(
        Rule::FencedStops,
        with_lives(2, at_once(SAGA)),
        &[Invariant::AllOrNothing],
        &expect![[r#"
            AllOrNothing is broken:
               1. life 1 begins by run
               2. life 1 appends row 0 (claim at Charge): durable
               3. life 1 does charge of visit 0
               4. life 1 appends row 1 (charge completed, enters Ship): durable
               5. life 1 does ship of visit 1
               6. life 2 begins by resume_from
               7. life 2 loads the log: 2 rows
               8. life 2 appends row 2 (claim at Ship): durable
               9. life 1 appends row 2 (ship completed, enters Done): an error, the sequence is taken
              10. life 1 loads the log: 3 rows
              11. life 1 undoes charge of visit 0
              12. life 2 does ship of visit 1
              13. life 2 appends row 3 (ship completed, enters Done): durable"#]],
    );
}

#[test]
fn a_cancellation_that_drops_an_append_fences_a_life_without_a_rival() {
    check_trace(
        Rule::CancelWaitsForAppend,
        with_cancellation(SAGA),
        &[Invariant::Rival],
        &expect![[r#"
            Rival is broken:
               1. life 1 begins by run
               2. life 1 appends row 0 (claim at Charge): durable
               3. life 1 learns that the append succeeded
               4. life 1 does charge of visit 0
               5. life 1 learns that the action succeeded
               6. life 1 appends row 1 (charge completed, enters Ship): durable
               7. life 1 is cancelled
               8. life 1 appends row 1 (rollback starts, cancelled): an error, the sequence is taken
               9. life 1 learns that the append failed
              10. life 1 loads the log: 2 rows
              11. life 1 learns that the log is loaded
              12. life 1 is fenced"#]],
    );
}

#[test]
fn a_read_back_that_looks_at_its_row_alone_misses_the_takeover() {
    check_trace(
        Rule::ReadBackSeesAll,
        with_lives(2, at_once(with_store_error(SAGA))),
        &[Invariant::Entitlement],
        &expect![[r#"
            Entitlement is broken:
               1. life 1 begins by run
               2. life 1 appends row 0 (claim at Charge): an error, but durable
               3. life 2 begins by resume_from
               4. life 2 loads the log: 1 rows
               5. life 2 appends row 1 (claim at Charge): durable
               6. life 1 loads the log: 2 rows
               7. life 1 does charge of visit 0"#]],
    );
}

#[test]
fn a_clear_under_another_life_lets_its_claim_land_on_an_empty_log() {
    check_trace(
        Rule::ClearNeedsExclusivity,
        with_lives(2, at_once(clearing(SAGA))),
        &[Invariant::LegalLog],
        &expect![[r#"
            LegalLog is broken:
               1. life 1 begins by run
               2. life 1 appends row 0 (claim at Charge): durable
               3. life 1 does charge of visit 0
               4. life 1 appends row 1 (charge completed, enters Ship): durable
               5. life 1 does ship of visit 1
               6. life 2 begins by resume_from
               7. life 2 loads the log: 2 rows
               8. life 1 appends row 2 (ship completed, enters Done): durable
               9. life 1 clears the log
              10. life 2 appends row 2 (claim at Ship): durable"#]],
    );
}
