//! Runs one law on its own thread, under a watchdog, and removes its place afterwards.
//!
//! A store that deadlocks fails its law and leaks a thread; the other laws run on.

pub(crate) mod plan;
pub(crate) mod slot;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::case::{Blame, Case, Progress};
use crate::catalogue::{Check, Law};
use crate::finding::expect::{Checked, Failure, panic_message};
use crate::finding::verdict::Verdict;
use crate::harness::place::Place;
use crate::harness::{Options, Subject};
use crate::runtime::clock::Stopwatch;
use crate::runtime::{Workers, start};

/// The verdict on a law, and how long it took.
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// Whether the law failed since an operation missed its deadline.
    pub(crate) late: bool,
    pub(crate) elapsed: Duration,
}

impl Judgement {
    pub(crate) fn millis(&self) -> u64 {
        u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX)
    }
}

/// Runs `law` on a store of `subject`.
pub(crate) fn judge(subject: &Subject, law: &'static Law) -> Judgement {
    let watch = Stopwatch::start();
    let progress = Arc::new(Progress::new());
    let (sender, receiver) = mpsc::channel();
    let spawned = {
        let (subject, progress) = (subject.clone(), Arc::clone(&progress));
        let thread = std::thread::Builder::new().name(law.name.to_owned());
        thread.spawn(move || {
            // The receiver is gone if the watchdog has given up on this law.
            let _ = sender.send(attempt(&subject, law, &progress));
        })
    };
    let checked = match spawned {
        // This drops the places of the law, after its last deadline.
        Ok(_) => {
            wait(&receiver, &progress, &subject.options, watch).and_then(|ended| ended.checked)
        }
        Err(error) => Err(Failure::Harness(format!("no thread for the law: {error}"))),
    };
    Judgement {
        late: matches!(checked, Err(Failure::Late(_))),
        verdict: verdict(checked),
        elapsed: watch.elapsed(),
    }
}

pub(crate) fn verdict(checked: Checked) -> Verdict {
    match checked {
        Ok(()) => Verdict::Pass,
        Err(Failure::Broken(message) | Failure::Late(message)) => Verdict::Fail(message),
        Err(Failure::Harness(message)) => Verdict::HarnessError(message),
        Err(Failure::NotRun(message)) => Verdict::NotRun(message),
        Err(Failure::Inconclusive(message)) => Verdict::Inconclusive(message),
    }
}

/// A law that has ended.
struct Ended {
    checked: Checked,
    /// Kept until the watchdog has received this.
    _places: Vec<Arc<Place>>,
}

/// How often the watchdog looks within the deadline of an operation.
const LOOKS: u32 = 8;

/// Waits for the law to end, as long as its operations end in time.
fn wait(
    receiver: &Receiver<Ended>,
    progress: &Progress,
    options: &Options,
    watch: Stopwatch,
) -> Result<Ended, Failure> {
    let slice = options.operation_max / LOOKS;
    let (mut seen, mut idle) = (progress.steps(), 0);
    loop {
        let look = Stopwatch::start();
        match receiver.recv_timeout(slice) {
            Ok(ended) => return Ok(ended),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::Harness(
                    "the thread of the law ended without a verdict".to_owned(),
                ));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        let steps = progress.steps();
        // Before its first step a law waits for the machine, for a thread or a directory. A machine that
        // wakes the watchdog much too late has not let the store work either.
        let starved = look.elapsed() > slice * 2;
        idle = if steps == seen && steps > 0 && !starved {
            idle + 1
        } else {
            0
        };
        // Steps are only ever added.
        assert!(seen <= steps, "the number of steps never falls");
        let patience = progress.patience();
        seen = steps;
        if idle >= LOOKS * patience {
            let limit = options.operation_max * patience;
            return Err(late(progress, &format!("an answer within {limit:?}")));
        }
        if watch.elapsed() >= options.law_max {
            let limit = options.law_max;
            return Err(late(progress, &format!("the law to end within {limit:?}")));
        }
    }
}

/// The law has missed its deadline.
pub(crate) fn late(progress: &Progress, expected: &str) -> Failure {
    let (blame, step) = progress.current();
    let message = format!("deadline passed at {step}: expected {expected}, got nothing");
    match blame {
        Blame::Store => Failure::Late(message),
        Blame::Harness => Failure::Harness(message),
    }
}

/// Runs the law and clears away. After a panic the law's values are only dropped.
fn attempt(subject: &Subject, law: &'static Law, progress: &Arc<Progress>) -> Ended {
    match Case::new(law.id, subject.clone(), Arc::clone(progress)) {
        Ok(case) => Ended {
            checked: attempt_at(&case, law, progress),
            _places: case.into_places(),
        },
        Err(failure) => Ended {
            checked: Err(failure),
            _places: Vec::new(),
        },
    }
}

fn attempt_at(case: &Case, law: &'static Law, progress: &Progress) -> Checked {
    let checked = guarded(progress, || match law.check {
        Check::Thread(check) => check(case),
        Check::Task(check) => {
            let runtime = start(Workers::Pool(2))?;
            let checked = runtime.block_on(check(case));
            guarded(progress, || {
                case.close_inside(runtime.handle());
                Ok(())
            })?;
            progress.step(Blame::Store, "waiting for the store's background work");
            drop(runtime);
            checked
        }
    });
    let cleared_away = guarded(progress, || {
        case.close();
        start(Workers::Caller)?.block_on(case.leave(case.place()))
    });
    checked.and(cleared_away)
}

/// Turns a panic into a failure of the store or of the harness, whichever was at work.
fn guarded(progress: &Progress, work: impl FnOnce() -> Checked) -> Checked {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|payload| Err(panicked(progress, &panic_message(&*payload))))
}

/// The law has panicked.
pub(crate) fn panicked(progress: &Progress, message: &str) -> Failure {
    let (blame, step) = progress.current();
    let message = format!("at {step}: expected an answer, got a panic: {message}");
    match blame {
        Blame::Store => Failure::Broken(message),
        Blame::Harness => Failure::Harness(message),
    }
}
