//! A checkpoint store in Redis, which shows what a backend over keys and values must consider.
//!
//! # How the contract is kept
//!
//! - **A run is a hash** with a field for each sequence. `HSETNX` checks and writes in one step, so a second
//!   row at a sequence is refused and the first stays.
//! - **Fields** are sequences as 16 hexadecimal digits. A load sorts, since a hash has no order.
//! - **Ids** are the ends of keys, byte by byte, so no id is a prefix or a pattern of another's key. A set of
//!   the ids, ordered by their bytes, is the listing; the scripts change it together with the rows.
//! - **A load** is one command, a clear is one script, and the server performs one at a time: no load sees
//!   half of either.
//! - **Errors** say what is known. If the server answers with an error, nothing was written. If it does not
//!   answer, the row may be there: [`Error::unknown_outcome`].
//! - **Durability** is the server's, and its defaults keep no log at all. So
//!   [`RedisCheckpointStore::open`] refuses a server unless it appends each command to its log and syncs the
//!   log before it answers: `appendonly yes` and `appendfsync always`. It also refuses a server that evicts
//!   keys, and a replica.
//!
//! # What is missing
//!
//! - A command that was sent goes on when its future is dropped. On one connection later commands come after
//!   it, but not after a reconnection. So the store neither claims that nothing lands late nor has an
//!   exclusive scope.
//! - Replication is asynchronous: a replica that is promoted may lack acknowledged rows. Failover needs
//!   another store.
//!
//! `tests/conformance.rs` certifies it.

mod failure;
mod row;
mod server;

use std::fmt;

use crashpoint::{CheckpointRow, CheckpointStore, Error, ListRuns, checkpoint_store};
use redis::aio::ConnectionManager;
use redis::{Script, cmd};

/// Adds a row and the id of its run, and returns 1, or 0 if the sequence is taken.
const APPEND: &str = "
    if redis.call('HSETNX', KEYS[1], ARGV[2], ARGV[3]) == 0 then return 0 end
    redis.call('ZADD', KEYS[2], 0, ARGV[1])
    return 1";

/// Removes a run and its id, and returns 1; or 0 if a first row was given and the run begins otherwise.
const CLEAR: &str = "
    if ARGV[2] then
        local first = false
        for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
            if not first or field < first then first = field end
        end
        if first ~= ARGV[2] or redis.call('HGET', KEYS[1], first) ~= ARGV[3] then return 0 end
    end
    redis.call('UNLINK', KEYS[1])
    redis.call('ZREM', KEYS[2], ARGV[1])
    return 1";

/// A [`CheckpointStore`] in the keys of a Redis server that begin with a prefix. Share it as an `Arc`.
///
/// Several stores and several processes may use one prefix.
pub struct RedisCheckpointStore {
    connection: ConnectionManager,
    prefix: String,
    append: Script,
    clear: Script,
}

impl RedisCheckpointStore {
    /// Opens the store. The prefix is of letters, digits, `-` and `_`.
    ///
    /// # Errors
    ///
    /// If the prefix has other characters, or the server can't be reached, is a replica, or may lose what it
    /// has acknowledged.
    pub async fn open(connection: ConnectionManager, prefix: &str) -> Result<Self, Error> {
        if let Some(reason) = server::unsafe_setting(&mut connection.clone()).await? {
            return Err(Error::unavailable(format!(
                "the server may lose acknowledged rows: {reason}"
            )));
        }
        Self::open_unsynced(connection, prefix)
    }

    /// Opens the store whatever the settings of the server, for rows that may be lost.
    ///
    /// # Errors
    ///
    /// If the prefix has other characters than [`open`](Self::open) allows.
    pub fn open_unsynced(connection: ConnectionManager, prefix: &str) -> Result<Self, Error> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        // With a colon the keys of one prefix could be those of another.
        if prefix.is_empty() || !prefix.bytes().all(is_plain) {
            return Err(Error::unavailable(format!(
                "a prefix is of letters, digits, '-' and '_', and not empty: {prefix:?}"
            )));
        }
        Ok(Self {
            connection,
            prefix: prefix.to_owned(),
            append: Script::new(APPEND),
            clear: Script::new(CLEAR),
        })
    }

    /// The key of a run.
    fn run(&self, id: &str) -> String {
        format!("{}:run:{id}", self.prefix)
    }

    /// The key of the set of the ids.
    fn runs(&self) -> String {
        format!("{}:runs", self.prefix)
    }

    /// Clears a run, if it begins with the row `first` or no row is given. Returns whether it did.
    async fn clear_run(&self, id: &str, first: Option<&CheckpointRow>) -> Result<bool, Error> {
        let mut clear = self.clear.key(self.run(id));
        clear.key(self.runs()).arg(id);
        if let Some(row) = first {
            clear.arg(row::field(row.sequence)).arg(row::encoded(row)?);
        }
        let cleared = clear.invoke_async(&mut self.connection.clone()).await;
        cleared.map_err(|error| failure::of(&format!("clear of run {id:?}"), error))
    }
}

#[checkpoint_store]
impl CheckpointStore for RedisCheckpointStore {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let mut append = self.append.key(self.run(workflow_id));
        append.key(self.runs()).arg(workflow_id);
        append
            .arg(row::field(row.sequence))
            .arg(row::encoded(&row)?);
        let appended = append.invoke_async(&mut self.connection.clone()).await;
        match appended {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::conflict(workflow_id, row.sequence)),
            Err(error) => {
                let sequence = row.sequence;
                let append = format!("append of sequence {sequence} to run {workflow_id:?}");
                Err(failure::of(&append, error))
            }
        }
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let mut load = cmd("HGETALL");
        load.arg(self.run(workflow_id));
        let loaded = load.query_async(&mut self.connection.clone()).await;
        let load = || format!("load of run {workflow_id:?}");
        let fields: Vec<(String, Vec<u8>)> = loaded.map_err(|error| failure::of(&load(), error))?;
        let rows = fields
            .iter()
            .map(|(field, value)| row::decoded(field, value, load));
        let mut rows: Vec<CheckpointRow> = rows.collect::<Result<_, _>>()?;
        rows.sort_unstable_by_key(|row| row.sequence);
        Ok(rows)
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.clear_run(workflow_id, None).await?;
        Ok(())
    }

    async fn clear_if_begun_with(
        &self,
        workflow_id: &str,
        first: &CheckpointRow,
    ) -> Result<bool, Error> {
        self.clear_run(workflow_id, Some(first)).await
    }

    fn as_listing(&self) -> Option<&dyn ListRuns> {
        Some(self)
    }
}

#[checkpoint_store]
impl ListRuns for RedisCheckpointStore {
    async fn run_ids(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, Error> {
        let from = after.map_or("-".to_owned(), |after| format!("({after}"));
        let mut list = cmd("ZRANGE");
        list.arg(self.runs()).arg(from).arg("+").arg("BYLEX");
        // The server's integers are signed.
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        list.arg("LIMIT").arg(0).arg(limit);
        let listed = list.query_async(&mut self.connection.clone()).await;
        listed.map_err(|error| failure::of("listing of runs", error))
    }
}

impl fmt::Debug for RedisCheckpointStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCheckpointStore")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
