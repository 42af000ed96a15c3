//! The store's protocol on the network: typed requests and responses, and the client's side.
//!
//! A request without a response in time has an unknown outcome: the request or the response was lost
//! or is still under way. So a row may land after the death of the life that sent it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crashpoint::{CheckpointRow, Error, StoreError, StoreErrorKind};
use madsim::net::Endpoint;
use madsim::net::rpc::Request;
use serde::{Deserialize, Serialize};

/// How long a worker waits for a response of the store.
pub(super) const TIMEOUT: Duration = Duration::from_millis(100);

/// An append. The store does not look at the life: it is there for the record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Append {
    pub(super) life: u32,
    pub(super) workflow_id: String,
    pub(super) row: CheckpointRow,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LoadRun {
    pub(super) workflow_id: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Clear {
    pub(super) life: u32,
    pub(super) workflow_id: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ListRuns {
    pub(super) after: Option<String>,
    pub(super) limit: usize,
}

/// Asks for the lease of a run, or for more time on it. Only the defect
/// [`LeaseTrusted`](super::Defect::LeaseTrusted) sends it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AcquireLease {
    pub(super) life: u32,
    pub(super) workflow_id: String,
}

/// The rows of a run, and the place in the record at which they were read.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Shown {
    pub(super) place: usize,
    pub(super) rows: Vec<CheckpointRow>,
}

impl Request for Append {
    type Response = Result<(), Refusal>;
    const ID: u64 = 1;
}

impl Request for LoadRun {
    type Response = Result<Shown, Refusal>;
    const ID: u64 = 2;
}

impl Request for Clear {
    type Response = Result<(), Refusal>;
    const ID: u64 = 3;
}

impl Request for ListRuns {
    type Response = Result<Vec<String>, Refusal>;
    const ID: u64 = 4;
}

impl Request for AcquireLease {
    type Response = Result<(), Refusal>;
    const ID: u64 = 5;
}

/// A store's error on its way over the network.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Refusal {
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

/// A worker's connection to the store.
#[derive(Clone)]
pub(super) struct Remote {
    endpoint: Endpoint,
    address: SocketAddr,
}

impl Remote {
    /// The store served at `address`.
    pub(super) async fn connect(address: SocketAddr) -> io::Result<Self> {
        let endpoint = Endpoint::bind("0.0.0.0:0").await?;
        Ok(Self { endpoint, address })
    }

    /// Sends a request. Without a response in time its outcome is unknown.
    pub(super) async fn call<Q, T>(&self, request: Q) -> Result<T, Error>
    where
        Q: Request<Response = Result<T, Refusal>>,
    {
        let response = self.endpoint.call_timeout(self.address, request, TIMEOUT);
        match response.await {
            Ok(response) => response.map_err(Error::from),
            Err(error) => Err(Error::unknown_outcome(format!(
                "no response from {}: {error}",
                self.address
            ))),
        }
    }
}
