//! An append in flight, and its outcome according to a log that is read back.
//!
//! After an error, the row may be durable, become durable later, or never. The row is
//! *pinned*: until its fate is known only the identical row is sent again.

use crate::core::digest::LogDigest;
use crate::core::event::Event;
use crate::core::row::CheckpointRow;

/// A row that was sent, with its event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Pinned {
    pub(super) event: Event,
    pub(super) row: CheckpointRow,
    /// How often the row was sent, at least 1.
    pub(super) sends: u32,
}

/// The standing of a pinned row in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The row is the last row, byte for byte.
    Durable,
    /// The log ends just before it.
    Absent,
    /// The log has the row, and more rows after it: another life continued from it.
    Overtaken,
    /// The log has another row at this sequence.
    Taken,
    /// The rows before it are not those that this life knows.
    Rewritten,
}

impl Pinned {
    pub(super) fn new(event: Event, sequence: u64) -> Self {
        let row = event.to_row(sequence);
        assert_eq!(
            row.sequence, sequence,
            "an event becomes the row it is asked to be"
        );
        debug_assert_eq!(
            Event::from_row(&row).as_ref(),
            Ok(&event),
            "the engine can read each row that it writes"
        );
        Self {
            event,
            row,
            sends: 1,
        }
    }

    /// The standing in `log`; `known` is the digest of the rows before this row.
    pub(super) fn standing(&self, log: &[CheckpointRow], known: LogDigest) -> Standing {
        assert!(self.sends > 0, "a row is read back after it was sent");
        assert_eq!(
            known.rows(),
            self.row.sequence,
            "a row is pinned right behind the rows that its life knows"
        );
        let place = usize::try_from(self.row.sequence).expect("a log fits into memory");
        let Some((before, rest)) = log.split_at_checked(place) else {
            return Standing::Rewritten;
        };
        if LogDigest::of(before) != known {
            return Standing::Rewritten;
        }
        match rest {
            [] => Standing::Absent,
            [row] if *row == self.row => Standing::Durable,
            [row, ..] if *row == self.row => Standing::Overtaken,
            [..] => Standing::Taken,
        }
    }
}
