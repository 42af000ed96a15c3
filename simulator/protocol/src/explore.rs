//! Breadth first through every state, so that the first trace to a violation is a shortest one.

use std::hash::Hash;

use crashpoint::protocol::Rules;

use crate::intern::Interner;
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

/// Explores what lives under `rules` can do within `scope`.
pub(super) fn explore<R: Rules + Copy + Eq + Hash>(
    scope: Scope,
    rules: R,
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
            if successor.broken.is_empty() {
                if seen.intern(successor.world).1 {
                    parents.push(present);
                }
                continue;
            }
            // What follows a violation proves nothing: it is not gone into.
            let unseen = successor
                .broken
                .iter()
                .any(|&invariant| report.holds(invariant));
            if unseen {
                let mut trace = trace(&mut model, &seen, &parents, present);
                trace.push(words::step(&model, &world, successor.step));
                for invariant in successor.broken {
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

/// The steps from the beginning to the state of this number, in words.
fn trace<R: Rules + Copy + Eq + Hash>(
    model: &mut Model<R>,
    seen: &Interner<World>,
    parents: &[u32],
    end: u32,
) -> Vec<String> {
    let mut path = vec![end];
    while let Some(&state) = path.last()
        && state != 0
    {
        path.push(parents[state as usize]);
    }
    path.reverse();
    let worlds: Vec<World> = path.iter().map(|&state| *seen.get(state)).collect();
    let pairs = worlds.windows(2);
    pairs
        .map(|pair| {
            let step = step_between(model, &pair[0], &pair[1]);
            words::step(model, &pair[0], step)
        })
        .collect()
}

fn step_between<R: Rules + Copy + Eq + Hash>(
    model: &mut Model<R>,
    before: &World,
    after: &World,
) -> Step {
    let mut successors = Vec::new();
    model.successors(before, &mut successors);
    let taken = successors
        .iter()
        .find(|successor| successor.broken.is_empty() && successor.world == *after);
    taken.expect("a parent leads to its child").step
}
