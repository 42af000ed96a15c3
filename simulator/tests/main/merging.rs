//! Continuing from a copy of the surviving state is the same as running from the start. Continuing
//! only one of several equal copies loses no violation.

use std::collections::BTreeSet;
use std::sync::Arc;

use crashpoint::protocol::{Faithful, Rule, Without};
use crashpoint_simulator::oracle::judge;
use crashpoint_simulator::workload::Workload;
use crashpoint_simulator::{
    BrokenInvariant, Ending, LifeEnd, Process, Settings, StoreKind, Subject, Token, explore,
};
use expect_test::expect;
use futures_util::future::BoxFuture;

use crate::mutants::{self, Mutant};
use crate::support::{budget, each_schedule_of, within};
use crate::workloads::named;

/// The mutants that end, each once, whatever catches them. A life that treats a failed append as a
/// failure of its task sends the same row for ever in some schedules, with a crash point at each
/// send: that takes minutes. And the life that is stopped as endless depends on how much happened
/// before it, which differs between two crashes that left the same state: with merging the report
/// names two lives instead of four, all with the same mistake. `mutants` shows that it is caught.
fn mutants() -> impl Iterator<Item = Mutant> {
    let ends = |rule| rule != Rule::AppendErrorIsNoTaskFailure;
    let mut mutants = mutants::mutants();
    mutants.dedup_by_key(|(rule, workload, most, _)| (*rule, *workload, *most));
    mutants.into_iter().filter(move |mutant| ends(mutant.0))
}

fn all_violations(settings: Settings) -> Settings {
    Settings {
        violations_max: usize::MAX,
        ..settings
    }
}

/// Every violation, by oracle and token, and the number of schedules, each run from its start.
fn from_the_start(workload: &Workload, settings: &Settings) -> (BTreeSet<(String, String)>, u64) {
    let mut violations = BTreeSet::new();
    let (_, schedules) = each_schedule_of(workload, settings, |run| {
        let token = Token::of(&workload.name, settings, &run.tape);
        let verdicts = judge(workload, run);
        violations.extend(
            verdicts
                .iter()
                .map(|verdict| (verdict.oracle.to_owned(), token.to_string())),
        );
        None::<()>
    });
    (violations, schedules)
}

/// The same from an exploration.
fn explored(workload: &Workload, settings: Settings) -> (BTreeSet<(String, String)>, u64) {
    let findings = explore(workload, &all_violations(settings));
    let violations = findings.violations.iter();
    let violations = violations.map(|found| (found.oracle.to_owned(), found.token.to_string()));
    (violations.collect(), findings.schedules)
}

#[test]
fn copies_give_the_schedules_and_violations_that_runs_from_the_start_give() {
    for (rule, workload, most, _) in mutants() {
        let settings = Settings {
            unmerged: true,
            ..within(budget(most))
        };
        let mutant = named(workload, Without(rule));
        let expected = from_the_start(&mutant, &settings);
        assert_eq!(
            explored(&mutant, settings),
            expected,
            "{rule:?} {workload} {most}"
        );
    }
    for (workload, store, most) in [
        ("order-undo-fails", StoreKind::Memory, "c2"),
        ("import-loop", StoreKind::Memory, "c1t1"),
        ("order-cleared", StoreKind::Memory, "c1f1"),
        ("trip-cleared", StoreKind::Redb, "c1f1"),
        ("trip-cleared", StoreKind::RedbLosingWrites, "c1"),
        ("trip-cleared", StoreKind::RedbLosingNames, "c1"),
    ] {
        let settings = Settings {
            store,
            unmerged: true,
            ..within(budget(most))
        };
        let subject = named(workload, Faithful);
        let expected = from_the_start(&subject, &settings);
        assert_eq!(
            explored(&subject, settings),
            expected,
            "{workload} {store} {most}"
        );
    }
}

/// The oracles and their messages without lives and places: merging must not lose any.
fn messages_by_oracle(workload: &Workload, settings: Settings) -> BTreeSet<(&'static str, String)> {
    let findings = explore(workload, &all_violations(settings));
    let violations = findings.violations.into_iter();
    violations
        .map(|found| (found.oracle, found.message))
        .collect()
}

