//! The registry of active lives in a place that one process holds exclusively.
//!
//! Clearing a log removes its fence: an append of an older life then lands on an empty log and
//! succeeds. So a log is cleared only if no other life of its id can exist, and this registry knows
//! the lives. It belongs to the store, not to the process, so exactly the engines over the store share
//! it. An engine over a store without a scope has a registry of its own lives.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A place that one process holds exclusively, with the active lives in it.
///
/// A store that is the only way to its place creates a scope when it opens, and returns clones from
/// [`CheckpointStore::exclusive_scope`](crate::CheckpointStore::exclusive_scope). Clones are equal;
/// two scopes from [`new`](Self::new) are not.
#[derive(Clone, Default)]
pub struct ScopeId {
    lives: Arc<Mutex<BTreeMap<String, Holders>>>,
}

#[derive(Debug, Clone, Copy)]
enum Holders {
    /// Lives that never clear: any number, kept apart by the log itself.
    Keeping(usize),
    /// One life that will clear.
    Clearing,
}

impl Holders {
    fn of_one(intent: Intent) -> Self {
        match intent {
            Intent::Keep => Self::Keeping(1),
            Intent::Clear => Self::Clearing,
        }
    }
}

/// Whether the holder of a [`LifeGuard`] may clear the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent {
    Keep,
    Clear,
}

/// A life's entry in the registry. Its drop removes the entry.
#[derive(Debug)]
pub(crate) struct LifeGuard {
    scope: ScopeId,
    workflow_id: String,
}

impl ScopeId {
    /// A new scope, equal to no other.
    pub fn new() -> Self {
        Self::default()
    }

    /// Enters a life. `None` if it would share the id with a life that clears, or would clear under
    /// another life.
    pub(crate) fn enter(&self, workflow_id: &str, intent: Intent) -> Option<LifeGuard> {
        match (self.lives().entry(workflow_id.to_owned()), intent) {
            (Entry::Vacant(slot), intent) => {
                slot.insert(Holders::of_one(intent));
            }
            (Entry::Occupied(mut slot), Intent::Keep) => match slot.get_mut() {
                Holders::Keeping(lives) => {
                    assert!(
                        *lives > 0,
                        "the last life that leaves takes the entry along"
                    );
                    *lives += 1;
                }
                Holders::Clearing => return None,
            },
            (Entry::Occupied(_), Intent::Clear) => return None,
        }
        Some(self.guard(workflow_id))
    }

    /// Enters a life if no other life of the id is active.
    pub(crate) fn enter_alone(&self, workflow_id: &str, intent: Intent) -> Option<LifeGuard> {
        match self.lives().entry(workflow_id.to_owned()) {
            Entry::Vacant(slot) => slot.insert(Holders::of_one(intent)),
            Entry::Occupied(_) => return None,
        };
        Some(self.guard(workflow_id))
    }

    fn guard(&self, workflow_id: &str) -> LifeGuard {
        LifeGuard {
            scope: self.clone(),
            workflow_id: workflow_id.to_owned(),
        }
    }

    fn lives(&self) -> MutexGuard<'_, BTreeMap<String, Holders>> {
        self.lives.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LifeGuard {
    pub(crate) fn workflow_id(&self) -> &str {
        &self.workflow_id
    }
}

impl Drop for LifeGuard {
    fn drop(&mut self) {
        let mut lives = self.scope.lives();
        debug_assert!(
            lives.contains_key(&self.workflow_id),
            "a life is counted until it leaves"
        );
        match lives.get_mut(&self.workflow_id) {
            Some(Holders::Keeping(count)) if *count > 1 => *count -= 1,
            _ => {
                lives.remove(&self.workflow_id);
            }
        }
    }
}

impl PartialEq for ScopeId {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.lives, &other.lives)
    }
}

impl Eq for ScopeId {}

impl std::fmt::Debug for ScopeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScopeId")
            .field("lives", &self.lives().len())
            .finish()
    }
}
