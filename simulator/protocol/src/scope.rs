//! The bounds of an exploration: the workflow, the number of lives, the number of faults.

use crashpoint::Retention;

/// The most lives that a scope can have.
pub const LIVES_MAX: usize = 3;

/// The workflow of an exploration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `Charge` and `Ship`, both compensatable, then the exit. `Ship` may fail for good.
    Saga,
    /// `Count`, stepped, visited twice through a loop, then the exit. The second visit may fail
    /// for good.
    SteppedLoop {
        /// The number of cursors of each visit.
        cursors: u8,
    },
}

/// When a life receives the answer to its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replies {
    /// At a later step: other lives, crashes and cancellations may come in between.
    Later,
    /// In the step in which the command takes effect. A life that crashes between the effect and
    /// the answer leaves the same world as a life that crashes right after the answer, and nobody
    /// else sees the answer. So this leaves out only cancellations that arrive in between.
    AtOnce,
}

/// A bounded space of behaviours: every interleaving with at most these faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// The workflow.
    pub shape: Shape,
    /// The number of lives, in `1..=LIVES_MAX`. The first begins by `run`, the others by
    /// `resume_from`, at any time. Each may crash at any time.
    pub lives: usize,
    /// What the engine does with the log of an ended run. If it clears the log, later lives may
    /// also begin by `run`.
    pub retention: Retention,
    /// When a life receives the answer to its command.
    pub replies: Replies,
    /// How often a row is sent at most.
    pub sends_max: u32,
    /// The number of failing operations of the store: an append that is durable, an append that is
    /// not, a load, a clear. A conflict is not a failure, and does not count.
    pub store_errors: u8,
    /// The number of appends that fail but land at any later time, if their sequence is free then.
    pub late_appends: u8,
    /// The number of attempts that fail for good.
    pub task_failures: u8,
    /// The number of undos that fail for good.
    pub undo_failures: u8,
    /// The number of cancelled lives.
    pub cancellations: u8,
}

impl Scope {
    /// One life, a kept log, and no fault but crashes.
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
