//! A runtime for a store without a simulation: blocking work runs where it is awaited.

use std::time::Duration;

use crashpoint::Runtime;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};

/// Runs everything at once. No time passes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inline;

impl Runtime for Inline {
    fn unix_ms(&self) -> u64 {
        0
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        ready(()).boxed()
    }

    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        async move { work() }.boxed()
    }

    fn entropy(&self) -> [u8; 16] {
        [0; 16]
    }
}
