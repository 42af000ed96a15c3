//! A thread that owns a resource and performs operations on it in the order of their beginning.

use std::future::Future;
use std::sync::mpsc::{Sender, channel};
use std::thread::{Builder, JoinHandle};

use crashpoint::Error;
use futures_channel::oneshot;

type Operation<R> = Box<dyn FnOnce(&mut R) + Send>;

/// The thread. Dropping this waits for the operations that have begun.
pub(crate) struct Worker<R> {
    /// `None` only while the worker is dropped.
    operations: Option<Sender<Operation<R>>>,
    thread: Option<JoinHandle<()>>,
}

impl<R: Send + 'static> Worker<R> {
    pub(crate) fn start(mut resource: R) -> Result<Self, Error> {
        let (operations, begun) = channel::<Operation<R>>();
        let work = move || begun.into_iter().for_each(|perform| perform(&mut resource));
        let thread = Builder::new().name("sqlite".to_owned()).spawn(work);
        let thread = thread.map_err(|error| Error::unavailable(format!("no thread: {error}")))?;
        Ok(Self {
            operations: Some(operations),
            thread: Some(thread),
        })
    }

    /// Hands `operation` to the thread; the future completes with its answer. Dropping the future
    /// does not stop the operation.
    pub(crate) fn perform<T, O>(
        &self,
        operation: O,
    ) -> impl Future<Output = Result<T, Error>> + Send + use<R, T, O>
    where
        T: Send + 'static,
        O: FnOnce(&mut R) -> Result<T, Error> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let perform: Operation<R> = Box::new(move |resource| {
            // The caller may have stopped waiting.
            let _ = answer.send(operation(resource));
        });
        if let Some(operations) = &self.operations {
            // If the thread has ended, the answer is dropped here, which the caller sees as an error.
            let _ = operations.send(perform);
        }
        async move {
            let died = |_| Err(Error::unknown_outcome("the store's thread has died"));
            answered.await.unwrap_or_else(died)
        }
    }
}

impl<R> Drop for Worker<R> {
    fn drop(&mut self) {
        drop(self.operations.take());
        if let Some(thread) = self.thread.take() {
            // The caller that waited has seen the panic.
            let _ = thread.join();
        }
    }
}
