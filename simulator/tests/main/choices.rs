//! The drivers of choices, and the text of budgets and schedules.

use crashpoint::protocol::{Faithful, Rule, Without};
use crashpoint_simulator::choices::{Draw, Exhaustive, Recorded, Seeded, Tape};
use crashpoint_simulator::oracle::judge;
use crashpoint_simulator::workload::generated::draw;
use crashpoint_simulator::{
    BadToken, Budget, Choices as _, Draws, Possible, StoreKind, TOKEN_LENGTH_MAX, Token, explore,
    replay, simulate_with, swarm,
};
use expect_test::{Expect, expect};
use proptest::prelude::*;

use crate::support::{budget, run, within};
use crate::workloads::named;

// ---- from a seed ----

/// A seed means the same in every later release: these numbers never change.
#[test]
fn a_seed_gives_the_numbers_of_every_earlier_release() {
    let mut table = String::new();
    for seed in [0, 1, 42] {
        let mut seeded = Seeded::new(seed);
        let numbers: Vec<String> = (0..4)
            .map(|_| format!("{:016x}", seeded.next_u64()))
            .collect();
        let mut seeded = Seeded::new(seed);
        let draws: Vec<String> = (0..40)
            .map(|_| seeded.choose("any", 7).to_string())
            .collect();
        table += &format!("{seed}: {}\n  {}\n", numbers.join(" "), draws.concat());
    }
    expect![[r#"
        0: 61da6f3dc380d507 5c0fdf91ec9a7bfc 02eebf8c3bbe5e1a 7eca04ebaf4a5eea
          0005020000200000000200001000000110300030
        1: bf424132963fe08d 19a37d5757aaf520 bf08119f05cd56d6 2f47184b86186fa4
          0500000000000000000000000000000000000000
        42: 519e4174576f3791 fbe07cfb0c24ed8c b37d9f600cd835b8 cb231c3874846a73
          0000000000000000000000000000005000000000
    "#]]
    .assert_eq(&table);
}

/// Draws before the simulation are uniform, and are pinned as well.
#[test]
fn a_seed_gives_the_plan_of_every_earlier_release() {
    let mut table = String::new();
    for seed in [0, 1, 42] {
        let mut seeded = Seeded::new(seed);
        let draws: Vec<String> = (0..40)
            .map(|_| seeded.choose("plan/any", 7).to_string())
            .collect();
        let mut seeded = Seeded::new(seed);
        let budget = swarm(&mut seeded, budget("c2f2t1p2x1"));
        let states = draw(&mut seeded).len();
        table += &format!("{seed}: {} {budget}, {states} states\n", draws.concat());
    }
    expect![[r#"
        0: 2203065202000024022100132046012266131413 c1f1p1, 7 states
        1: 5051463006202013364151214164544346205643 c2t1x1, 1 states
        42: 2645404163540231043164350263604516552355 f2t1p2x1, 1 states
    "#]]
    .assert_eq(&table);
}

#[test]
fn every_choice_is_drawn_by_some_seed_and_none_beyond() {
    for n in 2..12 {
        let mut drawn = vec![0_u32; n];
        for seed in 0..400 {
            let mut seeded = Seeded::new(seed);
            for _ in 0..8 {
                drawn[seeded.choose("any", n)] += 1;
            }
        }
        assert!(drawn.iter().all(|count| *count > 0), "{n}: {drawn:?}");
        assert!(drawn[1..].iter().all(|count| *count < drawn[0]));
    }
}

// ---- exhaustively ----

/// A tree of choices: nothing more to choose, or a subtree for each choice.
#[derive(Debug, Clone)]
struct Tree(Vec<Tree>);

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = Just(Tree(Vec::new()));
    leaf.prop_recursive(5, 64, 4, |inner| {
        prop::collection::vec(inner, 2..=4).prop_map(Tree)
    })
}

fn every_path(tree: &Tree) -> Vec<Vec<usize>> {
    if tree.0.is_empty() {
        return vec![Vec::new()];
    }
    let children = tree.0.iter().enumerate();
    let paths = children.flat_map(|(chosen, child)| {
        let rest = every_path(child).into_iter();
        rest.map(move |rest| [vec![chosen], rest].concat())
    });
    paths.collect()
}

fn drawn_paths(tree: &Tree, mut choices: Exhaustive) -> Vec<Vec<usize>> {
    let mut paths = Vec::new();
    loop {
        let (mut here, mut path) = (tree, Vec::new());
        while !here.0.is_empty() {
            let chosen = choices.choose("branch", here.0.len());
            here = &here.0[chosen];
            path.push(chosen);
        }
        paths.push(path);
        if !choices.advance() {
            return paths;
        }
    }
}

proptest! {
    #[test]
    fn the_odometer_draws_every_tape_of_a_bounded_space_once(tree in trees()) {
        prop_assert_eq!(drawn_paths(&tree, Exhaustive::new()), every_path(&tree));
    }

    #[test]
    fn below_a_prefix_the_odometer_draws_every_tape_with_that_prefix(tree in trees(), pick in 0_usize..1000, length in 0_usize..4) {
        let all = every_path(&tree);
        let path = &all[pick % all.len()];
        let length = length.min(path.len());
        let mut here = &tree;
        let mut prefix = Vec::new();
        for &chosen in &path[..length] {
            prefix.push((here.0.len(), chosen));
            here = &here.0[chosen];
        }
        let expected: Vec<_> = all.iter().filter(|other| other[..].starts_with(&path[..length])).cloned().collect();
        prop_assert_eq!(drawn_paths(&tree, Exhaustive::below(&prefix)), expected);
    }
}

#[test]
fn the_odometer_detects_a_draw_that_is_not_deterministic() {
    let mut choices = Exhaustive::new();
    choices.choose("branch", 3);
    assert!(choices.advance());
    assert_eq!(choices.mismatch(), None);
    assert_eq!(choices.choose("branch", 2), 0);
    // Later draws are the least interesting, and the first mismatch counts.
    assert_eq!(choices.choose("leaf", 2), 0);
    let mismatch = choices.mismatch().expect("it is noticed");
    expect!["the replay diverges at draw 0: expected a choice among 3, got branch of 2"]
        .assert_eq(&mismatch.to_string());
}

// ---- from a recording ----

fn recording() -> Tape {
    let draw = |label: &str, n, chosen| Draw {
        label: label.into(),
        n,
        chosen,
    };
    Tape(vec![draw("crash?", 2, 1), draw("which?", 3, 2)])
}

fn replayed(recorded: Recorded, asked: &[(&str, usize)]) -> (Vec<usize>, String) {
    let mut recorded = recorded;
    let drawn = asked.iter().map(|(label, n)| recorded.choose(label, *n));
    let drawn = drawn.collect();
    let verdict = match recorded.finish() {
        Ok(()) => "the same".to_owned(),
        Err(mismatch) => mismatch.to_string(),
    };
    (drawn, verdict)
}

/// A recording, the draws of the replay, the choices that it gets, and its verdict.
type Replayed<'a> = (Recorded, &'a [(&'a str, usize)], &'a [usize], Expect);

#[test]
fn a_recording_says_at_which_draw_a_replay_differs() {
    let whole = || Recorded::new(recording());
    let sparse = || Recorded::sparse(vec![(0, 1), (1, 2)]);
    let cases: Vec<Replayed<'_>> = vec![
        (
            whole(),
            &[("crash?", 2), ("which?", 3)],
            &[1, 2],
            expect!["the same"],
        ),
        (
            whole(),
            &[("crash?", 2), ("who?", 3)],
            &[1, 0],
            expect!["the replay diverges at draw 1: expected which? of 3, got who? of 3"],
        ),
        (
            whole(),
            &[("crash?", 4), ("which?", 3)],
            &[0, 0],
            expect!["the replay diverges at draw 0: expected crash? of 2, got crash? of 4"],
        ),
        (
            whole(),
            &[("crash?", 2)],
            &[1],
            expect!["the replay diverges at draw 1: expected which? of 3, got no further draw"],
        ),
        (
            whole(),
            &[("crash?", 2), ("which?", 3), ("more?", 2)],
            &[1, 2, 0],
            expect!["the replay diverges at draw 2: expected the end of the tape, got more? of 2"],
        ),
        (
            sparse(),
            &[("any", 9), ("other", 3), ("more", 2)],
            &[1, 2, 0],
            expect!["the same"],
        ),
        (
            sparse(),
            &[("any", 9), ("other", 2)],
            &[1, 0],
            expect!["the replay diverges at draw 1: expected choice 2, got other of 2"],
        ),
        (
            sparse(),
            &[("any", 9)],
            &[1],
            expect!["the replay diverges at draw 1: expected choice 2, got no further draw"],
        ),
    ];
    for (recorded, asked, drawn, verdict) in cases {
        let replayed = replayed(recorded, asked);
        assert_eq!(replayed.0, drawn);
        verdict.assert_eq(&replayed.1);
    }
}

#[test]
fn a_recorded_run_is_replayed_whole_and_from_its_token() {
    let workload = named("order-fails", Faithful);
    for seed in 0..50 {
        let settings = within(budget("c1f1x1"));
        let recorded = run(&workload, &settings, Seeded::new(seed));
        let (again, choices) =
            simulate_with(&workload, &settings, Recorded::new(recorded.tape.clone()));
        assert_eq!(choices.finish(), Ok(()));
        assert_eq!(again, recorded);
        let token = Token::of(&workload.name, &settings, &recorded.tape);
        let token: Token = token.to_string().parse().expect("a token reads itself");
        assert_eq!(replay(&workload, &token), Ok(recorded));
    }
}

#[test]
fn a_token_of_another_engine_is_refused_by_what_differs() {
    let workload = named("order", Faithful);
    let token = |text: &str| text.parse::<Token>().expect("the token is well formed");
    let refused = |text: &str| {
        replay(&workload, &token(text))
            .expect_err("the token is not of this engine")
            .to_string()
    };
    expect!["the replay differs from the recorded schedule; the workload or the engine has changed since it was recorded"].assert_eq(&refused("3.order.memory.c1.calm.00000000"));
    expect!["the replay diverges at draw 500: expected choice 1, got no further draw; the workload or the engine has changed since it was recorded"].assert_eq(&refused("3.order.memory.c1.500x1.00000000"));
    expect!["the replay diverges at draw 0: expected choice 7, got life1/append#0:before of 2; the workload or the engine has changed since it was recorded"].assert_eq(&refused("3.order.memory.c1.0x7.00000000"));
}

#[test]
fn the_token_of_a_violation_replays_it() {
    let mutant = named("order", Without(Rule::OutcomeAfterRow));
    let findings = explore(&mutant, &within(budget("f1")));
    let violation = findings.violations.first().expect("the mutant is caught");
    let run = replay(&mutant, &violation.token).expect("the schedule is the same");
    let again = judge(&mutant, &run);
    assert!(
        again
            .iter()
            .any(|verdict| verdict.message == violation.message)
    );
}

// ---- as text ----

fn budgets() -> impl Strategy<Value = Budget> {
    prop::array::uniform11(prop_oneof![Just(0), 1..5_u32, any::<u32>()]).prop_map(
        |[
            crashes,
            faults,
            disk,
            errors,
            takeovers,
            preemptions,
            cancels,
            jumps,
            breaches,
            orders,
            services,
        ]| Budget {
            crashes,
            faults,
            disk,
            errors,
            takeovers,
            preemptions,
            cancels,
            jumps,
            breaches,
            orders,
            services,
        },
    )
}

fn tokens() -> impl Strategy<Value = Token> {
    let listed = prop::collection::btree_map(0_usize..500, 1_usize..40, 0..4);
    let possible = prop_oneof![Just(Possible::All), Just(Possible::Swarm)];
    let draws = prop_oneof![
        listed.prop_map(|listed| Draws::Listed(listed.into_iter().collect())),
        (any::<u64>(), possible).prop_map(|(seed, possible)| Draws::Seed { seed, possible }),
    ];
    let stores = prop::sample::select(StoreKind::ALL);
    ("[a-z][a-z-]{0,20}", stores, budgets(), draws, any::<u32>()).prop_map(
        |(workload, store, budget, draws, fingerprint)| Token {
            workload,
            store,
            budget,
            draws,
            fingerprint,
        },
    )
}

proptest! {
    #[test]
    fn a_budget_reads_what_it_writes(budget in budgets()) {
        prop_assert_eq!(budget.to_string().parse(), Ok(budget));
    }

    /// A token that would be too long to copy has no text.
    #[test]
    fn a_token_reads_what_it_writes(token in tokens()) {
        match token.word() {
            Ok(word) => {
                prop_assert!(word.chars().count() <= TOKEN_LENGTH_MAX);
                prop_assert_eq!(&word, &token.to_string());
                prop_assert_eq!(word.parse(), Ok(token));
            }
            Err(too_long) => {
                prop_assert!(too_long.length > TOKEN_LENGTH_MAX);
                prop_assert!(token.to_string().parse::<Token>().is_err());
            }
        }
    }

    #[test]
    fn a_text_is_a_token_or_an_error(text in "[0-9a-fx.,+ c-]{0,40}") {
        if let Ok(token) = text.parse::<Token>() {
            prop_assert_eq!(token.to_string().parse(), Ok(token));
        }
    }
}

#[test]
fn err_budgets() {
    for text in [
        "",
        "c",
        "1",
        "z1",
        "c1 f1",
        "c-1",
        "c+1",
        "c99999999999",
        "\u{e9}1",
        "c1,f1",
        "C1",
    ] {
        let error = text.parse::<Budget>().expect_err(text).to_string();
        let expected = format!(
            "{text:?} is not a budget: letters of c, f, d, e, t, p, x, j, b, o, s, each with a number, as in c1f1"
        );
        assert_eq!(error, expected);
    }
}

#[test]
fn err_tokens() {
    let cases = [
        (
            "",
            expect![[
                r#""" is not a token: expected VERSION.WORKLOAD.STORE.BUDGET.DRAWS.FINGERPRINT"#
            ]],
        ),
        (
            "order",
            expect![[
                r#""order" is not a token: expected VERSION.WORKLOAD.STORE.BUDGET.DRAWS.FINGERPRINT"#
            ]],
        ),
        (
            "1.order.c1.calm.01234567",
            expect![[r#"the token has version "1", this simulator reads version 3"#]],
        ),
        (
            "3.order.memory.c1.calm",
            expect![[
                r#""3.order.memory.c1.calm" is not a token: expected VERSION.WORKLOAD.STORE.BUDGET.DRAWS.FINGERPRINT"#
            ]],
        ),
        (
            "3.order.memory.c1.calm.01234567.more",
            expect![[
                r#""3.order.memory.c1.calm.01234567.more" is not a token: expected VERSION.WORKLOAD.STORE.BUDGET.DRAWS.FINGERPRINT"#
            ]],
        ),
        (
            "3.order.paper.c1.calm.01234567",
            expect![[r#"unknown store "paper""#]],
        ),
        (
            "3.order.memory.k1.calm.01234567",
            expect![[
                r#""k1" is not a budget: letters of c, f, d, e, t, p, x, j, b, o, s, each with a number, as in c1f1"#
            ]],
        ),
        (
            "3.order.memory.c1..01234567",
            expect![[
                r#""" is not a list of draws: expected ascending INDEXxCHOICE pairs, as in 7x1,19x2, or a seed, as in s42"#
            ]],
        ),
        (
            "3.order.memory.c1.7x0.01234567",
            expect![[
                r#""7x0" is not a list of draws: expected ascending INDEXxCHOICE pairs, as in 7x1,19x2, or a seed, as in s42"#
            ]],
        ),
        (
            "3.order.memory.c1.7x1,7x2.01234567",
            expect![[
                r#""7x1,7x2" is not a list of draws: expected ascending INDEXxCHOICE pairs, as in 7x1,19x2, or a seed, as in s42"#
            ]],
        ),
        (
            "3.order.memory.c1.+7x1.01234567",
            expect![[
                r#""+7x1" is not a list of draws: expected ascending INDEXxCHOICE pairs, as in 7x1,19x2, or a seed, as in s42"#
            ]],
        ),
        (
            "3.order.memory.c1.s.01234567",
            expect![[
                r#""s" is not a list of draws: expected ascending INDEXxCHOICE pairs, as in 7x1,19x2, or a seed, as in s42"#
            ]],
        ),
        (
            "3.order.memory.c1.w+7.01234567",
            expect![[
                r#""w+7" is not a list of draws: expected ascending INDEXxCHOICE pairs, as in 7x1,19x2, or a seed, as in s42"#
            ]],
        ),
        (
            "3.order.memory.c1.calm.123",
            expect![[r#""123" is not a fingerprint: expected 8 hexadecimal digits"#]],
        ),
        (
            "3.order.memory.c1.calm.+1234567",
            expect![[r#""+1234567" is not a fingerprint: expected 8 hexadecimal digits"#]],
        ),
        (
            "3.order.memory.c1.calm.0123456g",
            expect![[r#""0123456g" is not a fingerprint: expected 8 hexadecimal digits"#]],
        ),
    ];
    for (text, message) in cases {
        let error: BadToken = text.parse::<Token>().expect_err(text);
        message.assert_eq(&error.to_string());
    }
}

#[test]
fn a_budget_in_words_counts_what_may_go_wrong() {
    let words = ["c0", "c1", "c2", "c1f1", "t1p2", "c3f2t2p4"].map(|text| {
        let budget: Budget = text.parse().expect("it is a budget");
        format!("{text}: {}", budget.prose())
    });
    expect![[r#"
        c0: no fault
        c1: up to 1 crash
        c2: up to 2 crashes
        c1f1: up to 1 crash and 1 fault of the store
        t1p2: up to 1 takeover and 2 switches between lives
        c3f2t2p4: up to 3 crashes, 2 faults of the store, 2 takeovers and 4 switches between lives"#]]
    .assert_eq(&words.join("\n"));
}
