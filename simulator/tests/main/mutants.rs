//! Every rule of the protocol, broken: its oracle rejects some schedule. With the rule kept, no
//! oracle rejects any schedule of the same workload and budget.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crashpoint::protocol::{Faithful, Rule, Without};
use crashpoint_simulator::oracle::{ORACLES, judge};
use crashpoint_simulator::vacuity::WITNESSES;
use crashpoint_simulator::{Breach, Fault};
use expect_test::expect;

use crate::support::{budget, each_schedule, find, words};
use crate::workloads::named;

/// An engine that breaks a rule, and the oracle that catches it.
pub(crate) type Mutant = (Rule, &'static str, &'static str, &'static str);

/// Those beside the witnesses of `vacuity`: rule, workload, budget, oracle.
const MORE: &[Mutant] = &[
    (
        Rule::RollbackIsJournaled,
        "order-fails",
        "c1",
        "storage-faults-stay-out",
    ),
    (
        Rule::RollbackIsJournaled,
        "fails-once-for-good",
        "c1",
        "all-or-nothing",
    ),
    (Rule::FencedStops, "order", "t1p2", "all-or-nothing"),
    (Rule::ClaimsAreUnique, "order", "t1p2", "one-writer"),
    (
        Rule::AppendErrorIsNoTaskFailure,
        "order",
        "c1f1",
        "storage-faults-stay-out",
    ),
    (Rule::ReadBackBeforeResend, "order", "t1p2", "one-writer"),
    (Rule::ReadBackSeesAll, "order", "f1t1", "one-writer"),
    (
        Rule::MismatchBeforeClaim,
        "trip-redeployed",
        "c1",
        "refusals-do-nothing",
    ),
    (Rule::KeyNamesTheRun, "trip-again", "c1", "keys"),
    (Rule::CancelWaitsForAppend, "order", "x1t1", "pinned-row"),
    (
        Rule::ClearNeedsExclusivity,
        "trip-cleared-shared",
        "f1",
        "log-is-dense",
    ),
    (
        Rule::ClearNeedsExclusivity,
        "trip-cleared-shared",
        "t1p2",
        "all-or-nothing",
    ),
    (Rule::OutputIsInItsRow, "offer", "c1", "calm-is-done"),
    (
        Rule::TimerReadsTheClock,
        "reminder",
        "j1",
        "timers-keep-their-deadline",
    ),
    (Rule::DeadlineIsOriginal, "parcel", "c1", "polls-go-on"),
    (Rule::PollHeedsDeadline, "parcel", "j1", "polls-go-on"),
];

/// Every mutant with an oracle that catches it, by rule.
pub(crate) fn mutants() -> Vec<Mutant> {
    let witnesses = WITNESSES.iter();
    let witnesses = witnesses.filter_map(|it| Some((it.rule?, it.workload, it.budget, it.oracle)));
    let mut mutants: Vec<Mutant> = witnesses.chain(MORE.iter().copied()).collect();
    mutants.sort_by_key(|(rule, ..)| *rule);
    mutants
}

#[test]
fn every_rule_that_is_left_out_is_caught() {
    let mut table = String::new();
    for (rule, workload, most, oracle) in mutants() {
        let found = find(&named(workload, Without(rule)), budget(most), oracle);
        let found = found.unwrap_or_else(|| panic!("{oracle} misses {rule:?} in {workload}"));
        writeln!(
            table,
            "{rule:?} in {workload}, {most}: {oracle}, schedule {}\n    {}\n    {}",
            found.schedules, found.schedule, found.verdict.message
        )
        .expect("a string takes every text");
    }
    expect![[r#"
        CompletionIsOneRow in order, c1: no-state-skipped, schedule 1
            no fault
            visit 1 of Charge was left without a run
        CompletionIsOneRow in order, c1: edges, schedule 1
            no fault
            charge went from Charge to Charge, which is not an edge
        RollbackIsJournaled in order-fails, c1: storage-faults-stay-out, schedule 1
            no fault
            life 1 undid ship before the start of the rollback was durable
        RollbackIsJournaled in fails-once-for-good, c1: all-or-nothing, schedule 14
            at life1/append#2:before: crash
            done in end, but the receiver that honours keys lacks do a (visit 0), do b (visit 1)
        OpenVisitIsUndone in order-fails, c1: all-or-nothing, schedule 1
            no fault
            rolled back, but the receiver that honours keys still holds ship (visit 2)
        OpenVisitIsUndone in order-fails, c1: coverage, schedule 1
            no fault
            the open visit of ship is left out of the rollback
        TerminalAbsorbs in order, c1: prefixes-resume, schedule 1
            no fault
            life 3: log of run "run-1" is corrupt at sequence 4: a row follows the terminal row
        TerminalAbsorbs in order, c1: terminal-absorbs, schedule 1
            no fault
            life 2 wrote row 4 after the terminal row
        OutcomeAfterRow in order, c1f1: outcome-is-durable, schedule 3
            at life1/append#3:before: refused
            life 1 returned: done in Shipped; the log did not say so
        FencedStops in order, t1p2: one-writer, schedule 5
            at life1/append#3:before: takeover
            life 1 began reserve although it saw the takeover
        FencedStops in order, t1p2: all-or-nothing, schedule 5
            at life1/append#3:before: takeover
            done in Shipped, but the receiver that honours keys lacks charge (visit 0), reserve (visit 1)
        ClaimsAreUnique in order, t1p2: visits-rerun, schedule 19
            at life1/append#0:unacked: takeover
            life 1 ran charge again after visit 0 was closed
        ClaimsAreUnique in order, t1p2: one-writer, schedule 15
            at life1/append#1:before: takeover
            life 2 wrote row 1 after it was taken over
        AppendErrorIsNoTaskFailure in order, c1f1: storage-faults-stay-out, schedule 3
            at life1/append#3:before: refused
            life 1 started a rollback without a reason: failed: the append failed
        StorageFaultSuspends in order, f2: storage-faults-stay-out, schedule 45
            at life1/append#3:before: refused; at life1/load:before: refused
            life 1 started a rollback without a reason: failed: the store failed
        ReadBackBeforeResend in order, f2: log-is-dense, schedule 109
            at life1/append#2:before: refused; at life1/append#2.2:before: refused
            row 3 became durable where row 2 was due
        ReadBackBeforeResend in order, t1p2: one-writer, schedule 5
            at life1/append#3:before: takeover
            life 2 wrote row 3 after it was taken over
        ReadBackSeesAll in order, f1t1: one-writer, schedule 423
            at life1/append#2:before: in-doubt-applied; at life1/load:before: takeover
            life 1 began ship although it saw the takeover
        PinnedRowIsFinal in order, c1f1: pinned-row, schedule 3
            at life1/append#3:before: refused
            life 1 sent compensation_completion and then rollback_start at sequence 3
        CursorBelongsToVisit in import-loop, c1: cursor, schedule 1
            no fault
            life 1, visit 6, step 0 received cursor 2, but none is durable
        MismatchBeforeClaim in trip-redeployed, c1: refusals-do-nothing, schedule 5
            at life1/append#2:before: crash
            life 2 was refused, but it sent row 2
        KeyNamesTheRun in trip-again, c1: keys, schedule 1
            no fault
            life 2 has a key for book that another action has
        CorruptionStops in order, c1b1: refusals-do-nothing, schedule 3
            at life1/gone: lost-row=1
            life 2 continued with a corrupt log: it sent row 1
        CancelWaitsForAppend in order, x1t1: pinned-row, schedule 65
            at life1/append#3:before: takeover; at life2/append#4:before: cancel
            life 2 sent compensation_completion and then rollback_start at sequence 4
        ClearNeedsExclusivity in trip-cleared-shared, f1: log-is-dense, schedule 16
            at life1/append#2:before: echoed=2
            row 2 became durable where row 0 was due
        ClearNeedsExclusivity in trip-cleared-shared, t1p2: all-or-nothing, schedule 7
            at life1/append#2:before: takeover
            done in Paid, but the receiver that honours keys still holds book (visit 0), pay (visit 1)
        UndoInReverse in order-fails, c1: undo-order, schedule 1
            no fault
            life 1 undid charge before reserve was settled
        UndoRunsOnce in order-fails, c1: undo-once, schedule 1
            no fault
            life 1 undid ship of visit 2 2 times in a row
        UndoGetsItsOutput in order-fails, c1: undo-bytes, schedule 1
            no fault
            life 1 undid charge of visit 0 with {"of":"reserve the goods","visit":1}, but {"of":"charge the card","visit":0} is durable
        RollbackIsFinal in order-fails, c1: direction, schedule 1
            no fault
            life 1 began ship after the start of the rollback
        RollbackResumes in order-fails, c1: liveness, schedule 5
            at life1/append#7:before: crash
            life 25 met no fault but did not end the run: suspended
        StepWaitsForCursor in import-loop, c1: step-order, schedule 1
            no fault
            life 1 began step 1 with 0 cursors durable
        CancelIsHeeded in order, x1: cancellation, schedule 8
            at life1/append#2:acked: cancel
            life 1 began ship after it was cancelled
        FenceNeedsARival in order, f1: no-false-fence, schedule 3
            at life1/append#3:before: refused
            life 1 was fenced, but no other life wrote
        StateIsTheFold in order, c1: fold-equality, schedule 1
            no fault
            life 1 differs after row 0: live RunState { next_sequence: 1, header: Some(RunHeader { run_id: Nonce(00000000000000010000000000000000), input: [123, 34, 99, 101, 110, 116, 115, 34, 58, 49, 57, 57, 57, 125], started_unix_ms: 1767225600001, lives: 1, claim_sequence: 0, claim: ClaimRecord { id_hash: Some(IdHash(4e65d3fbe8ad6535681b021b30785b12)), run_id: Nonce(00000000000000010000000000000000), nonce: Nonce(00000000000000010000000000000000), definition: "order", version: 1, fingerprint: 6719913523086561921, unix_ms: 1767225600001, exits: ["Shipped"], input: None } }), phase: Forward(Visit { id: 0, state: "Charge", cursor: None, cursors: 0, deadline_unix_ms: None, polled: None }), completed: [], outputs: {} }
        rebuilt RunState { next_sequence: 1, header: Some(RunHeader { run_id: Nonce(00000000000000010000000000000000), input: [123, 34, 99, 101, 110, 116, 115, 34, 58, 49, 57, 57, 57, 125], started_unix_ms: 1767225600000, lives: 1, claim_sequence: 0, claim: ClaimRecord { id_hash: Some(IdHash(4e65d3fbe8ad6535681b021b30785b12)), run_id: Nonce(00000000000000010000000000000000), nonce: Nonce(00000000000000010000000000000000), definition: "order", version: 1, fingerprint: 6719913523086561921, unix_ms: 1767225600000, exits: ["Shipped"], input: None } }), phase: Forward(Visit { id: 0, state: "Charge", cursor: None, cursors: 0, deadline_unix_ms: None, polled: None }), completed: [], outputs: {} }
        KeyOutlivesTheLife in order, c1: keys, schedule 5
            at life1/append#3:before: crash
            life 2 has another key for ship
        OutputIsInItsRow in offer, c1: calm-is-done, schedule 1
            no fault
            the run is rolled back: decide failed: no task "make" has left an output
        DeadlineIsOriginal in reminder, c1: timers-keep-their-deadline, schedule 17
            at life1/append#3:before: crash
            life 2 waits for wait of visit 1 until 21600000 ms after its deadline
        DeadlineIsOriginal in parcel, c1: polls-go-on, schedule 5
            at life1/append#4:before: crash
            life 2 began round 6 of track 0 ms after the deadline of visit 1
        TimerReadsTheClock in reminder, j1: timers-keep-their-deadline, schedule 28
            at life1/grace:pending: clock-back
            life 1 ended grace of visit 3 3600000 ms before its deadline
        RoundsAreKept in parcel, c1: polls-go-on, schedule 5
            at life1/append#4:before: crash
            life 2 began round 1 of track although 4 rounds of visit 1 are recorded
        PollHeedsDeadline in parcel, j1: polls-go-on, schedule 12
            at life1/track.5:pending: clock-ahead
            life 1 began round 6 of track 3000000 ms after the deadline of visit 1
    "#]].assert_eq(&table);
}

#[test]
fn every_rule_has_a_mutant_and_every_mutant_an_oracle() {
    let left_out: BTreeSet<Rule> = mutants().iter().map(|mutant| mutant.0).collect();
    let all: BTreeSet<Rule> = Rule::ALL.iter().copied().collect();
    assert_eq!(left_out, all);
    assert!(
        all.len() >= 25,
        "{} mutants of the engine are too few",
        all.len()
    );
    for (rule, .., oracle) in mutants() {
        let known = ORACLES.iter().any(|known| known.name == oracle);
        assert!(known, "{rule:?} is to be caught by the unknown {oracle}");
    }
}

/// The oracle that rejects a workload by itself, whatever the engine.
fn rejected_by_itself(workload: &str, oracle: &str) -> bool {
    // The second life has a version that does not match, so its refusal is right.
    workload == "trip-redeployed" && ["prefixes-resume", "liveness"].contains(&oracle)
}

#[test]
fn no_oracle_rejects_a_rule_that_is_kept() {
    let mut explored = BTreeMap::new();
    for (rule, workload, most, _) in mutants() {
        // The engine refuses to clear a shared store, so the workload uses an exclusive one.
        let workload = match rule {
            Rule::ClearNeedsExclusivity => "trip-cleared",
            _ => workload,
        };
        if explored.contains_key(&(workload, most)) {
            continue;
        }
        let subject = named(workload, Faithful);
        let (violation, schedules) = each_schedule(&subject, budget(most), |run| {
            // No engine survives a store that shows rows that are not durable; `oracles` has that
            // case.
            let mut faults = run.history.faults();
            if faults.any(|(_, _, fired)| fired.fault == Fault::Breach(Breach::PhantomRow)) {
                return None;
            }
            let mut verdicts = judge(&subject, run).into_iter();
            let verdict = verdicts.find(|it| !rejected_by_itself(workload, it.oracle))?;
            Some((words(run), verdict))
        });
        assert_eq!(violation, None, "{workload} within {most}");
        explored.insert((workload, most), schedules);
    }
    let lines: Vec<String> = explored
        .iter()
        .map(|((workload, most), schedules)| format!("{workload} {most}: {schedules}"))
        .collect();
    expect![[r#"
        fails-once-for-good c1: 27
        import-loop c1: 50
        offer c1: 25
        order c1: 19
        order c1b1: 176
        order c1f1: 879
        order f1: 33
        order f1t1: 1371
        order f2: 609
        order t1p2: 1420
        order x1: 19
        order x1t1: 655
        order-fails c1: 37
        parcel c1: 23
        parcel j1: 67
        reminder c1: 29
        reminder j1: 85
        trip-again c1: 16
        trip-cleared f1: 16
        trip-cleared t1p2: 94
        trip-redeployed c1: 14"#]]
    .assert_eq(&lines.join("\n"));
}

/// A life of such an engine dropped its append again and again after its process had died, and the
/// simulation hung.
#[test]
fn an_engine_that_drops_an_append_for_a_cancellation_ends_in_every_schedule() {
    let mutant = named("order", Without(Rule::CancelWaitsForAppend));
    let (_, schedules) = each_schedule(&mutant, budget("c1x1"), |_| None::<()>);
    expect!["541"].assert_eq(&schedules.to_string());
}
