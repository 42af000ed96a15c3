//! Group commit for peers without it: a thread puts all waiting writes into one commit.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use futures_channel::oneshot;

/// A change of a store's.
pub(crate) enum Write {
    Append { id: String, sequence: u64 },
    Clear { id: String },
}

/// Commits several writes at once.
pub(crate) trait Batch: Send + 'static {
    /// Makes all of them durable; none has a sequence that is taken.
    fn commit(&mut self, writes: &[Write]);
}

/// The most writes in one commit.
const WRITES_MAX: usize = 4096;

pub(crate) struct Group(Sender<(Write, oneshot::Sender<()>)>);

impl Group {
    pub(crate) fn new(batch: impl Batch) -> Self {
        let (sender, receiver) = mpsc::channel();
        let thread = thread::Builder::new().spawn(move || commit_until_closed(&receiver, batch));
        thread.expect("a thread can be started");
        Self(sender)
    }

    pub(crate) async fn append(&self, id: &str, sequence: u64) {
        let id = id.to_owned();
        self.perform(Write::Append { id, sequence }).await;
    }

    pub(crate) async fn clear(&self, id: &str) {
        let id = id.to_owned();
        self.perform(Write::Clear { id }).await;
    }

    async fn perform(&self, write: Write) {
        let (reply, answer) = oneshot::channel();
        let sent = self.0.send((write, reply));
        sent.expect("the thread lives as long as this");
        answer.await.expect("the thread answers");
    }
}

fn commit_until_closed(waiting: &Receiver<(Write, oneshot::Sender<()>)>, mut batch: impl Batch) {
    while let Ok(first) = waiting.recv() {
        let rest = waiting.try_iter().take(WRITES_MAX - 1);
        let (writes, replies): (Vec<_>, Vec<_>) = std::iter::once(first).chain(rest).unzip();
        batch.commit(&writes);
        for reply in replies {
            _ = reply.send(());
        }
    }
}
