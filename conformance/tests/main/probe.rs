//! The probe of a live store: what it finds, what it leaves alone, and what it clears.

use std::collections::BTreeMap;
use std::future::pending;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crashpoint::{
    CheckpointRow, CheckpointStore, Error, ListRuns, MemoryCheckpointStore, RedbCheckpointStore,
    checkpoint_store,
};
use crashpoint_conformance::{LawId, Probe, ProbeError, Verdict, claim, probe};

/// The backend of a service. Its stores are handles on it.
#[derive(Default)]
struct Backend {
    rows: Mutex<BTreeMap<(String, u64), CheckpointRow>>,
    operations: AtomicU64,
}

type Rows<'a> = MutexGuard<'a, BTreeMap<(String, u64), CheckpointRow>>;

impl Backend {
    fn rows(&self) -> Rows<'_> {
        self.operations.fetch_add(1, Ordering::Relaxed);
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ids(&self) -> Vec<String> {
        let rows = self.rows();
        let mut ids: Vec<String> = rows.keys().map(|(id, _)| id.clone()).collect();
        ids.dedup();
        ids
    }
}

/// What the backend does otherwise than its original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    Faithful,
    /// An object store that ignores `If-None-Match`.
    IgnoresIfNoneMatch,
    /// A pooler under which each statement of a transaction has a connection of its own.
    BreaksTransactions,
    /// A database whose collation ignores case.
    IgnoresCase,
    /// A proxy that reads from a replica that has nothing yet.
    ReadsReplica,
    DropsEmptyBlobs,
    /// A listing from an index that sorts by length first.
    ListsByLength,
    PanicsInLoads,
    HangsInLoads,
    RefusesClears,
}

#[derive(Clone)]
struct Store {
    backend: Arc<Backend>,
    habit: Habit,
}

impl Store {
    fn new(habit: Habit) -> Self {
        let backend = Arc::default();
        Self { backend, habit }
    }

    fn key(&self, id: &str) -> String {
        match self.habit {
            Habit::IgnoresCase => id.to_lowercase(),
            _ => id.to_owned(),
        }
    }
}

#[checkpoint_store]
impl CheckpointStore for Store {
    async fn append(&self, workflow_id: &str, mut row: CheckpointRow) -> Result<(), Error> {
        let key = (self.key(workflow_id), row.sequence);
        match self.habit {
            Habit::IgnoresIfNoneMatch => _ = self.backend.rows().insert(key, row),
            Habit::BreaksTransactions => {
                let taken = self.backend.rows().contains_key(&key);
                // `BEGIN; SELECT` went to one connection, and the lock with it.
                tokio::task::yield_now().await;
                if taken {
                    return Err(Error::conflict(workflow_id, row.sequence));
                }
                self.backend.rows().insert(key, row);
            }
            _ => {
                if self.habit == Habit::DropsEmptyBlobs {
                    row.output_blob = row.output_blob.filter(|blob| !blob.is_empty());
                }
                let mut rows = self.backend.rows();
                if rows.contains_key(&key) {
                    return Err(Error::conflict(workflow_id, row.sequence));
                }
                rows.insert(key, row);
            }
        }
        Ok(())
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        match self.habit {
            Habit::ReadsReplica => return Ok(Vec::new()),
            Habit::PanicsInLoads => panic!("the driver has a bug"),
            Habit::HangsInLoads => pending().await,
            _ => {}
        }
        let id = self.key(workflow_id);
        let rows = self.backend.rows();
        let of_run = rows.range((id.clone(), 0)..=(id, u64::MAX));
        Ok(of_run.map(|(_, row)| row.clone()).collect())
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        if self.habit == Habit::RefusesClears {
            return Err(Error::unavailable("no permission to delete"));
        }
        let key = self.key(workflow_id);
        self.backend.rows().retain(|(id, _), _| *id != key);
        Ok(())
    }

    fn as_listing(&self) -> Option<&dyn ListRuns> {
        Some(self)
    }
}

