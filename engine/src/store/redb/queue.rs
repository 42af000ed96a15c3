//! Operations in the order in which they were begun, a batch at a time, off the executor.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;
use futures_util::future::{Either, select};

use crate::error::Error;
use crate::runtime::Runtime;
use crate::store::redb::database::Database;
use crate::store::redb::operation::{Answer, Operation};
use crate::store::redb::waiting::{Place, Reply, Request, Waiting};

/// How often a committer that has run out of work looks for more before it ends, giving its processor
/// away in between: 100 to 200 microseconds on an idle machine, which is how long a lone writer takes
/// to hear its answer and come back. To wake another thread for it instead takes a processor that
/// sleeps 40 to 60. Nobody waits meanwhile: whoever comes is taken at once.
const POLLS: u32 = 300;

pub(super) struct Queue {
    state: Mutex<State>,
    /// None once the store is closed. Whoever has it locked is the committer.
    database: Mutex<Option<Database>>,
}

#[derive(Default)]
struct State {
    waiting: Waiting,
    /// Whether there is a committer, or is about to be one.
    drained: bool,
}

/// A request's turn. Dropped before the request's batch has begun, it takes the
/// request along: what nobody waits for would else pile up behind a disk that hangs.
struct Turn<'a> {
    queue: &'a Queue,
    place: Place,
}

/// The committer: someone's duty to perform everything that waits. Dropped without having done it,
/// it gives every request back, and whoever comes next has the duty.
struct Drain {
    queue: Arc<Queue>,
    done: bool,
}

impl Queue {
    pub(super) fn new(database: Database) -> Self {
        Self {
            state: Mutex::default(),
            database: Mutex::new(Some(database)),
        }
    }

    /// Performs the operation after everything that was begun before it. Its turn is that of the
    /// first poll. Dropping this future gives the turn up; an operation whose batch is under way by
    /// then is finished, before any other.
    pub(super) async fn submit(
        self: &Arc<Self>,
        runtime: &dyn Runtime,
        mut operation: Operation,
    ) -> Result<Answer, Error> {
        loop {
            let (reply, answer) = oneshot::channel();
            let (_turn, drain) = self.enter(Request { operation, reply });
            let is_ours = drain.is_some();
            let answered = match drain {
                None => answer.await,
                Some(drain) => {
                    let polls = if runtime.blocks_beside() { POLLS } else { 0 };
                    // It performs this request among others; after the answer, it goes on without us.
                    let drained = runtime.blocking(Box::new(move || drain.run(polls)));
                    match select(drained, answer).await {
                        Either::Left(((), answer)) => answer.await,
                        Either::Right((answered, _)) => answered,
                    }
                }
            };
            operation = match answered {
                Ok(Reply::Performed(answer)) => return answer,
                // Somebody else's runtime has ended. Ours may be alive.
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

    fn enter(self: &Arc<Self>, request: Request) -> (Turn<'_>, Option<Drain>) {
        let mut state = lock(&self.state);
        let place = state.waiting.enter(request);
        let idle = !std::mem::replace(&mut state.drained, true);
        drop(state);
        let drain = idle.then(|| Drain {
            queue: Arc::clone(self),
            done: false,
        });
        let queue = &**self;
        (Turn { queue, place }, drain)
    }

    /// The batch that is due. With nothing in it, there is no committer any more.
    fn next(&self) -> Vec<Request> {
        let mut state = lock(&self.state);
        assert!(state.drained, "only the committer takes batches");
        let batch = state.waiting.take_batch();
        state.drained = !batch.is_empty();
        batch
    }

    /// How many bytes are in the queue; those of the line before it are their callers'.
    pub(super) fn bytes(&self) -> usize {
        lock(&self.state).waiting.bytes()
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let withdrawn = lock(&self.queue.state).waiting.withdraw(&self.place);
        // Outside of the lock, since it drops what the caller gave.
        drop(withdrawn);
    }
}

impl Drain {
    /// Performs batch after batch, and polls the queue so often for one more before it ends.
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
        self.done = true;
    }

    /// Returns once something waits, or it is time to end.
    fn await_more(&self, polls: u32) {
        for _ in 0..polls {
            if !lock(&self.queue.state).waiting.is_empty() {
                return;
            }
            std::thread::yield_now();
        }
    }
}

/// Nobody may be waiting any more for an answer; the operation counts all the same.
fn execute(database: Option<&mut Database>, batch: Vec<Request>) {
    let Some(database) = database else {
        return give_back(batch);
    };
    let parts = batch.into_iter().map(|each| (each.operation, each.reply));
    let (operations, replies): (Vec<_>, Vec<_>) = parts.unzip();
    let mut replies: Vec<_> = replies.into_iter().map(Some).collect();
    database.apply(&operations, |place, answer| {
        let reply = replies[place].take();
        let reply = reply.expect("an operation is answered once");
        _ = reply.send(Reply::Performed(answer));
    });
    assert!(
        replies.iter().all(Option::is_none),
        "the database answers every operation of a batch"
    );
}

impl Drop for Drain {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let abandoned = {
            let mut state = lock(&self.queue.state);
            state.drained = false;
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

/// The database catches its panics, and what they leave behind says whether it can still be used.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
