//! The graph of a workflow, with the edges that were taken.

pub mod layout;

use std::collections::BTreeMap;

use crashpoint::TaskKind;
use crashpoint::protocol::{Definition, Role, StateDefinition};
use crashpoint_simulator::{History, render};
use maud::{Markup, html};
use unicode_width::UnicodeWidthStr as _;

use crate::page::graph::layout::{Layout, NODE_HEIGHT, NodePosition, Route};
use crate::page::words::shown;

/// How wide a character of a node is taken to be, and a node at least, in pixels.
const CHARACTER: i32 = 8;
const NODE_MIN: i32 = 70;

/// The longest name that fits into a node, in columns.
const NAME_MAX: usize = 22;

/// How often each edge was taken; from and to are indices of states.
#[derive(Debug, Clone, Default)]
pub(crate) struct Taken(BTreeMap<(usize, usize), u64>);

impl Taken {
    /// Counts the edges between these labels.
    pub(crate) fn of<'a>(
        definition: &Definition,
        edges: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut taken = Self::default();
        for (from, to) in edges {
            let ends = (
                definition.state_of_label(from),
                definition.state_of_label(to),
            );
            if let (Some(from), Some(to)) = ends {
                *taken.0.entry((from, to)).or_default() += 1;
            }
        }
        taken
    }

    /// How many edges of the definition were taken, and how many it has.
    pub(crate) fn covered(&self, definition: &Definition) -> (usize, usize) {
        let edges = self.edges(definition);
        let taken = edges.iter().filter(|edge| self.0.contains_key(edge));
        (taken.count(), edges.len())
    }

    /// The declared edges, and those that were taken without a declaration.
    fn edges(&self, definition: &Definition) -> Vec<(usize, usize)> {
        let mut edges: Vec<(usize, usize)> = Vec::new();
        for (from, state) in definition.states.iter().enumerate() {
            let Role::Task(task) = &state.role else {
                continue;
            };
            let declared = task.edges.iter().flatten();
            edges.extend(declared.map(|to| (from, *to)));
        }
        edges.extend(self.0.keys());
        let mut known = std::collections::BTreeSet::new();
        edges.retain(|edge| known.insert(*edge));
        edges
    }
}

/// The graph as a drawing.
pub(crate) fn graph(definition: &Definition, taken: &Taken) -> Markup {
    let states = &definition.states;
    let widths: Vec<i32> = states.iter().map(width).collect();
    let edges = taken.edges(definition);
    let layout = layout::layout(&widths, &edges);
    let Layout { width, height, .. } = layout;
    let (covered, total) = taken.covered(definition);
    html! {
        div.graph {
            svg viewBox=(format!("0 0 {width} {height}")) style=(format!("max-width:{width}px"))
                role="img" aria-label=(format!("graph: {} states, {covered} of {total} edges taken", states.len())) {
                @for (edge, route) in edges.iter().zip(&layout.edges) {
                    (draw_edge(definition, *edge, route, taken.0.get(edge).copied()))
                }
                @for (index, place) in layout.nodes.iter().enumerate() {
                    (draw_node(index, &states[index], *place, visited(taken, index)))
                }
            }
        }
        p.note {
            (covered) " of " (total) " edges taken: a full line"
            @if taken.0.values().any(|times| *times > 1) { ", with how often" }
            ". Double frame: compensatable; slanted: stepped; round: exit."
            @if states.iter().any(goes_anywhere) {
                " A task with a dotted frame may go anywhere: of it only what was taken is drawn."
            }
        }
    }
}

/// The states of a run in order, in words.
pub(crate) fn path(history: &History) -> Markup {
    let mut edges = history.edges().peekable();
    html! {
        @if let Some((from, _)) = edges.peek() {
            p.path {
                "Path: " b { (shown(from)) }
                @for (_, to) in edges { " \u{2192} " b { (shown(to)) } }
            }
        }
    }
}

fn visited(taken: &Taken, state: usize) -> bool {
    taken
        .0
        .keys()
        .any(|(from, to)| *from == state || *to == state)
}

fn goes_anywhere(state: &StateDefinition) -> bool {
    matches!(&state.role, Role::Task(task) if task.edges.is_none())
}

/// A name as it fits into a node.
fn name(text: &str) -> String {
    let escaped = render::escaped(text);
    if escaped.width() <= NAME_MAX {
        return escaped;
    }
    let mut name = String::new();
    for character in escaped.chars() {
        if name.width() + 2 > NAME_MAX {
            break;
        }
        name.push(character);
    }
    name.push('\u{2026}');
    name
}

