//! The faults of a disk: errors, a full disk, lies.

use std::io;

/// Work that a disk reports as done but does not do. For canaries, which an oracle must catch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Lie {
    /// The disk does everything that it reports.
    #[default]
    None,
    /// A sync of the named file makes nothing durable.
    Writes,
    /// Every n-th sync of the named file makes nothing durable.
    EveryNth(u32),
    /// A sync of the folder makes nothing durable.
    Names,
}

/// A kind of call that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// A read of content.
    Read,
    /// A write of content, or a change of the length.
    Write,
    /// A sync, of content or of the folder.
    Sync,
}

impl Call {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Sync];
}

/// How often a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lasting {
    /// Later calls of the kind succeed.
    Once,
    /// All further calls of the kind fail, until the disk is mended.
    ForGood,
}

/// How a disk fails. A failed read or write does nothing. A failed sync makes nothing durable: the
/// unsynced content stays visible until the power is lost, and no later sync writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// An error of the device at the `at`-th call of a kind, from 0.
    Broken {
        /// The kind of call.
        call: Call,
        /// The number of earlier calls of this kind, which succeed.
        at: u64,
        /// Whether later calls fail too.
        lasting: Lasting,
    },
    /// No space from this byte of a file on.
    Full {
        /// The maximal length of a file, in bytes.
        bytes: u64,
    },
}

/// The faults of a disk, and how many calls it has counted towards them.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    pub(super) armed: Option<Failure>,
    pub(super) calls: [u64; Call::ALL.len()],
    pub(super) fired: u64,
    /// The number of syncs of the named file.
    pub(super) syncs: u32,
}

impl Faults {
    /// Counts a call that would extend a file up to the byte `end`, and fails it if a fault says
    /// so.
    pub(super) fn on(&mut self, call: Call, end: u64) -> io::Result<()> {
        let count = &mut self.calls[call as usize];
        let index = std::mem::replace(count, *count + 1);
        let error = match self.armed {
            Some(Failure::Broken {
                call: broken,
                at,
                lasting,
            }) if broken == call => {
                let fails = match lasting {
                    Lasting::Once => index == at,
                    Lasting::ForGood => index >= at,
                };
                fails.then(|| io::Error::other("simulated: input/output error"))
            }
            Some(Failure::Full { bytes }) if call == Call::Write && end > bytes => {
                Some(io::ErrorKind::StorageFull.into())
            }
            _ => None,
        };
        self.fired += u64::from(error.is_some());
        assert!(
            self.fired <= self.calls.iter().sum::<u64>(),
            "a call fails once, and was counted before"
        );
        error.map_or(Ok(()), Err)
    }
}
