//! What is explored: which workflow, how many lives, and how much may go wrong.

use crashpoint::Retention;

/// The most lives that a scope can have.
pub const LIVES_MAX: usize = 3;

/// The workflow whose runs are explored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `Charge` and `Ship`, both compensatable, then the exit. `Ship` may fail for good.
    Saga,
    /// `Count`, stepped, visited twice through a loop, then the exit. The second visit may fail
    /// for good.
    SteppedLoop {
        /// How many cursors each visit leaves.
        cursors: u8,
    },
}

/// When a life hears what came of its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replies {
    /// At some later step: other lives, crashes and cancellations come in between.
    Later,
    /// In the step in which the command takes effect. A life that crashes between the effect and
    /// the reply leaves the same world as one that crashes right after the reply, and hearing is
    /// seen by nobody else; so this leaves out only the cancellations that arrive in between.
    AtOnce,
}

/// A bounded space of behaviours: every interleaving, with at most this much going wrong in one of
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// The workflow.
    pub shape: Shape,
    /// How many lives there are at most, in `1..=LIVES_MAX`. The first one begins by `run`, the
    /// others by `resume_from`, whenever they like; each may crash at any time.
    pub lives: usize,
    /// What becomes of the log of an ended run. Where it is cleared, a life after the first one
    /// may also begin by `run`.
    pub retention: Retention,
    /// When a life hears what came of its command.
    pub replies: Replies,
    /// How often a row is sent at most.
    pub sends_max: u32,
    /// How many operations of the store fail: an append that is durable all the same, one that is
    /// not, a load, a clear. A conflict is no failure and is not counted.
    pub store_errors: u8,
    /// How many appends fail and land at any time later, if their sequence is free then.
    pub late_appends: u8,
    /// How many attempts fail for good.
    pub task_failures: u8,
    /// How many undos fail for good.
    pub undo_failures: u8,
    /// How many lives are cancelled.
    pub cancellations: u8,
}

impl Scope {
    /// One life, a log that is kept, nothing goes wrong but crashes.
    pub const fn of(shape: Shape) -> Self {
        Self {
            shape,
            lives: 1,
            retention: Retention::Keep,
            replies: Replies::Later,
            sends_max: 2,
            store_errors: 0,
            late_appends: 0,
            task_failures: 0,
            undo_failures: 0,
            cancellations: 0,
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            lives,
            store_errors,
            late_appends,
            task_failures,
            undo_failures,
            cancellations,
            ..
        } = self;
        match self.shape {
            Shape::Saga => f.write_str("saga")?,
            Shape::SteppedLoop { cursors } => write!(f, "stepped loop of {cursors}")?,
        }
        if self.retention == Retention::ClearWhenDone {
            f.write_str(", cleared")?;
        }
        write!(f, ", lives {lives}")?;
        let counts = [
            ("store errors", store_errors),
            ("late appends", late_appends),
            ("task failures", task_failures),
            ("undo failures", undo_failures),
            ("cancellations", cancellations),
        ];
        for (what, count) in counts.iter().filter(|(_, count)| **count > 0) {
            write!(f, ", {what} {count}")?;
        }
        match self.replies {
            Replies::Later => Ok(()),
            Replies::AtOnce => f.write_str(", replies at once"),
        }
    }
}
