//! The kinds of faults, one enum for each group that a budget pays for.
//!
//! To add a fault, add its variant here. The compiler then names the table of names and sentences
//! (`text.rs`), the operation that has to carry the fault out, and the list of draws of a swarm.

use crate::disk::Loss;

/// Defines an enum together with the list of its kinds. A variant that carries an argument gives the
/// argument that stands for its kind.
macro_rules! kinds {
    (
        $(#[$about:meta])*
        pub enum $group:ident {
            $( $(#[$doc:meta])* $kind:ident $( ( $argument:ty = $zero:expr ) )? , )*
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $group {
            $( $(#[$doc])* $kind $( ($argument) )? , )*
        }

        impl $group {
            /// Each kind once. An argument is the least one.
            pub const KINDS: &'static [Self] = &[ $( Self::$kind $( ($zero) )? , )* ];
        }
    };
}

pub(super) use kinds;

kinds! {
    /// The end of a process.
    pub enum Crash {
        /// The process dies.
        Process,
        /// The machine loses power: the process dies, and the disk loses everything that was not
        /// synced.
        PowerLoss,
    }
}

kinds! {
    /// A fault that a store may show without breaking its contract.
    pub enum StoreFault {
        /// The operation fails, and the caller is told that it has no effect.
        Refused,
        /// The operation takes effect, and the caller is told that its outcome is in doubt.
        InDoubtApplied,
        /// The operation has no effect, and the caller is told that its outcome is in doubt.
        InDoubtLost,
        /// The outcome of the append or clear is in doubt, and it takes effect after this many further
        /// operations of the store.
        InDoubtLate(u8 = 0),
        /// The append reaches the store twice, and the caller gets the second answer.
        Duplicated,
        /// The append or clear succeeds, and a copy of it reaches the store again after this many
        /// further operations.
        Echoed(u8 = 0),
        /// The operation takes effect at once, and its answer arrives a minute later: a load then
        /// shows an old log.
        SlowAnswer,
        /// The operation reaches the store a minute later.
        SlowRequest,
        /// The load shows the log without its last row.
        StaleLoad,
    }
}

impl StoreFault {
    /// Whether the operation takes long: it makes a difference only where somebody can act in the
    /// meantime.
    pub(super) const fn is_slow(self) -> bool {
        match self {
            Self::SlowAnswer | Self::SlowRequest => true,
            Self::Refused
            | Self::InDoubtApplied
            | Self::InDoubtLost
            | Self::InDoubtLate(_)
            | Self::Duplicated
            | Self::Echoed(_)
            | Self::StaleLoad => false,
        }
    }
}

kinds! {
    /// A fault of the disk under an embedded store.
    pub enum DiskFault {
        /// The machine loses power: the process dies, and the disk keeps this much of what was not
        /// synced.
        PowerLoss(Loss = Loss::OF_NOTHING),
        /// One write fails.
        WriteError,
        /// This write and every later write fail, until the operator replaces the disk.
        WriteErrorLasting,
        /// One sync fails. The system regards the pages as clean from then on.
        SyncError,
        /// This sync and every later sync fail, until the operator replaces the disk.
        SyncErrorLasting,
        /// The disk has no room for this write, nor for any behind it in the file, until the operator
        /// makes some.
        Full,
    }
}

kinds! {
    /// A fault of one attempt of a task, a step or an undo.
    pub enum AttemptFault {
        /// The attempt fails before it begins.
        Error,
        /// The attempt does its work and then reports an error.
        ErrorAfter,
        /// The attempt does its work and then reports a fatal error.
        FatalAfter,
        /// The attempt does its work twice, and the second result counts.
        Twice,
        /// The attempt panics before it begins.
        Panic,
        /// The attempt never ends. Only an attempt with a time limit hangs.
        Hang,
    }
}

impl AttemptFault {
    /// Whether the action fails for good by it. `last` says that no other attempt follows.
    pub(crate) const fn fails_for_good(self, last: bool) -> bool {
        match self {
            Self::FatalAfter | Self::Panic => true,
            Self::Error | Self::ErrorAfter | Self::Hang => last,
            Self::Twice => false,
        }
    }
}

kinds! {
    /// A fault of one call of a service.
    pub enum ServiceFault {
        /// The service refuses the request, and the caller is told so.
        Refused,
        /// The request does not arrive, and the caller gets no answer.
        RequestLost,
        /// The service performs the request, and the caller gets no answer.
        AnswerLost,
        /// The answer comes a minute later.
        Slow,
    }
}

kinds! {
    /// A jump of a clock.
    pub enum ClockFault {
        /// The wall clock jumps an hour ahead.
        Ahead,
        /// The wall clock jumps an hour back.
        Back,
        /// The machine sleeps for an hour between two steps of the process: every clock jumps.
        Sleep,
    }
}

kinds! {
    /// A breach of the store's contract. Only canaries have one: it shows that the oracles notice.
    pub enum Breach {
        /// The append fails; loads show its row until the process dies, and then it is lost. Law DUR-13
        /// forbids this.
        PhantomRow,
        /// The log loses this row while no process runs.
        LostRow(u64 = 0),
    }
}
