//! `crashpoint soak`: what it runs, what it keeps, and what it says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crashpoint::protocol::Faithful;
use crashpoint::{Ctx, Retention, State, TaskError, Workflow};
use crashpoint_cli::soak::seed::{SeedOutcome, examine};
use crashpoint_simulator::choices::Draw;
use crashpoint_simulator::workload::{Length, Recipe, Sharing, Workload};
use crashpoint_simulator::{Process, Source, StoreKind, TapeFile};
use serde_json::json;

use crate::command::{VIOLATED, crashpoint, interrupted, text};

/// A bounded soak of a mutant that breaks its promise in every schedule.
fn violated(corpus: &Path) -> Vec<&str> {
    let soak = [
        "soak",
        "--seed",
        "100",
        "--seeds",
        "60",
        "--corpus",
        path(corpus),
    ];
    [&soak[..], &VIOLATED[1..7]].concat()
}

fn path(path: &Path) -> &str {
    path.to_str().expect("the path is text")
}

/// The tapes in a folder.
fn tapes(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let paths = entries.map(|entry| entry.expect("an entry can be read").path());
    let paths: BTreeSet<PathBuf> = paths.collect();
    for path in &paths {
        let is_tape = path.extension().is_some_and(|it| it == "tape");
        assert!(is_tape, "nothing else is left behind: {}", path.display());
    }
    paths
}

/// The report without what depends on the time.
fn timeless(report: &str) -> Vec<&str> {
    let is_timeless = |line: &&str| !line.starts_with("resident memory") && !line.contains(" s: ");
    report.lines().filter(is_timeless).collect()
}

/// The commands that show again what was found, as arguments.
fn replays(report: &str) -> Vec<Vec<&str>> {
    let lines = report.lines();
    let commands = lines.filter_map(|line| line.strip_prefix("replay it: cargo run --release -- "));
    commands
        .map(|command| command.split(' ').collect())
        .collect()
}

#[test]
fn a_clean_soak_exits_with_0_and_names_its_seeds() {
    let output = crashpoint(&["soak", "--seed", "5", "--seeds", "48", "--jobs", "2"]);
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert!(report.contains("\nSeeds 5..=52: "), "{report}");
    assert!(report.contains("\n48 schedules in "), "{report}");
    assert!(report.contains(" s: no violation\n"), "{report}");
    assert!(report.contains("\nresident memory: "), "{report}");
    for row in [
        "generated         memory         11",
        "operations        redb            1",
        "order-panics      redb",
    ] {
        assert!(report.contains(row), "{row:?} is missing in:\n{report}");
    }
}

#[test]
fn a_soak_finds_the_same_on_any_number_of_threads() {
    let report = |jobs: &str| {
        let arguments = [
            "soak",
            "--seed",
            "0",
            "--seeds",
            "300",
            "--store",
            "memory",
            "--mutant",
            "AppendErrorIsNoTaskFailure",
            "--jobs",
            jobs,
        ];
        let output = crashpoint(&arguments);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let (one, three) = (report("1"), report("3"));
    assert_eq!(timeless(&one), timeless(&three));
    let replays = replays(&one);
    assert!(replays.len() > 4, "{one}");
    for replay in replays {
        let output = crashpoint(&replay);
        assert_eq!(output.status.code(), Some(1), "{replay:?}");
    }
}

#[test]
fn what_is_found_is_shrunk_and_kept_and_run_first_the_next_time() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let corpus = folder.path().join("corpus");
    let soak = [
        "soak",
        "--seed",
        "1",
        "--seeds",
        "160",
        "--workload",
        "generated",
    ];
    let mutant = ["--store", "memory", "--mutant", "RollbackIsJournaled"];
    let arguments = [&soak[..], &mutant, &["--corpus", path(&corpus)]].concat();
    let first = crashpoint(&arguments);
    let report = text(&first.stdout);
    assert_eq!(first.status.code(), Some(1), "{report}");
    assert!(
        report.contains("\ncorpus: 0 tapes replayed first, 0 of them still break a promise\n"),
        "{report}"
    );
    assert!(report.contains("to a local minimum"), "{report}");
    assert!(report.contains("; goes to a the first time\n"), "{report}");
    let kept = tapes(&corpus);
    let count = kept.len();
    let named = replays(&report)
        .into_iter()
        .map(|replay| PathBuf::from(replay[1]));
    assert_eq!(named.collect::<BTreeSet<_>>(), kept);
    for file in &kept {
        let replayed = crashpoint(&["replay", path(file)]);
        assert_eq!(replayed.status.code(), Some(1), "{}", file.display());
    }
    let second = crashpoint(&arguments);
    let report = text(&second.stdout);
    let again =
        format!("\ncorpus: {count} tapes replayed first, {count} of them still break a promise\n");
    assert!(report.contains(&again), "{report}");
    assert_eq!(
        tapes(&corpus),
        kept,
        "the same violations have the same tapes"
    );
    let files: Vec<usize> = report
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_once(".tape: "))
        .map(|(file, _)| {
            let bytes = fs::read(format!("{file}.tape")).expect("the tape can be read");
            TapeFile::from_bytes(&bytes)
                .expect("it is a tape")
                .tape
                .0
                .len()
        })
        .collect();
    assert_eq!(files.len(), count);
    assert!(
        count > 2,
        "so few tapes may be in order by chance: {report}"
    );
    assert!(files.is_sorted(), "the shortest first: {files:?}");
}

