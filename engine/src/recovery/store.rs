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
///   **rejects a second row at a taken `(workflow_id, sequence)`**, the identical row included,
///   and leaves the first one as it was: this rejection is the fence that keeps two lives of one
///   run apart. It accepts any sequence that is free; density is the engine's business.
/// - [`load_run`](Self::load_run) returns every row of the id in ascending order of the sequence,
///   or an empty vector for an id that it does not know. What a load shows is durable: a row that
///   was seen never disappears except by a clear.
/// - [`clear`](Self::clear) removes every row of the id and touches no other id. Clearing an
///   unknown id succeeds.
///
/// All three may be called concurrently, for the same id and for others. An error of an append
/// says nothing about the row: it may be there, or not, and the engine reads the log to find out.
/// A future that is dropped leaves its row whole or absent.
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
    /// [`Error::conflict`] where the sequence is taken; [`Error::unavailable`] where nothing was
    /// written; [`Error::unknown_outcome`] or [`Error::checkpoint_store`] otherwise. The engine
    /// treats them alike: it reads the log back.
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error>;

    /// Every row of `workflow_id`, ascending by sequence; empty for an unknown id.
    ///
    /// # Errors
    ///
    /// Where the backend can't be read, or where what it holds is damaged.
    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error>;

    /// Removes every row of `workflow_id`.
    ///
    /// # Errors
    ///
    /// Where the backend can't be written; the rows are then all there or all gone.
    async fn clear(&self, workflow_id: &str) -> Result<(), Error>;

    /// The scope that this store holds exclusively, if it does: one process has the place, and no
    /// append of an earlier future lands after a later load or clear.
    ///
    /// It is one and the same for as long as the store is open: create it when the store is opened
    /// and give out clones. Only such a store may be used with [`Retention::ClearWhenDone`](crate::Retention).
    fn exclusive_scope(&self) -> Option<ScopeId> {
        None
    }

    /// This store's listing of runs, where it has one.
    fn as_listing(&self) -> Option<&dyn ListRuns> {
        None
    }
}

/// An optional extension: a store that can say which runs it holds.
///
/// [`Recovery::resume_all`](crate::Recovery::resume_all), [`Engine::unfinished`](crate::Engine::unfinished)
/// and [`Engine::purge`](crate::Engine::purge) need it.
#[async_trait]
pub trait ListRuns: Send + Sync {
    /// At most `limit` ids with at least one row, in ascending byte order, all of them greater
    /// than `after`. Fewer than `limit` ids mean that there are no more.
    ///
    /// # Errors
    ///
    /// Where the backend can't be read.
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
