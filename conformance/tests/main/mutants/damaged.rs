//! Faults in reading damaged rows, and faults beside another process.

use super::disk::{BadLine, Habit, Lock};

/// Habits that differ in the handling of a bad line, or in locking.
macro_rules! habits {
    ($($(#[$doc:meta])* $name:ident: $constant:ident = $value:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Default)]
        pub(crate) struct $name;

        impl Habit for $name {
            const $constant: habits!(@type $constant) = $value;
        }
    )*};
    (@type BAD_LINE) => { BadLine };
    (@type LOCK) => { Lock };
}

habits! {
    /// Ignores checksums.
    BelievesAnything: BAD_LINE = BadLine::Believe;
    /// Skips a damaged line.
    SkipsBadRows: BAD_LINE = BadLine::Skip;
    /// Panics at a damaged line.
    PanicsOnBadRows: BAD_LINE = BadLine::Panic;
    /// Locks the place; no fault.
    Locks: LOCK = Lock::WhileOpen;
    /// Shares the place with others; no fault.
    Shares: LOCK = Lock::WhileAppending;
}
