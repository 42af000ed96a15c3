//! The threads that soak.
//!
//! Each takes the next seed. A seed that was taken is run to its end, whatever stops the threads, so
//! those that were run are all from the first to the last.

use std::num::NonZeroU64;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use crate::soak::plan::{SeedPlan, SeedResult};

/// How many results may wait to be counted.
const WAITING_MAX: usize = 256;

/// How often the time is looked at where nothing else happens.
const TICK: Duration = Duration::from_millis(50);

/// Which seeds are run, and by how many threads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shift {
    pub(crate) first: u64,
    pub(crate) seeds: Option<NonZeroU64>,
    pub(crate) jobs: usize,
}

/// Runs seeds until they are over or `watch` says that it is time to stop. It is asked about each
/// result, and now and then without one.
pub(crate) fn run(
    plan: &SeedPlan,
    shift: Shift,
    mut watch: impl FnMut(Option<SeedResult>) -> bool,
) {
    let (sender, receiver) = sync_channel(WAITING_MAX);
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    // Each simulation stays on one thread; these only share the work out.
    thread::scope(|scope| {
        for _ in 0..shift.jobs {
            let sender = sender.clone();
            let (next, stop) = (&next, &stop);
            scope.spawn(move || work(plan, shift, next, stop, &sender));
        }
        drop(sender);
        watch_over(&receiver, &stop, &mut watch);
    });
}

fn work(
    plan: &SeedPlan,
    shift: Shift,
    next: &AtomicU64,
    stop: &AtomicBool,
    sender: &SyncSender<SeedResult>,
) {
    while !stop.load(Ordering::Relaxed) {
        let index = next.fetch_add(1, Ordering::Relaxed);
        if shift.seeds.is_some_and(|seeds| index >= seeds.get()) {
            return;
        }
        let ran = plan.run(shift.first + index);
        // Nobody counts any more where the counting panicked.
        if sender.send(ran).is_err() {
            return;
        }
    }
}

fn watch_over(
    receiver: &Receiver<SeedResult>,
    stop: &AtomicBool,
    watch: &mut impl FnMut(Option<SeedResult>) -> bool,
) {
    loop {
        let ran = match receiver.recv_timeout(TICK) {
            Ok(ran) => Some(ran),
            Err(RecvTimeoutError::Timeout) => None,
            // Every thread has ended.
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if watch(ran) {
            stop.store(true, Ordering::Relaxed);
        }
    }
}

/// Does something with each of some things, on so many threads; what came of it in their order.
pub(crate) fn each<T: Sync, R: Send>(
    things: &[T],
    jobs: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..jobs.min(things.len()) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(thing) = things.get(index) else {
                        return;
                    };
                    let result = work(thing);
                    let mut done = done.lock().expect("no thread panics while it holds this");
                    done.push((index, result));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no thread panicked");
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}
