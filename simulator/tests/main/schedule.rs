//! A schedule prints as words, reads back, and happens as it says or is an error that names what did
//! not happen.

use crashpoint::protocol::{Faithful, Rule, Without};
use crashpoint_simulator::disk::Loss;
use crashpoint_simulator::oracle::judge;
use crashpoint_simulator::{
    Fault, Fired, Possible, Recording, Run, Schedule, Source, StoreKind, Trial, replay_recording,
    run_schedule, run_seed,
};
use expect_test::expect;
use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::select;

use crate::mutants::MUTANTS;
use crate::support::{budget, each_schedule, within};
use crate::workloads::named;

fn faults() -> impl Strategy<Value = Fault> {
    let plain: Vec<Fault> = Fault::kinds().collect();
    prop_oneof![
        4 => select(plain),
        1 => any::<u8>().prop_map(Fault::FailsLate),
        1 => any::<u8>().prop_map(Fault::Echoed),
        1 => any::<u64>().prop_map(Fault::LosesRow),
        1 => any::<u32>().prop_map(Fault::Switch),
        1 => losses().prop_map(Fault::PowerLossBut),
    ]
}

fn losses() -> impl Strategy<Value = Loss> {
    let losses = "(nameless|all|none|(prefix|without|only|sampled)-[1-9]|subset-[1-9a-f]{1,4}|\
                  torn-[0-9]-(earlier|all)-((first|last)-[1-9]|even|odd))";
    losses.prop_map(|loss| loss.parse().expect("it is a loss"))
}

/// Names as the simulator gives them, and anything that a task can be called.
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
        // As a story has it: a line each.
        prop_assert_eq!(schedule.words().join("\n  ").parse(), Ok(schedule));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "(at |life1/a:before|: |; |\"|the process crashes|\\\\|é|\n){0,12}") {
        if let Ok(schedule) = text.parse::<Schedule>() {
            prop_assert_eq!(schedule.to_string().parse(), Ok(schedule));
        }
    }
}

#[test]
fn no_two_kinds_of_faults_have_the_same_words() {
    for fault in Fault::kinds() {
        assert_eq!(fault.to_string().parse(), Ok(fault));
        assert!(!fault.to_string().contains([';', '\n']), "{fault}");
    }
}

#[test]
fn err_schedules() {
    let mut errors = String::new();
    for text in [
        "life1/append#3:before: the process crashes",
        "at life1/append#3:before the process crashes",
        "at life1/append#3:before: the process burns",
        "at life1/append#3:before: life -1 goes on",
        "at life1/append#3:before: life 1 goes on; and on",
        "at \"life1: the process crashes",
        "at \"life1\" the process crashes",
    ] {
        let error = text.parse::<Schedule>().expect_err(text);
        errors += &format!("{error}\n");
    }
    expect![[r#"
        expected `at INSTANT: FAULT`, found "life1/append#3:before: the process crashes"
        expected `at INSTANT: FAULT`, found "at life1/append#3:before the process crashes"
        "the process burns" is no fault
        "life -1 goes on" is no fault
        expected `at INSTANT: FAULT`, found "and on"
        expected `at INSTANT: FAULT`, found "at \"life1: the process crashes"
        expected `at INSTANT: FAULT`, found "at \"life1\" the process crashes"
    "#]]
    .assert_eq(&errors);
}

/// The simulation but for its tape, which has other draws under another budget, and what was counted.
fn told(run: &Run) -> impl PartialEq + std::fmt::Debug {
    (run.history.clone(), run.log.clone(), run.broken.clone())
}

fn again(source: Source<'_>, store: StoreKind, trial: &Trial) {
    let words = trial.schedule().to_string();
    let schedule: Schedule = words.parse().expect("it was printed");
    let (same, tape) =
        run_schedule(source, store, &schedule).unwrap_or_else(|it| panic!("{it} in {words}"));
    assert_eq!(told(&same.run), told(&trial.run), "{words}");
    assert_eq!(same.verdicts, trial.verdicts, "{words}");
    let recording = Recording::Tape(tape);
    assert_eq!(replay_recording(source, &recording), Ok(same), "{words}");
}

/// All that is drawn in a simulation of a given workload is in its schedule.
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

/// What a mutant does wrong is said by words alone, switches between lives included.
#[test]
fn the_words_of_a_violation_break_the_same_promise() {
    for &(rule, workload, most, oracle) in MUTANTS {
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
        "at life1/append#9:before: the process crashes",
        "at life1/load:before: the process crashes",
        "at life1/append#1:before: the load misses the last row; at life1/append#2:before: the process crashes",
        "at life1/append#1:before: the process crashes; at life1/append#1:before: the process crashes",
        "at life1/append#1:before, switch: life 2 goes on",
        "at life1/append#1:before: life 2 goes on",
    ] {
        errors += &format!("{}\n", unfired(words));
    }
    expect![[r#"
        this did not happen: at life1/append#9:before: the process crashes; the simulation did not come to an instant of this name
        this did not happen: at life1/load:before: the process crashes; the simulation did not come to an instant of this name
        this did not happen: at life1/append#1:before: the load misses the last row; what was possible there: the process crashes; the store fails, without effect; the store fails, after the effect; the store fails, without effect, and does not say so; the append arrives twice, the second answer counts; the store fails, and the effect comes 1 operations later; the store fails, and the effect comes 2 operations later; the store fails, and the effect comes 3 operations later; a copy of the request arrives 2 operations later
        this did not happen: at life1/append#1:before: the process crashes; the simulation did not come to an instant of this name
        this did not happen: at life1/append#1:before, switch: life 2 goes on; the simulation did not come to an instant of this name
        this did not happen: at life1/append#1:before: life 2 goes on; the simulation did not come to an instant of this name
    "#]].assert_eq(&errors);
}

/// A soak found it: the run was cleared, a rival began another one under its id, and crashed between
/// clearing that and telling how it had ended. What the first one had told was held against the effects
/// of the second.
#[test]
fn what_a_cleared_run_told_is_not_held_against_the_next_run_of_the_id() {
    let words = "at life1/append#0:unacked: the run is cancelled; \
                 at life1/append#2:acked: another process takes the run over; \
                 at life2/clear:unacked: the process crashes";
    let workload = named("order-cleared", Faithful);
    let schedule = words.parse().expect("it is a schedule");
    let run = run_schedule(Source::Fixed(&workload), StoreKind::Memory, &schedule);
    let (trial, _) = run.unwrap_or_else(|unfired| panic!("{unfired}"));
    assert_eq!(trial.verdicts, []);
}

/// A takeover in the midst of a life, which thaws when the other one is done: a zombie. The mutant
/// goes on although it is fenced, and its schedule is a line that anybody can write.
#[test]
fn a_schedule_that_is_written_by_hand_catches_a_zombie() {
    let words = "at life1/ship:before-effect: another process takes the run over";
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
