//! Draws a workflow, state by state. Every state has the same draws.
//!
//! Because every state has every draw, needed or not, the third draw of any label belongs to the
//! third state. So removing a state from a tape leaves the others unchanged.

use crate::choices::Choices;
use crate::workload::generated::{Detour, Failure, Kind, NODES_MAX, Node};

/// A table of values with their weights. The first is the least interesting.
type Weighted<T> = &'static [(usize, T)];

/// The kinds of tasks, as functions of the number of cursors.
const KINDS: Weighted<fn(u64) -> Kind> = &[
    (2, |_| Kind::Plain),
    (3, |_| Kind::Compensatable),
    (2, Kind::Stepped),
];

const FAILURES: Weighted<Failure> = &[
    (12, Failure::Never),
    (2, Failure::Once),
    (1, Failure::FatalOnce),
    (1, Failure::Always),
    (1, Failure::Panics),
];

const DETOURS: Weighted<Option<Way>> = &[(6, None), (1, Some(Way::Back)), (1, Some(Way::Ahead))];

/// How often an undo fails.
const UNDO_FAILURES: Weighted<u64> = &[(9, 0), (1, 1), (1, 2), (1, 3)];

/// Whether another state follows.
const MORE: Weighted<bool> = &[(1, false), (4, true)];

/// The most cursors of a stepped task, and the most repetitions of a detour.
const CURSORS_MAX: usize = 2;
const TIMES_MAX: usize = 2;

#[derive(Debug, Clone, Copy)]
enum Way {
    Back,
    Ahead,
}

/// A detour before the number of states is known.
struct Leap {
    way: Way,
    far: usize,
    times: u64,
}

/// A workflow, drawn from `choices`: `1..=NODES_MAX` states.
pub fn draw(choices: &mut (impl Choices + ?Sized)) -> Vec<Node> {
    let mut drawn = Vec::new();
    while drawn.len() < NODES_MAX && weighted(choices, "plan/state/more", MORE) {
        drawn.push(node(choices));
    }
    if drawn.is_empty() {
        drawn.push((Node::of(Kind::Plain), None));
    }
    let exit = drawn.len();
    let nodes = drawn.into_iter().enumerate();
    let nodes = nodes.map(|(index, (node, leap))| {
        let detour = leap.map(|Leap { way, far, times }| {
            let to = match way {
                Way::Back => index.saturating_sub(far),
                Way::Ahead => (index + 2 + far).min(exit),
            };
            Detour { to, times }
        });
        Node { detour, ..node }
    });
    nodes.collect()
}

fn node(choices: &mut (impl Choices + ?Sized)) -> (Node, Option<Leap>) {
    let kind = weighted(choices, "plan/state/kind", KINDS);
    let cursors = choices.choose("plan/state/cursors", CURSORS_MAX + 1);
    let way = weighted(choices, "plan/state/detour", DETOURS);
    let far = choices.choose("plan/state/detour, how far", NODES_MAX);
    let times = choices.choose("plan/state/detour, how often", TIMES_MAX);
    let node = Node {
        kind: kind(cursors as u64),
        detour: None,
        failure: weighted(choices, "plan/state/failure", FAILURES),
        undo_failures: weighted(choices, "plan/state/undo failures", UNDO_FAILURES),
        sleeps: choices.choose("plan/state/sleeps", 2) == 1,
    };
    let times = times as u64 + 1;
    (node, way.map(|way| Leap { way, far, times }))
}

/// Draws a value of a table.
fn weighted<T: Copy + 'static>(
    choices: &mut (impl Choices + ?Sized),
    label: &str,
    table: Weighted<T>,
) -> T {
    let all = table.iter().map(|(weight, _)| weight).sum();
    let mut chosen = choices.choose(label, all);
    for (weight, thing) in table {
        match chosen.checked_sub(*weight) {
            None => return *thing,
            Some(left) => chosen = left,
        }
    }
    unreachable!("{label}: the choice is among the weights")
}