fn names(state: &StateDefinition) -> (String, String) {
    let task = match &state.role {
        Role::Exit => "exit".to_owned(),
        Role::Task(task) => name(&task.name),
    };
    (name(&state.label), task)
}

fn width(state: &StateDefinition) -> i32 {
    let (label, task) = names(state);
    let columns = label.width().max(task.width()) as i32;
    (columns * CHARACTER + 24).max(NODE_MIN)
}

fn draw_node(index: usize, state: &StateDefinition, place: NodePosition, visited: bool) -> Markup {
    let NodePosition { x, y, width } = place;
    let (middle, (label, task)) = (x + width / 2, names(state));
    let mut class = String::from("node");
    if visited {
        class.push_str(" taken");
    }
    if goes_anywhere(state) {
        class.push_str(" anywhere");
    }
    let (what, radius) = match &state.role {
        Role::Exit => ("exit", NODE_HEIGHT / 2),
        Role::Task(task) => match task.kind {
            TaskKind::Plain => ("plain task", 4),
            TaskKind::Compensatable => ("compensatable task", 4),
            TaskKind::Stepped => ("stepped task", 4),
            TaskKind::Router => ("router", NODE_HEIGHT / 4),
            TaskKind::Timer => ("timer", NODE_HEIGHT / 4),
            TaskKind::Poll => ("polling task", 4),
        },
    };
    let full = match &state.role {
        Role::Exit => format!("{}: exit", render::escaped(&state.label)),
        Role::Task(task) => {
            let (label, task) = (render::escaped(&state.label), render::escaped(&task.name));
            format!("{label}: {what} {task}")
        }
    };
    html! {
        g class=(class) data-k=(format!("s{index}")) {
            title { (full) }
            @if what == "stepped task" {
                path d=(format!("M{} {y}h{}l-8 {NODE_HEIGHT}h-{}z", x + 8, width - 8, width - 8)) {}
            } @else {
                rect x=(x) y=(y) width=(width) height=(NODE_HEIGHT) rx=(radius) {}
            }
            @if what == "compensatable task" {
                rect.inner x=(x + 4) y=(y + 4) width=(width - 8) height=(NODE_HEIGHT - 8) rx="2" {}
            }
            text.label x=(middle) y=(y + 19) { (label) }
            text.what x=(middle) y=(y + 34) { (task) }
        }
    }
}

fn draw_edge(
    definition: &Definition,
    (from, to): (usize, usize),
    route: &Route,
    times: Option<u64>,
) -> Markup {
    let class = if times.is_some() {
        "edge taken"
    } else {
        "edge"
    };
    let ends = [from, to].map(|state| render::escaped(&definition.states[state].label));
    let often = match times {
        None => "never taken".to_owned(),
        Some(times) => format!("taken {}", crate::text::counted(times, "time")),
    };
    let (line, head, (x, y)) = match route {
        Route::Down(points) => (curved(points), pointing_down(points), middle(points)),
        Route::Back(points) => (angular(points), pointing_left(points), middle(points)),
    };
    html! {
        g class=(class) {
            title { (ends[0]) " to " (ends[1]) ", " (often) }
            path.line d=(line) {}
            path.head d=(head) {}
            @if let Some(times) = times.filter(|times| *times > 1) {
                text x=(x + 6) y=(y + 4) { "\u{d7}" (times) }
            }
        }
    }
}

fn middle(points: &[(i32, i32)]) -> (i32, i32) {
    let (a, b) = (points[points.len() / 2 - 1], points[points.len() / 2]);
    ((a.0 + b.0) / 2, (a.1 + b.1) / 2)
}

/// Through the points, bending between layers.
fn curved(points: &[(i32, i32)]) -> String {
    let mut line = format!("M{} {}", points[0].0, points[0].1);
    for pair in points.windows(2) {
        let ((_, above), (x, y)) = (pair[0], pair[1]);
        let bend = i32::midpoint(above, y);
        line.push_str(&format!("C{} {bend} {x} {bend} {x} {y}", pair[0].0));
    }
    line
}

fn angular(points: &[(i32, i32)]) -> String {
    let mut points = points.iter();
    let first = points.next().map(|(x, y)| format!("M{x} {y}"));
    let rest = points.map(|(x, y)| format!("L{x} {y}"));
    first.into_iter().chain(rest).collect()
}

fn pointing_down(points: &[(i32, i32)]) -> String {
    let (x, y) = points[points.len() - 1];
    format!("M{x} {y}l-4 -8h8z")
}

fn pointing_left(points: &[(i32, i32)]) -> String {
    let (x, y) = points[points.len() - 1];
    format!("M{x} {y}l8 -4v8z")
}
