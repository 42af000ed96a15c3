//! Leases, for the defect of trusting them: the store's table, and the worker's belief.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use crashpoint::{Error, Runtime as _};
use madsim::time::TimeHandle;

use crate::executor::lock;
use crate::madsim_lane::MadsimRuntime;
use crate::madsim_lane::remote::{AcquireLease, Remote};

/// How long a lease lasts.
const LEASE: Duration = Duration::from_millis(300);

/// The leases that the store has granted. A restart forgets them.
#[derive(Default)]
pub(super) struct Leases(Mutex<BTreeMap<String, (u32, Duration)>>);

impl Leases {
    /// Grants the lease to a life, unless another life's has not expired by the store's clock.
    pub(super) fn acquire(&self, request: AcquireLease) -> Result<(), Error> {
        let now = TimeHandle::current().elapsed();
        let mut leases = lock(&self.0);
        match leases.get(&request.workflow_id) {
            Some((owner, until)) if *owner != request.life && *until > now => {
                Err(Error::unavailable("another life has the lease"))
            }
            _ => {
                leases.insert(request.workflow_id, (request.life, now + LEASE));
                Ok(())
            }
        }
    }

    pub(super) fn forget(&self) {
        lock(&self.0).clear();
    }
}

/// What a life believes of its lease.
pub(super) struct Believed {
    clock: MadsimRuntime,
    until_ms: Mutex<u64>,
}

impl Believed {
    pub(super) fn new(clock: MadsimRuntime) -> Self {
        Self {
            clock,
            until_ms: Mutex::default(),
        }
    }

    /// Returns once the life believes that it has the run to itself.
    pub(super) async fn hold(
        &self,
        remote: &Remote,
        life: u32,
        workflow_id: &str,
    ) -> Result<(), Error> {
        let now = self.clock.unix_ms();
        if *lock(&self.until_ms) > now {
            return Ok(());
        }
        let workflow_id = workflow_id.to_owned();
        remote.call(AcquireLease { life, workflow_id }).await?;
        let lease_ms = u64::try_from(LEASE.as_millis()).unwrap_or(u64::MAX);
        *lock(&self.until_ms) = self.clock.unix_ms() + lease_ms;
        Ok(())
    }
}
