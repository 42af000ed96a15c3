//! A thread that performs operations in the order of their beginning, and futures that wait for it.

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{Builder, JoinHandle};

use crashpoint::Error;

use crate::files::Files;

type Operation = Box<dyn FnOnce(&mut Files) + Send>;

/// The thread. Dropping this waits for the operations that have begun.
pub(crate) struct Worker {
    operations: Option<Mutex<Sender<Operation>>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub(crate) fn start(mut files: Files) -> Result<Self, Error> {
        let (operations, received) = channel::<Operation>();
        let work = move || received.iter().for_each(|operation| operation(&mut files));
        let thread = Builder::new().name("plain files".to_owned()).spawn(work);
        let thread = thread.map_err(|error| Error::unavailable(format!("no thread: {error}")))?;
        Ok(Self {
            operations: Some(Mutex::new(operations)),
            thread: Some(thread),
        })
    }

    /// Hands `operation` to the thread; the future completes with its answer. Dropping the future
    /// does not stop the operation.
    pub(crate) fn perform<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut Files) -> Result<T, Error> + Send + 'static,
    ) -> Answer<T> {
        let answer = Answer(Arc::default());
        let promise = Promise(Arc::clone(&answer.0));
        let operation: Operation = Box::new(move |files| promise.keep(operation(files)));
        if let Some(operations) = &self.operations {
            let operations = operations.lock().unwrap_or_else(PoisonError::into_inner);
            // If the thread has ended, dropping the promise here answers with an error.
            let _ = operations.send(operation);
        }
        answer
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.operations.take());
        if let Some(thread) = self.thread.take() {
            // The caller that waited has seen the panic.
            let _ = thread.join();
        }
    }
}

struct Slot<T> {
    answer: Option<Result<T, Error>>,
    waiting: Option<Waker>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self {
            answer: None,
            waiting: None,
        }
    }
}

type Shared<T> = Arc<Mutex<Slot<T>>>;

fn locked<T>(slot: &Shared<T>) -> MutexGuard<'_, Slot<T>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread's half. Dropping it without an answer answers with an error.
struct Promise<T>(Shared<T>);

impl<T> Promise<T> {
    fn keep(self, answer: Result<T, Error>) {
        locked(&self.0).answer = Some(answer);
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        let mut slot = locked(&self.0);
        slot.answer
            .get_or_insert_with(|| Err(Error::unknown_outcome("the store's thread has died")));
        let waiting = slot.waiting.take();
        drop(slot);
        if let Some(waker) = waiting {
            waker.wake();
        }
    }
}

/// The caller's half.
pub(crate) struct Answer<T>(Shared<T>);

impl<T> Future for Answer<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut slot = locked(&self.0);
        match slot.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                slot.waiting = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}