#[checkpoint_store]
impl ListRuns for Store {
    async fn run_ids(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, Error> {
        let mut ids = self.backend.ids();
        if self.habit == Habit::ListsByLength {
            ids.sort_by_key(String::len);
        }
        let ids = ids.into_iter();
        let after = ids.filter(|id| after.is_none_or(|after| id.as_str() > after));
        Ok(after.take(limit).collect())
    }
}

/// Polls a probe on a runtime of one thread, as a service with `#[tokio::main]` may have it.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

fn found(habit: Habit) -> (ProbeError, Store) {
    let store = Store::new(habit);
    let probed = block_on(Probe::new(&store).within(Duration::from_millis(500)).run());
    (probed.unwrap_err(), store)
}

#[test]
fn a_probe_finds_nothing_in_a_store_that_keeps_the_contract() {
    let store = Store::new(Habit::Faithful);
    block_on(probe(&store)).unwrap();
    assert_eq!(store.backend.ids(), Vec::<String>::new());
    block_on(probe(&Arc::new(MemoryCheckpointStore::new()))).unwrap();
}

#[test]
fn a_probe_finds_nothing_in_the_embedded_store_and_leaves_nothing_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(RedbCheckpointStore::new(folder.path().join("runs.redb")).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.unwrap();
    runtime.block_on(probe(&store)).unwrap();
    let ids = runtime.block_on(store.as_listing().unwrap().run_ids(None, 10));
    assert_eq!(ids.unwrap(), Vec::<String>::new());
}

/// Its time on a backend follows from this number, and from the time of an operation.
#[test]
fn a_probe_takes_twelve_hundred_operations_at_most() {
    let store = Store::new(Habit::Faithful);
    block_on(probe(&store)).unwrap();
    let operations = store.backend.operations.load(Ordering::Relaxed);
    assert!((100..1200).contains(&operations), "{operations}");
}

#[test]
fn the_error_of_a_look_alike_names_the_law() {
    for (habit, law, saying) in [
        (
            Habit::IgnoresIfNoneMatch,
            LawId::DUP_01,
            "expected a rejection, got Ok",
        ),
        (
            Habit::BreaksTransactions,
            LawId::DUP_13,
            "expected exactly one Ok, got",
        ),
        (
            Habit::IgnoresCase,
            LawId::ISO_03,
            "expected Ok, got the error",
        ),
        (Habit::ReadsReplica, LawId::BAS_02, "expected 4 rows"),
        (Habit::DropsEmptyBlobs, LawId::PAY_01, "blob of 0 bytes"),
        (
            Habit::ListsByLength,
            LawId::LST_01,
            "a listing of ids that arrived in another order",
        ),
    ] {
        let (error, store) = found(habit);
        assert_eq!(error.law(), law, "{error}");
        let Verdict::Fail(message) = error.verdict() else {
            panic!("{error}");
        };
        assert!(message.contains(saying), "{error}");
        let head = format!("the store breaks {law} ({})", law.law().sentence);
        assert!(error.to_string().starts_with(&head), "{error}");
        assert_eq!(store.backend.ids(), Vec::<String>::new(), "{error}");
    }
}

/// A second handle has connections of its own, which may lead elsewhere.
#[test]
fn a_row_that_only_its_own_handle_shows_breaks_a_law() {
    let store = Store::new(Habit::Faithful);
    let elsewhere = Store::new(Habit::Faithful);
    let error = block_on(Probe::new(&store).handle(&elsewhere).run()).unwrap_err();
    assert_eq!(error.law(), LawId::DUP_13, "{error}");
    assert_eq!(error.also(), [LawId::BAS_04, LawId::CON_09], "{error}");

    let beside = store.clone();
    block_on(Probe::new(&store).handle(&beside).run()).unwrap();
}

/// Ids around those of a probe, and one that another probe has just begun.
const OF_OTHERS: [&str; 5] = [
    "",
    "crashpoint_probe",
    "crashpoint_probe_ffffffffffff_of_another-run",
    "crashpoint_probf",
    "order-4711",
];

#[test]
fn a_probe_leaves_the_runs_of_others_alone_whatever_it_finds() {
    for habit in [
        Habit::Faithful,
        Habit::IgnoresIfNoneMatch,
        Habit::BreaksTransactions,
        Habit::IgnoresCase,
    ] {
        let store = Store::new(habit);
        let before = OF_OTHERS.map(|id| {
            let row = CheckpointRow::new(0, "state", id);
            store.backend.rows().insert((id.to_owned(), 0), row.clone());
            ((id.to_owned(), 0), row)
        });
        block_on(async {
            let appends = async {
                for sequence in 0..500 {
                    let row = CheckpointRow::new(sequence, "state", "beside");
                    store.append("service", row).await.unwrap();
                    tokio::task::yield_now().await;
                }
            };
            let (probed, ()) = tokio::join!(probe(&store), appends);
            assert_eq!(probed.is_ok(), habit == Habit::Faithful, "{probed:?}");
        });
        let mut rows = store.backend.rows().clone();
        let of_service = rows.extract_if(.., |(id, _), _| id == "service").count();
        assert_eq!(of_service, 500, "{habit:?}");
        assert_eq!(rows, BTreeMap::from(before), "{habit:?}");
    }
}

#[test]
fn a_store_that_panics_breaks_a_law_and_the_runs_are_cleared() {
    let (error, store) = found(Habit::PanicsInLoads);
    let Verdict::Fail(message) = error.verdict() else {
        panic!("{error}");
    };
    assert!(
        message.contains("got a panic: the driver has a bug"),
        "{error}"
    );
    assert_eq!(store.backend.ids(), Vec::<String>::new());
}

#[test]
fn a_store_that_does_not_answer_breaks_a_law_and_the_runs_are_cleared() {
    let (error, store) = found(Habit::HangsInLoads);
    let Verdict::Fail(message) = error.verdict() else {
        panic!("{error}");
    };
    let saying = "deadline passed at load, run ";
    assert!(message.contains(saying), "{error}");
    assert!(
        message.contains("expected the probe to end within 500ms"),
        "{error}"
    );
    assert_eq!(store.backend.ids(), Vec::<String>::new());
}

#[test]
fn runs_that_can_not_be_cleared_are_named() {
    let (error, store) = found(Habit::RefusesClears);
    assert_eq!(error.law(), LawId::CLR_04, "{error}");
    let left = store.backend.ids();
    assert!(!left.is_empty());
    assert_eq!(error.left(), left);
    let told = format!("{} runs of the probe are not cleared", left.len());
    assert!(error.to_string().contains(&told), "{error}");
}

#[test]
fn a_probe_that_is_dropped_clears_its_runs() {
    let store = Store::new(Habit::HangsInLoads);
    block_on(async {
        {
            let mut probing = pin!(probe(&store));
            let begun = async {
                while store.backend.ids().is_empty() {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                probed = &mut probing => panic!("{probed:?}"),
                () = begun => {}
            }
        }
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(store.backend.ids(), Vec::<String>::new());
}

#[test]
fn a_probe_clears_what_the_probe_of_a_killed_process_has_left() {
    let store = Store::new(Habit::Faithful);
    for id in OF_OTHERS
        .iter()
        .chain(&["crashpoint_probe_000000000001_bas_01-run"])
    {
        let row = CheckpointRow::new(0, "state", "task");
        store.backend.rows().insert(((*id).to_owned(), 0), row);
    }
    block_on(probe(&store)).unwrap();
    assert_eq!(store.backend.ids(), OF_OTHERS);
}

#[test]
fn the_laws_of_a_claim_that_a_store_lacks_are_not_checked() {
    let store = Arc::new(MemoryCheckpointStore::new());
    let all = Probe::new(&store);
    assert!(all.laws().any(|law| law == LawId::ENG_04));
    let fewer = Probe::new(&store).lacks([claim::engine_kinds]);
    let dropped: Vec<LawId> = all
        .laws()
        .filter(|law| fewer.laws().all(|other| other != *law))
        .collect();
    assert_eq!(dropped, [LawId::ENG_04]);
}

/// Polls the probe once, without a runtime.
#[test]
fn outside_of_tokio_the_probe_says_nothing_about_the_store() {
    let store = Arc::new(MemoryCheckpointStore::new());
    let mut probing = pin!(probe(&store));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = probing.as_mut().poll(&mut context) else {
        panic!("the probe ends at once with an error");
    };
    assert!(matches!(error.verdict(), Verdict::NotRun(_)), "{error}");
    assert!(
        error
            .to_string()
            .starts_with("the probe could not check BAS-01")
    );
    Probe::new(&store).run_blocking().unwrap();
}
