//! A schedule prints as text, parses back, and happens as written; otherwise an error names the
//! fault that did not fire.

use std::collections::BTreeSet;

use crashpoint::protocol::{Faithful, Rule, Without};
use crashpoint_simulator::disk::Loss;
use crashpoint_simulator::oracle::judge;
use crashpoint_simulator::{
    AttemptFault, Breach, ClockFault, Crash, DiskFault, Fault, Fired, Possible, Recording, Run,
    Schedule, Source, StoreFault, StoreKind, Trial, replay_recording, run_schedule, run_seed,
};
use expect_test::expect;
use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::select;

use crate::mutants::mutants;
use crate::support::{budget, each_schedule, within};
use crate::workloads::named;

fn faults() -> impl Strategy<Value = Fault> {
    let plain: Vec<Fault> = Fault::kinds().collect();
    prop_oneof![
        4 => select(plain),
        1 => any::<u8>().prop_map(|later| Fault::Store(StoreFault::InDoubtLate(later))),
        1 => any::<u8>().prop_map(|later| Fault::Store(StoreFault::Echoed(later))),
        1 => any::<u64>().prop_map(|row| Fault::Breach(Breach::LostRow(row))),
        1 => any::<u32>().prop_map(Fault::Switch),
        1 => any::<u32>().prop_map(Fault::Order),
        1 => losses().prop_map(|loss| Fault::Disk(DiskFault::PowerLoss(loss))),
    ]
}

fn losses() -> impl Strategy<Value = Loss> {
    let losses = "(nameless|all|none|(prefix|without|only|sampled)-[1-9]|subset-[1-9a-f]{1,4}|\
                  torn-[0-9]-(earlier|all)-((first|last)-[1-9]|even|odd))";
    losses.prop_map(|loss| loss.parse().expect("it is a loss"))
}

/// Names as the simulator writes them, and any possible name of a task.
fn points() -> impl Strategy<Value = String> {
    let nasty = "[a: ;\"\\\\\n\u{1b}\u{202e}é]{0,12}";
    let plain = "life[1-9]/(undo )?[a-z?#]{1,8}(.2)?:(before|pending|unacked, switch)";
    prop_oneof![plain, nasty, any::<String>()]
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(fired in proptest::collection::vec((points(), faults()), 0..5)) {
        let fired = fired.into_iter().map(|(point, fault)| Fired {
            point: point.into(),
            fault,
        });
        let schedule = Schedule(fired.collect());
        prop_assert_eq!(schedule.to_string().parse(), Ok(schedule.clone()));
        // As in a story: one fault per line, with remarks.
        prop_assert_eq!(schedule.remarked().join("\n  ").parse(), Ok(schedule));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "(v1|v2|at |life1/a:before|: |; |\"|crash|the process crashes| \\(a\\)|\\\\|é|\n){0,12}") {
        if let Ok(schedule) = text.parse::<Schedule>() {
            prop_assert_eq!(schedule.to_string().parse(), Ok(schedule));
        }
    }
}

