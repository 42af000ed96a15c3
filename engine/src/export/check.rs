//! Holds exported logs against a workflow, as a resume would.

use std::collections::BTreeMap;
use std::fmt;

use crate::core::{Definition, LogFault, Mismatch, Role, RunState, rebuild_run};
use crate::export::reader::{ExportError, ExportedRun};
use crate::export::writer::Payloads;
use crate::foreign::quoted;
use crate::state::State;
use crate::workflow::Workflow;

/// The result of [`check_logs`]. Its text has a line for each log that does not fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogCheck {
    /// The number of logs that fit.
    pub fitting: u64,
    /// The logs that do not fit, in the order of the export.
    pub misfits: Vec<MisfitLog>,
    /// The number of logs of other workflows, by the name of the workflow. They were not checked.
    pub others: BTreeMap<String, u64>,
    /// Whether a log had no payloads, so that its outputs and cursors were not read.
    pub without_payloads: bool,
}

/// A log that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MisfitLog {
    /// The id of the run.
    pub workflow_id: String,
    /// The label of the state in which the next life would begin; none if the log is corrupt.
    pub state: Option<String>,
    /// What does not fit.
    pub problem: LogProblem,
}

/// Why a log does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogProblem {
    /// A resume would be refused with [`Error::Mismatch`](crate::Error::Mismatch).
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// A resume would be refused with [`Error::CorruptLog`](crate::Error::CorruptLog).
    #[error("the log is corrupt at sequence {sequence}: {fault}")]
    Corrupt {
        /// The sequence of the first invalid row.
        sequence: u64,
        /// The fault.
        fault: LogFault,
    },
}

impl LogCheck {
    /// Whether a log was checked, and every checked log fits.
    pub fn all_fit(&self) -> bool {
        self.fitting > 0 && self.misfits.is_empty()
    }
}

impl fmt::Display for LogCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} logs fit, {} do not",
            self.fitting,
            self.misfits.len()
        )?;
        for MisfitLog {
            workflow_id,
            state,
            problem,
        } in &self.misfits
        {
            write!(f, "\n  run {}", quoted(workflow_id))?;
            if let Some(state) = state {
                write!(f, " in {}", quoted(state))?;
            }
            write!(f, ": {problem}")?;
        }
        for (workflow, logs) in &self.others {
            write!(
                f,
                "\n  not checked: {logs} of workflow {}",
                quoted(workflow)
            )?;
        }
        if self.without_payloads {
            f.write_str("\n  the export has no payloads: no output and no cursor was read")?;
        }
        Ok(())
    }
}

/// Checks whether `workflow` can resume the runs with these logs, as [`Engine::resume_from`] does
/// before it claims a run. It runs nothing and writes nothing.
///
/// The logs are those of an [`ExportReader`](crate::ExportReader), over a file that `crashpoint export`
/// or an [`ExportWriter`](crate::ExportWriter) has written. A log of a workflow with another name is
/// counted, and not checked. Without payloads, outputs and cursors are not read.
///
/// What a log alone can't say is not checked: whether the tasks of the new release do the right thing.
/// `upgrade_test` of the crate `crashpoint-simulator` does that.
///
/// [`Engine::resume_from`]: crate::Engine::resume_from
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
///
/// use crashpoint::{
///     CheckpointStore, Ctx, Engine, ExportReader, ExportWriter, MemoryCheckpointStore, Payloads, State,
///     TaskError, Workflow, check_logs,
/// };
///
/// #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
/// enum Mail { Send, Sent }
///
/// async fn send(_ctx: Ctx) -> Result<Mail, TaskError> {
///     Ok(Mail::Sent)
/// }
///
/// let mail = |version| {
///     Workflow::builder("mail", version).task(Mail::Send, "send", send).exit(Mail::Sent).build()
/// };
/// let store = Arc::new(MemoryCheckpointStore::new());
/// Engine::new(Arc::clone(&store)).run(&mail(1)?, "mail-1", Mail::Send, &()).await?;
///
/// let mut export = Vec::new();
/// let mut writer = ExportWriter::new(&mut export, Payloads::Kept)?;
/// writer.begin_run("mail-1")?;
/// for row in store.load_run("mail-1").await? {
///     writer.row(row)?;
/// }
/// writer.finish()?;
///
/// assert!(check_logs(&mail(1)?, ExportReader::new(&*export))?.all_fit());
/// // Version 2 forgot to accept version 1.
/// let check = check_logs(&mail(2)?, ExportReader::new(&*export))?;
/// assert_eq!(
///     check.to_string(),
///     "0 logs fit, 1 do not\n  run \"mail-1\" in \"Sent\": the run has version 1, accepted are [2]",
/// );
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// If the export can't be read. A log that does not fit is part of the result.
pub fn check_logs<S: State>(
    workflow: &Workflow<S>,
    logs: impl IntoIterator<Item = Result<ExportedRun, ExportError>>,
) -> Result<LogCheck, ExportError> {
    let definition = workflow.definition();
    let without_payloads = without_payloads(definition);
    let mut check = LogCheck::default();
    for log in logs {
        let log = log?;
        let definition = match log.payloads {
            Payloads::Kept => definition,
            Payloads::Redacted => &without_payloads,
        };
        check.add(definition, log);
    }
    Ok(check)
}

impl LogCheck {
    fn add(&mut self, definition: &Definition, log: ExportedRun) {
        let ExportedRun {
            workflow_id,
            rows,
            payloads,
        } = log;
        let state = match rebuild_run(&workflow_id, &rows) {
            Ok(state) => state,
            Err(corrupt) => {
                self.misfits.push(MisfitLog {
                    workflow_id,
                    state: None,
                    problem: LogProblem::Corrupt {
                        sequence: corrupt.sequence,
                        fault: corrupt.fault,
                    },
                });
                return;
            }
        };
        if let Some(other) = other_workflow(definition, &state) {
            *self.others.entry(other).or_default() += 1;
            return;
        }
        self.without_payloads |= payloads == Payloads::Redacted;
        match definition.check(&rows, &state) {
            Ok(()) => self.fitting += 1,
            Err(mismatch) => self.misfits.push(MisfitLog {
                workflow_id,
                state: state.current_state().map(ToString::to_string),
                problem: mismatch.into(),
            }),
        }
    }
}

/// The name of the workflow that the run belongs to, if it is another workflow.
fn other_workflow(definition: &Definition, state: &RunState) -> Option<String> {
    let found = &state.header()?.claim.definition;
    (*found != definition.name).then(|| found.to_string())
}

/// The definition with tasks that read anything.
fn without_payloads(definition: &Definition) -> Definition {
    let mut definition = definition.clone();
    for state in &mut definition.states {
        if let Role::Task(task) = &mut state.role {
            task.readable = |_| Ok(());
        }
    }
    definition
}
