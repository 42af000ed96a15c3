//! One law at work: the place, the stores opened at it, and what was asked of them last.

pub(crate) mod halting;
pub(crate) mod race;
pub(crate) mod recorded;

use std::fmt::{Display, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crashpoint::{CheckpointRow, Error};
use tokio::runtime::Runtime;

use crate::contract::LawId;
use crate::finding::expect::{Checked, Failure, broken, describe, quote, same_rows};
use crate::harness::place::Place;
use crate::harness::{DynStore, Opened, Options, Subject};

/// Who is to blame when a step never ends, or panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blame {
    Store,
    Harness,
}

/// What a law is doing, for the watchdog and for panics: the last step, and how many there were.
#[derive(Debug)]
pub(crate) struct Progress {
    steps: AtomicU64,
    current: Mutex<Current>,
}

/// Put into words only when it is asked for: a law has thousands of steps.
#[derive(Debug)]
struct Current {
    blame: Blame,
    what: String,
    run: Option<String>,
    sequence: Option<u64>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            steps: AtomicU64::new(0),
            current: Mutex::new(Current {
                blame: Blame::Harness,
                what: "before its first step".to_owned(),
                run: None,
                sequence: None,
            }),
        }
    }

    /// A step that has words of its own.
    pub(crate) fn step(&self, blame: Blame, what: &str) {
        let mut current = self.lock();
        current.blame = blame;
        what.clone_into(&mut current.what);
        current.run = None;
        current.sequence = None;
        drop(current);
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    /// An operation of the store.
    pub(crate) fn operation(&self, what: &str, run: &str, sequence: Option<u64>) {
        self.step(Blame::Store, what);
        let mut current = self.lock();
        current.run = Some(run.to_owned());
        current.sequence = sequence;
    }

    /// An operation has ended, of a step that has many and is told as one.
    pub(crate) fn beat(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    pub(crate) fn current(&self) -> (Blame, String) {
        let current = self.lock();
        let mut words = current.what.clone();
        if let Some(sequence) = current.sequence {
            let _ = write!(words, " of sequence {sequence}");
        }
        if let Some(run) = &current.run {
            let _ = write!(words, ", run {}", quote(run));
        }
        (current.blame, words)
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a check is given.
pub(crate) struct Case {
    pub(crate) law: LawId,
    pub(crate) subject: Subject,
    pub(crate) progress: Arc<Progress>,
    place: Arc<Place>,
    /// All places of the law, its own included: they are removed once the law is over.
    places: Mutex<Vec<Arc<Place>>>,
    /// Keeps every store until the check is over, so that only the laws about dropping a store
    /// depend on where it is dropped.
    opened: Mutex<Vec<DynStore>>,
}

impl Case {
    pub(crate) fn new(
        law: LawId,
        subject: Subject,
        progress: Arc<Progress>,
    ) -> Result<Self, Failure> {
        let place = Arc::new(fresh_place(law, &subject.options)?);
        let places = Mutex::new(vec![Arc::clone(&place)]);
        let opened = Mutex::default();
        Ok(Self {
            law,
            subject,
            progress,
            place,
            places,
            opened,
        })
    }

    pub(crate) fn options(&self) -> &Options {
        &self.subject.options
    }

    pub(crate) fn place(&self) -> &Arc<Place> {
        &self.place
    }

    /// Opens the store at the law's place.
    pub(crate) async fn open(&self) -> Result<Session, Failure> {
        self.open_at(&self.place).await
    }

    /// Opens the store at some other place of the law's.
    pub(crate) async fn open_at(&self, place: &Arc<Place>) -> Result<Session, Failure> {
        self.progress.step(Blame::Harness, "opening the store");
        let opened = self.subject.open(place).await;
        let opened = opened.map_err(|error| {
            Failure::Harness(format!("the harness could not open the store: {error}"))
        })?;
        Ok(self.adopt(opened))
    }

    /// Takes a store over that was opened elsewhere.
    pub(crate) fn adopt(&self, opened: Opened) -> Session {
        self.keep().push(Arc::clone(&opened.store));
        self.keep().extend(opened.clone.clone());
        Session {
            store: opened.store,
            clone: opened.clone,
            progress: Arc::clone(&self.progress),
        }
    }

    /// Another fresh place, which the caller hands back to [`Self::leave`].
    pub(crate) fn another_place(&self) -> Result<Arc<Place>, Failure> {
        let place = Arc::new(fresh_place(self.law, self.options())?);
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.push(Arc::clone(&place));
        Ok(place)
    }

    /// The places, whose directories go with them. A file system may take seconds for that, which is
    /// nobody's fault: it is not to happen under a deadline.
    pub(crate) fn into_places(self) -> Vec<Arc<Place>> {
        self.places
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops every store that the law has opened and opens the place again.
    pub(crate) async fn reopen(&self, session: Session) -> Result<Session, Failure> {
        self.drop_all(session).await?;
        self.progress.step(Blame::Store, "opening the store again");
        let opened = self.open().await;
        opened.map_err(|failure| match failure {
            Failure::Harness(message) => broken(format!("after dropping the store, {message}")),
            other => other,
        })
    }

    /// Drops every store that the law has opened.
    pub(crate) async fn drop_all(&self, session: Session) -> Checked {
        drop(session);
        self.close_all().await
    }

    /// The same once nobody has a session any more.
    pub(crate) async fn close_all(&self) -> Checked {
        self.progress.step(Blame::Store, "dropping the store");
        let kept = std::mem::take(&mut *self.keep());
        // Not here, in async code: that is the business of RUN-06.
        let dropped = tokio::task::spawn_blocking(move || drop(kept)).await;
        dropped.map_err(|error| broken(format!("dropping the store failed: {error}")))
    }

    /// Drops the stores, then lets the harness remove what they left.
    pub(crate) fn close(&self) {
        self.progress.step(Blame::Store, "dropping the store");
        let kept = std::mem::take(&mut *self.keep());
        drop(kept);
    }

    /// The same with the runtime around it, for stores that ask for one when they are dropped.
    pub(crate) fn close_inside(&self, runtime: &Runtime) {
        let _inside = runtime.enter();
        self.close();
    }

    /// Lets the harness remove what the stores left at `place`.
    pub(crate) async fn leave(&self, place: &Place) -> Checked {
        self.progress.step(Blame::Harness, "destroying the place");
        let destroyed = self.subject.destroy(place).await;
        destroyed.map_err(|error| {
            Failure::Harness(format!("the harness could not destroy the place: {error}"))
        })
    }

    fn keep(&self) -> MutexGuard<'_, Vec<DynStore>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fresh_place(law: LawId, options: &Options) -> Result<Place, Failure> {
    let purpose = law.to_string().to_lowercase().replace('-', "_");
    let place = Place::fresh_for(&purpose, options.folder.as_deref());
    place.map_err(|error| Failure::Harness(format!("no fresh place: {error}")))
}

/// An opened store whose every operation is watched, and whose unexpected errors are put into
/// words.
#[derive(Clone)]
pub(crate) struct Session {
    store: DynStore,
    clone: Option<DynStore>,
    progress: Arc<Progress>,
}

impl Session {
    /// The store itself, for races and for laws about its futures.
    pub(crate) fn store(&self) -> &DynStore {
        &self.store
    }

    pub(crate) fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Says what is about to be asked of the store itself.
    pub(crate) fn step(&self, blame: Blame, what: &str) {
        self.progress.step(blame, what);
    }

    /// The same rows seen through the store's own clone, where it can be cloned.
    pub(crate) fn through_clone(&self) -> Option<Self> {
        let store = Arc::clone(self.clone.as_ref()?);
        Some(self.over(store))
    }

    /// The same store behind another `Arc` of the trait object.
    pub(crate) fn through_arc(&self) -> Self {
        self.over(Arc::new(Arc::clone(&self.store)))
    }

    fn over(&self, store: DynStore) -> Self {
        Self {
            store,
            clone: None,
            progress: Arc::clone(&self.progress),
        }
    }

    /// Appends, whatever comes of it.
    pub(crate) async fn try_append(&self, id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.progress.operation("append", id, Some(row.sequence));
        self.store.append(id, row).await
    }

    /// Appends a row that has to be accepted.
    pub(crate) async fn append(&self, id: &str, row: &CheckpointRow) -> Checked {
        let appended = self.try_append(id, row.clone()).await;
        appended.map_err(|error| {
            let row = describe(row);
            let id = quote(id);
            broken(format!(
                "append of {row} to run {id}: expected Ok, got the error \"{error}\""
            ))
        })
    }

    /// Appends rows that have to be accepted.
    pub(crate) async fn append_all(&self, id: &str, rows: &[CheckpointRow]) -> Checked {
        for row in rows {
            self.append(id, row).await?;
        }
        Ok(())
    }

    /// Appends a row that has to be rejected, and answers how it was.
    pub(crate) async fn rejects(&self, id: &str, row: CheckpointRow) -> Result<Error, Failure> {
        match self.try_append(id, row.clone()).await {
            Err(error) => Ok(error),
            Ok(()) => Err(broken(format!(
                "append of {} to run {}, where the sequence is taken: expected a rejection, \
                 got Ok",
                describe(&row),
                quote(id)
            ))),
        }
    }

    /// Loads, whatever comes of it.
    pub(crate) async fn try_load(&self, id: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.progress.operation("load", id, None);
        self.store.load_run(id).await
    }

    /// Loads a run, which has to succeed.
    pub(crate) async fn load(&self, id: &str) -> Result<Vec<CheckpointRow>, Failure> {
        let loaded = self.try_load(id).await;
        loaded.map_err(|error| unexpected("load", id, &error))
    }

    /// Fails unless the run `id` is exactly `rows`. `when` completes "run X ...".
    pub(crate) async fn holds(&self, id: &str, rows: &[CheckpointRow], when: &str) -> Checked {
        let got = self.load(id).await?;
        same_rows(|| format!("run {} {when}", quote(id)), rows, &got)
    }

    /// Clears a run, which has to succeed.
    pub(crate) async fn clear(&self, id: &str) -> Checked {
        self.progress.operation("clear", id, None);
        let cleared = self.store.clear(id).await;
        cleared.map_err(|error| unexpected("clear", id, &error))
    }
}

fn unexpected(operation: &str, id: &str, error: &dyn Display) -> Failure {
    let id = quote(id);
    broken(format!(
        "{operation} of run {id}: expected Ok, got the error \"{error}\""
    ))
}
