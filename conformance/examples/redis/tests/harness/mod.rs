//! How the kit opens the store: a prefix for each place, in a server that the tests start themselves.

mod server;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crashpoint_conformance::{BoxError, Harness, Hook, Options, Place};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis_store::RedisCheckpointStore;

use self::server::{SYNCED, Server, servers, url};

/// How long a command waits for its answer, and a connection for the server.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// The store on a server that syncs before it answers.
pub(crate) struct Redis;

impl Harness for Redis {
    type Store = RedisCheckpointStore;

    async fn open(place: &Place) -> Result<RedisCheckpointStore, BoxError> {
        let connection = connected(&server_of(place, SYNCED).await?).await?;
        Ok(RedisCheckpointStore::open(connection, place.name()).await?)
    }

    async fn destroy(place: &Place) -> Result<(), BoxError> {
        leave(place).await
    }

    async fn break_backend(place: &Place) -> Result<Hook, BoxError> {
        on_own_server(place, Server::kill).await
    }

    async fn heal_backend(place: &Place) -> Result<Hook, BoxError> {
        on_own_server(place, Server::start).await
    }

    async fn crash_backend(place: &Place) -> Result<Hook, BoxError> {
        on_own_server(place, Server::kill).await
    }

    async fn start_backend(place: &Place) -> Result<Hook, BoxError> {
        on_own_server(place, Server::start).await
    }

    fn options() -> Options {
        let mut options = Options::default();
        options.operation_max = ANSWERED_WITHIN * 3;
        // Children of the kit find the server that this process has started. `open` reports why it has none.
        if let Ok(version) = Server::shared().and_then(|_| server::version()) {
            options.environment.insert("server".to_owned(), version);
            let settings = SYNCED.join(" ");
            options
                .environment
                .insert("server settings".to_owned(), settings);
        }
        options
    }
}

/// The store on a server with the settings of an instance, which it refuses unless it is told to take them.
macro_rules! unsynced {
    ($($(#[$doc:meta])* $name:ident = $settings:expr, killed by $kill:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl Harness for $name {
            type Store = RedisCheckpointStore;

            async fn open(place: &Place) -> Result<RedisCheckpointStore, BoxError> {
                let connection = connected(&server_of(place, $settings).await?).await?;
                Ok(RedisCheckpointStore::open_unsynced(connection, place.name())?)
            }

            async fn destroy(place: &Place) -> Result<(), BoxError> {
                leave(place).await
            }

            async fn crash_backend(place: &Place) -> Result<Hook, BoxError> {
                on_own_server(place, $kill).await
            }

            async fn start_backend(place: &Place) -> Result<Hook, BoxError> {
                on_own_server(place, Server::start).await
            }
        }
    )*};
}

unsynced! {
    /// The server's default settings: no log.
    WithoutLog = &[], killed by Server::kill;
    /// A log that is synced each second.
    SyncedEachSecond = &["--appendonly", "yes"], killed by Server::kill_during_sync;
}

/// A connection to the server of `folder`, which comes back when the server does.
async fn connected(folder: &Path) -> Result<ConnectionManager, BoxError> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(ANSWERED_WITHIN))
        .set_response_timeout(Some(ANSWERED_WITHIN))
        .set_number_of_retries(1);
    let client = redis::Client::open(url(folder))?;
    Ok(client.get_connection_manager_with_config(config).await?)
}

/// A connection to the server that places share.
pub(crate) async fn connected_to_shared() -> Result<ConnectionManager, BoxError> {
    connected(&blocking(Server::shared).await?).await
}

/// A server of a test's own, and a connection to it.
pub(crate) async fn server_with(
    settings: &'static [&'static str],
    name: &str,
) -> Result<(Server, ConnectionManager), BoxError> {
    let folder =
        std::env::temp_dir().join(format!("crashpoint-redis-{name}-{}", std::process::id()));
    let of_server = folder.clone();
    let server = blocking(move || Server::create(&of_server, settings)).await?;
    Ok((server, connected(&folder).await?))
}

/// The folder of the server of a place. Laws that take the server away have a server of their own.
async fn server_of(place: &Place, settings: &'static [&'static str]) -> Result<PathBuf, BoxError> {
    if !place.needs_own_backend() {
        return blocking(Server::shared).await;
    }
    let folder = own_folder(place);
    if !servers().contains_key(&folder) {
        let of_place = folder.clone();
        let server = blocking(move || Server::create(&of_place, settings)).await?;
        servers().insert(folder.clone(), server);
    }
    Ok(folder)
}

fn own_folder(place: &Place) -> PathBuf {
    place.path().join("redis")
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

/// Removes what the place has on its server.
async fn leave(place: &Place) -> Result<(), BoxError> {
    if place.needs_own_backend() {
        let server = servers().remove(&own_folder(place));
        return blocking(move || {
            drop(server);
            Ok(())
        })
        .await;
    }
    let mut connection = connected_to_shared().await?;
    let of_place = format!("{}:*", place.name());
    let keys: Vec<Vec<u8>> = redis::cmd("KEYS")
        .arg(of_place)
        .query_async(&mut connection)
        .await?;
    if !keys.is_empty() {
        let () = redis::cmd("UNLINK")
            .arg(keys)
            .query_async(&mut connection)
            .await?;
    }
    Ok(())
}

/// Work that waits for processes, on a thread for such work.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BoxError> + Send + 'static,
) -> Result<T, BoxError> {
    tokio::task::spawn_blocking(work).await?
}
