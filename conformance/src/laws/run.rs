//! Runtimes: a store works wherever its futures are polled, and does not block the thread that polls.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::case::{Blame, Case, Session, not_opened};
use crate::finding::expect::{Checked, Failure, broken, failed, marked, panic_message, row, rows};
use crate::harness::BoxFuture;
use crate::runtime::clock::HoldTimer;
use crate::runtime::{Workers, block_on_bare, start};

/// A short version of what the engine does with a store.
async fn exercise(store: &Session, when: &str) -> Checked {
    for id in ["first", "second"] {
        store.append_all(id, &rows(0..5)).await?;
        store.rejects(id, marked(4, "other")).await?;
        store.holds(id, &rows(0..5), when).await?;
    }
    store.clear("first").await?;
    store.holds("first", &[], when).await?;
    store.holds("second", &rows(0..5), when).await
}

/// Uses the store from four tasks at once.
async fn exercise_at_once(store: &Session, when: &str) -> Checked {
    let tasks: Vec<_> = (0..4)
        .map(|number| {
            let (store, when) = (store.clone(), when.to_owned());
            let work: BoxFuture<'static, Checked> = Box::pin(async move {
                let id = format!("task {number}");
                store.append_all(&id, &rows(0..10)).await?;
                store.holds(&id, &rows(0..10), &when).await
            });
            tokio::spawn(work)
        })
        .collect();
    for task in tasks {
        let joined = task.await;
        joined.map_err(|error| broken(format!("a task {when} failed: {error}")))??;
    }
    Ok(())
}

fn works_with(case: &Case, workers: Workers, when: &str) -> Checked {
    let runtime = start(workers)?;
    let place = case.another_place()?;
    let checked = runtime.block_on(async {
        let store = case.open_at(&place).await?;
        exercise(&store, when).await?;
        exercise_at_once(&store, when).await
    });
    case.close_inside(runtime.handle());
    runtime.block_on(case.leave(&place))?;
    checked
}

pub(crate) fn run_01_works_on_a_current_thread_runtime(case: &Case) -> Checked {
    works_with(case, Workers::Caller, "on a current-thread runtime")
}

pub(crate) fn run_02_works_with_1_2_and_8_workers(case: &Case) -> Checked {
    for workers in [1, 2, 8] {
        let when = format!("on a runtime with {workers} workers");
        works_with(case, Workers::Pool(workers), &when)?;
    }
    Ok(())
}

/// Timed operations. More than half must be slow for a failure: a page fault or an interrupt slows a few.
const TIMED_OPERATIONS: u64 = 20;

/// The longest time for which an author may let a poll hold its thread.
const POLL_MAX: Duration = Duration::from_millis(100);

pub(crate) fn run_03_the_executor_is_never_blocked(case: &Case) -> Checked {
    let limit = case.options().poll_max;
    if limit > POLL_MAX {
        return Err(Failure::Inconclusive(format!(
            "`Options::poll_max` is {limit:?}: a bound of more than {POLL_MAX:?} says nothing about a store"
        )));
    }
    let runtime = start(Workers::Caller)?;
    let polls = runtime.block_on(async {
        let store = case.open().await?;
        let mut polls = Vec::new();
        for sequence in 0..TIMED_OPERATIONS {
            store.step(Blame::Store, "a timed append");
            let append = store.store().append("run", row(sequence));
            let (appended, longest) = LongestPoll::of(append).await;
            appended.map_err(|error| failed("append", &error))?;
            polls.push(longest);
        }
        Ok(polls)
    })?;
    case.close_inside(runtime.handle());
    let slow = polls.iter().filter(|&&poll| poll > limit).count();
    if slow * 2 <= polls.len() {
        return Ok(());
    }
    let longest = polls.iter().max().copied().unwrap_or_default();
    let count = polls.len();
    Err(broken(format!(
        "on a current-thread runtime: expected an append to hold the thread for at most {limit:?} \
         at a time, got more in {slow} of {count} appends (longest {longest:?})"
    )))
}

