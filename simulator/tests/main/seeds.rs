//! Exploration by seeds, and recordings of what it finds: tokens and files.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crashpoint::protocol::{Faithful, Rule, Without};
use crashpoint_simulator::choices::{Draw, Seeded, Tape};
use crashpoint_simulator::{
    Fault, Possible, Recording, Source, StoreKind, Swarm, TOKEN_LENGTH_MAX, TapeFile, Token,
    explore_seeds, replay_recording, run_seed, swarm,
};
use expect_test::expect;

use crate::support::{budget, within};
use crate::workloads::named;

const BUDGET: &str = "c2f2t1p2x1";

#[test]
fn seeds_find_what_a_mutant_breaks_and_their_tokens_replay_it() {
    let fenced = named("order", Without(Rule::FencedStops));
    let drawn = Source::Generated(Some(Rule::FencedStops));
    for source in [Source::Fixed(&fenced), drawn] {
        for possible in [Possible::All, Possible::Swarm] {
            let settings = within(budget(BUDGET));
            let findings = explore_seeds(source, &settings, possible, 0..400);
            assert!(findings.cut_short, "{}: {findings:?}", source.name());
            assert_eq!(explore_seeds(source, &settings, possible, 0..400), findings);
            for violation in &findings.violations {
                let word = violation.token.word().expect("a seed is a short token");
                assert!(word.len() <= TOKEN_LENGTH_MAX, "{word}");
                let recording = Recording::read(&word).expect("it is a token");
                let trial = replay_recording(source, &recording).expect("nothing has changed");
                assert_eq!(trial.schedule(), violation.schedule);
                let mut verdicts = trial.verdicts.iter();
                assert!(verdicts.any(|verdict| verdict.message == violation.message));
            }
        }
    }
}

#[test]
fn seeds_find_nothing_where_no_promise_is_broken() {
    let settings = within(budget(BUDGET));
    let findings = explore_seeds(Source::Generated(None), &settings, Possible::Swarm, 7..207);
    assert_eq!((findings.schedules, findings.cut_short), (200, false));
    assert_eq!(findings.violations, []);
}

/// Each kind alone, and each number of each group.
#[test]
fn every_single_kind_of_fault_is_impossible_for_some_seeds_of_a_swarm_and_possible_for_others() {
    let most = budget("c2f2d1e2t1p2x1j2b1o1s2");
    for kind in Fault::kinds() {
        let possible = (0..200).map(|seed| Swarm::draw(Seeded::new(seed), most).is_possible(kind));
        let (possible, impossible): (Vec<bool>, Vec<bool>) = possible.partition(|it| *it);
        assert!(possible.len() > 20, "{kind}: {}", possible.len());
        assert!(impossible.len() > 20, "{kind}: {}", impossible.len());
    }
}

#[test]
fn every_group_of_faults_is_impossible_for_some_seeds_of_a_swarm() {
    let most = budget(BUDGET);
    let drawn: BTreeSet<_> = (0..2000)
        .map(|seed| swarm(&mut Seeded::new(seed), most))
        .collect();
    // Of each group none, some or all, in every combination.
    assert_eq!(drawn.len(), 3 * 3 * 2 * 3 * 2);
    assert_eq!(drawn.first().copied(), Some(budget("c0")));
    assert_eq!(drawn.last().copied(), Some(most));
}

#[test]
fn a_fault_that_a_swarm_excludes_does_not_happen() {
    let workload = named("order", Faithful);
    for seed in 0..100 {
        let source = Source::Fixed(&workload);
        let (trial, settings) = run_seed(source, &within(budget(BUDGET)), Possible::Swarm, seed);
        let swarm = Swarm::draw(Seeded::new(seed), budget(BUDGET));
        let faults: Vec<Fault> = trial.schedule().0.iter().map(|fired| fired.fault).collect();
        let crashes = faults.iter().filter(|fault| fault.is_crash());
        assert!(crashes.count() <= settings.budget.crashes as usize);
        // A switch while nobody could continue is not a fault, and costs nothing.
        let mut paid = faults
            .into_iter()
            .filter(|fault| !matches!(fault, Fault::Switch(_)));
        assert!(paid.all(|fault| swarm.is_possible(fault)), "seed {seed}");
        // Within the possible faults the tape is an ordinary recording.
        let token = Token::of(&source.name(), &settings, &trial.tape);
        assert_eq!(replay_recording(source, &token.into()), Ok(trial));
    }
}

// ---- files ----

fn file(name: &str, contents: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, contents).expect("the folder is there");
    path
}

fn short() -> TapeFile {
    let draw = |label: &str, n, chosen| Draw {
        label: label.into(),
        n,
        chosen,
    };
    TapeFile {
        workload: "order".to_owned(),
        store: StoreKind::Memory,
        budget: budget("c1f1"),
        tape: Tape(vec![
            draw("life1/append#0:before", 4, 0),
            draw("life1/a \"task\"\n:pending", 3, 2),
        ]),
    }
}