/// A corpus outlives changes of the engine: a tape that no longer fits is not thrown away, and does
/// not count as nondeterminism.
#[test]
fn a_tape_that_takes_another_course_is_run_as_near_as_it_can_be() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let arguments = violated(folder.path());
    crashpoint(&arguments);
    let file = tapes(folder.path()).pop_first().expect("a tape was kept");
    let mut tape = TapeFile::from_bytes(&fs::read(&file).expect("it can be read")).expect("a tape");
    let label = "life1/what there was once".into();
    tape.tape.0.push(Draw {
        label,
        n: 2,
        chosen: 1,
    });
    tape.write(&file).expect("it can be written");
    let replayed = crashpoint(&["replay", path(&file)]);
    assert_eq!(replayed.status.code(), Some(4));
    let soak = [
        "soak",
        "--seeds",
        "1",
        "--workload",
        "linear",
        "--store",
        "memory",
    ];
    let output = crashpoint(&[&soak[..], &["--corpus", path(folder.path())]].concat());
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert!(
        report.contains("; 1 ran differently, because the workload or the engine has changed\n"),
        "{report}"
    );
    assert!(
        report.contains(".tape: prefixes-resume, terminal-absorbs"),
        "{report}"
    );
}

#[test]
fn a_corpus_with_a_tape_of_another_version_is_refused() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let file = folder.path().join("old.tape");
    fs::write(&file, "crashpoint tape 0\n").expect("it can be written");
    let output = crashpoint(&violated(folder.path()));
    assert_eq!(output.status.code(), Some(2));
    let (said, file) = (text(&output.stderr), path(&file));
    let expected = format!(
        "error: can't read {file}: line 1: the tape has version \"0\", this simulator reads version 1\n"
    );
    assert_eq!(said, expected);
    assert!(output.stdout.is_empty());
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_soak_with_the_report_so_far() {
    let soak = [
        "soak",
        "--for",
        "1h",
        "--workload",
        "linear",
        "--store",
        "memory",
    ];
    let (status, report) = interrupted(&soak, "soaking for 1h from seed ");
    assert_eq!(status, Some(130), "{report}");
    assert!(
        report.contains(" s: no violation until it was interrupted\n"),
        "{report}"
    );
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Step {
    Count,
    Counted,
}

/// A workload whose task reads something that no choice gave it.
fn entropic() -> Workload {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let workflow = |process: &Process| {
        let process = process.clone();
        let count = move |ctx: Ctx| {
            let process = process.clone();
            async move {
                let calls = CALLS.fetch_add(1, Ordering::Relaxed).to_string();
                process.effect(&ctx, "count", &calls).await;
                Ok::<Step, TaskError>(Step::Counted)
            }
        };
        let builder = Workflow::builder("entropic", 1);
        let builder = builder.task(Step::Count, "count", count);
        builder
            .exit(Step::Counted)
            .build()
            .expect("it is well defined")
    };
    let recipe = Recipe {
        name: "entropic",
        about: "counts its calls, of all simulations",
        workflow: Arc::new(workflow),
        start: Step::Count,
        input: json!(null),
        retention: Retention::Keep,
        sharing: Sharing::Shared,
        retry_stuck: false,
        length: Length::Long,
    };
    recipe.under(Faithful)
}

#[test]
fn a_workload_that_reads_entropy_is_caught_when_it_is_run_twice() {
    let workload = entropic();
    let examine = |repeated| {
        let source = Source::Fixed(&workload);
        examine(source, StoreKind::Memory, 1, repeated, |_| String::new())
    };
    match examine(true) {
        SeedOutcome::Nondeterministic(how) => assert!(how.contains("payload=\"0\""), "{how}"),
        other => panic!("it is caught: {other:?}"),
    }
    assert!(
        matches!(examine(false), SeedOutcome::Kept),
        "once is not enough to see it"
    );
}
