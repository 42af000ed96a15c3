//! Two PostgreSQL servers of a place: a leader, and a standby that follows it and takes over.
//!
//! Clients know both sockets and take the server that accepts writes. Nobody votes: the harness promotes the
//! standby itself, as an operator or an agent would, after the leader was killed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crashpoint_conformance::{BoxError, Place};
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::{Client, Config};

use super::server::{Server, config};
use super::{blocking, connected};

/// How long the leader goes on without its standby before it is killed.
const ALONE: Duration = Duration::from_millis(200);
/// The time between two looks at the standby's progress.
const LOOK: Duration = Duration::from_millis(20);
/// The most looks: a standby that starts catches up within a second.
const LOOKS_MAX: u32 = 500;

/// What an acknowledgement waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standby {
    /// The standby has synced the commit (`synchronous_standby_names = '*'`), as long as it is there.
    Synchronous,
    /// Nothing: the commit reaches the standby later.
    Asynchronous,
}

/// The servers. While the standby is away, the leader waits for nobody: that is what an operator chooses who wants
/// to go on with one server.
pub(crate) struct Pair {
    leader: Server,
    /// `None` while it is away.
    standby: Option<Server>,
    /// Where the server is that was killed last.
    away: Option<Server>,
    mode: Standby,
}

impl Pair {
    /// Creates a leader and its standby in two folders of the place.
    pub(crate) async fn create(place: &Path, mode: Standby) -> Result<Self, BoxError> {
        let [one, other] = folders(place);
        let (leader, standby) = blocking(move || {
            let leader = Server::create(&one)?;
            let standby = Server::follow(&other, &leader)?;
            Ok((leader, standby))
        })
        .await?;
        let mut pair = Self {
            leader,
            standby: Some(standby),
            away: None,
            mode,
        };
        pair.wait_for_the_standby().await?;
        Ok(pair)
    }

    /// Takes the standby away, kills the leader a while later, and promotes the standby. What was acknowledged
    /// meanwhile and is not at the standby is lost.
    pub(crate) async fn stop_leader(self) -> Result<Self, BoxError> {
        let Some(standby) = self.standby else {
            return Err("a failover needs a standby".into());
        };
        let standby = blocking(move || {
            standby.crash()?;
            Ok(standby)
        })
        .await?;
        tokio::time::sleep(ALONE).await;
        let old = self.leader;
        let (leader, away) = blocking(move || {
            old.crash()?;
            standby.start()?;
            standby.promote()?;
            Ok((standby, old))
        })
        .await?;
        let pair = Self {
            leader,
            standby: None,
            away: Some(away),
            mode: self.mode,
        };
        pair.waits_for("").await?;
        Ok(pair)
    }

    /// Brings back the server that was killed, as a standby with a new copy of the leader's data: what it has beyond
    /// the leader was never acknowledged.
    pub(crate) async fn start_node(mut self) -> Result<Self, BoxError> {
        let Some(away) = self.away.take() else {
            return Err("no server is away".into());
        };
        let leader = self.leader;
        let (leader, standby) = blocking(move || {
            away.follow_again(&leader)?;
            Ok((leader, away))
        })
        .await?;
        self.leader = leader;
        self.standby = Some(standby);
        self.wait_for_the_standby().await?;
        Ok(self)
    }

    /// Waits until the standby receives what the leader writes. From then on a commit waits for it, if the mode
    /// says so.
    async fn wait_for_the_standby(&mut self) -> Result<(), BoxError> {
        let state = match self.mode {
            Standby::Synchronous => {
                self.waits_for("*").await?;
                "sync_state = 'sync'"
            }
            Standby::Asynchronous => "state = 'streaming'",
        };
        let client = self.connected().await?;
        let streaming = format!("SELECT 1 FROM pg_stat_replication WHERE {state}");
        for _ in 0..LOOKS_MAX {
            if client.query_opt(&streaming, &[]).await?.is_some() {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        Err("the standby does not follow the leader".into())
    }

    /// Sets the standbys for which a commit of the leader waits.
    async fn waits_for(&self, names: &str) -> Result<(), BoxError> {
        let client = self.connected().await?;
        let set = format!("ALTER SYSTEM SET synchronous_standby_names = '{names}'");
        // Each is a statement of its own: `ALTER SYSTEM` runs in no transaction.
        client.batch_execute(&set).await?;
        client.batch_execute("SELECT pg_reload_conf()").await?;
        Ok(())
    }

    async fn connected(&self) -> Result<Client, BoxError> {
        connected(&config(self.leader.folder())).await
    }
}

fn folders(place: &Path) -> [PathBuf; 2] {
    ["one", "other"].map(|name| place.join(name))
}

/// How clients reach the leader, whichever server it is.
pub(crate) fn config_of_both(place: &Path) -> Config {
    let [one, other] = folders(place);
    let mut config = config(&one);
    config
        .host_path(other)
        .target_session_attrs(TargetSessionAttrs::ReadWrite);
    config
}

/// The pairs by their places.
pub(crate) fn pairs() -> MutexGuard<'static, BTreeMap<PathBuf, Pair>> {
    static PAIRS: Mutex<BTreeMap<PathBuf, Pair>> = Mutex::new(BTreeMap::new());
    PAIRS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Changes the pair of a place, which nobody else does meanwhile. After an error the pair is gone.
pub(crate) async fn change<F>(place: &Place, work: impl FnOnce(Pair) -> F) -> Result<(), BoxError>
where
    F: Future<Output = Result<Pair, BoxError>>,
{
    let pair = pairs().remove(place.path());
    let pair = pair.ok_or("the place has no servers of its own")?;
    let pair = work(pair).await?;
    pairs().insert(place.path().to_owned(), pair);
    Ok(())
}
