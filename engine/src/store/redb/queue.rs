//! The queue of operations: performed in their order, in batches, off the executor.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use futures_channel::oneshot;
use futures_util::future::{Either, select};

use crate::error::Error;
use crate::runtime::Runtime;
use crate::store::redb::database::Database;
use crate::store::redb::operation::{Answer, Operation};
use crate::store::redb::waiting::{QueueTicket, Reply, Request, Waiting};

/// How often a committer without work polls the queue before it ends; it yields its processor in
/// between. That takes 100 to 200 microseconds on an idle machine: long enough for a lone writer to get
/// its answer and to send the next operation. Waking another thread would take 40 to 60 microseconds on
/// a sleeping processor. No operation waits meanwhile: the committer takes it at once.
const POLLS: u32 = 300;

pub(super) struct Queue {
    state: Mutex<State>,
    /// None once the store is closed. The committer holds the lock.
    database: Mutex<Option<Database>>,
}

#[derive(Default)]
struct State {
    waiting: Waiting,
    /// Whether a committer runs, or is about to begin.
    has_committer: bool,
}

/// A request's turn. Its drop withdraws the request if its batch has not begun. Otherwise requests
/// without a waiting future would pile up behind a disk that hangs.
struct Turn<'a> {
    queue: &'a Queue,
    ticket: QueueTicket,
}

/// Performs all waiting requests. If it is dropped earlier, it gives every request back, and the next
/// request starts another committer.
struct Committer {
    queue: Arc<Queue>,
    finished: bool,
}

impl Queue {
    pub(super) fn new(database: Database) -> Self {
        Self {
            state: Mutex::default(),
            database: Mutex::new(Some(database)),
        }
    }

    /// Performs the operation after all operations that began before it. It takes its turn with the
    /// first poll. Dropping this future withdraws the operation, unless its batch has begun; then it
    /// is finished before any other.
    pub(super) async fn submit(
        self: &Arc<Self>,
        runtime: &dyn Runtime,
        mut operation: Operation,
    ) -> Result<Answer, Error> {
        loop {
            let (reply, answer) = oneshot::channel();
            let (_turn, committer) = self.enter(Request { operation, reply });
            let is_ours = committer.is_some();
            let answered = match committer {
                None => answer.await,
                Some(committer) => {
                    let polls = if runtime.blocks_beside() { POLLS } else { 0 };
                    // It performs this request among others, and goes on without this future after the answer.
                    let committing = runtime.blocking(Box::new(move || committer.run(polls)));
                    match select(committing, answer).await {
                        Either::Left(((), answer)) => answer.await,
                        Either::Right((answered, _)) => answered,
                    }
                }
            };
            operation = match answered {
                Ok(Reply::Performed(answer)) => return answer,
                // The runtime of another request has ended. Ours may be alive.
                Ok(Reply::GivenBack(operation)) if !is_ours => operation,
                Ok(Reply::GivenBack(_)) => return Err(not_performed()),
                // A committer that has begun answers, unless it has a bug.
                Err(oneshot::Canceled) => {
                    return Err(Error::unknown_outcome(
                        "the committer ended without an answer",
                    ));
                }
            };
        }
    }

    /// Closes the database after the batch that is under way.
    pub(super) fn close(&self) {
        let database = lock(&self.database).take();
        if let Some(database) = database {
            database.close();
        }
    }

    /// Closes the file without a write, in a fork of the process that opened it. If the fork was made
    /// during a batch, the file stays open: its thread, which could unlock the database, is not there.
    pub(super) fn abandon(&self) {
        let database = match self.database.try_lock() {
            Ok(mut database) => database.take(),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().take(),
            Err(TryLockError::WouldBlock) => None,
        };
        if let Some(database) = database {
            database.close();
        }
    }

    fn enter(self: &Arc<Self>, request: Request) -> (Turn<'_>, Option<Committer>) {
        let mut state = lock(&self.state);
        let ticket = state.waiting.enter(request);
        let idle = !std::mem::replace(&mut state.has_committer, true);
        drop(state);
        let committer = idle.then(|| Committer {
            queue: Arc::clone(self),
            finished: false,
        });
        let queue = &**self;
        (Turn { queue, ticket }, committer)
    }

    /// The next batch. If it is empty, the committer has ended.
    fn next(&self) -> Vec<Request> {
        let mut state = lock(&self.state);
        assert!(state.has_committer, "only the committer takes batches");
        let batch = state.waiting.take_batch();
        state.has_committer = !batch.is_empty();
        batch
    }

    /// The number of bytes in the queue, without those of the line before it.
    pub(super) fn bytes(&self) -> usize {
        lock(&self.state).waiting.bytes()
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let withdrawn = lock(&self.queue.state).waiting.withdraw(&self.ticket);
        // Outside of the lock, since it drops the caller's data.
        drop(withdrawn);
    }
}

impl Committer {
    /// Performs batch after batch. Without a request it polls the queue `polls` times, then ends.
    fn run(mut self, polls: u32) {
        let mut database = lock(&self.queue.database);
        loop {
            let batch = self.queue.next();
            if batch.is_empty() {
                break;
            }
            execute(database.as_mut(), batch);
            self.await_more(polls);
        }
        drop(database);
        self.finished = true;
    }

    /// Returns as soon as a request waits, or after `polls` polls.
    fn await_more(&self, polls: u32) {
        for _ in 0..polls {
            if !lock(&self.queue.state).waiting.is_empty() {
                return;
            }
            std::thread::yield_now();
        }
    }
}

/// Performs a batch and answers it. An answer that no future waits for is dropped.
fn execute(database: Option<&mut Database>, batch: Vec<Request>) {
    let Some(database) = database else {
        return give_back(batch);
    };
    let parts = batch.into_iter().map(|each| (each.operation, each.reply));
    let (operations, replies): (Vec<_>, Vec<_>) = parts.unzip();
    let mut replies: Vec<_> = replies.into_iter().map(Some).collect();
    database.apply(&operations, |index, answer| {
        let reply = replies[index].take();
        let reply = reply.expect("an operation is answered once");
        _ = reply.send(Reply::Performed(answer));
    });
    assert!(
        replies.iter().all(Option::is_none),
        "the database answers every operation of a batch"
    );
}

impl Drop for Committer {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        let abandoned = {
            let mut state = lock(&self.queue.state);
            state.has_committer = false;
            state.waiting.take_all()
        };
        give_back(abandoned);
    }
}

fn give_back(requests: Vec<Request>) {
    for Request { operation, reply } in requests {
        _ = reply.send(Reply::GivenBack(operation));
    }
}

fn not_performed() -> Error {
    Error::unavailable("the runtime ended before the operation began")
}

/// The database catches its panics and decides whether it is still usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
