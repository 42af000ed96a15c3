//! A kit of named laws that certifies any [`CheckpointStore`](crashpoint::CheckpointStore).
//!
//! The author of a backend writes how a store is opened at a [`Place`], and what it claims beyond the
//! contract. [`certify!`] turns every law of the [catalogue](catalogue()) into a `#[test]`, under
//! `cargo test` and nextest.
//!
//! ```
//! use crashpoint_conformance::{BoxError, Harness, Place};
//! use crashpoint::MemoryCheckpointStore;
//!
//! struct Memory;
//!
//! impl Harness for Memory {
//!     type Store = MemoryCheckpointStore;
//!
//!     async fn open(_place: &Place) -> Result<MemoryCheckpointStore, BoxError> {
//!         Ok(MemoryCheckpointStore::new())
//!     }
//! }
//!
//! crashpoint_conformance::certify! {
//!     harness: Memory,
//!     claims: [
//!         limits,
//!         any_executor,
//!         outlives_runtime,
//!         exclusive_scope,
//!         fenced_cancellation,
//!         settled,
//!     ],
//! }
//! ```
//!
//! # What a verdict means
//!
//! A law that did not run never counts as passed. A law that is waived, or whose claim is missing, is
//! an ignored test with that reason. A check that could not do its minimum of rounds is
//! [inconclusive](Verdict::Inconclusive). A [`Report`] without a passed law does not pass. Each law has
//! a deadline, so a store that deadlocks fails by name.
//!
//! # In production
//!
//! [`probe`] runs the fast laws against the live store of a service, at its start.
//!
//! # What it does not check
//!
//! Of the states that a power loss may leave, the kit tries the worst: nothing but what was synced, after each
//! sync and each acknowledgement. A disk may also keep some of the rest. The other laws of power loss check
//! what a store does when its disk returns errors.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "bench")]
pub mod bench;
#[cfg(any(feature = "cano-0-12", feature = "cano-0-15"))]
pub mod cano;
mod case;
mod catalogue;
mod certify;
mod child;
mod contract;
#[cfg(feature = "differential")]
pub mod differential;
mod finding;
#[cfg_attr(doc, doc = include_str!("../LAWS.md"))]
pub mod guide;
mod harness;
mod laws;
pub mod linearize;
mod probe;
mod report;
mod runner;
mod runtime;

pub use crashpoint::BoxError;

pub use crate::catalogue::leads::Lead;
pub use crate::catalogue::page::catalogue_markdown;
pub use crate::catalogue::{Group, Kind, Law, Sensitivity, catalogue};
pub use crate::contract::capability::Claim;
pub use crate::contract::{LawId, claim};
pub use crate::finding::verdict::Verdict;
pub use crate::harness::hooks::{Damage, Hook};
pub use crate::harness::place::Place;
pub use crate::harness::sweep::sweep;
pub use crate::harness::{Harness, Options};
pub use crate::probe::{Probe, ProbeError, probe};
pub use crate::report::{
    HeldBack, LawReport, Level, Merged, Name, Outcome, Remark, Report, Rung, merge, run_all,
    run_while,
};
pub use crate::runner::plan::Plan;

/// The targets of the expansion of [`certify!`].
#[doc(hidden)]
pub mod __private {
    pub use crate::catalogue::consequences::{CONSEQUENCES, Consequence, May};
    pub use crate::certify::{certify_law, each_law_listed_once, each_reason_given, jobs};
    pub use crate::report::suite::Suite;
}
