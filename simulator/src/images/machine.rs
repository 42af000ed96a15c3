//! A process that uses a store, without a simulation.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crashpoint::{
    CheckpointRow, CheckpointStore, Error, RedbCheckpointStore, StoreError, StoreErrorKind,
};
use futures_util::future::BoxFuture;

use crate::disk::SimDisk;
use crate::executor::{Executor, SimRuntime, quietly};
use crate::images::model::{Answer, Log};
use crate::images::script::{Dropped, Request, What};

/// A store under test: how a process opens it.
pub trait Open {
    /// Opens the store on a disk, or creates it there.
    ///
    /// # Errors
    ///
    /// The error of the store.
    fn open(&self, disk: &SimDisk, runtime: SimRuntime) -> Result<Box<dyn CheckpointStore>, Error>;
}

/// The engine's embedded store.
#[derive(Debug, Clone, Copy, Default)]
pub struct Embedded;

impl Open for Embedded {
    fn open(&self, disk: &SimDisk, runtime: SimRuntime) -> Result<Box<dyn CheckpointStore>, Error> {
        Ok(Box::new(RedbCheckpointStore::on_disk(disk, runtime)?))
    }
}

impl<F> Open for F
where
    F: Fn(&SimDisk, SimRuntime) -> Result<Box<dyn CheckpointStore>, Error>,
{
    fn open(&self, disk: &SimDisk, runtime: SimRuntime) -> Result<Box<dyn CheckpointStore>, Error> {
        self(disk, runtime)
    }
}

/// A process with its store open.
pub(crate) struct Machine {
    executor: Executor,
    store: Box<dyn CheckpointStore>,
}

/// Returns the number of steps of the disk so far.
pub(crate) type Position = Arc<dyn Fn() -> usize + Send + Sync>;

/// Wakes the waiter of an answer, and notes the position of the disk at that moment: a later crash
/// comes after the answer.
struct Noted {
    position: Position,
    /// `usize::MAX` before the first call since the last poll.
    at: AtomicUsize,
}

/// A request that has begun and has no answer yet.
struct Asked<'a> {
    request: &'a Request,
    future: BoxFuture<'a, Answer>,
    noted: Arc<Noted>,
}

/// A failure that the store must not have: it does not open, does not answer, or panics.
pub(crate) type Complaint = String;

impl Machine {
    /// A process that makes one request at a time.
    pub(crate) fn open(store: &impl Open, disk: &SimDisk) -> Result<Self, Complaint> {
        let executor = Executor::default();
        let runtime = SimRuntime::new(executor.clone(), 1, Arc::default(), Arc::default());
        Self::opened(executor, || store.open(disk, runtime))
    }

    /// A process that makes many requests at a time: none is performed before all have begun.
    pub(crate) fn concurrent(
        open: impl FnOnce(SimRuntime) -> Result<Box<dyn CheckpointStore>, Error>,
    ) -> Result<Self, Complaint> {
        let executor = Executor::default();
        let runtime = SimRuntime::new(executor.clone(), 1, Arc::default(), Arc::default());
        Self::opened(executor, || open(runtime.with_blocking_tasks()))
    }

    fn opened(
        executor: Executor,
        open: impl FnOnce() -> Result<Box<dyn CheckpointStore>, Error>,
    ) -> Result<Self, Complaint> {
        let opened = caught(open)?;
        let store = opened.map_err(|error| format!("opening failed: {error}"))?;
        Ok(Self { executor, store })
    }

    /// Begins every request, then waits for all of them. Returns each answer with the position of
    /// the disk when it came. A request whose future was dropped has the answer `Unknown`.
    pub(crate) fn perform(
        &self,
        requests: &[Request],
        position: &Position,
        mut answered: impl FnMut(&Request, Answer, usize),
    ) -> Result<(), Complaint> {
        let mut waiting = Vec::new();
        for request in requests {
            let mut asked = self.ask(request, position);
            match caught(|| asked.poll())? {
                Poll::Ready((answer, at)) => answered(request, answer, at),
                Poll::Pending if request.is_dropped(Dropped::BeforeItIsDone) => {
                    caught(|| drop(asked))?;
                    answered(request, Answer::Unknown, position());
                }
                Poll::Pending => waiting.push(asked),
            }
        }
        loop {
            let worked = self.work();
            let before = waiting.len();
            let (mut answers, mut still) = (Vec::new(), Vec::new());
            for mut asked in waiting {
                let request = asked.request;
                if request.is_dropped(Dropped::Unheard) {
                    caught(|| drop(asked))?;
                    answers.push((position(), request, Answer::Unknown));
                    continue;
                }
                match caught(|| asked.poll())? {
                    Poll::Ready((answer, at)) => answers.push((at, request, answer)),
                    Poll::Pending => still.push(asked),
                }
            }
            waiting = still;
            // In the order of the answers. Simultaneous answers are in the order of their requests.
            answers.sort_by_key(|(at, ..)| *at);
            for (at, request, answer) in answers {
                answered(request, answer, at);
            }
            if waiting.is_empty() {
                self.work();
                return Ok(());
            }
            if !worked && waiting.len() == before {
                return Err(format!("{} was never answered", waiting[0].request));
            }
        }
    }

    /// Every run in the store, and the named runs in any case.
    pub(crate) fn read(&self, named: &[String]) -> Result<BTreeMap<String, Log>, Complaint> {
        let mut found = BTreeMap::new();
        let listed = match self.store.as_listing() {
            None => Vec::new(),
            Some(listing) => self.answer(listing.run_ids(None, usize::MAX), "the listing")?,
        };
        for run in listed.iter().chain(named) {
            if !found.contains_key(run) {
                found.insert(run.clone(), self.load(run)?);
            }
        }
        let unlisted = found
            .iter()
            .find(|(run, log)| !log.is_empty() && !listed.contains(run));
        match unlisted {
            Some((run, _)) if self.store.as_listing().is_some() => {
                Err(format!("the listing lacks {run}"))
            }
            _ => Ok(found),
        }
    }

