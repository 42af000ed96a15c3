//! The `madsim` lane: an engine on a node of a simulated network, its store on another node.
//!
//! madsim provides virtual time, nodes that can be killed and restarted, and a network that delays
//! and loses messages. The engine does not know it: [`MadsimRuntime`] provides time, tasks and
//! entropy, and [`RemoteStore`] is an ordinary store. Built only with `--cfg madsim`, which `cargo
//! simtest` sets.
//!
//! Not checked here: crash points between two instructions without an await, which the default lane
//! enumerates. This lane has what needs several nodes: requests that outlive their sender, lost
//! responses, clocks that are not shared.

mod remote;
mod runtime;

pub use remote::{RemoteStore, serve};
pub use runtime::MadsimRuntime;
