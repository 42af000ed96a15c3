//! What a harness learns from a place, and how many places there are at a time.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};

use crashpoint::MemoryCheckpointStore;
use crashpoint_conformance::__private::{Suite, certify_law};
use crashpoint_conformance::{
    BoxError, Harness, LawId, Options, Place, Plan, claim, run_all, sweep,
};

/// Notes who asks for a place, and what it remembers of it when the place is destroyed.
struct Asked;

static ASKED: Mutex<Vec<(Option<LawId>, bool)>> = Mutex::new(Vec::new());
static REMEMBERED: Mutex<Vec<Option<String>>> = Mutex::new(Vec::new());

impl Harness for Asked {
    type Store = MemoryCheckpointStore;

    async fn open(place: &Place) -> Result<MemoryCheckpointStore, BoxError> {
        let asked = (place.law(), place.needs_own_backend());
        ASKED.lock().unwrap().push(asked);
        assert!(place.recall("port").is_none());
        place.remember("port", "4000")?;
        place.remember("port", "4001")?;
        assert!(place.remember("../port", "4002").is_err());
        assert!(place.recall("../port").is_none());
        Ok(MemoryCheckpointStore::new())
    }

    async fn destroy(place: &Place) -> Result<(), BoxError> {
        REMEMBERED.lock().unwrap().push(place.recall("port"));
        Ok(())
    }
}

#[test]
fn a_place_says_which_law_asks_and_remembers_facts_for_the_harness() {
    let laws = [
        LawId::BAS_01,
        LawId::ISO_08,
        LawId::ERR_03,
        LawId::SRV_01,
        LawId::SRV_02,
    ];
    let plan = Plan::new()
        .claims([claim::outage, claim::server_crash, claim::failover])
        .only_laws(laws)
        .jobs(NonZeroUsize::MIN);
    let report = run_all::<Asked>(&plan);
    // What is remembered is no stray file of the store.
    assert_eq!(report.count("pass"), 2, "{report}");
    let mut asked = ASKED.lock().unwrap().clone();
    asked.sort_unstable();
    asked.dedup();
    let own = [LawId::ERR_03, LawId::SRV_01, LawId::SRV_02];
    let expected: Vec<_> = laws.map(|law| (Some(law), own.contains(&law))).into();
    assert_eq!(asked, expected);
    let remembered = REMEMBERED.lock().unwrap();
    assert!(remembered.len() >= laws.len());
    assert!(
        remembered
            .iter()
            .all(|port| port.as_deref() == Some("4001"))
    );
}

/// Refuses to open a place again `TRIES` times, as the lock of a dropped store does that somebody's new process holds.
struct Held<const TRIES: usize>;

/// How often each place was to be opened, by its path.
static OPENINGS: Mutex<BTreeMap<(usize, PathBuf), usize>> = Mutex::new(BTreeMap::new());

impl<const TRIES: usize> Harness for Held<TRIES> {
    type Store = MemoryCheckpointStore;

    async fn open(place: &Place) -> Result<MemoryCheckpointStore, BoxError> {
        let mut openings = OPENINGS.lock().unwrap();
        let before = openings
            .entry((TRIES, place.path().to_owned()))
            .or_default();
        *before += 1;
        if (2..2 + TRIES).contains(before) {
            return Err("somebody has the lock".into());
        }
        Ok(MemoryCheckpointStore::new())
    }
}

/// Openings at the places of DUR-01 with [`Held<TRIES>`], and the law's message.
fn openings_of_a_reopened_place<const TRIES: usize>() -> (usize, String) {
    let plan = Plan::new()
        .claims([claim::reopen])
        .only_laws([LawId::DUR_01]);
    let report = run_all::<Held<TRIES>>(&plan);
    let openings = OPENINGS.lock().unwrap();
    let of_this = openings.iter().filter(|((tries, _), _)| *tries == TRIES);
    let count = of_this.map(|(_, count)| *count).sum();
    (count, report.to_string())
}

#[test]
fn a_place_whose_lock_is_held_for_a_moment_opens_again() {
    let (openings, message) = openings_of_a_reopened_place::<3>();
    assert_eq!(openings, 1 + 3 + 1, "{message}");
    // It is opened, so the law looks at its rows, which a store in memory has lost.
    assert!(message.contains("fail          DUR-01"), "{message}");
    assert!(!message.contains("somebody has the lock"), "{message}");
}

