//! Replays the corpora on the stable toolchain, without libFuzzer.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crashpoint_engine::{CheckpointRow, IllegalEvent, LogFault, RebuildError, RunState, rebuild};
use crashpoint_fuzz::{Verdict, check_rebuild, rebuild_rows, rows, seeds, spell};

fn corpus() -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus/rebuild_rows");
    let entries = std::fs::read_dir(folder).expect("the corpus is there");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    let read = |path: PathBuf| (path.clone(), std::fs::read(path).expect("a file"));
    paths.into_iter().map(read).collect()
}

#[test]
fn every_input_of_the_corpus_holds() {
    let verdicts: Vec<_> = corpus()
        .iter()
        .map(|(_, input)| rebuild_rows(input))
        .collect();
    let count = |verdict| verdicts.iter().filter(|found| **found == verdict).count();
    let (accepted, rejected) = (count(Verdict::Accepted), count(Verdict::Rejected));
    println!("rebuild_rows: {accepted} inputs accepted, {rejected} rejected");
    assert!(accepted > 0 && rejected > 0);
}

#[test]
fn the_corpus_holds_the_seeds_as_they_are_written() {
    let corpus = corpus();
    for seed in seeds() {
        let file = corpus.iter().find(|(path, _)| path.ends_with(seed.name));
        let (_, input) =
            file.unwrap_or_else(|| panic!("{} is missing: run write_seeds", seed.name));
        assert_eq!(
            *input, seed.input,
            "{} is out of date: run write_seeds",
            seed.name
        );
        assert_eq!(rebuild_rows(input), seed.verdict, "{}", seed.name);
    }
}

#[test]
fn spelling_is_read_back() {
    for (path, input) in corpus() {
        let rows = rows(&input);
        assert_eq!(
            crashpoint_fuzz::rows(&spell(&rows)),
            rows,
            "{}",
            path.display()
        );
    }
}

/// What libFuzzer does, with less wit: every input of the corpus, damaged over and over.
#[test]
fn damaged_inputs_hold() {
    let corpus = corpus();
    let mut draw = SplitMix(0x5eed);
    let (mut accepted, mut rejected) = (0, 0);
    let mut faults = BTreeSet::new();
    for _ in 0..20_000 {
        let (_, input) = &corpus[draw.below(corpus.len())];
        let input = damaged(input, &mut draw);
        match rebuild_rows(&input) {
            Verdict::Accepted => accepted += 1,
            Verdict::Rejected => rejected += 1,
        }
        if let Err(error) = rebuild(&rows(&input)) {
            faults.insert(word(&error));
        }
    }
    println!("rebuild_rows: {accepted} damaged inputs accepted, {rejected} rejected: {faults:?}");
    assert!(accepted > 1000 && rejected > 1000);
    assert!(faults.len() > 10, "{faults:?}");
}

#[test]
#[should_panic(expected = "the first row that is refused is named")]
fn canary_a_rebuild_that_swallows_what_follows_the_end_is_seen() {
    let swallows = |rows: &[CheckpointRow]| match rebuild(rows) {
        Err(RebuildError {
            fault: LogFault::Illegal(IllegalEvent::AfterTerminal),
            ..
        }) => rebuild(&rows[..rows.len() - 1]),
        other => other,
    };
    for seed in seeds() {
        check_rebuild(&rows(&seed.input), swallows);
    }
}

#[test]
#[should_panic(expected = "the same rows, the same answer")]
fn canary_a_rebuild_that_remembers_is_seen() {
    let calls = std::cell::Cell::new(0);
    let remembers = |rows: &[CheckpointRow]| {
        calls.set(calls.get() + 1);
        if calls.get() % 2 == 0 {
            Ok(RunState::new())
        } else {
            rebuild(rows)
        }
    };
    for seed in seeds() {
        check_rebuild(&rows(&seed.input), remembers);
    }
}

/// The kind of an error, without what it found.
fn word(error: &RebuildError) -> String {
    let debug = format!("{:?}", error.fault);
    let words = debug.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| !word.is_empty()).take(2).collect()
}

fn damaged(input: &[u8], draw: &mut SplitMix) -> Vec<u8> {
    let mut input = input.to_vec();
    for _ in 0..=draw.below(4) {
        let place = draw.below(input.len() + 1);
        match draw.below(4) {
            0 => input.insert(place, draw.byte()),
            1 => input.truncate(place.max(1)),
            2 if place < input.len() => drop(input.remove(place)),
            _ if place < input.len() => input[place] ^= 1 << draw.below(8),
            _ => {}
        }
    }
    input
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below a usize")
    }

    fn byte(&mut self) -> u8 {
        self.next() as u8
    }
}
