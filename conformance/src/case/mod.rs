//! One law at work: its place, its open stores, and its progress.

mod barrier;
pub(crate) mod halting;
mod progress;
pub(crate) mod race;
pub(crate) mod recorded;
mod session;

use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;

pub(crate) use self::progress::{Blame, Progress};
pub(crate) use self::session::Session;

use crate::contract::LawId;
use crate::finding::expect::{Checked, Failure, broken};
use crate::harness::place::{Place, purpose_of};
use crate::harness::{DynStore, Opened, Options, Subject};

/// The environment of a check.
pub(crate) struct Case {
    pub(crate) law: LawId,
    pub(crate) subject: Subject,
    pub(crate) progress: Arc<Progress>,
    place: Arc<Place>,
    /// All places of the law, which are removed when the law is over.
    places: Mutex<Vec<Arc<Place>>>,
    /// Every open store, kept until the check is over: only laws about dropping depend on where a store
    /// is dropped.
    opened: Mutex<Vec<DynStore>>,
}

impl Case {
    pub(crate) fn new(
        law: LawId,
        subject: Subject,
        progress: Arc<Progress>,
    ) -> Result<Self, Failure> {
        let place = Arc::new(fresh_place(law, &subject)?);
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

    /// Opens the store at another place of the law.
    pub(crate) async fn open_at(&self, place: &Arc<Place>) -> Result<Session, Failure> {
        self.progress.step(Blame::Harness, "opening the store");
        let opened = self.subject.open(place).await;
        let opened = opened.map_err(|error| not_opened(&error))?;
        Ok(self.adopt(opened))
    }

    /// Adopts a store that was opened elsewhere.
    pub(crate) fn adopt(&self, opened: Opened) -> Session {
        self.keep().push(Arc::clone(&opened.store));
        self.keep().extend(opened.clone.clone());
        Session::new(opened, &self.progress)
    }

    /// Creates another fresh place, which the caller hands to [`Self::leave`].
    pub(crate) fn another_place(&self) -> Result<Arc<Place>, Failure> {
        let place = Arc::new(fresh_place(self.law, &self.subject)?);
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.push(Arc::clone(&place));
        Ok(place)
    }

    /// The places, which remove their directories when dropped. A file system may need seconds for that,
    /// so it must not happen under a deadline.
    pub(crate) fn into_places(self) -> Vec<Arc<Place>> {
        self.places
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops every store that the law has opened and opens the place again.
    pub(crate) async fn reopen(&self, session: Session) -> Result<Session, Failure> {
        self.reopen_at(&self.place, session).await
    }

    /// Does the same at another place of the law.
    pub(crate) async fn reopen_at(
        &self,
        place: &Arc<Place>,
        session: Session,
    ) -> Result<Session, Failure> {
        self.drop_all(session).await?;
        self.progress.step(Blame::Store, "opening the store again");
        let opened = self.open_at(place).await;
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

    /// Does the same when no session is left.
    pub(crate) async fn close_all(&self) -> Checked {
        self.progress.step(Blame::Store, "dropping the store");
        let kept = std::mem::take(&mut *self.keep());
        // Not in async code: RUN-06 checks that.
        let dropped = tokio::task::spawn_blocking(move || drop(kept)).await;
        dropped.map_err(|error| broken(format!("dropping the store failed: {error}")))
    }

    /// Drops every store that the law has opened, outside of async code.
    pub(crate) fn close(&self) {
        self.progress.step(Blame::Store, "dropping the store");
        let kept = std::mem::take(&mut *self.keep());
        drop(kept);
    }

    /// Does the same with a runtime entered, for stores that need one when they are dropped.
    pub(crate) fn close_inside(&self, runtime: &Handle) {
        let _inside = runtime.enter();
        self.close();
    }

    /// Lets the harness destroy `place`.
    pub(crate) async fn leave(&self, place: &Place) -> Checked {
        self.progress.step(Blame::Harness, "destroying the place");
        let destroyed = self.subject.destroy(place).await;
        destroyed.map_err(|error| {
            Failure::Harness(format!("the harness could not destroy the place: {error}"))
        })
    }

    /// Removes the files of a place that is left. A law with many large places would fill a disk in memory.
    pub(crate) fn discard(&self, place: &Place) -> Checked {
        self.progress
            .step(Blame::Harness, "removing files of a place");
        let removed = std::fs::remove_dir_all(place.path());
        removed.map_err(|error| Failure::Harness(format!("a place can't be removed: {error}")))
    }

    fn keep(&self) -> MutexGuard<'_, Vec<DynStore>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The harness returned an error from `open`.
pub(crate) fn not_opened(error: &dyn Display) -> Failure {
    Failure::Harness(format!("the harness could not open the store: {error}"))
}

fn fresh_place(law: LawId, subject: &Subject) -> Result<Place, Failure> {
    let purpose = purpose_of(law);
    if subject.live.is_some() {
        return Ok(Place::without_directory(&purpose));
    }
    let place = Place::fresh_for(&purpose, subject.name, subject.options.folder.as_deref());
    place.map_err(|error| Failure::Harness(format!("no fresh place: {error}")))
}
