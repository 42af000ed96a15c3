//! The probe of a store behind a pooler of connections. A pooler of transactions may send what belongs together
//! over several sessions, unless it is one transaction: locks and temporary tables of a session are then those of
//! another.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crashpoint::{CheckpointRow, CheckpointStore, Error, checkpoint_store};
use crashpoint_conformance::{LawId, Probe, ProbeError, Verdict};

/// To which session of the server the pooler sends a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pooling {
    /// A client keeps its session.
    Sessions,
    /// A transaction keeps its session. A statement outside of one gets any.
    Transactions,
}

type Key = (String, u64);

#[derive(Default)]
struct Tables {
    rows: BTreeMap<Key, CheckpointRow>,
    /// The sessions that hold the lock of a run.
    locks: BTreeMap<String, u64>,
    /// The temporary table of each session.
    temporary: BTreeMap<u64, Vec<Key>>,
}

/// A database behind a pooler.
#[derive(Default)]
struct Database {
    tables: Mutex<Tables>,
    sessions: AtomicU64,
}

/// What a client has: a connection to the pooler.
struct Connection {
    database: Arc<Database>,
    /// The session of all its statements.
    session: Option<u64>,
}

impl Connection {
    fn new(database: &Arc<Database>, pooling: Pooling) -> Self {
        let mut connection = Self {
            database: Arc::clone(database),
            session: None,
        };
        if pooling == Pooling::Sessions {
            connection.begin();
        }
        connection
    }

    /// Begins a transaction: from here on the session is the same.
    fn begin(&mut self) {
        self.session = Some(self.any_session());
    }

    fn any_session(&self) -> u64 {
        self.database.sessions.fetch_add(1, Ordering::Relaxed)
    }

    /// Performs a statement, after those of others that came before it.
    async fn perform<T>(&self, statement: impl FnOnce(&mut Tables, u64) -> T) -> T {
        tokio::task::yield_now().await;
        let session = self.session.unwrap_or_else(|| self.any_session());
        let tables = self.database.tables.lock();
        statement(&mut tables.unwrap_or_else(PoisonError::into_inner), session)
    }

    async fn lock(&self, run: &str) {
        let lock = |tables: &mut Tables, session| {
            let holder = tables.locks.entry(run.to_owned()).or_insert(session);
            *holder == session
        };
        while !self.perform(lock).await {}
    }

    /// Only the session that holds a lock can give it back. For others this is a warning.
    async fn unlock(&self, run: &str) {
        self.perform(|tables, session| {
            if tables.locks.get(run) == Some(&session) {
                tables.locks.remove(run);
            }
        })
        .await;
    }

    async fn insert(&self, run: &str, row: CheckpointRow) -> Result<(), Error> {
        let key = (run.to_owned(), row.sequence);
        let is_taken = self.perform(|tables, _| tables.rows.contains_key(&key));
        if is_taken.await {
            return Err(Error::conflict(run, row.sequence));
        }
        self.perform(|tables, _| tables.rows.insert(key, row)).await;
        Ok(())
    }

    async fn select(&self, run: &str) -> Vec<CheckpointRow> {
        self.perform(|tables, _| {
            let of_run = tables.rows.iter().filter(|((id, _), _)| id == run);
            of_run.map(|(_, row)| row.clone()).collect()
        })
        .await
    }

    /// Notes the rows of a run in the temporary table, and deletes what is in there.
    async fn delete(&self, run: &str) {
        self.perform(|tables, session| {
            let of_run = tables.rows.keys().filter(|(id, _)| id == run);
            let of_run = of_run.cloned().collect();
            tables.temporary.insert(session, of_run);
        })
        .await;
        self.perform(|tables, session| {
            for key in tables.temporary.remove(&session).unwrap_or_default() {
                tables.rows.remove(&key);
            }
        })
        .await;
    }
}

/// Which operations are transactions. The others rely on their session.
#[derive(Debug, Clone, Copy)]
struct Store {
    appends: bool,
    clears: bool,
    pooling: Pooling,
    name: &'static str,
}

#[derive(Clone)]
struct Pooled {
    database: Arc<Database>,
    store: Store,
}

impl Pooled {
    async fn locked(&self, run: &str, is_transaction: bool) -> Connection {
        let mut connection = Connection::new(&self.database, self.store.pooling);
        if is_transaction {
            connection.begin();
        }
        connection.lock(run).await;
        connection
    }
}

#[checkpoint_store]
impl CheckpointStore for Pooled {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let connection = self.locked(workflow_id, self.store.appends).await;
        let inserted = connection.insert(workflow_id, row).await;
        connection.unlock(workflow_id).await;
        inserted
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let connection = Connection::new(&self.database, self.store.pooling);
        Ok(connection.select(workflow_id).await)
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        let mut connection = Connection::new(&self.database, self.store.pooling);
        if self.store.clears {
            connection.begin();
        }
        connection.delete(workflow_id).await;
        Ok(())
    }
}

fn probed(store: Store) -> Result<(), ProbeError> {
    let database = Arc::default();
    let pooled = Pooled { database, store };
    let probe = Probe::new(&pooled).within(Duration::from_secs(2));
    probe.run_blocking()
}

const TRANSACTIONS: Store = Store {
    appends: true,
    clears: true,
    pooling: Pooling::Transactions,
    name: "both are transactions",
};

#[test]
fn a_store_whose_operations_are_transactions_passes_over_every_pooler() {
    for pooling in [Pooling::Sessions, Pooling::Transactions] {
        let store = Store {
            pooling,
            ..TRANSACTIONS
        };
        probed(store).unwrap_or_else(|error| panic!("{store:?}: {error}"));
    }
}

#[test]
fn a_store_that_relies_on_its_session_passes_over_a_pooler_of_sessions() {
    let store = Store {
        appends: false,
        clears: false,
        pooling: Pooling::Sessions,
        name: "both rely on the session",
    };
    probed(store).unwrap_or_else(|error| panic!("{store:?}: {error}"));
}

#[test]
fn a_probe_finds_a_pooler_that_sends_what_belongs_together_over_several_sessions() {
    let locks = Store {
        appends: false,
        name: "an append locks its run in its session",
        ..TRANSACTIONS
    };
    let temporary = Store {
        clears: false,
        name: "a clear has a temporary table in its session",
        ..TRANSACTIONS
    };
    for (store, law, saying) in [
        (locks, LawId::BAS_02, "deadline passed at append"),
        (temporary, LawId::DUP_10, "expected Ok, got the error"),
    ] {
        let name = store.name;
        let error = probed(store).expect_err(name);
        assert_eq!(error.law(), law, "{name}: {error}");
        let Verdict::Fail(message) = error.verdict() else {
            panic!("{name}: {error}");
        };
        assert!(message.contains(saying), "{name}: {error}");
    }
}
