//! Faults in how a row is read that is not what was written, and faults beside another process.

use super::disk::{BadLine, Habit, Lock};

/// Habits that differ in what they make of a bad line, or in how they lock.
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
    /// No checksum is looked at.
    BelievesAnything: BAD_LINE = BadLine::Believe;
    /// A line that is damaged is left out.
    SkipsBadRows: BAD_LINE = BadLine::Skip;
    /// A line that is damaged can't be.
    PanicsOnBadRows: BAD_LINE = BadLine::Panic;
    /// Takes the place for itself; no fault.
    Locks: LOCK = Lock::WhileOpen;
    /// Shares the place with others; no fault.
    Shares: LOCK = Lock::WhileAppending;
}
