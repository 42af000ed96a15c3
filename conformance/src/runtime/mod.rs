//! The runtimes on which laws run. The kit depends on tokio, so that the user's crate need not.

pub(crate) mod clock;
pub(crate) mod draws;
pub(crate) mod dropped;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use tokio::runtime::{Builder, Runtime};

use crate::finding::expect::Failure;

/// How many threads poll.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Workers {
    /// The thread that called, and no other.
    Caller,
    /// A pool of this size.
    Pool(usize),
}

pub(crate) fn start(workers: Workers) -> Result<Runtime, Failure> {
    let mut builder = match workers {
        Workers::Caller => Builder::new_current_thread(),
        Workers::Pool(size) => {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(size);
            builder
        }
    };
    let runtime = builder.enable_all().thread_name("crashpoint law").build();
    runtime.map_err(|error| Failure::Harness(format!("no runtime with {workers:?}: {error}")))
}

/// Polls `future` on this thread until it ends, without tokio.
pub(crate) fn block_on_bare<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
