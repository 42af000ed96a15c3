//! The trait that a storage backend implements.

use std::sync::Arc;

use async_trait::async_trait;

use crate::error::Error;
use crate::recovery::CheckpointRow;
use crate::scope::ScopeId;

/// An append-only log of [`CheckpointRow`]s, keyed by workflow id.
///
/// # The contract
///
/// - [`append`](Self::append) makes one row durable and visible, or returns an error. It
///   **rejects a second row at a taken `(workflow_id, sequence)`**, even the identical row, and
///   leaves the first row unchanged. This rejection is the fence between two lives of a run. It
///   accepts any free sequence: only the engine keeps sequences dense.
/// - [`load_run`](Self::load_run) returns every row of the id in ascending order of the sequence,
///   or an empty vector for an unknown id. Every row that it returns is durable, and disappears
///   only by a clear.
/// - [`clear`](Self::clear) removes every row of the id and touches no other id. Clearing an
///   unknown id succeeds.
///
/// All three may be called concurrently, for the same id and for others. After an error of an
/// append the row may be durable, or not; the engine reads the log to find out. A dropped future
/// leaves its row whole or absent.
///
/// # Implementing it
///
/// Put [`#[checkpoint_store]`](crate::checkpoint_store) on an `impl` with three `async fn`s.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::sync::Mutex;
///
/// use crashpoint::{CheckpointRow, CheckpointStore, Error, checkpoint_store};
///
/// #[derive(Default)]
/// struct Rows(Mutex<BTreeMap<(String, u64), CheckpointRow>>);
///
/// #[checkpoint_store]
/// impl CheckpointStore for Rows {
///     async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
///         let mut rows = self.0.lock().unwrap();
///         let key = (workflow_id.to_owned(), row.sequence);
///         if rows.contains_key(&key) {
///             return Err(Error::conflict(workflow_id, row.sequence));
///         }
///         rows.insert(key, row);
///         Ok(())
///     }
///
///     async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
///         let id = workflow_id.to_owned();
///         let rows = self.0.lock().unwrap();
///         Ok(rows.range((id.clone(), 0)..=(id, u64::MAX)).map(|(_, row)| row.clone()).collect())
///     }
///
///     async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
///         self.0.lock().unwrap().retain(|(id, _), _| id != workflow_id);
///         Ok(())
///     }
/// }
/// ```
///
/// The names and the clauses follow the module `recovery` of the crate `cano` 0.12.0.
#[async_trait]
pub trait CheckpointStore: Send + Sync + 'static {
    /// Makes `row` durable under `workflow_id`.
    ///
    /// # Errors
    ///
    /// [`Error::conflict`] if the sequence is taken; [`Error::unavailable`] if nothing was written;
    /// [`Error::unknown_outcome`] or [`Error::checkpoint_store`] otherwise. The engine reads the log
    /// back after each of them.
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error>;

    /// Every row of `workflow_id`, ascending by sequence; empty for an unknown id.
    ///
    /// # Errors
    ///
    /// If the backend can't be read, or its data is damaged.
    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error>;

    /// Removes every row of `workflow_id`.
    ///
    /// # Errors
    ///
    /// If the backend can't be written. The rows are then all there or all gone.
    async fn clear(&self, workflow_id: &str) -> Result<(), Error>;

    /// Removes every row of `workflow_id` if its log begins with the row `first`, and tells whether it
    /// does. A purge clears so: another process may have cleared the ended run since its log was read,
    /// and begun the id again.
    ///
    /// The default clears the run, whatever its log begins with. Override it, in one transaction, in a
    /// store that several processes use. A store with an [`exclusive_scope`](Self::exclusive_scope)
    /// needs no override, because the engine keeps a purge and the lives of a scope apart.
    ///
    /// # Errors
    ///
    /// As [`clear`](Self::clear).
    async fn clear_if_begun_with(
        &self,
        workflow_id: &str,
        first: &CheckpointRow,
    ) -> Result<bool, Error> {
        let _ = first;
        self.clear(workflow_id).await?;
        Ok(true)
    }

    /// The scope that this store holds exclusively, if any. A store may return a scope only if one
    /// process has its place, and no append of an earlier future lands after a later load or clear.
    ///
    /// Return the same scope as long as the store is open: create it when the store opens, and give
    /// out clones. [`Retention::ClearWhenDone`](crate::Retention) needs such a store.
    fn exclusive_scope(&self) -> Option<ScopeId> {
        None
    }

    /// The listing of runs, if the store has one.
    fn as_listing(&self) -> Option<&dyn ListRuns> {
        None
    }
}

/// An optional extension of a store: a listing of its runs.
///
/// [`Recovery::resume_all`](crate::Recovery::resume_all), [`Engine::unfinished`](crate::Engine::unfinished)
/// and [`Engine::purge`](crate::Engine::purge) need it.
#[async_trait]
pub trait ListRuns: Send + Sync {
    /// At most `limit` ids that have a row, in ascending byte order, each greater than `after`.
    /// Fewer than `limit` ids mean that no more follow.
    ///
    /// # Errors
    ///
    /// If the backend can't be read.
    async fn run_ids(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, Error>;
}

macro_rules! forward_to_pointee {
    ($($pointer:ident),*) => {$(
        #[async_trait]
        impl<T: CheckpointStore + ?Sized> CheckpointStore for $pointer<T> {
            async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
                (**self).append(workflow_id, row).await
            }

            async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
                (**self).load_run(workflow_id).await
            }

            async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
                (**self).clear(workflow_id).await
            }

            async fn clear_if_begun_with(
                &self,
                workflow_id: &str,
                first: &CheckpointRow,
            ) -> Result<bool, Error> {
                (**self).clear_if_begun_with(workflow_id, first).await
            }

            fn exclusive_scope(&self) -> Option<ScopeId> {
                (**self).exclusive_scope()
            }

            fn as_listing(&self) -> Option<&dyn ListRuns> {
                (**self).as_listing()
            }
        }
    )*};
}

forward_to_pointee!(Arc, Box);