    /// Checks that the store still works: it rejects a row at each last sequence, and accepts a new
    /// row.
    pub(crate) fn probe(&self, found: &BTreeMap<String, Log>) -> Result<(), Complaint> {
        for (run, log) in found {
            let Some(last) = log.last() else { continue };
            let append = self.store.append(run, CheckpointRow::clone(last));
            let refused = self.settle(append, "a duplicate")?;
            let refused = refused.err().as_ref().and_then(kind_of);
            if refused != Some(StoreErrorKind::Conflict) {
                let sequence = last.sequence;
                return Err(format!(
                    "a second row {sequence} of {run} was answered {refused:?}"
                ));
            }
        }
        let Some((run, log)) = found.first_key_value() else {
            return Ok(());
        };
        let next = log.last().map_or(0, |last| last.sequence + 1);
        let row = CheckpointRow::new(next, "probe", "probe");
        self.answer(self.store.append(run, row.clone()), "an append")?;
        let mut expected = log.clone();
        expected.push(Arc::new(row));
        match self.load(run)? == expected {
            true => Ok(()),
            false => Err(format!(
                "{run} lacks the row that was appended after opening"
            )),
        }
    }

    pub(crate) fn load(&self, run: &str) -> Result<Log, Complaint> {
        let rows = self.answer(self.store.load_run(run), "a load")?;
        Ok(shared(rows))
    }

    fn ask<'a>(&'a self, request: &'a Request, position: &Position) -> Asked<'a> {
        let noted = Noted {
            position: Arc::clone(position),
            at: AtomicUsize::new(usize::MAX),
        };
        Asked {
            request,
            future: self.request(request),
            noted: Arc::new(noted),
        }
    }

    fn request<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Answer> {
        let run = request.run.as_str();
        match &request.what {
            What::Append { row, .. } => {
                let append = self.store.append(run, CheckpointRow::clone(row));
                Box::pin(async {
                    append
                        .await
                        .map_or_else(|error| of(&error), |()| Answer::Done)
                })
            }
            What::Load => {
                let load = self.store.load_run(run);
                Box::pin(async {
                    load.await
                        .map_or_else(|error| of(&error), |rows| Answer::Rows(shared(rows)))
                })
            }
            What::Clear => {
                let clear = self.store.clear(run);
                Box::pin(async {
                    clear
                        .await
                        .map_or_else(|error| of(&error), |()| Answer::Done)
                })
            }
        }
    }

    fn answer<T>(
        &self,
        operation: impl Future<Output = Result<T, Error>> + Send,
        what: &str,
    ) -> Result<T, Complaint> {
        let answer = self.settle(operation, what)?;
        answer.map_err(|error| format!("{what} failed: {error}"))
    }

    fn settle<T>(
        &self,
        operation: impl Future<Output = T> + Send,
        what: &str,
    ) -> Result<T, Complaint> {
        let mut operation = std::pin::pin!(operation);
        loop {
            let polled = caught(|| {
                operation
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
            });
            if let Poll::Ready(answer) = polled? {
                return Ok(answer);
            }
            if !self.work() {
                return Err(format!("{what} was never answered"));
            }
        }
    }

    /// Runs the tasks that the store has spawned. Returns false if there are none.
    fn work(&self) -> bool {
        let mut worked = false;
        while let Some(task) = self.executor.ready().first() {
            self.executor.poll(*task);
            worked = true;
        }
        worked
    }
}

impl Request {
    pub(crate) fn was_dropped(&self) -> bool {
        matches!(self.what, What::Append { dropped, .. } if dropped.is_some())
    }

    fn is_dropped(&self, when: Dropped) -> bool {
        matches!(self.what, What::Append { dropped, .. } if dropped == Some(when))
    }
}

impl Asked<'_> {
    /// The answer, and the position of the disk when it came.
    fn poll(&mut self) -> Poll<(Answer, usize)> {
        let called = self.noted.at.swap(usize::MAX, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&self.noted));
        let polled = Pin::new(&mut self.future).poll(&mut Context::from_waker(&waker));
        polled.map(|answer| match called {
            usize::MAX => (answer, (self.noted.position)()),
            at => (answer, at),
        })
    }
}

impl Wake for Noted {
    fn wake(self: Arc<Self>) {
        let position = (self.position)();
        let first = self.at.load(Ordering::Relaxed).min(position);
        self.at.store(first, Ordering::Relaxed);
    }
}

fn of(error: &Error) -> Answer {
    match kind_of(error) {
        Some(StoreErrorKind::Conflict) => Answer::Taken,
        _ => Answer::Unknown,
    }
}

fn kind_of(error: &Error) -> Option<StoreErrorKind> {
    error.store_error().map(StoreError::kind)
}

/// The beginning of the complaint about a panic.
pub(crate) const PANICKED: &str = "it panicked";

/// Turns a panic into a complaint.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Complaint> {
    quietly(|| catch_unwind(AssertUnwindSafe(work))).map_err(|panic| {
        let literal = panic.downcast_ref::<&str>().map(ToString::to_string);
        let words = literal.or_else(|| panic.downcast_ref::<String>().cloned());
        format!("{PANICKED}: {}", words.unwrap_or_default())
    })
}

fn shared(rows: Vec<CheckpointRow>) -> Log {
    rows.into_iter().map(Arc::new).collect()
}
