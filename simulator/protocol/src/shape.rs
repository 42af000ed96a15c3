//! The two workflows as definitions of the machine, and the behaviour of their tasks.

use std::collections::BTreeSet;

use crashpoint::protocol::{
    Definition, Failure, FailureKind, Performed, Policy, Role, StateDefinition, TaskDefinition,
    Work,
};
use crashpoint::{Bytes, TaskKind};

use crate::scope::Shape;

/// The error of a task that fails for good.
pub(super) const DECLINED: &str = "declined";

/// The label of the first state of a shape.
pub(super) fn start(shape: Shape) -> &'static str {
    match shape {
        Shape::Saga => "Charge",
        Shape::SteppedLoop { .. } => "Count",
    }
}

/// The definition of the workflow.
pub(super) fn definition(shape: Shape) -> Definition {
    let states = match shape {
        Shape::Saga => vec![
            task("Charge", "charge", TaskKind::Compensatable),
            task("Ship", "ship", TaskKind::Compensatable),
            exit("Done"),
        ],
        Shape::SteppedLoop { .. } => {
            vec![task("Count", "count", TaskKind::Stepped), exit("Done")]
        }
    };
    Definition {
        name: "subject".into(),
        version: 1,
        accepts: BTreeSet::new(),
        starts: None,
        states,
        // No state has an alias.
        resolve: |_| Ok(None),
    }
}

fn task(label: &str, name: &str, kind: TaskKind) -> StateDefinition {
    let task = TaskDefinition {
        name: name.into(),
        kind,
        edges: None,
        policy: Policy::default(),
        readable: |_| Ok(()),
    };
    StateDefinition {
        label: label.into(),
        role: Role::Task(task),
    }
}

fn exit(label: &str) -> StateDefinition {
    StateDefinition {
        label: label.into(),
        role: Role::Exit,
    }
}

/// The states with a compensatable task, each once, in the order of a run that is done.
pub(super) fn compensatable(shape: Shape) -> std::ops::Range<usize> {
    match shape {
        Shape::Saga => 0..2,
        Shape::SteppedLoop { .. } => 0..0,
    }
}

/// The result of `work` without a fault. It depends on what a user's task would see: visit, cursor,
/// output.
pub(super) fn success(shape: Shape, work: &Work) -> Performed {
    match (shape, work) {
        (_, Work::Undo { .. }) => Performed::Undone,
        (Shape::Saga, Work::Do { state, visit }) => Performed::Completed {
            next: state + 1,
            output: Some(output(visit.id)),
        },
        (Shape::SteppedLoop { cursors }, Work::Do { visit, .. }) => {
            let made = visit.cursor.as_ref().map_or(0, |cursor| cursor[0]);
            if made < cursors {
                let cursor = [made + 1].as_slice().into();
                return Performed::Stepped { cursor };
            }
            let looped = visit.id > 0;
            let next = usize::from(looped);
            Performed::Completed { next, output: None }
        }
    }
}

/// What a compensatable task leaves in a visit.
pub(super) fn output(visit: u64) -> Bytes {
    visit.to_le_bytes().as_slice().into()
}

/// What `work` comes to when it fails for good.
pub(super) fn failure() -> Performed {
    Performed::Failed(Failure {
        kind: FailureKind::Fatal,
        message: DECLINED.to_owned(),
    })
}

/// Whether `work` is one that may fail for good.
pub(super) fn may_fail(work: &Work) -> bool {
    match work {
        Work::Do { visit, .. } => visit.id > 0,
        Work::Undo { .. } => true,
    }
}
