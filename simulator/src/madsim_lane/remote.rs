//! A store on another node.
//!
//! [`serve`] answers for any [`CheckpointStore`], [`RemoteStore`] asks. A request that is not
//! answered in time has an unknown outcome: it, or its answer, was lost or is still under way, so a
//! row may land after the life that sent it has died.

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

/// Answers at `address` for `store`, until the node that calls it is killed.
///
/// What `store` holds is what survives: a node that is restarted serves the same `Arc` again.
///
/// # Errors
///
/// Where the address can't be bound.
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

/// A [`CheckpointStore`] that another node serves.
#[derive(Clone)]
pub struct RemoteStore {
    endpoint: Endpoint,
    address: SocketAddr,
    timeout: Duration,
}

impl RemoteStore {
    /// The store that is served at `address`; a request is given up after `timeout`.
    ///
    /// # Errors
    ///
    /// Where this node has no port left to bind.
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
