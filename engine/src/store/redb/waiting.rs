//! The requests that wait for the committer: a queue bounded by bytes, and a line before it.
//!
//! A request that does not fit into the queue stays with its caller's future, and takes a place in the
//! line. Whichever call makes room lets the first requests of the line in. So a future that is held
//! without polls blocks no other.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures_channel::oneshot;

use crate::error::Error;
use crate::store::redb::batch::{self, Bounds};
use crate::store::redb::operation::{Answer, Operation};

/// The most bytes in the queue: those of the next two batches. A longer request is let in alone.
const BYTES_MAX: usize = 2 * batch::BYTES_MAX;

const _: () = assert!(
    BYTES_MAX >= batch::BYTES_MAX,
    "a whole batch can gather while another is under way"
);

/// An operation that waits, and its answer's way back.
pub(super) struct Request {
    pub(super) operation: Operation,
    pub(super) reply: oneshot::Sender<Reply>,
}

pub(super) enum Reply {
    Performed(Result<Answer, Error>),
    /// Nobody performs it.
    GivenBack(Operation),
}

/// A request that its future keeps until there is room.
type Kept = Mutex<Option<Request>>;

/// A request in the line.
struct InLine {
    bytes: usize,
    kept: Weak<Kept>,
}

/// The ticket of a request.
pub(super) struct QueueTicket {
    turn: u64,
    /// The request that the future keeps while it is in the line.
    _kept: Option<Arc<Kept>>,
}

/// Every turn in the queue is before every turn in the line. If the first of the line has room, the line
/// is empty.
#[derive(Default)]
pub(super) struct Waiting {
    /// By their turn.
    queue: BTreeMap<u64, Request>,
    /// Of the queue.
    bytes: usize,
    line: BTreeMap<u64, InLine>,
    next_turn: u64,
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        // Into an empty queue the first of the line is let in, however long it is.
        self.queue.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Gives a request the next turn.
    pub(super) fn enter(&mut self, request: Request) -> QueueTicket {
        let turn = self.next_turn;
        self.next_turn += 1;
        assert!(
            self.next_turn > turn,
            "2^64 operations are more than a process performs"
        );
        let bytes = bytes_of(&request);
        if self.line.is_empty() && self.has_room(bytes) {
            self.let_in(turn, request);
            self.assert_consistent();
            return QueueTicket { turn, _kept: None };
        }
        let kept = Arc::new(Mutex::new(Some(request)));
        let in_line = InLine {
            bytes,
            kept: Arc::downgrade(&kept),
        };
        let before = self.line.insert(turn, in_line);
        assert!(before.is_none(), "each request has a turn of its own");
        self.assert_consistent();
        let _kept = Some(kept);
        QueueTicket { turn, _kept }
    }

    /// Withdraws the request of a dropped future, unless its batch has begun. The caller drops the
    /// request without the lock.
    pub(super) fn withdraw(&mut self, ticket: &QueueTicket) -> Option<Request> {
        let stood = self.line.remove(&ticket.turn);
        let withdrawn = self.queue.remove(&ticket.turn);
        assert!(
            stood.is_none() || withdrawn.is_none(),
            "a turn is in the line or in the queue, never in both"
        );
        if let Some(request) = &withdrawn {
            self.leave(bytes_of(request));
        }
        self.fill();
        self.assert_consistent();
        withdrawn
    }

    /// Takes out the next batch; empty if no request waits.
    pub(super) fn take_batch(&mut self) -> Vec<Request> {
        let mut bounds = Bounds::default();
        let mut batch = Vec::new();
        let waited = !self.queue.is_empty();
        while let Some(first) = self.queue.first_entry()
            && bounds.take(&first.get().operation)
        {
            let request = first.remove();
            self.leave(bytes_of(&request));
            batch.push(request);
        }
        debug_assert_eq!(
            self.bytes,
            self.queue.values().map(bytes_of).sum::<usize>(),
            "the bytes of the queue are those of what is queued"
        );
        assert_eq!(
            waited,
            !batch.is_empty(),
            "an empty batch takes its first operation, whatever that is"
        );
        self.fill();
        self.assert_consistent();
        batch
    }

    /// Takes out everything, the line included.
    pub(super) fn take_all(&mut self) -> Vec<Request> {
        self.bytes = 0;
        let queued = mem::take(&mut self.queue).into_values();
        let line = mem::take(&mut self.line).into_values();
        queued.chain(line.filter_map(InLine::claim)).collect()
    }

    /// Lets requests of the line in, in their order, as long as there is room.
    fn fill(&mut self) {
        while let Some((_, first)) = self.line.first_key_value()
            && self.has_room(first.bytes)
            && let Some((turn, in_line)) = self.line.pop_first()
        {
            if let Some(request) = in_line.claim() {
                self.let_in(turn, request);
            }
        }
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.queue.is_empty() || self.bytes.saturating_add(bytes) <= BYTES_MAX
    }

    fn let_in(&mut self, turn: u64, request: Request) {
        self.bytes = self.bytes.saturating_add(bytes_of(&request));
        let before = self.queue.insert(turn, request);
        assert!(before.is_none(), "each request has a turn of its own");
    }

    fn leave(&mut self, bytes: usize) {
        assert!(
            bytes <= self.bytes,
            "the queue has counted what leaves it: {bytes} bytes of {}",
            self.bytes
        );
        self.bytes -= bytes;
    }

    /// What holds whenever the lock is free.
    fn assert_consistent(&self) {
        assert!(
            self.bytes <= BYTES_MAX || self.queue.len() == 1,
            "only a request that is alone may be longer than the queue"
        );
        assert_eq!(
            self.bytes == 0,
            self.queue.is_empty(),
            "each request takes up some bytes"
        );
        if let (Some((last, _)), Some((first, _))) =
            (self.queue.last_key_value(), self.line.first_key_value())
        {
            assert!(
                last < first,
                "every turn in the queue is before every turn in the line"
            );
        }
        if let Some((_, first)) = self.line.first_key_value() {
            assert!(
                !self.has_room(first.bytes),
                "a request that has room is let in at once"
            );
        }
        let newest = self.line.last_key_value().map(|(turn, _)| turn);
        let newest = newest.max(self.queue.last_key_value().map(|(turn, _)| turn));
        assert!(
            newest.is_none_or(|turn| *turn < self.next_turn),
            "a turn is given before it is waited for"
        );
    }
}

impl InLine {
    /// The request, from its future; none if that is being dropped.
    fn claim(self) -> Option<Request> {
        let kept = self.kept.upgrade()?;
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.take()
    }
}

/// The bytes that a request takes up in the queue: its data and itself.
fn bytes_of(request: &Request) -> usize {
    let brings = request.operation.bytes();
    brings.saturating_add(size_of::<Request>())
}
