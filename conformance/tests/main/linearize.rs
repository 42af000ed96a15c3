//! The linearizability checker agrees with people and with brute force.

use crashpoint_conformance::linearize::{Answer, Call, History, MARK_FOREIGN, Operation, Start};
use expect_test::{Expect, expect};
use proptest::collection::vec;
use proptest::prelude::*;

fn append(caller: usize, span: (u64, u64), row: (u64, u32), answer: Answer) -> Operation {
    let (sequence, mark) = row;
    let call = Call::Append {
        sequence,
        mark,
        answer,
    };
    operation(caller, span, call)
}

fn load(caller: usize, span: (u64, u64), rows: &[(u64, u32)]) -> Operation {
    let rows = Some(rows.to_vec());
    operation(caller, span, Call::Load { rows })
}

fn clear(caller: usize, span: (u64, u64)) -> Operation {
    operation(caller, span, Call::Clear { done: true })
}

fn operation(caller: usize, (begun, ended): (u64, u64), call: Call) -> Operation {
    Operation {
        caller,
        begun,
        ended: Some(ended),
        call,
    }
}

fn history(operations: impl IntoIterator<Item = Operation>) -> History {
    let mut history = History::default();
    operations.into_iter().for_each(|one| history.push(one));
    history
}

fn explained(operations: impl IntoIterator<Item = Operation>) {
    let history = history(operations);
    let window = history.failing_window(&Start::default());
    assert_eq!(window, None, "{}", window.as_ref().unwrap());
    assert!(history.is_linearizable(&Start::default()));
}

fn unexplained(operations: impl IntoIterator<Item = Operation>, window: &Expect) {
    let history = history(operations);
    assert!(!history.is_linearizable(&Start::default()));
    let found = history.failing_window(&Start::default()).unwrap();
    window.assert_eq(&found.to_string());
    let again = self::history(found.operations);
    assert!(!again.is_linearizable(&found.start));
}

use Answer::{Stored, Taken, Unknown};

#[test]
fn operations_at_once_may_take_effect_in_any_order() {
    // The load begins last and sees nothing; the append that ends last is seen by the other load.
    explained([
        append(0, (1, 6), (0, 1), Stored),
        load(1, (2, 3), &[]),
        load(1, (4, 5), &[(0, 1)]),
    ]);
    explained([
        append(0, (1, 4), (0, 1), Taken),
        append(1, (2, 3), (0, 2), Stored),
    ]);
    explained([
        append(0, (1, 2), (0, 1), Stored),
        clear(0, (3, 8)),
        append(1, (4, 5), (0, 2), Stored),
        load(1, (6, 7), &[(0, 2)]),
    ]);
}

