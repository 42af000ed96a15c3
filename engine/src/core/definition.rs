//! A workflow as the pure machine sees it: labels, edges and policies, no code and no state type.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::core::atoms::Label;
use crate::core::row::{CheckpointRow, RowKind};
use crate::core::run_state::{Phase, RunState, Visit};
use crate::foreign::{bounded, quoted};

/// A validated definition. A state is known by its index in [`states`](Self::states).
#[derive(Debug, Clone)]
pub struct Definition {
    /// The workflow's name.
    pub name: Label,
    /// The version that new claims carry.
    pub version: u32,
    /// Older versions whose runs this definition can resume.
    pub accepts: BTreeSet<u32>,
    /// The states in which a run may begin; none means any that has a task.
    pub starts: Option<Vec<usize>>,
    /// Every state.
    pub states: Vec<StateDefinition>,
    /// The index of the state with this label or alias, or the words of a panic. It is the user's code.
    pub resolve: fn(&str) -> Result<Option<usize>, String>,
}

/// A state of a [`Definition`].
#[derive(Debug, Clone)]
pub struct StateDefinition {
    /// Its label in the log.
    pub label: Label,
    /// The action in this state.
    pub role: Role,
}

/// The action in a state.
#[derive(Debug, Clone)]
pub enum Role {
    /// The run ends.
    Exit,
    /// A task runs.
    Task(TaskDefinition),
}

/// A task of a [`Definition`].
#[derive(Debug, Clone)]
pub struct TaskDefinition {
    /// Its name in the log; unique within the definition.
    pub name: Label,
    /// Its kind.
    pub kind: TaskKind,
    /// The states that may follow; none means any.
    pub edges: Option<Vec<usize>>,
    /// How its attempts are limited.
    pub policy: Policy,
    /// Says why bytes are no output, or no cursor, of this task.
    pub readable: fn(&[u8]) -> Result<(), String>,
}

/// The kinds of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskKind {
    /// Runs for each visit and may leave an output; nothing undoes it.
    Plain,
    /// Has an output, with which it can be undone.
    Compensatable,
    /// Advances by durable cursors.
    Stepped,
    /// Chooses the next state from the durable data of the run, without an outside effect.
    Router,
    /// Waits until its deadline. It has one edge.
    Timer,
    /// Asks again and again, in rounds that leave no row.
    Poll,
}

/// How the attempts of a task are limited. Attempts are counted within a life: a resume starts
/// the count again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Policy {
    /// For the forward action.
    pub retry: RetryPolicy,
    /// For the compensation.
    pub undo_retry: RetryPolicy,
    /// The time limit of each attempt and each step.
    pub attempt_timeout: Option<Duration>,
    /// The time limit of a visit of a polling task.
    pub poll_limit: Option<Duration>,
}

/// How often an action is attempted, and the delay between two attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RetryPolicy {
    pub(crate) attempts: u32,
    pub(crate) delay: Duration,
}

impl RetryPolicy {
    /// A single attempt.
    pub const fn none() -> Self {
        Self {
            attempts: 1,
            delay: Duration::ZERO,
        }
    }

    /// At most `attempts` attempts, `delay` apart. `0` attempts count as 1.
    pub const fn fixed(attempts: u32, delay: Duration) -> Self {
        let attempts = if attempts == 0 { 1 } else { attempts };
        Self { attempts, delay }
    }

    /// The most attempts, at least 1.
    pub const fn attempts(self) -> u32 {
        self.attempts
    }

    /// The time between two attempts.
    pub const fn delay(self) -> Duration {
        self.delay
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::none()
    }
}

/// Why a run can't be resumed under a definition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// The run belongs to another workflow.
    #[error("the run belongs to workflow {}, not to {}", quoted(.found), quoted(.expected))]
    Workflow {
        /// The name of the definition at hand.
        expected: Label,
        /// The name in the log.
        found: Label,
    },
    /// The definition does not accept the version of the newest claim.
    #[error("the run has version {found}, accepted are {accepted:?}")]
    Version {
        /// The accepted versions.
        accepted: Vec<u32>,
        /// The version in the log.
        found: u32,
    },
    /// The log names a state that the definition lacks.
    #[error("sequence {sequence} names the unknown state {}", quoted(.label))]
    UnknownState {
        /// The sequence of the row.
        sequence: u64,
        /// The label.
        label: Label,
    },
    /// The code that reads labels of states panicked.
    #[error("sequence {sequence} names state {}, and reading it panicked: {}", quoted(.label), bounded(.message))]
    Label {
        /// The sequence of the row.
        sequence: u64,
        /// The label.
        label: Label,
        /// The words of the panic.
        message: String,
    },
    /// The log names a task that the definition lacks.
    #[error("sequence {sequence} names the unknown task {}", quoted(.task))]
    UnknownTask {
        /// The sequence of the row.
        sequence: u64,
        /// The task.
        task: Label,
    },
    /// The log needs a task to be of another kind.
    #[error("task {} is {found:?}, but its log needs {needed:?}", quoted(.task))]
    TaskKind {
        /// The task.
        task: Label,
        /// The kind that the log needs.
        needed: TaskKind,
        /// The kind that it has.
        found: TaskKind,
    },
    /// The definition can't read an output or a cursor in the log: its type has changed.
    #[error("the output or cursor of task {} can't be read: {}", quoted(.task), bounded(.message))]
    Blob {
        /// The task.
        task: Label,
        /// The message of the deserializer.
        message: String,
    },
    /// A row names another task than that of the open state.
    #[error("sequence {sequence} names task {}, but state {} has task {}", quoted(.found), quoted(.state), quoted(.expected))]
    ForeignTask {
        /// The sequence of the row.
        sequence: u64,
        /// The state that was open.
        state: Label,
        /// Its task.
        expected: Label,
        /// The task that the row names.
        found: Label,
    },
    /// The open state has become an exit.
    #[error("the run is open in {}, which is an exit", quoted(.label))]
    OpenAtExit {
        /// The state.
        label: Label,
    },
}

