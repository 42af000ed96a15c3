//! The clients: each starts a run and has it resumed until it has an answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use madsim::net::Endpoint;
use madsim::rand::Rng as _;
use madsim::time::sleep;

use crate::madsim_lane::plan::PlannedRun;
use crate::madsim_lane::record::Record;
use crate::madsim_lane::worker::{Answer, Ask, Task};

/// How long a client waits before it asks again.
const PAUSE_MAX: Duration = Duration::from_millis(60);
/// How long a client waits for a worker once the faults are over.
const PATIENCE_AFTER: Duration = Duration::from_secs(30);
/// How often the operator retries a stuck run.
const STUCK_RETRIES_MAX: u32 = 2;

/// The clients of a world, on a node of their own.
pub(super) struct Clients {
    pub(super) record: Arc<Record>,
    pub(super) workers: Vec<SocketAddr>,
    pub(super) endpoint: Endpoint,
}

impl Clients {
    /// Starts a run, and has it resumed until it has ended.
    pub(super) async fn drive(&self, run: usize, planned: &PlannedRun) {
        sleep(planned.begins).await;
        let own = &self.record.runs[run];
        let mut task = Task::Start;
        let mut retries = 0;
        loop {
            let worker = madsim::rand::thread_rng().gen_range(0..self.workers.len());
            let patience = match self.record.is_healed() {
                false => planned.patience,
                true => PATIENCE_AFTER + own.waits_max(),
            };
            task = match self.ask(worker, Ask { run, task }, patience).await {
                Some(Answer::Stuck) if own.workload.retry_stuck && retries < STUCK_RETRIES_MAX => {
                    retries += 1;
                    Task::RetryStuck
                }
                Some(Answer::Ended | Answer::Stuck) => break,
                Some(Answer::Missing) => Task::Start,
                // Whether it exists is not known.
                None if matches!(task, Task::Start) => Task::Start,
                None | Some(Answer::Exists | Answer::Unfinished) => Task::Resume,
            };
            let pause = madsim::rand::thread_rng().gen_range(Duration::ZERO..PAUSE_MAX);
            sleep(pause).await;
        }
        self.record
            .event(&format!("the client of {} has its answer", own.id()));
    }

    /// Asks a worker; `None` if it does not answer in time.
    pub(super) async fn ask(&self, worker: usize, ask: Ask, patience: Duration) -> Option<Answer> {
        let asked = self
            .endpoint
            .call_timeout(self.workers[worker], ask, patience);
        asked.await.ok()
    }
}