#[test]
fn merging_loses_no_violation() {
    let mut table = Vec::new();
    for (rule, workload, most, _) in mutants() {
        // If only crashes happen, one more than the mutant needs.
        let bounds = match most {
            "c1" => budget("c2"),
            _ => budget(most),
        };
        let mutant = named(workload, Without(rule));
        let unmerged = Settings {
            unmerged: true,
            ..within(bounds)
        };
        let few = messages_by_oracle(&mutant, within(bounds));
        let all = messages_by_oracle(&mutant, unmerged);
        assert_eq!(few, all, "{rule:?} {workload} {bounds}");
        table.push(format!("{rule:?} {workload} {bounds}: {}", few.len()));
    }
    expect![[r#"
        CompletionIsOneRow order c2: 6
        RollbackIsJournaled order-fails c2: 18
        RollbackIsJournaled fails-once-for-good c2: 26
        OpenVisitIsUndone order-fails c2: 4
        TerminalAbsorbs order c2: 27
        OutcomeAfterRow order c1f1: 3
        FencedStops order t1p2: 8
        ClaimsAreUnique order t1p2: 8
        StorageFaultSuspends order f2: 5
        ReadBackBeforeResend order f2: 29
        ReadBackBeforeResend order t1p2: 14
        ReadBackSeesAll order f1t1: 3
        PinnedRowIsFinal order c1f1: 15
        CursorBelongsToVisit import-loop c2: 9
        MismatchBeforeClaim trip-redeployed c2: 3
        KeyNamesTheRun trip-again c2: 4
        CorruptionStops order c1b1: 62
        CancelWaitsForAppend order t1x1: 9
        ClearNeedsExclusivity trip-cleared-shared f1: 5
        ClearNeedsExclusivity trip-cleared-shared t1p2: 13
        UndoInReverse order-fails c2: 16
        UndoRunsOnce order-fails c2: 9
        UndoGetsItsOutput order-fails c2: 9
        RollbackIsFinal order-fails c2: 14
        RollbackResumes order-fails c2: 1
        StepWaitsForCursor import-loop c2: 27
        CancelIsHeeded order x1: 3
        FenceNeedsARival order f1: 1
        StateIsTheFold order c2: 8
        KeyOutlivesTheLife order c2: 9
        OutputIsInItsRow offer c2: 1
        DeadlineIsOriginal reminder c2: 19
        DeadlineIsOriginal parcel c2: 18
        TimerReadsTheClock reminder j1: 2
        RoundsAreKept parcel c2: 4
        PollHeedsDeadline parcel j1: 11"#]]
    .assert_eq(&table.join("\n"));
}

/// A subject that reports each ending as a broken invariant: the outcome, and the effects in their order.
struct Reported(Arc<dyn Subject>);

impl Subject for Reported {
    fn start(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        self.0.start(process)
    }

    fn resume(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        self.0.resume(process)
    }

    fn broken_invariants_after(&self, ending: &Ending<'_>) -> Vec<BrokenInvariant> {
        let effects = ending.history().effects();
        let effects: Vec<String> = effects
            .map(|(_, life, it)| {
                format!("{life} {:?} {} {:?}", it.direction, it.name, it.reception)
            })
            .collect();
        let outcome = ending.outcome();
        vec![BrokenInvariant {
            name: "reported".to_owned(),
            message: format!("{outcome} after {}", effects.join(", ")),
        }]
    }
}

/// Every ending that an exploration reaches, and the number of its schedules.
fn endings(name: &str, settings: Settings) -> (BTreeSet<String>, u64) {
    let mut workload = named(name, Faithful);
    let subject = workload.subject;
    workload.subject = Box::new(move || Arc::new(Reported(subject())));
    let findings = explore(&workload, &all_violations(settings));
    let endings = findings.violations.into_iter();
    let endings = endings.map(|found| found.message).collect();
    (endings, findings.schedules)
}

#[test]
fn what_is_left_out_reaches_no_other_ending() {
    let mut table = Vec::new();
    for (name, most) in [
        ("linear", "t1p2"),
        ("linear", "f1t1"),
        ("order", "t1p2"),
        ("order", "t2"),
        ("order", "c1t1"),
        ("order", "f1t1"),
        ("order", "c1j1"),
        ("order", "c1f1"),
        ("order", "c1x1"),
        ("order-fails", "t1p2"),
        ("import-loop", "t1p1"),
    ] {
        let unmerged = Settings {
            unmerged: true,
            ..within(budget(most))
        };
        let (few, few_schedules) = endings(name, within(budget(most)));
        let (all, all_schedules) = endings(name, unmerged);
        assert_eq!(few, all, "{name} {most}");
        table.push(format!(
            "{name} {most}: {} endings by {few_schedules} schedules of {all_schedules}",
            all.len()
        ));
    }
    expect![[r#"
        linear t1p2: 9 endings by 426 schedules of 983
        linear f1t1: 13 endings by 918 schedules of 1466
        order t1p2: 11 endings by 595 schedules of 1420
        order t2: 51 endings by 318 schedules of 625
        order c1t1: 61 endings by 292 schedules of 653
        order f1t1: 13 endings by 883 schedules of 1371
        order c1j1: 8 endings by 471 schedules of 1279
        order c1f1: 15 endings by 337 schedules of 879
        order c1x1: 35 endings by 191 schedules of 537
        order-fails t1p2: 29 endings by 2116 schedules of 5495
        import-loop t1p1: 47 endings by 778 schedules of 1136"#]]
    .assert_eq(&table.join("\n"));
}

#[test]
fn merging_leaves_a_small_part_of_the_schedules_and_the_report_gives_both_counts() {
    let settings = |unmerged| Settings {
        unmerged,
        ..within(budget("c3"))
    };
    let order = named("order", Faithful);
    let (merged, all) = (
        explore(&order, &settings(false)),
        explore(&order, &settings(true)),
    );
    assert_eq!(all.merged, 0);
    expect!["281 schedules, 406 crashes merged; 3300 schedules without merging"].assert_eq(
        &format!(
            "{} schedules, {} crashes merged; {} schedules without merging",
            merged.schedules, merged.merged, all.schedules
        ),
    );
}