#[test]
fn an_append_of_unknown_outcome_may_be_there_now_later_or_never() {
    let unknown = append(0, (1, 2), (0, 1), Unknown);
    explained([unknown.clone(), load(0, (3, 4), &[])]);
    explained([unknown.clone(), load(0, (3, 4), &[(0, 1)])]);
    explained([
        unknown.clone(),
        load(0, (3, 4), &[]),
        load(0, (5, 6), &[(0, 1)]),
    ]);
    unexplained(
        [unknown, load(0, (3, 4), &[(0, 1)]), load(0, (5, 6), &[])],
        &expect![[r#"
            the run holds []
            caller 0 |-|         append 0=r1 -> another error
            caller 0     |-|     load -> [0=r1]
            caller 0         |-| load -> []"#]],
    );
}

#[test]
fn a_lost_row_is_drawn_without_what_has_nothing_to_do_with_it() {
    unexplained(
        [
            append(0, (1, 2), (7, 1), Stored),
            append(1, (1, 4), (8, 2), Stored),
            load(2, (5, 6), &[(7, 1), (8, 2)]),
            append(0, (7, 9), (9, 3), Stored),
            append(1, (8, 12), (9, 4), Taken),
            load(2, (13, 14), &[(7, 1), (8, 2)]),
            load(2, (15, 16), &[(7, 1), (8, 2), (9, 3)]),
        ],
        &expect![[r#"
            the run holds []
            caller 0 |-|     append 9=r3 -> Ok
            caller 2     |-| load -> []"#]],
    );
}

#[test]
fn two_winners_of_one_sequence_are_not_explained() {
    unexplained(
        [
            append(0, (1, 3), (0, 1), Stored),
            append(1, (2, 4), (0, 2), Stored),
            load(0, (5, 6), &[(0, 2)]),
        ],
        &expect![[r#"
            the run holds []
            caller 0 |---|   append 0=r1 -> Ok
            caller 1   |---| append 0=r2 -> Ok"#]],
    );
}

#[test]
fn a_row_that_nobody_wrote_is_not_explained() {
    unexplained(
        [
            append(0, (1, 3), (0, 1), Stored),
            load(1, (2, 4), &[(0, MARK_FOREIGN)]),
        ],
        &expect![[r#"
            the run holds []
            caller 0 |---|   append 0=r1 -> Ok
            caller 1   |---| load -> [0=?]"#]],
    );
}

#[test]
fn what_a_clear_removed_stays_away_and_the_window_begins_with_what_was_there() {
    unexplained(
        [
            append(0, (1, 2), (0, 1), Stored),
            append(0, (3, 4), (1, 2), Stored),
            clear(1, (5, 7)),
            load(0, (6, 8), &[(0, 1), (1, 2)]),
            load(1, (9, 10), &[(0, 1)]),
        ],
        &expect![[r#"
            the run holds [0=r1]
            caller 1 |-|     clear -> Ok
            caller 1     |-| load -> [0=r1]"#]],
    );
}

#[test]
fn rows_out_of_order_are_not_explained() {
    let written = [
        append(0, (1, 2), (0, 1), Stored),
        append(0, (3, 4), (1, 2), Stored),
    ];
    for rows in [[(1, 2), (0, 1)], [(0, 1), (0, 1)]] {
        let operations = written.iter().cloned().chain([load(0, (5, 6), &rows)]);
        assert!(!history(operations).is_linearizable(&Start::default()));
    }
}

#[test]
fn callers_that_never_overlap_say_so() {
    let apart = history([
        append(0, (1, 2), (0, 1), Stored),
        append(1, (3, 4), (1, 2), Stored),
    ]);
    assert!(!apart.overlaps());
    let met = history([
        append(0, (1, 3), (0, 1), Stored),
        append(1, (2, 4), (1, 2), Stored),
    ]);
    assert!(met.overlaps());
}

/// Tries every order of every subset of the optional operations.
fn brute_force(operations: &[Operation]) -> bool {
    fn go_on(left: &[Operation], rows: &[(u64, u32)]) -> bool {
        let certain = |one: &Operation| !is_unknown(one);
        if !left.iter().any(certain) {
            return true;
        }
        (0..left.len()).any(|index| {
            let one = &left[index];
            let overtakes = left
                .iter()
                .any(|other| certain(other) && other.ended.is_some_and(|ended| ended < one.begun));
            if overtakes {
                return false;
            }
            let mut rest = left.to_vec();
            rest.remove(index);
            perform(&one.call, rows).is_some_and(|rows| go_on(&rest, &rows))
        })
    }
    go_on(operations, &[])
}

fn is_unknown(operation: &Operation) -> bool {
    let call = &operation.call;
    matches!(
        call,
        Call::Append {
            answer: Unknown,
            ..
        } | Call::Clear { done: false }
    )
}

/// The rows after a call, if its answer is right.
fn perform(call: &Call, rows: &[(u64, u32)]) -> Option<Vec<(u64, u32)>> {
    let mut after = rows.to_vec();
    match call {
        Call::Append {
            sequence,
            mark,
            answer,
        } => {
            let taken = rows.iter().any(|(one, _)| one == sequence);
            match answer {
                Stored if taken => return None,
                Taken if !taken => return None,
                Stored | Unknown if !taken => after.push((*sequence, *mark)),
                _ => {}
            }
        }
        Call::Load { rows: Some(got) } => {
            let mut held = rows.to_vec();
            held.sort_unstable();
            if held != *got {
                return None;
            }
        }
        Call::Load { rows: None } => {}
        Call::Clear { .. } => after.clear(),
    }
    Some(after)
}

/// A call of the n-th operation on two sequences; a load shows rows of the first few appends.
fn call(mark: u32) -> impl Strategy<Value = Call> {
    let answer = prop_oneof![4 => Just(Stored), 2 => Just(Taken), 1 => Just(Unknown)];
    let append = (0..2_u64, answer).prop_map(move |(sequence, answer)| Call::Append {
        sequence,
        mark,
        answer,
    });
    let row = prop_oneof![3 => Just(None), 4 => (0..5_u32).prop_map(Some)];
    let rows = [row.clone(), row].prop_map(|marks| {
        let rows = marks
            .into_iter()
            .zip(0..)
            .filter_map(|(mark, sequence)| mark.map(|mark| (sequence, mark)));
        Call::Load {
            rows: Some(rows.collect()),
        }
    });
    let clear = any::<bool>().prop_map(|done| Call::Clear { done });
    prop_oneof![5 => append, 3 => rows, 1 => clear]
}

/// Few operations, with any of their beginnings before any of their ends.
fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let calls = (0..6_u32).map(call).collect::<Vec<_>>();
    (calls, vec(any::<(u8, u8)>(), 6), 1..=6_usize).prop_map(|(calls, spans, count)| {
        let spans = spans.into_iter().zip(0_u64..).map(|((one, other), index)| {
            let (from, until) = (one.min(other), one.max(other));
            // All ticks differ.
            (
                u64::from(from) * 20 + index * 2,
                u64::from(until) * 20 + index * 2 + 1,
            )
        });
        let numbered = calls.into_iter().zip(spans).zip(0..);
        let operations = numbered.map(|((call, span), caller)| operation(caller, span, call));
        operations.take(count).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn the_search_agrees_with_brute_force(operations in operations()) {
        let history = history(operations.clone());
        prop_assert_eq!(history.is_linearizable(&Start::default()), brute_force(&operations));
    }

    #[test]
    fn a_failing_window_fails_and_is_no_larger_than_its_history(operations in operations()) {
        let history = history(operations.clone());
        match history.failing_window(&Start::default()) {
            None => prop_assert!(brute_force(&operations)),
            Some(window) => {
                prop_assert!(window.operations.len() <= operations.len());
                let again = self::history(window.operations);
                prop_assert!(!again.is_linearizable(&window.start));
            }
        }
    }
}

#[test]
fn brute_force_meets_both_answers_often() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let tried = 500;
    let explained =
        (0..tried).filter(|_| brute_force(&operations().new_tree(&mut runner).unwrap().current()));
    let explained = explained.count();
    assert!(
        (tried / 10..tried * 9 / 10).contains(&explained),
        "{explained} of {tried}"
    );
}
