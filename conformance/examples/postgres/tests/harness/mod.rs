//! How the kit opens the store: a schema for each place, in a server that the tests start themselves.

mod pair;
mod server;

use std::path::PathBuf;
use std::time::Duration;

use crashpoint_conformance::{BoxError, Harness, Hook, LawId, Options, Place, claim};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use postgres_store::{ID_BYTES_MAX, PostgresCheckpointStore};
use tokio_postgres::{Client, Config, NoTls};

use self::pair::{Pair, Standby, change, config_of_both, pairs};
use self::server::{Server, config, servers};

/// Connections of a store.
const CONNECTIONS: usize = 8;

/// The store on a server with its default settings.
pub(crate) struct Postgres;

impl Harness for Postgres {
    type Store = PostgresCheckpointStore;

    async fn open(place: &Place) -> Result<PostgresCheckpointStore, BoxError> {
        Ok(PostgresCheckpointStore::open(pool_at(place, "").await?).await?)
    }

    async fn destroy(place: &Place) -> Result<(), BoxError> {
        drop_place(place).await
    }

    async fn break_backend(place: &Place) -> Result<Hook, BoxError> {
        on_own_server(place, Server::crash).await
    }

    async fn heal_backend(place: &Place) -> Result<Hook, BoxError> {
        on_own_server(place, Server::start).await
    }

    async fn crash_backend(place: &Place) -> Result<Hook, BoxError> {
        on_own_server(place, Server::crash).await
    }

    async fn start_backend(place: &Place) -> Result<Hook, BoxError> {
        on_own_server(place, Server::start).await
    }

    async fn stop_leader(place: &Place) -> Result<Hook, BoxError> {
        change(place, Pair::stop_leader).await?;
        Ok(Hook::Done)
    }

    async fn start_node(place: &Place) -> Result<Hook, BoxError> {
        change(place, Pair::start_node).await?;
        Ok(Hook::Done)
    }

    fn options() -> Options {
        options()
    }
}

/// The store on a leader whose standby is asynchronous: a commit is acknowledged before the standby has it.
pub(crate) struct Asynchronous;

impl Harness for Asynchronous {
    type Store = PostgresCheckpointStore;

    async fn open(place: &Place) -> Result<PostgresCheckpointStore, BoxError> {
        let config = config_of_pair(place, Standby::Asynchronous).await?;
        let pool = pool(config, place.name(), "").await?;
        Ok(PostgresCheckpointStore::open(pool).await?)
    }

    async fn destroy(place: &Place) -> Result<(), BoxError> {
        drop_place(place).await
    }

    async fn stop_leader(place: &Place) -> Result<Hook, BoxError> {
        Postgres::stop_leader(place).await
    }

    async fn start_node(place: &Place) -> Result<Hook, BoxError> {
        Postgres::start_node(place).await
    }

    fn options() -> Options {
        options()
    }
}

/// The store over connections with `synchronous_commit = off`, which it refuses unless it is told to take them.
pub(crate) struct Unsynced;

impl Harness for Unsynced {
    type Store = PostgresCheckpointStore;

    async fn open(place: &Place) -> Result<PostgresCheckpointStore, BoxError> {
        let pool = pool_at(place, "-c synchronous_commit=off").await?;
        Ok(PostgresCheckpointStore::open_unsynced(pool).await?)
    }

    async fn destroy(place: &Place) -> Result<(), BoxError> {
        drop_place(place).await
    }

    async fn crash_backend(place: &Place) -> Result<Hook, BoxError> {
        on_own_server(place, Server::crash).await
    }

    async fn start_backend(place: &Place) -> Result<Hook, BoxError> {
        on_own_server(place, Server::start).await
    }

    fn options() -> Options {
        options()
    }
}

fn options() -> Options {
    let mut options = Options::default();
    options.id_bytes_max = Some(ID_BYTES_MAX);
    // The store waits ten seconds for the server, and as long for a connection.
    options.operation_max = Duration::from_secs(30);
    // Children of the kit find the server that this process has started. `open` reports why it has none.
    if let Ok(version) = Server::shared().and_then(|_| server::version()) {
        options.environment.insert("server".to_owned(), version);
    }
    options
}

