//! Breadth-first search through every state, so that the first trace to a violation is a shortest
//! one.

use std::hash::Hash;

use crashpoint::protocol::Rules;

use crate::intern::Interner;
use crate::invariants::{Invariant, broken};
use crate::model::{Model, Step, Successor};
use crate::report::{CheckReport, Violation};
use crate::scope::Scope;
use crate::words;
use crate::world::World;

/// When an exploration ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Every state was seen.
    Exhausted,
    /// A step broke an invariant.
    Broken,
}

/// Explores everything that lives under `rules` can do within `scope`, and checks these invariants.
pub(super) fn explore<R: Rules + Copy + Eq + Hash>(
    scope: Scope,
    rules: R,
    checked: &[Invariant],
    until: Until,
) -> CheckReport {
    let mut model = Model::new(scope, rules);
    let mut seen = Interner::new();
    let mut parents = vec![0];
    seen.intern(World::initial(&scope));
    let mut report = CheckReport::new(scope);
    let mut successors: Vec<Successor> = Vec::new();
    let mut present = 0;
    'exploring: while (present as usize) < seen.len() {
        let world = *seen.get(present);
        model.successors(&world, &mut successors);
        for successor in successors.drain(..) {
            report.transitions += 1;
            let broken = broken(checked, &model, &world, &successor);
            if broken.is_empty() {
                if seen.intern(successor.world).1 {
                    parents.push(present);
                }
                continue;
            }
            // The successors of a violation prove nothing, so they are not explored.
            if broken.iter().any(|&invariant| report.holds(invariant)) {
                let path = path(&seen, &parents, present);
                let mut trace = trace(&mut model, checked, &path);
                trace.push(words::step(&model, &world, successor.step));
                for invariant in broken {
                    if report.holds(invariant) {
                        let trace = trace.clone();
                        report.violations.push(Violation { invariant, trace });
                    }
                }
            }
            if until == Until::Broken {
                break 'exploring;
            }
        }
        present += 1;
    }
    report.states = seen.len() as u64;
    report.machines = model.lives.len();
    report.logs = model.logs.len();
    report
}

/// The states from the initial state to the state with this number.
fn path(seen: &Interner<World>, parents: &[u32], end: u32) -> Vec<World> {
    let mut path = vec![end];
    while let Some(&state) = path.last()
        && state != 0
    {
        let parent = parents[state as usize];
        assert!(parent < state, "a state is numbered after its parent");
        path.push(parent);
    }
    path.iter().rev().map(|&state| *seen.get(state)).collect()
}

/// The steps along a path, in words.
fn trace<R: Rules + Copy + Eq + Hash>(
    model: &mut Model<R>,
    checked: &[Invariant],
    path: &[World],
) -> Vec<String> {
    let pairs = path.windows(2);
    pairs
        .map(|pair| {
            let step = step_between(model, checked, &pair[0], &pair[1]);
            words::step(model, &pair[0], step)
        })
        .collect()
}

fn step_between<R: Rules + Copy + Eq + Hash>(
    model: &mut Model<R>,
    checked: &[Invariant],
    before: &World,
    after: &World,
) -> Step {
    let mut successors = Vec::new();
    model.successors(before, &mut successors);
    let taken = successors.iter().find(|successor| {
        successor.world == *after && broken(checked, model, before, successor).is_empty()
    });
    taken.expect("a parent leads to its child").step
}