impl Definition {
    /// A stable hash of names, version, states and edges. It is informational: nothing depends on it.
    pub fn fingerprint(&self) -> u64 {
        let digest: [u8; 32] = Sha256::digest(Shape(self).to_string()).into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    /// The labels of the exit states.
    pub fn exits(&self) -> Box<[Label]> {
        let exits = self
            .states
            .iter()
            .filter(|state| matches!(state.role, Role::Exit));
        exits.map(|state| state.label.clone()).collect()
    }

    /// The task of a state, none for an exit.
    ///
    /// # Panics
    ///
    /// If `state` is not in `0..states.len()`.
    pub fn task(&self, state: usize) -> Option<&TaskDefinition> {
        assert!(
            state < self.states.len(),
            "state {state} of {}, which has {}: an index comes from the definition",
            self.name,
            self.states.len()
        );
        match &self.states[state].role {
            Role::Exit => None,
            Role::Task(task) => Some(task),
        }
    }

    /// The index of the state with this label or alias. A label of this definition is found without the
    /// user's code.
    pub fn state_of_label(&self, label: &str) -> Option<usize> {
        self.resolved(label).ok().flatten()
    }

    fn resolved(&self, label: &str) -> Result<Option<usize>, String> {
        let has_it = |state: &StateDefinition| *state.label == *label;
        match self.states.iter().position(has_it) {
            Some(index) => Ok(Some(index)),
            None => (self.resolve)(label),
        }
    }

    /// The state that has the task of this name.
    pub fn state_of_task(&self, name: &str) -> Option<usize> {
        let has_it = |state: &StateDefinition| matches!(&state.role, Role::Task(task) if *task.name == *name);
        self.states.iter().position(has_it)
    }

    /// Checks whether this definition can resume the run with the log `rows`.
    ///
    /// # Errors
    ///
    /// Names the first mismatch.
    pub fn check<R>(&self, rows: &[R], state: &RunState) -> Result<(), Mismatch>
    where
        R: Borrow<CheckpointRow>,
    {
        self.check_on(rows, state, 0)
    }

    /// Checks the newest rows of a log, from the row on that entered their visit. The first `fitting`
    /// completions are known to fit.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    ///
    /// # Panics
    ///
    /// If the state has fewer than `fitting` completions.
    pub fn check_on<R>(&self, rows: &[R], state: &RunState, fitting: usize) -> Result<(), Mismatch>
    where
        R: Borrow<CheckpointRow>,
    {
        assert!(
            fitting <= state.completed().len(),
            "{fitting} completions of {} are said to fit",
            state.completed().len()
        );
        self.check_claims(state)?;
        for row in rows {
            let row: &CheckpointRow = row.borrow();
            if !row.state.is_empty() {
                self.check_label(row)?;
            }
            if !row.task_id.is_empty() && self.state_of_task(&row.task_id).is_none() {
                let task = row.task_id.as_str().into();
                return Err(Mismatch::UnknownTask {
                    sequence: row.sequence,
                    task,
                });
            }
        }
        self.check_tasks(rows)?;
        if state.is_terminal() {
            return Ok(());
        }
        for completion in state.completed().after(fitting) {
            self.check_kind(&completion.task, TaskKind::Compensatable)?;
            self.check_blob(&completion.task, &completion.output)?;
        }
        self.check_outputs(rows, state)?;
        match state.phase() {
            Phase::Forward(visit) => self.check_open(visit),
            Phase::RollingBack(rollback) => {
                let failed = rollback.failed.iter().map(|failed| &failed.undo);
                let mut owed = rollback.pending.iter().chain(failed);
                owed.try_for_each(|undo| self.check_kind(&undo.task, TaskKind::Compensatable))
            }
            Phase::Unclaimed | Phase::Done { .. } | Phase::RolledBack { .. } => Ok(()),
        }
    }

    fn check_label(&self, row: &CheckpointRow) -> Result<(), Mismatch> {
        let (sequence, label) = (row.sequence, || row.state.as_str().into());
        match self.resolved(&row.state) {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(Mismatch::UnknownState {
                sequence,
                label: label(),
            }),
            Err(message) => Err(Mismatch::Label {
                sequence,
                label: label(),
                message,
            }),
        }
    }

    /// The open visit has a task that can go on from the visit's cursor.
    fn check_open(&self, visit: &Visit) -> Result<(), Mismatch> {
        let open = self.state_of_label(&visit.state);
        let open = open.and_then(|index| self.task(index));
        let Some(task) = open else {
            return Err(Mismatch::OpenAtExit {
                label: visit.state.clone(),
            });
        };
        if visit.deadline_unix_ms.is_some() {
            self.check_kind(&task.name, TaskKind::Timer)?;
        }
        if visit.polled.is_some() {
            self.check_kind(&task.name, TaskKind::Poll)?;
        }
        let Some(cursor) = &visit.cursor else {
            return Ok(());
        };
        self.check_kind(&task.name, TaskKind::Stepped)?;
        self.check_blob(&task.name, cursor)
    }

    /// Every forward row, and the start of a rollback, is of the task of the state that was open.
    fn check_tasks<R: Borrow<CheckpointRow>>(&self, rows: &[R]) -> Result<(), Mismatch> {
        let mut open: Option<&str> = None;
        for row in rows {
            let row: &CheckpointRow = row.borrow();
            let (enters, leaves) = match row.kind {
                RowKind::Claim => (open.is_none(), false),
                RowKind::StateEntry
                | RowKind::TaskOutput
                | RowKind::Routed
                | RowKind::CompensationCompletion => (true, true),
                RowKind::StepCursor
                | RowKind::TimerStart
                | RowKind::PollRounds
                | RowKind::RollbackStart => (false, true),
                RowKind::BranchCompletion
                | RowKind::Compensated
                | RowKind::CompensationFailed
                | RowKind::RolledBack => (false, false),
            };
            if let Some(state) = open.filter(|_| leaves) {
                let task = self.state_of_label(state);
                let task = task.and_then(|index| self.task(index));
                if let Some(task) = task.filter(|task| *task.name != *row.task_id) {
                    return Err(Mismatch::ForeignTask {
                        sequence: row.sequence,
                        state: state.into(),
                        expected: task.name.clone(),
                        found: row.task_id.as_str().into(),
                    });
                }
            }
            if enters {
                open = Some(&row.state);
            }
        }
        Ok(())
    }

    /// The outputs among these rows can be read by the definition. A task that leaves no output today
    /// reads none.
    fn check_outputs<R>(&self, rows: &[R], state: &RunState) -> Result<(), Mismatch>
    where
        R: Borrow<CheckpointRow>,
    {
        let first = rows.first().map_or(0, |row| row.borrow().sequence);
        let outputs = state.outputs().iter();
        for (task, output) in outputs.filter(|(_, output)| output.sequence >= first) {
            let known = self.state_of_task(task).and_then(|index| self.task(index));
            let kind = known.map(|known| known.kind);
            if matches!(kind, Some(TaskKind::Plain | TaskKind::Compensatable)) {
                self.check_blob(task, &output.output)?;
            }
        }
        Ok(())
    }

    fn check_blob(&self, task: &Label, blob: &[u8]) -> Result<(), Mismatch> {
        let known = self.state_of_task(task).and_then(|index| self.task(index));
        let readable = known.map_or(Ok(()), |known| (known.readable)(blob));
        readable.map_err(|message| Mismatch::Blob {
            task: task.clone(),
            message,
        })
    }

    fn check_claims(&self, state: &RunState) -> Result<(), Mismatch> {
        let Some(header) = state.header() else {
            return Ok(());
        };
        let claim = &header.claim;
        if claim.definition != self.name {
            let (expected, found) = (self.name.clone(), claim.definition.clone());
            return Err(Mismatch::Workflow { expected, found });
        }
        if claim.version != self.version && !self.accepts.contains(&claim.version) {
            // In order, and once each: a definition may accept its own version as well.
            let accepted: BTreeSet<u32> =
                self.accepts.iter().copied().chain([self.version]).collect();
            return Err(Mismatch::Version {
                accepted: accepted.into_iter().collect(),
                found: claim.version,
            });
        }
        Ok(())
    }

    fn check_kind(&self, task: &Label, needed: TaskKind) -> Result<(), Mismatch> {
        let found = self.state_of_task(task).and_then(|index| self.task(index));
        match found.map(|task| task.kind) {
            Some(kind) if kind == needed => Ok(()),
            Some(found) => Err(Mismatch::TaskKind {
                task: task.clone(),
                needed,
                found,
            }),
            // Only where the rows at hand are not those of the state.
            None => Err(Mismatch::UnknownTask {
                sequence: 0,
                task: task.clone(),
            }),
        }
    }
}

/// A definition as the text that its fingerprint is the hash of.
struct Shape<'a>(&'a Definition);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?} {}", self.0.name, self.0.version)?;
        for StateDefinition { label, role } in &self.0.states {
            match role {
                Role::Exit => writeln!(f, "{label:?} exit")?,
                Role::Task(task) => {
                    let TaskDefinition {
                        kind, name, edges, ..
                    } = task;
                    writeln!(f, "{label:?} {kind:?} {name:?} {edges:?}")?;
                }
            }
        }
        Ok(())
    }
}
