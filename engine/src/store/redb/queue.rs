//! Operations in the order in which they were begun, one at a time, off the executor.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;
use futures_util::future::{Either, select};

use crate::error::Error;
use crate::runtime::Runtime;
use crate::store::redb::database::Database;

/// An operation, with its answer's way back inside of it. `None` where nobody performs it: it is then
/// given back.
type Job = Box<dyn FnOnce(Option<&mut Database>) + Send>;

pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    /// None once the store is closed. Whoever has it locked performs the jobs.
    database: Mutex<Option<Database>>,
}

#[derive(Default)]
struct Waiting {
    /// By their turn.
    jobs: BTreeMap<u64, Job>,
    next_turn: u64,
    /// Whether somebody is performing jobs, or about to.
    drained: bool,
}

/// A job's place in the queue. Dropped before the job has begun, it takes the job along: what nobody
/// waits for would else pile up behind a disk that hangs.
struct Turn<'a> {
    queue: &'a Queue,
    number: u64,
}

/// Someone's duty to perform every job that waits. Dropped without having done it, it gives them all
/// back, and whoever comes next has the duty.
struct Drain {
    queue: Arc<Queue>,
    done: bool,
}

impl Queue {
    pub(super) fn new(database: Database) -> Self {
        Self {
            waiting: Mutex::default(),
            database: Mutex::new(Some(database)),
        }
    }

    /// Performs `operation` after everything that was begun before it. Its turn is that of the first
    /// poll. Dropping this future gives the turn up; an operation that is under way by then is
    /// finished, before any other.
    pub(super) async fn perform<T, F>(
        self: &Arc<Self>,
        runtime: &dyn Runtime,
        mut operation: F,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Database) -> Result<T, Error> + Send + 'static,
    {
        loop {
            let (reply, answer) = oneshot::channel();
            let job = Box::new(move |database: Option<&mut Database>| {
                let answer = match database {
                    Some(database) => Ok(operation(database)),
                    None => Err(operation),
                };
                // Nobody may be waiting any more; the operation counts all the same.
                _ = reply.send(answer);
            });
            let (_turn, drain) = self.enter(job);
            let is_ours = drain.is_some();
            let answered = match drain {
                None => answer.await,
                Some(drain) => {
                    // It performs this job among others; after the answer, it goes on without us.
                    let drained = runtime.blocking(Box::new(move || drain.run()));
                    match select(drained, answer).await {
                        Either::Left(((), answer)) => answer.await,
                        Either::Right((answered, _)) => answered,
                    }
                }
            };
            operation = match answered {
                Ok(Ok(result)) => return result,
                // Somebody else's runtime has ended. Ours may be alive.
                Ok(Err(operation)) if !is_ours => operation,
                Ok(Err(_)) | Err(oneshot::Canceled) => return Err(not_performed()),
            };
        }
    }

    /// Closes the database after the operation that is under way.
    pub(super) fn close(&self) {
        let database = lock(&self.database).take();
        if let Some(database) = database {
            database.close();
        }
    }

    fn enter(self: &Arc<Self>, job: Job) -> (Turn<'_>, Option<Drain>) {
        let mut waiting = lock(&self.waiting);
        let number = waiting.next_turn;
        waiting.next_turn += 1;
        waiting.jobs.insert(number, job);
        let idle = !std::mem::replace(&mut waiting.drained, true);
        let drain = idle.then(|| Drain {
            queue: Arc::clone(self),
            done: false,
        });
        let queue = &**self;
        (Turn { queue, number }, drain)
    }

    /// The job that is due, or none: then nobody drains the queue any more.
    fn next(&self) -> Option<Job> {
        let mut waiting = lock(&self.waiting);
        let job = waiting.jobs.pop_first();
        waiting.drained = job.is_some();
        job.map(|(_, job)| job)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let withdrawn = lock(&self.queue.waiting).jobs.remove(&self.number);
        // Outside of the lock, since it drops what the caller gave.
        drop(withdrawn);
    }
}

impl Drain {
    fn run(mut self) {
        let mut database = lock(&self.queue.database);
        while let Some(job) = self.queue.next() {
            job(database.as_mut());
        }
        drop(database);
        self.done = true;
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let abandoned = {
            let mut waiting = lock(&self.queue.waiting);
            waiting.drained = false;
            std::mem::take(&mut waiting.jobs)
        };
        abandoned.into_values().for_each(|job| job(None));
    }
}

fn not_performed() -> Error {
    Error::unavailable("the runtime ended before the operation began")
}

/// Jobs catch their panics, and what they leave behind says whether it can still be used.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
