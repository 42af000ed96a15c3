//! The ids of a probe, and how they are cleared.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crashpoint::Error;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::harness::DynStore;
use crate::harness::place::Place;
use crate::runtime::clock::unix_ms;

/// What each id begins with. The time of its probe follows, in milliseconds since 1970.
const PREFIX: &str = "crashpoint_probe_";

/// The hexadecimal digits of that time.
const DIGITS: usize = 12;

/// After this time the probe of an id has ended or was killed, in milliseconds.
const LEFT_BEHIND_MS: u64 = 60 * 60 * 1000;

/// The most ids that a probe clears for others.
const LEFT_BEHIND_MAX: usize = 1000;

/// The ids that may have rows.
pub(super) struct Rows {
    began_ms: u64,
    /// `None` once the probe is over.
    ids: Mutex<Option<BTreeSet<String>>>,
}

impl Rows {
    /// The prefix of the ids at a place.
    pub(super) fn prefix(&self, place: &Place) -> String {
        let (began, name) = (self.began_ms, place.name());
        format!("{PREFIX}{began:0DIGITS$x}_{name}-")
    }

    /// Notes that an append to `id` begins.
    ///
    /// # Errors
    ///
    /// If the probe is over.
    pub(super) fn begin(&self, id: &str) -> Result<(), Error> {
        match &mut *self.lock() {
            Some(ids) => _ = ids.insert(id.to_owned()),
            None => return Err(Error::unavailable("the probe is over")),
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Option<BTreeSet<String>>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Clears the ids when the probe is over: at the latest when this is dropped.
pub(super) struct Ids {
    store: DynStore,
    runtime: Handle,
    within: Duration,
    rows: Arc<Rows>,
}

impl Ids {
    pub(super) fn new(store: DynStore, runtime: Handle, within: Duration) -> Self {
        let rows = Arc::new(Rows {
            began_ms: unix_ms(),
            ids: Mutex::new(Some(BTreeSet::new())),
        });
        Self {
            store,
            runtime,
            within,
            rows,
        }
    }

    pub(super) fn rows(&self) -> Arc<Rows> {
        Arc::clone(&self.rows)
    }

    /// Clears them, and returns those that could not be cleared. Appends that a law begins later fail.
    pub(super) async fn clear(self) -> Vec<String> {
        let clearing = self.clearing();
        // In a task, which goes on when this future is dropped.
        let left = self.runtime.spawn(clearing).await;
        // A store may panic in a clear, too.
        left.unwrap_or_default()
    }

    fn clearing(&self) -> impl Future<Output = Vec<String>> + Send + use<> {
        let ids = self.rows.lock().take().unwrap_or_default();
        let (store, within) = (Arc::clone(&self.store), self.within);
        async move {
            let mut left = ids.clone();
            let cleared = async {
                for id in &ids {
                    if store.clear(id).await.is_ok() {
                        left.remove(id);
                    }
                }
            };
            // What was cleared within the time is not left.
            let _in_time = timeout(within, cleared).await;
            left.into_iter().collect()
        }
    }
}

impl Drop for Ids {
    fn drop(&mut self) {
        if self.rows.lock().is_some() {
            self.runtime.spawn(self.clearing());
        }
    }
}

/// Clears the runs of probes whose processes were killed. What fails here is left to the laws.
pub(super) async fn clear_left_behind(store: &DynStore, within: Duration) {
    let cleared = async {
        let listing = store.as_listing()?;
        let listed = listing.run_ids(Some(PREFIX), LEFT_BEHIND_MAX).await.ok()?;
        let now = unix_ms();
        for id in &listed {
            // Ids are listed in order: the first of somebody else ends those of probes.
            let began = began_ms(id)?;
            if began.saturating_add(LEFT_BEHIND_MS) < now {
                store.clear(id).await.ok()?;
            }
        }
        Some(())
    };
    let _in_time = timeout(within, cleared).await;
}

/// When the probe of an id began.
fn began_ms(id: &str) -> Option<u64> {
    let digits = id.strip_prefix(PREFIX)?.get(..DIGITS)?;
    u64::from_str_radix(digits, 16).ok()
}
