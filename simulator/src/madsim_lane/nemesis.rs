//! Carries out the faults of a plan, and heals the world afterwards.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use madsim::net::NetSim;
use madsim::runtime::Handle;
use madsim::task::NodeId;
use madsim::time::sleep;

use crate::madsim_lane::client::Clients;
use crate::madsim_lane::plan::{PlannedFault, Way, WorldFault};
use crate::madsim_lane::record::Record;
use crate::madsim_lane::store_node::{Power, StoreNode};
use crate::madsim_lane::worker::{Ask, Task, Worker};

/// How long the latency of a message is where nothing goes wrong.
const LATENCY: std::ops::Range<Duration> = Duration::from_millis(1)..Duration::from_millis(10);
/// How long the nemesis waits for a worker that it asks for something.
const PATIENCE: Duration = Duration::from_millis(500);

/// The nodes of a world, from outside.
pub(super) struct Nemesis {
    pub(super) record: Arc<Record>,
    pub(super) clients: Arc<Clients>,
    pub(super) workers: Vec<(NodeId, Arc<Worker>)>,
    pub(super) store: (NodeId, Arc<StoreNode>),
}

impl Nemesis {
    /// Waits for the time of a fault and carries it out. Returns when it is over.
    pub(super) async fn carry_out(&self, planned: &PlannedFault) {
        sleep(planned.at).await;
        self.record.event(&format!("FAULT  {}", planned.fault));
        let handle = Handle::current();
        match planned.fault {
            WorldFault::Kill { worker, down } => {
                self.kill_worker(worker);
                sleep(down).await;
                // Another fault may have started it in the meantime.
                self.kill_worker(worker);
                handle.restart(self.worker(worker));
            }
            WorldFault::Pause { worker, length } => {
                self.record.count("a worker pauses");
                handle.pause(self.worker(worker));
                sleep(length).await;
                handle.resume(self.worker(worker));
            }
            WorldFault::Cut {
                worker,
                way,
                length,
            } => {
                self.record.count("a worker is cut off from the store");
                self.cut(worker, way, length).await;
            }
            WorldFault::TakeOver { run, length } => self.take_over(run, length).await,
            WorldFault::Slow {
                latency_max,
                length,
            } => {
                self.record.count("the network is slow");
                let net = NetSim::current();
                net.update_config(|net| net.send_latency = LATENCY.start..latency_max);
                sleep(length).await;
                net.update_config(|net| net.send_latency = LATENCY);
            }
            WorldFault::Lossy { percent, length } => {
                self.record.count("the network loses messages");
                let net = NetSim::current();
                net.update_config(|net| net.packet_loss_rate = f64::from(percent) / 100.0);
                sleep(length).await;
                net.update_config(|net| net.packet_loss_rate = 0.0);
            }
            WorldFault::Duplicating { percent, length } => {
                let duplicates = &self.store.1.duplicates_percent;
                duplicates.store(percent, Ordering::Relaxed);
                sleep(length).await;
                duplicates.store(0, Ordering::Relaxed);
            }
            WorldFault::Skew { worker, seconds } => {
                self.record.count("a clock is wrong");
                self.workers[worker].1.skew(seconds);
            }
            WorldFault::PowerCut {
                calls,
                after,
                kept,
                down,
            } => {
                self.record.count("the power of the store is cut");
                self.store.1.cut_power_after(calls);
                sleep(after).await;
                self.restart_store(Power::Lost(kept), down).await;
            }
            WorldFault::KillStore { down } => {
                self.record.count("the store dies");
                self.restart_store(Power::Kept, down).await;
            }
            WorldFault::PauseStore { length } => {
                self.record.count("the store pauses");
                handle.pause(self.store.0);
                sleep(length).await;
                handle.resume(self.store.0);
            }
            WorldFault::StopForGood => {
                handle.kill(self.store.0);
                self.store.1.crash(Power::Kept);
            }
            WorldFault::Cancel { run } => {
                for worker in 0..self.workers.len() {
                    let task = Task::Cancel;
                    self.clients.ask(worker, Ask { run, task }, PATIENCE).await;
                }
            }
            WorldFault::Rival { run, worker } => {
                let task = Task::Resume;
                self.clients.ask(worker, Ask { run, task }, PATIENCE).await;
            }
        }
    }

    fn worker(&self, worker: usize) -> NodeId {
        self.workers[worker].0
    }

    fn kill_worker(&self, worker: usize) {
        Handle::current().kill(self.worker(worker));
        self.record.worker_died(worker);
    }

    async fn cut(&self, worker: usize, way: Way, length: Duration) {
        let (worker, store) = (self.worker(worker), self.store.0);
        let links: &[(NodeId, NodeId)] = match way {
            Way::Requests => &[(worker, store)],
            Way::Responses => &[(store, worker)],
            Way::Both => &[(worker, store), (store, worker)],
        };
        let net = NetSim::current();
        for (from, to) in links {
            net.clog_link(*from, *to);
        }
        sleep(length).await;
        for (from, to) in links {
            net.unclog_link(*from, *to);
        }
    }

    /// Cuts the owner of a run off and lets the next worker take the run over.
    async fn take_over(&self, run: usize, length: Duration) {
        let Some(owner) = self.record.runs[run].owner() else {
            return;
        };
        self.record
            .count("an owner is cut off while another takes over");
        let other = (owner + 1) % self.workers.len();
        let task = Task::Resume;
        let asked = self.clients.ask(other, Ask { run, task }, length);
        futures_util::future::join(self.cut(owner, Way::Both, length), asked).await;
    }

    async fn restart_store(&self, power: Power, down: Duration) {
        let (node, store) = &self.store;
        Handle::current().kill(*node);
        store.crash(power);
        sleep(down).await;
        // Another fault may have started it in the meantime.
        Handle::current().kill(*node);
        store.crash(Power::Kept);
        Handle::current().restart(*node);
    }

    /// Ends every fault that could last.
    pub(super) fn heal(&self) {
        self.record.event("the faults are over");
        let net = NetSim::current();
        net.update_config(|net| {
            net.packet_loss_rate = 0.0;
            net.send_latency = LATENCY;
        });
        self.store.1.duplicates_percent.store(0, Ordering::Relaxed);
        for (worker, _) in &self.workers {
            net.unclog_link(*worker, self.store.0);
            net.unclog_link(self.store.0, *worker);
        }
        self.record.healed.store(true, Ordering::Relaxed);
    }
}
