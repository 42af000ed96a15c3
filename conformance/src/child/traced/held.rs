//! Holds a sync of a child, and lets its other threads go on: what a load shows meanwhile has to be durable
//! without that sync.

use std::sync::Arc;
use std::time::Duration;

use super::disk::Disk;
use super::{Action, Call, Watch, follow};
use crate::case::Case;
use crate::child::{Message, Running};
use crate::finding::expect::{Checked, Failure, broken};
use crate::harness::place::Place;
use crate::runtime::clock::Stopwatch;

/// How many syncs of a child are held.
const HELD_MAX: usize = 16;
/// Messages of the child after which a sync is let go. The first may be about a load that has begun before, and is
/// not counted.
const MESSAGES: u64 = 4;
/// Looks in a row, a millisecond apart, at which no thread of the child may run: its loads wait for the sync.
const IDLE_LOOKS: u32 = 20;
/// The longest time for which a sync is held, whatever the child does meanwhile.
const HELD_FOR_MAX: Duration = Duration::from_secs(5);

/// What a child has shown while one of its syncs was held.
pub(crate) struct Shown {
    /// The place as a power loss would have left it meanwhile.
    pub(crate) image: Arc<Place>,
    /// The most rows that a load has shown.
    pub(crate) rows: u64,
    /// The call that was held, and its file.
    pub(crate) call: String,
}

struct Holder<'a> {
    case: &'a Case,
    disk: Disk,
    messages: u64,
    holding: Option<Holding>,
    held: Vec<Held>,
    failed: Option<Failure>,
}

/// A sync that is held now.
struct Holding {
    sync: Call,
    since: Stopwatch,
    /// The number of messages when it began.
    from: u64,
}

/// A sync that was held, and the messages meanwhile.
struct Held {
    call: String,
    image: Arc<Place>,
    from: u64,
    until: u64,
}

impl Holder<'_> {
    fn unless_failed(&mut self, work: impl FnOnce(&mut Self) -> Checked) {
        if self.failed.is_none() {
            self.failed = work(self).err();
        }
    }

    fn hold(&mut self, sync: &Call) -> Checked {
        let image = self.disk.image(self.case)?;
        self.holding = Some(Holding {
            sync: *sync,
            since: Stopwatch::start(),
            from: self.messages,
        });
        self.held.push(Held {
            call: format!("{} of {}", sync.name, self.disk.file_of(sync)),
            image,
            from: self.messages,
            until: self.messages,
        });
        Ok(())
    }
}

impl Watch for Holder<'_> {
    fn before(&mut self, call: &Call) -> Action {
        let may_hold = self.holding.is_none() && self.held.len() < HELD_MAX;
        if self.failed.is_none() && may_hold && self.disk.is_synced_by(call) {
            self.unless_failed(|holder| holder.hold(call));
            return match self.holding {
                Some(_) => Action::Hold,
                None => Action::GoOn,
            };
        }
        self.unless_failed(|holder| {
            let is_sync = holder.disk.note(call)?;
            // Another sync has made more durable than the image has.
            if is_sync && let (Some(_), Some(held)) = (&holder.holding, holder.held.last_mut()) {
                held.image = holder.disk.image(holder.case)?;
            }
            Ok(())
        });
        Action::GoOn
    }

    fn on_message(&mut self, nth: u64) {
        self.messages = nth + 1;
        if let (Some(_), Some(held)) = (&self.holding, self.held.last_mut()) {
            held.until = self.messages;
        }
    }

    fn lets_go(&mut self, idle_looks: u32) -> bool {
        let Some(holding) = &self.holding else {
            return true;
        };
        let heard = self.messages - holding.from;
        let is_over = heard >= MESSAGES
            || idle_looks >= IDLE_LOOKS
            || holding.since.elapsed() >= HELD_FOR_MAX
            || self.failed.is_some();
        if is_over && let Some(Holding { sync, .. }) = self.holding.take() {
            self.unless_failed(|holder| holder.disk.note(&sync).map(drop));
        }
        is_over
    }
}

/// Lets a ready child continue, holds its syncs one after another, and returns what its loads have shown
/// meanwhile.
pub(crate) fn hold_syncs(
    mut running: Running<'_>,
    place: &Place,
    stash: &std::path::Path,
) -> Result<Vec<Shown>, Failure> {
    let mut holder = Holder {
        case: running.case,
        disk: Disk::of(place, stash)?,
        messages: 0,
        holding: None,
        held: Vec::new(),
        failed: None,
    };
    follow(&mut running, &mut holder)?;
    let messages = running.last_words();
    if let Some(Message::Refused(message)) = messages.last() {
        return Err(broken(format!("in a child process: {message}")));
    }
    if messages.last() != Some(&Message::Ended) {
        return Err(running.silent());
    }
    if let Some(failure) = holder.failed {
        return Err(failure);
    }
    holder.disk.was_written()?;
    let shown = holder.held.into_iter().map(|held| {
        let meanwhile = messages.iter().take(held.until as usize);
        let rows = meanwhile
            .skip(held.from as usize + 1)
            .filter_map(|message| match message {
                Message::Loaded(rows) => *rows,
                _ => None,
            });
        Shown {
            image: held.image,
            rows: rows.max().unwrap_or(0),
            call: held.call,
        }
    });
    Ok(shown.collect())
}
