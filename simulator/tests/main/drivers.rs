//! The drivers of choices that somebody else controls: bytes, edited tapes, proptest.

use crashpoint::protocol::{Faithful, Rule, Without};
use crashpoint_simulator::choices::{
    AnyChoices, Bytes, Draw, Edited, Recorded, Seeded, Tape, any_choices,
};
use crashpoint_simulator::oracle::judge;
use crashpoint_simulator::workload::Workload;
use crashpoint_simulator::{Choices, simulate_with};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use crate::support::{budget, run, within, words};
use crate::workloads::named;

const BUDGET: &str = "c2f2t1p2x1";

// ---- from bytes ----

/// The choices of these bytes, for draws among these numbers.
fn chosen(bytes: &[u8], among: &[usize]) -> Vec<usize> {
    let mut bytes = Bytes::new(bytes);
    among.iter().map(|n| bytes.choose("any", *n)).collect()
}

#[test]
fn a_draw_takes_as_many_bytes_as_its_choices_need() {
    let cases: [(&[u8], &[usize], &[usize]); 6] = [
        (&[], &[2, 300], &[0, 0]),
        (&[1, 1, 7], &[2, 256, 3], &[1, 1, 1]),
        (&[255, 255], &[256, 2], &[255, 1]),
        (&[44, 1, 1], &[301, 2], &[300, 1]),
        (&[0, 0, 1, 1], &[65_537, 2], &[65_536, 1]),
        (&[44], &[301, 2], &[44, 0]),
    ];
    for (bytes, among, expected) in cases {
        assert_eq!(chosen(bytes, among), expected, "{bytes:?} among {among:?}");
    }
}

proptest! {
    #[test]
    fn another_byte_is_another_choice_of_its_own_draw(
        bytes in prop::collection::vec(any::<u8>(), 1..40),
        among in prop::collection::vec(2..256_usize, 40),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let at = at.index(bytes.len());
        let mut changed = bytes.clone();
        changed[at] = byte;
        let (mut one, mut other) = (chosen(&bytes, &among), chosen(&changed, &among));
        prop_assert_eq!(other.remove(at), usize::from(byte) % among[at]);
        one.remove(at);
        prop_assert_eq!(one, other);
    }

    #[test]
    fn all_bytes_are_a_simulation_and_every_tape_can_be_encoded(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let workload = named("order", Faithful);
        let drawn = run(&workload, &within(budget(BUDGET)), Bytes::new(bytes));
        let spelt = Bytes::spell(&drawn.tape);
        prop_assert_eq!(run(&workload, &within(budget(BUDGET)), Bytes::new(spelt)), drawn);
    }
}

// ---- from an edited tape ----

#[test]
fn an_unedited_tape_is_drawn_unchanged() {
    let workload = named("order-fails", Faithful);
    for seed in 0..100 {
        let drawn = run(&workload, &within(budget(BUDGET)), Seeded::new(seed));
        let again = run(&workload, &within(budget(BUDGET)), Edited::new(&drawn.tape));
        assert_eq!(again, drawn, "seed {seed}");
    }
}

#[test]
fn a_removed_draw_moves_no_draw_of_another_label() {
    let draw = |label: &str, chosen| Draw {
        label: label.into(),
        n: 9,
        chosen,
    };
    let tape = Tape(vec![draw("a", 1), draw("b", 2), draw("a", 3), draw("c", 4)]);
    let drawn = |gone: usize| {
        let mut tape = tape.clone();
        tape.0.remove(gone);
        let mut edited = Edited::new(&tape);
        ["a", "b", "a", "c", "d"].map(|label| edited.choose(label, 9))
    };
    assert_eq!(drawn(0), [3, 2, 0, 4, 0]);
    assert_eq!(drawn(1), [1, 0, 3, 4, 0]);
    assert_eq!(drawn(2), [1, 2, 0, 4, 0]);
    assert_eq!(drawn(3), [1, 2, 3, 0, 0]);
}

#[test]
fn a_choice_that_does_not_fit_is_the_largest_that_does() {
    let mut edited = Edited::of([("who?", 7)]);
    assert_eq!(edited.choose("who?", 3), 2);
}

// ---- with proptest ----

fn runner() -> TestRunner {
    let config = Config {
        failure_persistence: None,
        ..Config::with_cases(400)
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// The choices that proptest ends with if a schedule of `workload` breaks a promise.
fn minimum(workload: &Workload, most: &str) -> Option<AnyChoices> {
    let outcome = runner().run(&any_choices(), |choices| {
        let (run, _) = simulate_with(workload, &within(budget(most)), choices);
        prop_assert_eq!(judge(workload, &run), []);
        Ok(())
    });
    match outcome {
        Ok(()) => None,
        Err(TestError::Fail(_, choices)) => Some(choices),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

#[test]
fn proptest_passes_what_breaks_no_promise() {
    assert!(minimum(&named("order", Faithful), BUDGET).is_none());
}

#[test]
fn proptest_ends_with_a_shrunk_schedule_and_prints_it_by_its_labels() {
    let mutant = named("order", Without(Rule::OutcomeAfterRow));
    let choices = minimum(&mutant, "c1f1").expect("the mutant is caught");
    let printed = format!("{choices:?}");
    let (run, _) = simulate_with(&mutant, &within(budget("c1f1")), choices);
    assert_ne!(judge(&mutant, &run), []);
    assert_eq!(run.history.faults().count(), 1, "{}", words(&run));
    let [(at, chosen)] = run.tape.interesting().collect::<Vec<_>>()[..] else {
        panic!("one choice is enough: {printed}");
    };
    assert_eq!(printed, format!("[\"{}: {chosen}\"]", run.tape.0[at].label));
    // It ends with an ordinary tape.
    let again = Recorded::new(run.tape.clone());
    let (again, _) = simulate_with(&mutant, &within(budget("c1f1")), again);
    assert_eq!(again, run);
}

/// Beside other strategies: each shrinks in its turn, and the final values still fail.
#[test]
fn choices_shrink_beside_other_values() {
    let mutant = named("order", Without(Rule::OutcomeAfterRow));
    let outcome = runner().run(&(0..4_u32, any_choices()), |(crashes, choices)| {
        let settings = within(budget(&format!("c{crashes}f1")));
        let (run, _) = simulate_with(&mutant, &settings, choices);
        prop_assert_eq!(judge(&mutant, &run), []);
        Ok(())
    });
    let Err(TestError::Fail(_, (crashes, choices))) = outcome else {
        panic!("the mutant goes unnoticed");
    };
    let settings = within(budget(&format!("c{crashes}f1")));
    let (run, _) = simulate_with(&mutant, &settings, choices);
    assert_ne!(judge(&mutant, &run), []);
    assert_eq!(run.history.faults().count(), 1, "{}", words(&run));
}