/// Measures how long a future holds the thread that polls it.
struct LongestPoll<'a, T> {
    future: BoxFuture<'a, T>,
    longest: Duration,
}

impl<'a, T> LongestPoll<'a, T> {
    fn of(future: BoxFuture<'a, T>) -> Self {
        Self {
            future,
            longest: Duration::ZERO,
        }
    }
}

impl<T> Future for LongestPoll<'_, T> {
    type Output = (T, Duration);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let hold = HoldTimer::start();
        let polled = self.future.as_mut().poll(context);
        self.longest = self.longest.max(hold.elapsed());
        polled.map(|output| (output, self.longest))
    }
}

pub(crate) fn run_04_a_store_outlives_its_runtime(case: &Case) -> Checked {
    let first = start(Workers::Pool(2))?;
    let store = first.block_on(case.open())?;
    first.block_on(store.append("run", &row(0)))?;
    store.step(Blame::Store, "ending the runtime that opened the store");
    drop(first);
    let second = start(Workers::Pool(2))?;
    let checked = second.block_on(async {
        store.append_all("run", &rows(1..3)).await?;
        let when = "continued on another runtime than the one that opened the store";
        store.holds("run", &rows(0..3), when).await?;
        store.clear("run").await
    });
    drop(store);
    case.close_inside(second.handle());
    checked
}

pub(crate) fn run_05_futures_move_between_threads(case: &Case) -> Checked {
    let runtime = start(Workers::Pool(2))?;
    let store = runtime.block_on(case.open())?;
    for sequence in 0..10 {
        store.step(Blame::Store, "an append polled by several threads");
        let shared = Arc::clone(store.store());
        let append = async move { shared.append("run", row(sequence)).await };
        let appended = poll_on_new_threads(&runtime, Box::pin(append))?;
        let append = format!("append of sequence {sequence}, each poll on another thread");
        appended.map_err(|error| failed(&append, &error))?;
    }
    let when = "appended by polls on several threads";
    let held = runtime.block_on(store.holds("run", &rows(0..10), when));
    drop(store);
    case.close_inside(runtime.handle());
    held
}

/// Polls a future to its end, each time on a new thread.
fn poll_on_new_threads<T: Send>(
    runtime: &tokio::runtime::Runtime,
    mut future: BoxFuture<'static, T>,
) -> Result<T, Failure> {
    loop {
        let polled = std::thread::scope(|scope| {
            let future = &mut future;
            let thread = scope.spawn(move || {
                runtime.block_on(async {
                    let mut polled = false;
                    std::future::poll_fn(|context| {
                        // Woken after its poll here: the next poll is on another thread.
                        if std::mem::replace(&mut polled, true) {
                            return Poll::Ready(None);
                        }
                        future.as_mut().poll(context).map(Some)
                    })
                    .await
                })
            });
            thread.join()
        });
        match polled {
            Ok(Some(output)) => return Ok(output),
            Ok(None) => {}
            Err(payload) => {
                let message = panic_message(&*payload);
                return Err(broken(format!(
                    "a poll on another thread: expected an answer, got a panic: {message}"
                )));
            }
        }
    }
}

pub(crate) fn run_06_a_store_is_dropped_inside_async_code(case: &Case) -> Checked {
    for workers in [Workers::Caller, Workers::Pool(2)] {
        let runtime = start(workers)?;
        let place = case.another_place()?;
        runtime.block_on(async {
            let opened = case.subject.open(&place).await;
            let opened = opened.map_err(|error| not_opened(&error))?;
            case.progress
                .step(Blame::Store, "dropping the store inside async code");
            let appended = opened.store.append("run", row(0)).await;
            drop(opened);
            appended.map_err(|error| failed("append", &error))
        })?;
        runtime.block_on(case.leave(&place))?;
    }
    Ok(())
}

pub(crate) fn run_07_works_outside_of_tokio(case: &Case) -> Checked {
    block_on_bare(async {
        let store = case.open().await?;
        exercise(&store, "outside of tokio").await
    })
}