#[test]
fn a_tape_is_written_a_line_a_draw() {
    expect![[r#"
        crashpoint tape 1
        workload "order"
        store memory
        budget c1f1
        draws 2
        0 of 4 "life1/append#0:before"
        2 of 3 "life1/a \"task\"\n:pending"
        fingerprint f816169c
    "#]]
    .assert_eq(&short().to_string());
    assert_eq!(short().to_string().parse(), Ok(short()));
}

#[test]
fn a_tape_that_is_too_long_for_a_token_is_replayed_from_its_file() {
    let source = Source::Generated(None);
    let settings = within(budget("c2f2t1p2x1"));
    let mut long = 0;
    for seed in 0..40 {
        let (trial, settings) = run_seed(source, &settings, Possible::All, seed);
        let token = Token::of(&source.name(), &settings, &trial.tape);
        let Err(too_long) = token.word() else {
            continue;
        };
        long += 1;
        assert!(token.to_string().contains("write the tape to a file"));
        assert!(too_long.length > TOKEN_LENGTH_MAX);
        let tape = TapeFile::of(&source.name(), &settings, &trial.tape);
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("long.tape");
        tape.write(&path).expect("the folder is there");
        let name = path.to_str().expect("the path is text");
        let recording = Recording::read(name).expect("the file is whole");
        assert_eq!(recording, Recording::Tape(tape));
        assert_eq!(replay_recording(source, &recording), Ok(trial));
    }
    assert!(long > 10, "{long} long tapes");
}

/// Whatever byte changes or wherever the file is cut: an error, or the same tape.
#[test]
fn a_damaged_file_is_never_another_tape() {
    let whole = short().to_string().into_bytes();
    for at in 0..whole.len() {
        if let Ok(cut) = TapeFile::from_bytes(&whole[..at]) {
            // Everything but the last line feed.
            assert_eq!((at, cut), (whole.len() - 1, short()));
        }
        for flip in [1, 2, 16, 128] {
            let mut damaged = whole.clone();
            damaged[at] ^= flip;
            if let Ok(read) = TapeFile::from_bytes(&damaged) {
                assert_eq!(read.tape, short().tape, "byte {at}");
            }
        }
    }
}

#[test]
fn err_tape_files() {
    let whole = short().to_string();
    let mut errors = String::new();
    for (from, to) in [
        ("crashpoint tape 1", "crashpoint tape 2"),
        ("crashpoint tape 1\n", ""),
        ("workload \"order\"", "workload order"),
        ("store memory", "store paper"),
        ("budget c1f1", "budget k1"),
        ("draws 2", "draws two"),
        ("draws 2", "draws 1"),
        ("draws 2", "draws 3"),
        ("0 of 4", "4 of 4"),
        ("0 of 4", "0 of 1"),
        ("2 of 3", "1 of 3"),
        ("fingerprint ", "print "),
        ("store memory\n", "store memory\nstore memory\n"),
        ("store memory", "store \u{0}\u{1b}[2J"),
    ] {
        let changed = whole.replacen(from, to, 1);
        let error = changed.parse::<TapeFile>().expect_err(to);
        errors += &format!("{error}\n");
    }
    let more = format!("{whole}more\n").parse::<TapeFile>();
    errors += &format!("{}\n", more.expect_err("there is more"));
    let no_text = TapeFile::from_bytes(b"crashpoint tape 1\nworkload \xff\n");
    errors += &format!("{}\n", no_text.expect_err("it is no text"));
    expect![[r#"
        line 1: the tape has version "2", this simulator reads version 1
        line 1: expected "crashpoint tape" and a value, found "workload \"order\""
        line 2: expected a text in quotes, found "order"
        line 3: unknown store "paper"
        line 4: "k1" is not a budget: letters of c, f, d, e, t, p, x, j, b, o, s, each with a number, as in c1f1
        line 5: expected a number, found "two"
        line 7: expected "fingerprint" and a value, found "2 of 3 \"life1/a \\\"task\\\"\\n:pending\""
        line 8: "fingerprint f816169c" is not a draw: expected CHOICE of N "LABEL", with CHOICE in 0..N and N at least 2
        line 6: "4 of 4 \"life1/append#0:before\"" is not a draw: expected CHOICE of N "LABEL", with CHOICE in 0..N and N at least 2
        line 6: "0 of 1 \"life1/append#0:before\"" is not a draw: expected CHOICE of N "LABEL", with CHOICE in 0..N and N at least 2
        line 8: expected the fingerprint f816169c, but the draws have 7fd4a424: the file was changed
        line 8: expected "fingerprint" and a value, found "print f816169c"
        line 4: expected "budget" and a value, found "store memory"
        line 3: unknown store "\0\u{1b}[2J"
        line 9: expected the end of the file, found "more"
        line 2: not UTF-8: the file is damaged or is not a tape
    "#]].assert_eq(&errors);
}

#[test]
fn a_text_that_is_neither_a_token_nor_a_file_is_an_error_with_the_reason() {
    let error = |text: &str| {
        let error = Recording::read(text)
            .expect_err("it is neither")
            .to_string();
        error.replace(env!("CARGO_TARGET_TMPDIR"), "")
    };
    file("damaged.tape", b"crashpoint tape 1\nworkload \"order\"\n");
    let damaged = format!("{}/damaged.tape", env!("CARGO_TARGET_TMPDIR"));
    let long = "x".repeat(5000);
    assert!(error(&long).ends_with("expected VERSION.WORKLOAD.STORE.BUDGET.DRAWS.FINGERPRINT"));
    let errors = [
        error("no-such-file"),
        error(""),
        error("a\0b"),
        error("4.order.memory.c1.calm.01234567"),
        error(&damaged),
        error(env!("CARGO_TARGET_TMPDIR")),
    ];
    expect![[r#"
        "no-such-file" is not a token: expected VERSION.WORKLOAD.STORE.BUDGET.DRAWS.FINGERPRINT
        "" is not a token: expected VERSION.WORKLOAD.STORE.BUDGET.DRAWS.FINGERPRINT
        "a\0b" is not a token: expected VERSION.WORKLOAD.STORE.BUDGET.DRAWS.FINGERPRINT
        the token has version "4", this simulator reads version 3
        "/damaged.tape", line 3: expected store, found the end of the file
        cannot read "": is a directory"#]]
    .assert_eq(&errors.join("\n"));
}
