//! Validation of a draft.

use std::collections::BTreeSet;
use std::fmt;

use crate::core::{Definition, Label, Role, StateDefinition, TaskDefinition, TaskKind};
use crate::foreign::{bounded, quoted};
use crate::state::{State, resolve};
use crate::workflow::Flow;
use crate::workflow::draft::{Draft, TaskDraft};

/// Why a definition is invalid.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A name is empty.
    #[error("a {0} has an empty name")]
    EmptyName(&'static str),
    /// A method that applies to a task was called before any task was added.
    #[error("`{0}` was called before any task was added")]
    NoTaskNamed(&'static str),
    /// A state has no task and is not an exit.
    #[error("state {} has no task and is not an exit", quoted(.0))]
    Unhandled(Label),
    /// A state has two tasks, or a task and an exit.
    #[error("state {} is defined twice", quoted(.0))]
    DuplicateState(Label),
    /// Two tasks share a name.
    #[error("two tasks are named {}", quoted(.0))]
    DuplicateTask(Label),
    /// There is no exit.
    #[error("workflow {} has no exit", quoted(.0))]
    NoExit(Label),
    /// A start is an exit.
    #[error("the start {} is an exit", quoted(.0))]
    StartIsExit(Label),
    /// A timer was given further states to go to.
    #[error("timer {} goes to one state, and was given more", quoted(.0))]
    TimerEdges(Label),
    /// A task that does not poll has the time limit of a poll.
    #[error("task {} does not poll, so it has no `poll_limit`", quoted(.0))]
    LimitWithoutPoll(Label),
    /// No declared edge leads to a state.
    #[error("state {} can't be reached from [{}]", quoted(.0), quoted_list(.1))]
    Unreachable(Label, Vec<Label>),
    /// Two states share a label. A derived `State` rules this out.
    #[error("two states share the label {}", quoted(.0))]
    DuplicateLabel(Label),
    /// A state's label does not resolve to that state. A derived `State` rules this out.
    #[error("label {} does not resolve to its own state", quoted(.0))]
    LabelMismatch(Label),
}

fn quoted_list(labels: &[Label]) -> String {
    let quoted: Vec<_> = labels.iter().map(|label| quoted(label)).collect();
    bounded(quoted.join(", "))
}

/// The message: a definition is mostly unwrapped, and a panic prints this.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

pub(super) fn validated<S: State>(draft: Draft) -> Result<Flow, BuildError> {
    let labels: Vec<Label> = S::ALL.iter().map(|state| state.label().into()).collect();
    check_names(&draft)?;
    check_labels::<S>(&labels)?;
    check_tasks(&draft, &labels)?;
    let starts = draft.starts.clone();
    let first = draft.tasks.first().map(|task| task.state);

    let mut states: Vec<StateDefinition> = labels
        .iter()
        .map(|label| StateDefinition {
            label: label.clone(),
            role: Role::Exit,
        })
        .collect();
    let mut handlers: Vec<_> = labels.iter().map(|_| None).collect();
    for task in draft.tasks {
        let TaskDraft {
            state,
            name,
            kind,
            edges,
            policy,
            readable,
            handler,
        } = task;
        let definition = TaskDefinition {
            name: name.into(),
            kind,
            edges,
            policy,
            readable,
        };
        states[state].role = Role::Task(definition);
        handlers[state] = Some(handler);
    }
    let definition = Definition {
        name: draft.name.into(),
        version: draft.version,
        accepts: draft.accepts,
        starts,
        states,
        resolve: resolve::<S>,
    };
    check_starts(&definition)?;
    check_reachable(&definition, first)?;
    Ok(Flow::new(definition, handlers))
}

fn check_names(draft: &Draft) -> Result<(), BuildError> {
    if draft.name.is_empty() {
        return Err(BuildError::EmptyName("workflow"));
    }
    if draft.tasks.iter().any(|task| task.name.is_empty()) {
        return Err(BuildError::EmptyName("task"));
    }
    draft
        .misplaced
        .map_or(Ok(()), |method| Err(BuildError::NoTaskNamed(method)))
}

fn check_labels<S: State>(labels: &[Label]) -> Result<(), BuildError> {
    let mut seen = BTreeSet::new();
    for (index, label) in labels.iter().enumerate() {
        if label.is_empty() {
            return Err(BuildError::EmptyName("state"));
        }
        if !seen.insert(label) {
            return Err(BuildError::DuplicateLabel(label.clone()));
        }
        if resolve::<S>(label) != Ok(Some(index)) {
            return Err(BuildError::LabelMismatch(label.clone()));
        }
    }
    Ok(())
}

fn check_tasks(draft: &Draft, labels: &[Label]) -> Result<(), BuildError> {
    let mut defined = vec![false; labels.len()];
    let with_task = draft.tasks.iter().map(|task| task.state);
    for state in with_task.chain(draft.exits.iter().copied()) {
        if std::mem::replace(&mut defined[state], true) {
            return Err(BuildError::DuplicateState(labels[state].clone()));
        }
    }
    if let Some(unhandled) = defined.iter().position(|defined| !defined) {
        return Err(BuildError::Unhandled(labels[unhandled].clone()));
    }
    let forks = |task: &&TaskDraft| {
        task.kind == TaskKind::Timer && task.edges.as_ref().is_none_or(|edges| edges.len() != 1)
    };
    if let Some(timer) = draft.tasks.iter().find(forks) {
        return Err(BuildError::TimerEdges(timer.name.as_str().into()));
    }
    let mislimited =
        |task: &&TaskDraft| task.kind != TaskKind::Poll && task.policy.poll_limit.is_some();
    if let Some(task) = draft.tasks.iter().find(mislimited) {
        return Err(BuildError::LimitWithoutPoll(task.name.as_str().into()));
    }
    let mut names = BTreeSet::new();
    if let Some(doubled) = draft.tasks.iter().find(|task| !names.insert(&task.name)) {
        return Err(BuildError::DuplicateTask(doubled.name.as_str().into()));
    }
    if draft.exits.is_empty() {
        return Err(BuildError::NoExit(draft.name.as_str().into()));
    }
    Ok(())
}

fn check_starts(definition: &Definition) -> Result<(), BuildError> {
    let mut starts = definition.starts.iter().flatten();
    match starts.find(|start| definition.task(**start).is_none()) {
        Some(exit) => Err(BuildError::StartIsExit(
            definition.states[*exit].label.clone(),
        )),
        None => Ok(()),
    }
}

/// Follows the edges from the starts. A task without declared edges may go anywhere, so a
/// definition that declares none is reachable as a whole.
fn check_reachable(definition: &Definition, first: Option<usize>) -> Result<(), BuildError> {
    let starts = definition
        .starts
        .clone()
        .unwrap_or_else(|| first.into_iter().collect());
    let mut reached = vec![false; definition.states.len()];
    let mut frontier = starts.clone();
    while let Some(state) = frontier.pop() {
        if std::mem::replace(&mut reached[state], true) {
            continue;
        }
        let Some(task) = definition.task(state) else {
            continue;
        };
        match &task.edges {
            Some(edges) => frontier.extend(edges),
            None => return Ok(()),
        }
    }
    let label = |state: usize| definition.states[state].label.clone();
    match (0..reached.len()).find(|state| !reached[*state]) {
        Some(lost) => Err(BuildError::Unreachable(
            label(lost),
            starts.into_iter().map(label).collect(),
        )),
        None => Ok(()),
    }
}