#[test]
fn a_place_whose_lock_is_held_for_good_is_tried_a_bounded_number_of_times() {
    let (openings, message) = openings_of_a_reopened_place::<1_000>();
    assert_eq!(openings, 1 + 20, "{message}");
    assert!(message.contains("somebody has the lock"), "{message}");
}

/// Names the folder of places to the process that leaves one behind, and to the one that sweeps it.
const FOLDER: &str = "CRASHPOINT_TEST_SWEPT";

/// Its process ends while a store is open.
struct Aborted;

static SWEPT: Mutex<Vec<(String, Option<String>)>> = Mutex::new(Vec::new());
static SWEPT_FOLDER: Mutex<Option<PathBuf>> = Mutex::new(None);

impl Harness for Aborted {
    type Store = MemoryCheckpointStore;

    async fn open(place: &Place) -> Result<MemoryCheckpointStore, BoxError> {
        place.remember("process", "of a server")?;
        if std::env::var_os(FOLDER).is_some() {
            std::process::exit(0);
        }
        // While this process runs, its places are its own.
        let swept = tokio::task::spawn_blocking(sweep::<Self>).await??;
        assert_eq!(swept, [""; 0]);
        assert!(place.path().exists());
        Ok(MemoryCheckpointStore::new())
    }

    async fn destroy(place: &Place) -> Result<(), BoxError> {
        let swept = (place.name().to_owned(), place.recall("process"));
        SWEPT.lock().unwrap().push(swept);
        Ok(())
    }

    fn options() -> Options {
        let mut options = Options::default();
        let here = SWEPT_FOLDER.lock().unwrap().clone();
        options.folder = std::env::var_os(FOLDER).map(PathBuf::from).or(here);
        options
    }
}

#[test]
fn a_sweep_removes_the_places_of_processes_that_have_ended() {
    let plan = Plan::new().only_laws([LawId::BAS_01]);
    if std::env::var_os(FOLDER).is_some() {
        run_all::<Aborted>(&plan);
    }
    let folder = tempfile::tempdir().unwrap();
    *SWEPT_FOLDER.lock().unwrap() = Some(folder.path().to_owned());
    std::fs::create_dir(folder.path().join("crashpoint_of_somebody_else")).unwrap();
    let test = "places::a_sweep_removes_the_places_of_processes_that_have_ended";
    let left = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    assert!(left.status.success());
    let entries = || std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(entries(), 2);
    if !cfg!(target_os = "linux") {
        return;
    }
    let names = sweep::<Aborted>().unwrap();
    let swept = std::mem::take(&mut *SWEPT.lock().unwrap());
    let remembered = Some("of a server".to_owned());
    assert!(names[0].starts_with("crashpoint_bas_01_"), "{names:?}");
    assert_eq!(swept, [(names[0].clone(), remembered)]);
    assert_eq!(entries(), 1);
    assert_eq!(run_all::<Aborted>(&plan).count("pass"), 1);
}

/// Two laws meet when they open their stores.
struct Paired;

static MEETING: Barrier = Barrier::new(2);
static AT_WORK: AtomicUsize = AtomicUsize::new(0);
static MOST_AT_WORK: AtomicUsize = AtomicUsize::new(0);

impl Harness for Paired {
    type Store = MemoryCheckpointStore;

    async fn open(_place: &Place) -> Result<MemoryCheckpointStore, BoxError> {
        let at_work = AT_WORK.fetch_add(1, Ordering::SeqCst) + 1;
        MOST_AT_WORK.fetch_max(at_work, Ordering::SeqCst);
        MEETING.wait();
        Ok(MemoryCheckpointStore::new())
    }

    async fn destroy(_place: &Place) -> Result<(), BoxError> {
        AT_WORK.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    }
}

static SUITE: Suite = Suite {
    package: None,
    version: None,
    module: "main::places",
    jobs: NonZeroUsize::new(2),
    target_tmpdir: None,
    claims: &[],
    lacks: &[],
    waived: &[],
    failing: &[],
};

#[test]
fn a_certify_runs_as_many_laws_at_a_time_as_its_jobs() {
    let laws = [
        LawId::BAS_01,
        LawId::BAS_02,
        LawId::BAS_03,
        LawId::BAS_05,
        LawId::ORD_01,
        LawId::ORD_02,
    ];
    std::thread::scope(|scope| {
        for law in laws {
            scope.spawn(move || certify_law::<Paired>(&SUITE, law));
        }
    });
    assert_eq!(MOST_AT_WORK.load(Ordering::SeqCst), 2);
}
