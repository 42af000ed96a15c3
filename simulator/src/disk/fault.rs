//! What a disk does wrong: it fails, it is full, it lies.

use std::io;

/// What a disk does not do although it says so: for canaries, which an oracle has to notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Lie {
    /// It does everything.
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
    /// The next call of the kind goes well.
    Once,
    /// All further calls of the kind fail, until the disk is mended.
    ForGood,
}

/// How a disk fails. A failed read or write does nothing; a failed sync makes nothing durable, and
/// content that it should have made durable is seen until the power is lost and no later sync writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// An error of the device at the `at`-th call of a kind, from 0.
    Broken {
        /// Which kind of call.
        call: Call,
        /// How many calls of this kind go well before.
        at: u64,
        /// Whether later ones go well again.
        lasting: Lasting,
    },
    /// No room from this byte of a file on.
    Full {
        /// The longest that a file can be.
        bytes: u64,
    },
}

/// The faults of a disk, and how far it is from them.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    pub(super) armed: Option<Failure>,
    pub(super) calls: [u64; Call::ALL.len()],
    pub(super) fired: u64,
    /// Syncs of the named file.
    pub(super) syncs: u32,
}

impl Faults {
    /// A call that would make a file reach up to the byte `end`.
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
