//! Each row has one turn in each round, and no row always follows the same one.

use std::collections::BTreeSet;

use crashpoint_benches::turn_order;

#[test]
fn every_row_has_one_turn_in_a_round_within_its_group() {
    for round in 1..=20 {
        let order = turn_order(round, 12, 4);
        for (number, group) in order.chunks(4).enumerate() {
            let rows: BTreeSet<usize> = group.iter().copied().collect();
            let expected: BTreeSet<usize> = (number * 4..number * 4 + 4).collect();
            assert_eq!(rows, expected, "round {round}");
        }
    }
}

#[test]
fn each_row_begins_a_group_as_often_as_any_other() {
    for group in 1..=8 {
        let rounds = 0..2 * group * group;
        let mut begun = vec![0; group];
        for round in rounds {
            begun[turn_order(round, group, group)[0]] += 1;
        }
        assert_eq!(begun, vec![2 * group; group]);
    }
}

#[test]
fn a_row_comes_after_different_ones() {
    for row in 0..8 {
        let before = |round| {
            let order = turn_order(round, 8, 8);
            let at = order.iter().position(|index| *index == row);
            at.and_then(|at| at.checked_sub(1)).map(|at| order[at])
        };
        let before: BTreeSet<Option<usize>> = (0..16).map(before).collect();
        assert!(before.len() >= 3, "row {row} comes after {before:?}");
    }
}

#[test]
fn no_rows_have_no_turns() {
    assert_eq!(turn_order(1, 0, 0), Vec::<usize>::new());
}
