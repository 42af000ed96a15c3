//! Every input of every corpus passes, and every corpus has its seeds.
//!
//! The test of a target also runs the file that `CRASHPOINT_FUZZ_INPUT` names, for a debugger.

use std::path::{Path, PathBuf};

use crashpoint_fuzz::{Decoded, TARGETS, Target, row_codec, store_ops};

use crate::damage::{SplitMix, damaged};

/// The files of a corpus and their content, by name.
pub(crate) fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let entries = std::fs::read_dir(folder.join(target)).expect("the corpus is there");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    let read = |path: PathBuf| (path.clone(), std::fs::read(path).expect("a file"));
    paths.into_iter().map(read).collect()
}

fn target(name: &str) -> Target {
    let found = TARGETS.into_iter().find(|target| target.name == name);
    found.expect("there is such a target")
}

/// Runs the corpus of a target, `damaged_inputs` damaged inputs, and the named file, if any.
#[track_caller]
#[expect(
    clippy::print_stdout,
    reason = "the last input printed is the one that failed"
)]
fn check(name: &str, damaged_inputs: usize) {
    let target = target(name);
    if let Some(file) = std::env::var_os("CRASHPOINT_FUZZ_INPUT") {
        let input = std::fs::read(&file);
        let input = input.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        (target.run)(&input);
    }
    let corpus = corpus(name);
    for (path, input) in &corpus {
        println!("{}", path.display());
        (target.run)(input);
    }
    for (seed, (path, input)) in (0..damaged_inputs).zip(corpus.iter().cycle()) {
        let mut draw = SplitMix(seed as u64);
        let input = damaged(input, &mut draw);
        println!("{}, damaged: {input:?}", path.display());
        (target.run)(&input);
    }
}

#[test]
fn crash_schedule_holds() {
    check("crash_schedule", 6_000);
}

#[test]
fn damaged_file_holds() {
    check("damaged_file", 200);
}

#[test]
fn journal_lines_holds() {
    check("journal_lines", 2_000);
}

#[test]
fn kept_text_holds() {
    check("kept_text", 4_000);
}

#[test]
fn rebuild_rows_holds() {
    check("rebuild_rows", 0);
}

#[test]
fn redb_power_loss_holds() {
    check("redb_power_loss", 300);
}

#[test]
fn row_codec_holds() {
    check("row_codec", 10_000);
}

#[test]
fn store_ops_holds() {
    check("store_ops", 300);
}

#[test]
fn every_corpus_has_the_seeds_that_its_code_writes() {
    for target in TARGETS {
        let corpus = corpus(target.name);
        for seed in (target.seeds)() {
            let file = corpus.iter().find(|(path, _)| path.ends_with(&seed.name));
            let written = file.map(|(_, input)| input);
            let stale = format!("{}/{}: run write_seeds", target.name, seed.name);
            assert_eq!(written, Some(&seed.input), "{stale}");
        }
    }
}

#[test]
fn a_seed_matches_its_name() {
    let seeds = |name: &str| (target(name).seeds)();
    for seed in seeds("store_ops") {
        let performed = store_ops(&seed.input);
        assert_eq!(performed == 0, seed.name == "nothing", "{}", seed.name);
    }
    let codec = |name: &str| {
        let seeds = seeds("row_codec");
        let seed = seeds.iter().find(|seed| seed.name == name);
        row_codec(&seed.expect("there is such a seed").input)
    };
    assert_eq!(codec("done").events, 4);
    let values = |values| Decoded {
        values,
        ..codec("value-plain")
    };
    assert_eq!(codec("value-plain"), values(1), "with its checksum");
    assert_eq!(codec("value-with-a-blob-it-denies").values, 0);
    assert_eq!(
        codec("value-sealed").values,
        2,
        "as it is, and as the blob of another value"
    );
    for seed in seeds("crash_schedule") {
        let trial = crashpoint_fuzz::crash_schedule(&seed.input);
        let calm = trial.run.history.faults().next().is_none();
        assert_eq!(
            calm,
            seed.name.ends_with("calm"),
            "{}: {:?}",
            seed.name,
            trial.schedule()
        );
    }
}
