//! The completed compensatable tasks of a run.
//!
//! Every `Ctx` has those of its visit, and a task may keep a `Ctx` for as long as it likes. So the list
//! is persistent: an entry points to the entry before it, holders share entries, and an append copies
//! nothing whoever holds the list.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::iter;
use std::sync::Arc;

use crate::core::atoms::{Bytes, Label};

/// A completed compensatable task, which a rollback has to undo.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Completion {
    /// The sequence of the completion row.
    pub sequence: u64,
    /// The visit in which the task ran.
    pub visit: u64,
    /// The task.
    pub task: Label,
    /// Its serialized output.
    pub output: Bytes,
}

/// The completed compensatable tasks of a run, which a rollback has to undo. A clone shares all of them.
#[derive(Clone, Default)]
pub struct Completions {
    newest: Option<Arc<Entry>>,
}

struct Entry {
    completion: Completion,
    before: Completions,
    /// The length of the list that ends here.
    length: usize,
}

impl Completions {
    /// The number of completions.
    pub fn len(&self) -> usize {
        self.newest.as_ref().map_or(0, |newest| newest.length)
    }

    /// Whether no compensatable task has completed.
    pub fn is_empty(&self) -> bool {
        self.newest.is_none()
    }

    /// The newest completion.
    pub fn last(&self) -> Option<&Completion> {
        self.newest_first().next()
    }

    /// The completions from the newest to the oldest.
    pub fn newest_first(&self) -> impl Iterator<Item = &Completion> {
        let entries = iter::successors(self.newest.as_deref(), |entry| {
            entry.before.newest.as_deref()
        });
        entries.map(|entry| &entry.completion)
    }

    /// The completions from the oldest to the newest. It collects a reference to each first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Completion> + ExactSizeIterator {
        self.after(0)
    }

    /// The completions after the oldest `skipped` completions, oldest first.
    pub(super) fn after(
        &self,
        skipped: usize,
    ) -> impl DoubleEndedIterator<Item = &Completion> + ExactSizeIterator {
        let wanted = self.len().saturating_sub(skipped);
        let newest_first: Vec<_> = self.newest_first().take(wanted).collect();
        newest_first.into_iter().rev()
    }

    /// Appends a completion. Clones of the list stay as they are.
    pub(super) fn push(&mut self, completion: Completion) {
        let length = self.len() + 1;
        let before = Self {
            newest: self.newest.take(),
        };
        self.newest = Some(Arc::new(Entry {
            completion,
            before,
            length,
        }));
    }
}

/// Drops the entries that nobody else holds, one after the other: a recursion over a long run would
/// overflow the stack.
impl Drop for Completions {
    fn drop(&mut self) {
        let mut newest = self.newest.take();
        while let Some(mut entry) = newest.and_then(Arc::into_inner) {
            newest = entry.before.newest.take();
        }
    }
}

impl PartialEq for Completions {
    fn eq(&self, other: &Self) -> bool {
        let same = match (&self.newest, &other.newest) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (newest, other) => newest.is_none() && other.is_none(),
        };
        same || (self.len() == other.len() && self.newest_first().eq(other.newest_first()))
    }
}

impl Eq for Completions {}

impl Hash for Completions {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.len().hash(state);
        self.newest_first().for_each(|done| done.hash(state));
    }
}

impl fmt::Debug for Completions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
