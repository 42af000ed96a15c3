//! A store on another node.
//!
//! [`serve`] answers for any [`CheckpointStore`], and [`RemoteStore`] calls it. A request without a
//! response in time has an unknown outcome: the request or the response was lost or is still under
//! way. So a row may land after the death of the life that sent it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use crashpoint::{CheckpointRow, CheckpointStore, Error, StoreError, StoreErrorKind};
use madsim::net::Endpoint;
use madsim::net::rpc::Request;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Append {
    workflow_id: String,
    row: CheckpointRow,
}

#[derive(Debug, Serialize, Deserialize)]
struct LoadRun {
    workflow_id: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Clear {
    workflow_id: String,
}

impl Request for Append {
    type Response = Result<(), Refusal>;
    const ID: u64 = 1;
}

impl Request for LoadRun {
    type Response = Result<Vec<CheckpointRow>, Refusal>;
    const ID: u64 = 2;
}

impl Request for Clear {
    type Response = Result<(), Refusal>;
    const ID: u64 = 3;
}

/// A store's error on its way over the network.
#[derive(Debug, Serialize, Deserialize)]
struct Refusal {
    kind: RefusalKind,
    message: String,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum RefusalKind {
    Conflict,
    Unavailable,
    UnknownOutcome,
    Other,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let error = StoreError::from(error);
        let kind = match error.kind() {
            StoreErrorKind::Conflict => RefusalKind::Conflict,
            StoreErrorKind::Unavailable => RefusalKind::Unavailable,
            StoreErrorKind::UnknownOutcome => RefusalKind::UnknownOutcome,
            _ => RefusalKind::Other,
        };
        let message = error.to_string();
        Self { kind, message }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal.kind {
            RefusalKind::Conflict => StoreErrorKind::Conflict,
            RefusalKind::Unavailable => StoreErrorKind::Unavailable,
            RefusalKind::UnknownOutcome => StoreErrorKind::UnknownOutcome,
            RefusalKind::Other => StoreErrorKind::Other,
        };
        StoreError::new(kind, refusal.message).into()
    }
}

/// Serves `store` at `address`, until its node is killed.
///
/// The content of `store` survives: serve the same `Arc` again on the restarted node.
///
/// # Errors
///
/// If the address cannot be bound.
pub async fn serve(address: SocketAddr, store: Arc<dyn CheckpointStore>) -> io::Result<()> {
    let endpoint = Endpoint::bind(address).await?;
    let to = Arc::clone(&store);
    endpoint.add_rpc_handler(move |Append { workflow_id, row }| {
        let store = Arc::clone(&to);
        async move { store.append(&workflow_id, row).await.map_err(Refusal::from) }
    });
    let from = Arc::clone(&store);
    endpoint.add_rpc_handler(move |LoadRun { workflow_id }| {
        let store = Arc::clone(&from);
        async move { store.load_run(&workflow_id).await.map_err(Refusal::from) }
    });
    endpoint.add_rpc_handler(move |Clear { workflow_id }| {
        let store = Arc::clone(&store);
        async move { store.clear(&workflow_id).await.map_err(Refusal::from) }
    });
    std::future::pending().await
}

/// A [`CheckpointStore`] served by another node.
#[derive(Clone)]
pub struct RemoteStore {
    endpoint: Endpoint,
    address: SocketAddr,
    timeout: Duration,
}

impl RemoteStore {
    /// The store served at `address`. A request fails after `timeout`.
    ///
    /// # Errors
    ///
    /// If this node has no free port.
    pub async fn connect(address: SocketAddr, timeout: Duration) -> io::Result<Self> {
        let endpoint = Endpoint::bind("0.0.0.0:0").await?;
        Ok(Self {
            endpoint,
            address,
            timeout,
        })
    }

    async fn call<Q, T>(&self, request: Q) -> Result<T, Error>
    where
        Q: Request<Response = Result<T, Refusal>>,
    {
        let answer = self
            .endpoint
            .call_timeout(self.address, request, self.timeout);
        match answer.await {
            Ok(answer) => answer.map_err(Error::from),
            Err(error) => Err(Error::unknown_outcome(format!(
                "no answer from {}: {error}",
                self.address
            ))),
        }
    }
}

#[async_trait]
impl CheckpointStore for RemoteStore {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let workflow_id = workflow_id.to_owned();
        self.call(Append { workflow_id, row }).await
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let workflow_id = workflow_id.to_owned();
        self.call(LoadRun { workflow_id }).await
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        let workflow_id = workflow_id.to_owned();
        self.call(Clear { workflow_id }).await
    }
}

impl std::fmt::Debug for RemoteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RemoteStore")
            .field("address", &self.address)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
