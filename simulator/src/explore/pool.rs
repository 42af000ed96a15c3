//! The only pool of workers: runs work for each item on any number of threads.
//!
//! Each simulation stays on one thread; the workers only divide the items. Results arrive when they
//! are ready, and [`Pool::in_order`] hands them on in the order of the items, so nothing depends on
//! the number of threads.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// How many results may wait for the caller.
const WAITING_MAX: usize = 256;

/// Worker threads beside the caller's thread, which waits for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    threads: NonZeroUsize,
}

/// A result with the index of its item, from 0. An `Err` is the panic of a worker.
type Numbered<R> = (u64, thread::Result<R>);

impl Pool {
    /// A pool with this number of threads.
    pub fn new(threads: NonZeroUsize) -> Self {
        Self { threads }
    }

    /// The caller's own thread.
    pub fn of_one() -> Self {
        Self::new(NonZeroUsize::MIN)
    }

    /// A pool with a thread for each core that this process may use.
    pub fn of_all_cores() -> Self {
        let cores = thread::available_parallelism();
        Self::new(cores.unwrap_or(NonZeroUsize::MIN))
    }

    /// The number of threads.
    pub fn threads(self) -> usize {
        self.threads.get()
    }

    /// Calls `work` for the items from 0, `items` of them or without end, and hands each result to
    /// `seen` on the caller's thread as soon as it is ready. With a `tick`, also calls `seen` with
    /// `None` whenever that much time has passed without a result.
    ///
    /// After a `Break` no further item begins. Items under way are finished and handed on, so the
    /// results are those of every item from the first to the last begun.
    pub fn as_ready<R: Send>(
        self,
        items: Option<u64>,
        tick: Option<Duration>,
        work: impl Fn(u64) -> R + Sync,
        mut seen: impl FnMut(Option<(u64, thread::Result<R>)>) -> ControlFlow<()>,
    ) {
        let shared = Shared {
            next: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            items,
        };
        let threads = items.map_or(self.threads() as u64, |items| {
            items.min(self.threads() as u64)
        });
        let (sender, receiver) = sync_channel(WAITING_MAX);
        thread::scope(|scope| {
            for _ in 0..threads {
                let sender = sender.clone();
                let (shared, work) = (&shared, &work);
                scope.spawn(move || shared.work_on(work, &sender));
            }
            drop(sender);
            // If `seen` panics, the scope waits for the workers: make them stop, and not send.
            let stop = StopWhenDropped(&shared.stop);
            while let Some(result) = receive(&receiver, tick) {
                if seen(result).is_break() {
                    shared.stop.store(true, Ordering::Relaxed);
                }
            }
            drop(receiver);
            drop(stop);
        });
    }

    /// Calls `work` for each item, and hands the results to `seen` on the caller's thread in the
    /// order of the items, until there are no more or `seen` breaks. With one thread, `work` runs
    /// on the caller's thread too.
    ///
    /// # Panics
    ///
    /// With the panic of `work` for the first item that has one, when its turn comes.
    pub fn in_order<T: Sync, R: Send>(
        self,
        items: &[T],
        work: impl Fn(&T) -> R + Sync,
        mut seen: impl FnMut(R) -> ControlFlow<()>,
    ) {
        if self.threads() == 1 {
            // Results after a break are not requested.
            let _ = items.iter().map(work).try_for_each(seen);
            return;
        }
        let mut waiting: BTreeMap<u64, thread::Result<R>> = BTreeMap::new();
        let mut due = 0;
        let mut over = false;
        let work = |number: u64| work(&items[number as usize]);
        self.as_ready(Some(items.len() as u64), None, work, |result| {
            let (number, result) = result.expect("there is no tick");
            assert!(
                due <= number && number < items.len() as u64,
                "what was handed on was taken before, and there are no further items"
            );
            let twice = waiting.insert(number, result);
            assert!(twice.is_none(), "an item is taken by one worker");
            while let Some(result) = waiting.remove(&due).filter(|_| !over) {
                due += 1;
                match result {
                    Ok(result) => over = seen(result).is_break(),
                    Err(panic) => resume_unwind(panic),
                }
            }
            match over {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        assert!(
            over || due == items.len() as u64,
            "every item that was begun has a result"
        );
    }

    /// The result of `work` for each item, in the order of the items.
    ///
    /// # Panics
    ///
    /// As [`in_order`](Self::in_order).
    pub fn map<T: Sync, R: Send>(self, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
        let mut results = Vec::with_capacity(items.len());
        self.in_order(items, work, |result| {
            results.push(result);
            ControlFlow::Continue(())
        });
        assert_eq!(results.len(), items.len(), "nothing breaks off a map");
        results
    }
}

/// What the workers share.
struct Shared {
    next: AtomicU64,
    stop: AtomicBool,
    items: Option<u64>,
}

impl Shared {
    fn work_on<R>(&self, work: &(impl Fn(u64) -> R + Sync), sender: &SyncSender<Numbered<R>>) {
        while !self.stop.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if self.items.is_some_and(|items| number >= items) {
                return;
            }
            let result = catch_unwind(AssertUnwindSafe(|| work(number)));
            // If `seen` has panicked, nobody receives.
            if sender.send((number, result)).is_err() {
                return;
            }
        }
    }
}

/// The next result, a tick, or `None` when every worker has ended.
#[expect(clippy::option_option, reason = "a tick is a call without a result")]
fn receive<R>(
    receiver: &Receiver<Numbered<R>>,
    tick: Option<Duration>,
) -> Option<Option<Numbered<R>>> {
    match tick {
        None => receiver.recv().ok().map(Some),
        Some(tick) => match receiver.recv_timeout(tick) {
            Ok(result) => Some(Some(result)),
            Err(RecvTimeoutError::Timeout) => Some(None),
            Err(RecvTimeoutError::Disconnected) => None,
        },
    }
}

/// Stops the workers when the caller is done, even by a panic.
struct StopWhenDropped<'a>(&'a AtomicBool);

impl Drop for StopWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
