//! The `madsim` lane: an engine on a node of a simulated network, its store on another.
//!
//! madsim brings virtual time, nodes that can be killed and restarted, and a network that delays
//! and loses messages. The engine knows nothing of it: [`MadsimRuntime`] is the seam for time, tasks
//! and entropy, [`RemoteStore`] is a store like any other. Built under `--cfg madsim` only, which
//! `cargo simtest` sets.
//!
//! Not checked here: crash points between two instructions without an await, which the default
//! lane enumerates. This lane is for what only several nodes have: requests that outlive their
//! sender, answers that are lost, clocks that are shared by nobody.

mod remote;
mod runtime;

pub use remote::{RemoteStore, serve};
pub use runtime::MadsimRuntime;
