//! The `madsim` lane: worlds of several nodes on a simulated network. Built only with `--cfg madsim`,
//! which `cargo simtest` sets.
//!
//! A world has workers that run the engine, a node that serves a store to them, and clients that
//! start, resume and cancel runs. madsim provides virtual time, nodes that can be killed and paused,
//! and a network that delays and loses messages. The engine does not know it: [`MadsimRuntime`]
//! provides time and entropy, and the store is an ordinary [`CheckpointStore`](crashpoint::CheckpointStore).
//!
//! Everything that varies comes from madsim's random source, so a seed is a world. Its runs are
//! recorded as in the other lanes and judged by the same [oracles](crate::oracle).
//!
//! Not checked here: crash points between two instructions without an await, which the default lane
//! enumerates. This lane has what needs several nodes: requests that outlive their sender, lost
//! responses, owners that are cut off while another takes over, clocks that are not shared.

mod client;
mod cut_disk;
mod defect;
mod lease;
mod nemesis;
mod node_store;
mod plan;
mod record;
mod remote;
mod report;
mod runtime;
mod store_node;
mod worker;
mod world;

pub use defect::{BadDefect, Defect};
pub use plan::{Plan, PlannedFault, PlannedRun, Way, WorldFault};
pub use report::{Broken, WorldReport};
pub use runtime::MadsimRuntime;
pub use world::{drawn_plan, simulate_world};
