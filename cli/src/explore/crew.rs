//! The threads that explore, and what stops them.
//!
//! Each takes the next part and sends what it found. Whoever waits for them puts that together by
//! the parts' order, so the result does not depend on the threads. At a Ctrl-C they are left where
//! they are: a part that is half explored says nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crashpoint_simulator::workload::Workload;
use crashpoint_simulator::{Findings, Part, Settings, explore_part};

use crate::exit::Failure;
use crate::process::interrupt::on_ctrl_c;
use crate::process::progress::{Progress, Stopwatch};

/// A part of the schedules of a workload within a budget.
#[derive(Debug)]
pub(crate) struct Exploration {
    /// Which row of the table it belongs to.
    pub(crate) row: usize,
    pub(crate) workload: Arc<Workload>,
    pub(crate) settings: Settings,
    pub(crate) part: Part,
}

/// What came of each exploration, in their order, and how long it kept its thread busy; nothing
/// where it was not explored to its end.
pub(crate) type Found = Vec<Option<(Findings, Duration)>>;

/// A message to the waiting thread.
enum Message {
    Found(usize, Box<Findings>, Duration),
    Broken,
    Interrupted,
}

/// Explores on so many threads, until everything was or Ctrl-C is pressed.
pub(crate) fn explore_all(
    explorations: &Arc<Vec<Exploration>>,
    jobs: usize,
) -> Result<Found, Failure> {
    let (sender, receiver) = channel();
    let interrupted = sender.clone();
    on_ctrl_c(move || interrupted.send(Message::Interrupted).is_ok())?;
    let jobs = jobs.min(explorations.len());
    let progress = Progress::new(explorations.len(), jobs);
    let next = Arc::new(AtomicUsize::new(0));
    for _ in 0..jobs {
        let (explorations, next) = (Arc::clone(explorations), Arc::clone(&next));
        let sender = sender.clone();
        #[expect(
            clippy::disallowed_methods,
            reason = "each simulation stays on one thread; these only share the work out"
        )]
        thread::spawn(move || work(&explorations, &next, &sender));
    }
    gather(explorations, &receiver, progress)
}

fn work(explorations: &[Exploration], next: &AtomicUsize, sender: &Sender<Message>) {
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(exploration) = explorations.get(index) else {
            return;
        };
        let Exploration {
            workload,
            settings,
            part,
            ..
        } = exploration;
        let watch = Stopwatch::start();
        let findings = catch_unwind(AssertUnwindSafe(|| explore_part(workload, settings, part)));
        let message = match findings {
            Ok(findings) => Message::Found(index, Box::new(findings), watch.elapsed()),
            Err(_) => Message::Broken,
        };
        // Nobody waits any more after a Ctrl-C.
        if sender.send(message).is_err() {
            return;
        }
    }
}

fn gather(
    explorations: &[Exploration],
    receiver: &Receiver<Message>,
    mut progress: Progress,
) -> Result<Found, Failure> {
    let mut found: Found = explorations.iter().map(|_| None).collect();
    let mut left = explorations.len();
    while left > 0 {
        match receiver.recv() {
            Ok(Message::Found(index, findings, busy)) => {
                let workload = &explorations[index].workload.name;
                progress.explored(workload, findings.schedules, findings.violations.len());
                found[index] = Some((*findings, busy));
                left -= 1;
            }
            Ok(Message::Interrupted) => break,
            // The thread's panic was printed.
            Ok(Message::Broken) | Err(_) => {
                let message = "exploring panicked, which is a bug of the simulator's";
                return Err(Failure::Harness(message.to_owned()));
            }
        }
    }
    progress.finish();
    Ok(found)
}
