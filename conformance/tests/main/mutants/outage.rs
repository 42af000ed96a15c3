//! Stores whose backend can be taken away, and faults in their reaction.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crashpoint::{CheckpointRow, CheckpointStore, Error, ScopeId, checkpoint_store};
use crashpoint_conformance::{BoxError, Harness, Hook, Options, Place};

use super::{Loaded, Mutant, Mutated, Shelf, quick};

/// The places whose backend is down.
fn down() -> MutexGuard<'static, BTreeSet<String>> {
    static DOWN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    DOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a store does while its backend is down. The defaults have no fault.
pub(crate) trait Manner: Send + Sync + 'static {
    /// Retries for ever.
    const WAITS: bool = false;
    /// Returns an empty run if the backend does not answer.
    const LOADS_NOTHING: bool = false;
    /// Acknowledges rows that it could not send.
    const ACKNOWLEDGES: bool = false;
    /// Acknowledges a clear that it could not send.
    const CLEARS_NOTHING: bool = false;
    /// Never recovers from an error while it is open.
    const STAYS_DOWN: bool = false;
    /// Its [`Options::reopens_after_outage`].
    const REOPENS: bool = false;
    /// The backend comes back empty.
    const FORGETS: bool = false;
}

/// Reactions, each with its one fault.
macro_rules! manners {
    ($($(#[$doc:meta])* $name:ident: $($constant:ident)*;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl Manner for $name {
            $(const $constant: bool = true;)*
        }
    )*};
}

manners! {
    /// No fault at all: the control.
    Polite: ;
    /// No fault: it declares that it must be opened again.
    PoliteWhenReopened: STAYS_DOWN REOPENS;
    RetriesForEver: WAITS;
    DownIsEmpty: LOADS_NOTHING;
    AcknowledgesMeanwhile: ACKNOWLEDGES;
    ClearsMeanwhile: CLEARS_NOTHING;
    NeverReconnects: STAYS_DOWN;
    ReconnectsToNothing: FORGETS;
}

/// A store with the reaction `M`.
pub(crate) struct Linked<M> {
    shelf: Shelf,
    place: String,
    failed: AtomicBool,
    manner: PhantomData<fn() -> M>,
}

impl<M: Manner> Linked<M> {
    async fn reach(&self) -> Result<(), Error> {
        let is_down = || down().contains(&self.place);
        if M::WAITS && is_down() {
            std::future::pending::<()>().await;
        }
        let failed = self.failed.load(Ordering::SeqCst);
        if is_down() || (M::STAYS_DOWN && failed) {
            self.failed.store(true, Ordering::SeqCst);
            return Err(Error::unavailable("the backend does not answer"));
        }
        if M::FORGETS && failed {
            self.failed.store(false, Ordering::SeqCst);
            self.shelf.runs().0.clear();
        }
        Ok(())
    }
}

#[checkpoint_store]
impl<M: Manner> CheckpointStore for Linked<M> {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let reached = self.reach().await;
        if !M::ACKNOWLEDGES {
            reached?;
        }
        self.shelf.runs().append(workflow_id, row)
    }

    async fn load_run(&self, workflow_id: &str) -> Loaded {
        match self.reach().await {
            Err(_) if M::LOADS_NOTHING => Ok(Vec::new()),
            reached => reached.map(|()| self.shelf.runs().load(workflow_id)),
        }
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        match self.reach().await {
            Err(_) if M::CLEARS_NOTHING => return Ok(()),
            reached => reached?,
        }
        self.shelf.runs().clear(workflow_id);
        Ok(())
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        Some(self.shelf.scope())
    }
}

impl<M: Manner> Mutant for Linked<M> {
    fn open(shelf: Shelf, place: &Place) -> Self {
        Self {
            shelf,
            place: place.name().to_owned(),
            failed: AtomicBool::new(false),
            manner: PhantomData,
        }
    }

    fn options() -> Options {
        let mut options = quick();
        options.reopens_after_outage = M::REOPENS;
        if M::WAITS || M::STAYS_DOWN {
            options.operation_max = Duration::from_secs(2);
        }
        options
    }
}

/// The harness of a store whose backend can be taken away.
pub(crate) struct Breakable<M>(PhantomData<fn() -> M>);

impl<M: Manner> Harness for Breakable<M> {
    type Store = Linked<M>;

    async fn open(place: &Place) -> Result<Linked<M>, BoxError> {
        Mutated::<Linked<M>>::open(place).await
    }

    async fn destroy(place: &Place) -> Result<(), BoxError> {
        down().remove(place.name());
        Mutated::<Linked<M>>::destroy(place).await
    }

    async fn break_backend(place: &Place) -> Result<Hook, BoxError> {
        down().insert(place.name().to_owned());
        Ok(Hook::Done)
    }

    async fn heal_backend(place: &Place) -> Result<Hook, BoxError> {
        down().remove(place.name());
        Ok(Hook::Done)
    }

    fn options() -> Options {
        <Linked<M> as Mutant>::options()
    }
}