async fn pool_at(place: &Place, settings: &str) -> Result<Pool, BoxError> {
    if fails_over(place) {
        let config = config_of_pair(place, Standby::Synchronous).await?;
        return pool(config, place.name(), settings).await;
    }
    pool(config(&server_of(place).await?), place.name(), settings).await
}

/// A pool of connections with a schema and `settings` on the shared server.
pub(crate) async fn pool_on_shared(schema: &str, settings: &str) -> Result<Pool, BoxError> {
    pool(config(&blocking(Server::shared).await?), schema, settings).await
}

/// Creates the schema, and a pool of connections with it and `settings`.
async fn pool(mut config: Config, schema: &str, settings: &str) -> Result<Pool, BoxError> {
    let client = connected(&config).await?;
    // Two processes may open a place at once.
    let create = format!("SELECT pg_advisory_xact_lock(1); CREATE SCHEMA IF NOT EXISTS {schema}");
    client.batch_execute(&create).await?;
    config.options(format!("-c search_path={schema} {settings}"));
    let recycling_method = RecyclingMethod::Fast;
    let manager = Manager::from_config(config, NoTls, ManagerConfig { recycling_method });
    Ok(Pool::builder(manager).max_size(CONNECTIONS).build()?)
}

/// Whether the law of the place takes a leader away.
fn fails_over(place: &Place) -> bool {
    let law = place.law().map(LawId::law);
    law.is_some_and(|law| law.claim == Some(claim::failover))
}

/// How clients reach the servers of a place, which are created if there are none.
async fn config_of_pair(place: &Place, standby: Standby) -> Result<Config, BoxError> {
    if !pairs().contains_key(place.path()) {
        let pair = Pair::create(place.path(), standby).await?;
        pairs().insert(place.path().to_owned(), pair);
    }
    Ok(config_of_both(place.path()))
}

/// The folder of the server of a place. Laws that take the server away have a server of their own.
async fn server_of(place: &Place) -> Result<PathBuf, BoxError> {
    if !place.needs_own_backend() {
        return blocking(Server::shared).await;
    }
    let folder = own_folder(place);
    if !servers().contains_key(&folder) {
        let of_place = folder.clone();
        let server = blocking(move || Server::create(&of_place)).await?;
        servers().insert(folder.clone(), server);
    }
    Ok(folder)
}

fn own_folder(place: &Place) -> PathBuf {
    place.path().join("postgres")
}

async fn on_own_server(
    place: &Place,
    work: fn(&Server) -> Result<(), BoxError>,
) -> Result<Hook, BoxError> {
    let folder = own_folder(place);
    blocking(move || match servers().get(&folder) {
        Some(server) => work(server),
        None => Err("the place has no server of its own".into()),
    })
    .await?;
    Ok(Hook::Done)
}

async fn drop_place(place: &Place) -> Result<(), BoxError> {
    if place.needs_own_backend() {
        let server = servers().remove(&own_folder(place));
        let pair = pairs().remove(place.path());
        return blocking(move || {
            drop((server, pair));
            Ok(())
        })
        .await;
    }
    let client = connected(&config(&server_of(place).await?)).await?;
    let drop = format!("DROP SCHEMA IF EXISTS {} CASCADE", place.name());
    Ok(client.batch_execute(&drop).await?)
}

/// A connection that ends when the client is dropped.
async fn connected(config: &Config) -> Result<Client, BoxError> {
    let (client, connection) = config.connect(NoTls).await?;
    // Its error is the error of the client's next statement.
    tokio::spawn(async move { _ = connection.await });
    Ok(client)
}

/// Work that waits for processes, on a thread for such work.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BoxError> + Send + 'static,
) -> Result<T, BoxError> {
    tokio::task::spawn_blocking(work).await?
}