/// Version 1. Changing a name breaks schedules that users kept, and needs a version 2.
#[test]
fn each_fault_has_a_stable_name() {
    let names: Vec<String> = Fault::kinds().map(Fault::pattern).collect();
    expect![[r#"
        crash
        power-loss
        refused
        in-doubt-applied
        in-doubt-lost
        in-doubt-late=N
        duplicated
        echoed=N
        slow-answer
        slow-request
        stale-load
        partial-power-loss=KEPT
        write-error
        write-error-lasting
        sync-error
        sync-error-lasting
        disk-full
        attempt-error
        attempt-error-after
        attempt-fatal-after
        attempt-twice
        attempt-panic
        attempt-hang
        takeover
        switch=lifeN
        cancel
        clock-ahead
        clock-back
        sleep
        phantom-row
        lost-row=N
        order=N
        service-refused
        service-request-lost
        service-answer-lost
        service-slow"#]]
    .assert_eq(&names.join("\n"));
}

#[test]
fn each_name_reads_back_and_no_two_faults_have_the_same() {
    for fault in Fault::kinds() {
        assert_eq!(fault.to_string().parse(), Ok(fault));
        assert_eq!(fault.kind(), fault);
        assert!(
            !fault.to_string().contains([';', '\n', '(', ' ']),
            "{fault}"
        );
    }
}

/// So a remark can contain any sentence.
#[test]
fn no_sentence_of_a_fault_has_a_mark_of_the_grammar() {
    let mut sentences = BTreeSet::new();
    for fault in Fault::kinds() {
        let prose = fault.prose();
        assert!(!prose.contains([';', '\n', '(', ')', '{']), "{prose}");
        assert!(sentences.insert(prose.clone()), "{prose}");
        assert!(prose.parse::<Fault>().is_err(), "{prose}");
    }
}

/// The sentences of schedules before version 1, which are in tests that users kept. This list and
/// the table that parses it are frozen.
#[test]
fn each_sentence_of_before_version_1_is_read() {
    let store = Fault::Store;
    let disk = Fault::Disk;
    let attempt = Fault::Attempt;
    let loss = "torn-1-all-first-2".parse().expect("it is a loss");
    for (sentence, fault) in [
        ("the process crashes", Fault::Crash(Crash::Process)),
        ("the power fails", Fault::Crash(Crash::PowerLoss)),
        (
            "the power fails, and of what was not synced is kept: torn-1-all-first-2",
            disk(DiskFault::PowerLoss(loss)),
        ),
        ("the disk fails a write", disk(DiskFault::WriteError)),
        (
            "the disk fails a write, and every one after it",
            disk(DiskFault::WriteErrorLasting),
        ),
        ("the disk fails a sync", disk(DiskFault::SyncError)),
        (
            "the disk fails a sync, and every one after it",
            disk(DiskFault::SyncErrorLasting),
        ),
        ("the disk is full", disk(DiskFault::Full)),
        ("another process takes the run over", Fault::Takeover),
        ("the run is cancelled", Fault::Cancel),
        (
            "the store fails, without effect",
            store(StoreFault::Refused),
        ),
        (
            "the store fails, after the effect",
            store(StoreFault::InDoubtApplied),
        ),
        (
            "the store fails, without effect, and does not say so",
            store(StoreFault::InDoubtLost),
        ),
        (
            "the store fails, and the effect comes 2 operations later",
            store(StoreFault::InDoubtLate(2)),
        ),
        (
            "the append arrives twice, the second answer counts",
            store(StoreFault::Duplicated),
        ),
        (
            "a copy of the request arrives 2 operations later",
            store(StoreFault::Echoed(2)),
        ),
        (
            "the answer comes a minute late",
            store(StoreFault::SlowAnswer),
        ),
        (
            "the request arrives a minute late",
            store(StoreFault::SlowRequest),
        ),
        ("the load misses the last row", store(StoreFault::StaleLoad)),
        (
            "the attempt fails before it has begun",
            attempt(AttemptFault::Error),
        ),
        (
            "the attempt does its work and reports an error",
            attempt(AttemptFault::ErrorAfter),
        ),
        (
            "the attempt does its work and reports a final error",
            attempt(AttemptFault::FatalAfter),
        ),
        (
            "the attempt does its work twice",
            attempt(AttemptFault::Twice),
        ),
        ("the attempt panics", attempt(AttemptFault::Panic)),
        ("the attempt never ends", attempt(AttemptFault::Hang)),
        (
            "the wall clock jumps an hour ahead",
            Fault::Clock(ClockFault::Ahead),
        ),
        (
            "the wall clock jumps an hour back",
            Fault::Clock(ClockFault::Back),
        ),
        ("an hour passes at once", Fault::Clock(ClockFault::Sleep)),
        (
            "the store fails, and shows a row that is not durable",
            Fault::Breach(Breach::PhantomRow),
        ),
        ("the store loses row 3", Fault::Breach(Breach::LostRow(3))),
    ] {
        let point = "life2/append#3.2:before";
        let schedule = Schedule(vec![Fired {
            point: point.into(),
            fault,
        }]);
        assert_eq!(
            format!("at {point}: {sentence}").parse(),
            Ok(schedule.clone()),
            "{sentence}"
        );
        assert_eq!(
            format!("v1; at {point}: {fault}").parse(),
            Ok(schedule),
            "{fault}"
        );
    }
    // The instant had the switch in its name then.
    let switch: Schedule = "at life1/append#1:before, switch: life 2 goes on"
        .parse()
        .expect("a switch");
    expect!["v1; at life1/append#1:before: switch=life2"].assert_eq(&switch.to_string());
    for calm in ["no fault", "v1; no fault", "v1", ""] {
        assert_eq!(calm.parse(), Ok(Schedule::default()), "{calm:?}");
    }
}

#[test]
fn err_schedules() {
    let mut errors = String::new();
    for text in [
        "life1/append#3:before: crash",
        "at life1/append#3:before crash",
        "at life1/append#3:before: burns",
        "at life1/append#3:before: switch=-1",
        "at life1/append#3:before: switch",
        "at life1/append#3:before: crash=1",
        "at life1/append#3:before: in-doubt-late=many",
        "at life1/append#3:before: crash; and on",
        "at \"life1: crash",
        "at \"life1\" crash",
        "v1; at life1/append#3:before: the process crashes",
        "v2; at life1/append#3:before: crash",
    ] {
        let error = text.parse::<Schedule>().expect_err(text);
        errors += &format!("{error}\n");
    }
    expect![[r#"
        expected `at INSTANT: FAULT`, found "life1/append#3:before: crash"
        expected `at INSTANT: FAULT`, found "at life1/append#3:before crash"
        unknown fault "burns"; the faults are crash, power-loss, refused, in-doubt-applied, in-doubt-lost, in-doubt-late=N, duplicated, echoed=N, slow-answer, slow-request, stale-load, partial-power-loss=KEPT, write-error, write-error-lasting, sync-error, sync-error-lasting, disk-full, attempt-error, attempt-error-after, attempt-fatal-after, attempt-twice, attempt-panic, attempt-hang, takeover, switch=lifeN, cancel, clock-ahead, clock-back, sleep, phantom-row, lost-row=N, order=N, service-refused, service-request-lost, service-answer-lost, service-slow
        "switch=-1" is not written like switch=lifeN
        "switch" is not written like switch=lifeN
        "crash=1" is not written like crash
        "in-doubt-late=many" is not written like in-doubt-late=N
        expected `at INSTANT: FAULT`, found "and on"
        expected `at INSTANT: FAULT`, found "at \"life1: crash"
        expected `at INSTANT: FAULT`, found "at \"life1\" crash"
        unknown fault "the process crashes"; the faults are crash, power-loss, refused, in-doubt-applied, in-doubt-lost, in-doubt-late=N, duplicated, echoed=N, slow-answer, slow-request, stale-load, partial-power-loss=KEPT, write-error, write-error-lasting, sync-error, sync-error-lasting, disk-full, attempt-error, attempt-error-after, attempt-fatal-after, attempt-twice, attempt-panic, attempt-hang, takeover, switch=lifeN, cancel, clock-ahead, clock-back, sleep, phantom-row, lost-row=N, order=N, service-refused, service-request-lost, service-answer-lost, service-slow
        the schedule has version "v2", this simulator reads version v1
    "#]].assert_eq(&errors);
}

/// The observable part of a simulation. Its tape has other draws under another budget, and its
/// counts differ.
fn observable(run: &Run) -> impl PartialEq + std::fmt::Debug {
    (run.history.clone(), run.log.clone(), run.broken.clone())
}

fn again(source: Source<'_>, store: StoreKind, trial: &Trial) {
    let words = trial.schedule().to_string();
    let schedule: Schedule = words.parse().expect("it was printed");
    let (same, tape) =
        run_schedule(source, store, &schedule).unwrap_or_else(|it| panic!("{it} in {words}"));
    assert_eq!(observable(&same.run), observable(&trial.run), "{words}");
    assert_eq!(same.verdicts, trial.verdicts, "{words}");
    let recording = Recording::Tape(tape);
    assert_eq!(replay_recording(source, &recording), Ok(same), "{words}");
}

/// The schedule of a simulation contains everything that was drawn for a given workload.
#[test]
fn the_words_of_any_simulation_make_it_happen_again() {
    let most = within(budget("c2f2e1t2p3x1j1b1"));
    for workload in ["order", "order-undo-fails", "import-loop", "order-hangs"] {
        let workload = named(workload, Faithful);
        let source = Source::Fixed(&workload);
        let mut switches = 0;
        for seed in 0..150 {
            let (trial, _) = run_seed(source, &most, Possible::Swarm, seed);
            let mut faults = trial.run.history.faults();
            switches += usize::from(faults.any(|(.., it)| matches!(it.fault, Fault::Switch(_))));
            again(source, StoreKind::Memory, &trial);
        }
        assert!(switches > 0, "no switch in {}", workload.name);
    }
    let workload = named("trip-cleared", Faithful);
    let source = Source::Fixed(&workload);
    for seed in 0..40 {
        let settings = crashpoint_simulator::Settings {
            store: StoreKind::Redb,
            ..within(budget("c2f1d2t1p1"))
        };
        let (trial, _) = run_seed(source, &settings, Possible::All, seed);
        again(source, StoreKind::Redb, &trial);
    }
}

/// The text alone reproduces the violation of a mutant, switches between lives included.
#[test]
fn the_words_of_a_violation_break_the_same_promise() {
    for (rule, workload, most, oracle) in mutants() {
        let mutant = named(workload, Without(rule));
        let (found, _) = each_schedule(&mutant, budget(most), |run| {
            let broken = judge(&mutant, run)
                .into_iter()
                .find(|it| it.oracle == oracle);
            broken.map(|verdict| (Schedule::of(&run.history), verdict))
        });
        let (schedule, verdict) = found.expect("the mutant is caught");
        let trial = run_schedule(Source::Fixed(&mutant), StoreKind::Memory, &schedule);
        let (trial, _) = trial.unwrap_or_else(|unfired| panic!("{rule:?}: {unfired}"));
        assert!(trial.verdicts.contains(&verdict), "{rule:?}: {schedule}");
    }
}

#[test]
fn a_fault_that_does_not_happen_is_named_with_what_was_possible() {
    let order = named("order", Faithful);
    let unfired = |words: &str| {
        let schedule = words.parse().expect("it is a schedule");
        let run = run_schedule(Source::Fixed(&order), StoreKind::Memory, &schedule);
        run.expect_err(words).to_string()
    };
    let mut errors = String::new();
    for words in [
        "at life1/append#9:before: crash",
        "at life1/load:before: crash",
        "at life1/append#1:before: stale-load; at life1/append#2:before: crash",
        "at life1/append#1:before: crash; at life1/append#1:before: crash",
        "at life1/append#1:before: switch=life2",
    ] {
        errors += &format!("{}\n", unfired(words));
    }
    expect![[r#"
        this fault did not fire: at life1/append#9:before: crash; the simulation did not reach an instant of this name
        this fault did not fire: at life1/load:before: crash; the simulation did not reach an instant of this name
        this fault did not fire: at life1/append#1:before: stale-load; possible there: crash, refused, in-doubt-applied, in-doubt-lost, duplicated, in-doubt-late=1, in-doubt-late=2, in-doubt-late=3, echoed=2
        this fault did not fire: at life1/append#1:before: crash; the simulation did not reach an instant of this name
        this fault did not fire: at life1/append#1:before: switch=life2; the simulation did not reach an instant of this name
    "#]].assert_eq(&errors);
}

/// Found by a soak. The run was cleared, a rival began another run of the id, and crashed between
/// clearing it and returning its result. The oracle compared the result of the first run with the
/// effects of the second.
#[test]
fn the_result_of_a_cleared_run_is_not_compared_with_the_next_run_of_the_id() {
    let words = "at life1/append#0:unacked: cancel; \
                 at life1/append#2:acked: takeover; \
                 at life2/clear:unacked: crash";
    let workload = named("order-cleared", Faithful);
    let schedule = words.parse().expect("it is a schedule");
    let run = run_schedule(Source::Fixed(&workload), StoreKind::Memory, &schedule);
    let (trial, _) = run.unwrap_or_else(|unfired| panic!("{unfired}"));
    assert_eq!(trial.verdicts, []);
}

/// A takeover in the middle of a life, which continues when the other life is done: a zombie. The
/// mutant continues although it is fenced. Its schedule is a line that anybody can write.
#[test]
fn a_schedule_that_is_written_by_hand_catches_a_zombie() {
    let words = "at life1/ship:before-effect: takeover";
    let schedule: Schedule = words.parse().expect("it is a schedule");
    let objections = |mutant: Option<Rule>| {
        let workload = match mutant {
            Some(rule) => named("order", Without(rule)),
            None => named("order", Faithful),
        };
        let run = run_schedule(Source::Fixed(&workload), StoreKind::Memory, &schedule);
        let (trial, _) = run.unwrap_or_else(|unfired| panic!("{unfired}"));
        let oracles = trial.verdicts.iter().map(|verdict| verdict.oracle);
        oracles.collect::<Vec<_>>().join(", ")
    };
    expect![""].assert_eq(&objections(None));
    expect!["one-writer, storage-faults-stay-out, all-or-nothing, undo-order"]
        .assert_eq(&objections(Some(Rule::FencedStops)));
}
