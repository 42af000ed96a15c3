//! Laws that run beside each other in one process, and the guide in the message of a failure.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::process::Command;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use crashpoint::MemoryCheckpointStore;
use crashpoint_conformance::{
    BoxError, Harness, LawId, Place, Plan, Verdict, catalogue, run_all, run_while,
};
use expect_test::expect;

fn jobs(jobs: usize) -> Plan {
    Plan::new().jobs(NonZeroUsize::new(jobs).unwrap())
}

/// Two laws meet when they open their stores; a law that measures time must run alone.
struct Meeting;

static MEETING: Barrier = Barrier::new(2);
static AT_WORK: AtomicUsize = AtomicUsize::new(0);

impl Harness for Meeting {
    type Store = MemoryCheckpointStore;

    async fn open(place: &Place) -> Result<MemoryCheckpointStore, BoxError> {
        let others = AT_WORK.fetch_add(1, Ordering::SeqCst);
        if !place.name().contains("run_03") {
            MEETING.wait();
        } else if others > 0 {
            return Err(format!("{others} other laws are at work").into());
        }
        Ok(MemoryCheckpointStore::new())
    }

    async fn destroy(_place: &Place) -> Result<(), BoxError> {
        AT_WORK.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    }
}

#[test]
fn laws_run_beside_each_other_and_one_that_measures_time_alone() {
    let laws = [LawId::BAS_01, LawId::BAS_02, LawId::ERR_01, LawId::ERR_02];
    let laws = laws.into_iter().chain([LawId::RUN_03]);
    let report = run_all::<Meeting>(&jobs(2).only_laws(laws));
    assert_eq!(report.count("pass"), 5, "{report}");
}

struct Memory;

impl Harness for Memory {
    type Store = MemoryCheckpointStore;

    async fn open(_place: &Place) -> Result<MemoryCheckpointStore, BoxError> {
        Ok(MemoryCheckpointStore::new())
    }
}

#[test]
fn a_report_has_the_order_of_the_catalogue_whichever_law_ended_first() {
    let report = run_all::<Memory>(&jobs(8).only(["bas", "run", "err"]));
    let got: Vec<LawId> = report.laws().iter().map(|report| report.law.id).collect();
    let mut expected: Vec<LawId> = catalogue().iter().map(|law| law.id).collect();
    expected.retain(|id| got.contains(id));
    assert_eq!(got, expected);
    assert!(got.contains(&LawId::RUN_03) && got.contains(&LawId::BAS_01));
}

#[test]
fn whoever_breaks_a_run_off_leaves_the_laws_after_it_not_run() {
    let mut begun = 0;
    let report = run_while::<Memory>(&jobs(4).only(["bas", "run"]), |_| {
        begun += 1;
        if begun == 3 {
            return ControlFlow::Break("enough".to_owned());
        }
        ControlFlow::Continue(())
    });
    assert_eq!(begun, 3, "nobody is asked again");
    assert_eq!(report.count("pass"), 2, "{report}");
    let not_run = Verdict::NotRun("enough".to_owned());
    let left_out = report.laws().iter().filter(|law| law.verdict == not_run);
    assert_eq!(
        left_out.count(),
        report.laws().len() - 2 - report.count("not_claimed")
    );
}

/// Runs a test of this binary that is ignored, because its claim is not made.
#[test]
fn the_message_of_a_failed_test_ends_with_the_guide() {
    let test = "reference::eng_04_every_kind_of_the_engine_comes_back";
    let mut command = Command::new(std::env::current_exe().unwrap());
    let command = command.args(["--exact", "--ignored", test]);
    let output = command.env("CRASHPOINT_REPORT", "").output().unwrap();
    assert!(!output.status.success());
    let printed = String::from_utf8(output.stdout).unwrap();
    let advice = LawId::ENG_04.law().advice();
    assert!(printed.contains(&format!("\n{advice}\n")), "{printed}");
    expect![[r#"
        why:   With an upsert the second life overwrites the first one's row, and both believe they own the run: a task is done twice.
        cause: The store uses UPSERT, REPLACE or the `insert` of a map.
        fix:   Use INSERT, or `entry` with `Vacant`. Return `Error::conflict`.
        first: another law, if it fails too: DUP-04, ERR-02
        more:  conformance/LAWS.md#dup-01"#]].assert_eq(&LawId::DUP_01.law().advice());
}

/// Text that fits every law explains none.
#[test]
fn each_law_has_a_guide_of_its_own() {
    let mut said: Vec<&str> = Vec::new();
    for law in catalogue() {
        for words in [law.guide.why, law.guide.cause, law.guide.fix] {
            assert!((30..400).contains(&words.len()), "{}: {words}", law.id);
            assert!(words.ends_with('.'), "{}: {words}", law.id);
            assert!(!said.contains(&words), "{}: said before: {words}", law.id);
            said.push(words);
        }
    }
}
