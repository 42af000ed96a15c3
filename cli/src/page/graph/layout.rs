//! A layered layout of a small directed graph, after Sugiyama. The layer of a node is its longest
//! path from the start, an edge over several layers bends around the nodes between, and each layer
//! is ordered by the mean position of its neighbours.
//!
//! Back edges of loops run through a separate channel on the right. All numbers are pixels. The
//! same graph gives the same picture.

use std::collections::BTreeMap;

/// The height of a node, and the distance between two layers.
pub const NODE_HEIGHT: i32 = 44;
const LAYER_GAP: i32 = 40;

/// The distance between two nodes of a layer, and the margin.
const NODE_GAP: i32 = 24;
const MARGIN: i32 = 10;

/// The width that an edge takes in a layer that it only passes.
const BEND_WIDTH: i32 = 8;

/// The distance between two edges in the channel on the right.
const CHANNEL_GAP: i32 = 14;

/// How often each layer is ordered by its neighbours. Small graphs settle at once.
const SWEEPS: usize = 6;

/// The positions of nodes and edges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The nodes, in the given order.
    pub nodes: Vec<NodePosition>,
    /// The edges, in the given order.
    pub edges: Vec<Route>,
    /// The width of the picture.
    pub width: i32,
    /// The height of the picture.
    pub height: i32,
}

/// The left upper corner and the width of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodePosition {
    /// From the left.
    pub x: i32,
    /// From the top.
    pub y: i32,
    /// The width.
    pub width: i32,
}

/// The points that an edge goes through, its ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// From the bottom of its source down to the top of its target.
    Down(Vec<(i32, i32)>),
    /// From the right of its source up, or around, to the right of its target.
    Back(Vec<(i32, i32)>),
}

/// Lays out nodes of these widths and the edges between them.
///
/// # Panics
///
/// If an edge names a node that does not exist.
pub fn layout(widths: &[i32], edges: &[(usize, usize)]) -> Layout {
    let count = widths.len();
    let known = |&(from, to): &(usize, usize)| from < count && to < count;
    assert!(edges.iter().all(known), "an edge is between two nodes");
    let back = back_edges(count, edges);
    let layers = layers(count, edges, &back);
    let forward = edges.iter().zip(&back).filter(|(_, back)| !**back);
    for (&(from, to), _) in forward {
        assert!(
            layers[from] < layers[to],
            "without its back edges a graph has no cycle, so each layer is below its predecessors"
        );
    }
    let mut board = Board::new(widths, &layers);
    let chains = board.chains(edges, &back, &layers);
    board.order();
    board.place();
    let layout = board.finish(edges, &chains);
    assert_eq!(
        layout.nodes.len(),
        count,
        "helper nodes of long edges are not drawn"
    );
    assert_eq!(layout.edges.len(), edges.len(), "each edge has one route");
    layout
}

/// The edges that lead back to a node on the path to their source.
fn back_edges(count: usize, edges: &[(usize, usize)]) -> Vec<bool> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        OnTheWay,
        Done,
    }
    let mut seen = vec![Seen::No; count];
    let mut back = vec![false; edges.len()];
    for root in 0..count {
        // The path to a node, each with its next edge. Not recursive, so a long path is safe.
        let mut way: Vec<(usize, usize)> = Vec::new();
        if seen[root] == Seen::No {
            seen[root] = Seen::OnTheWay;
            way.push((root, 0));
        }
        while let Some((node, next)) = way.last_mut() {
            let found = (*next..edges.len()).find(|&edge| edges[edge].0 == *node);
            let Some(edge) = found else {
                seen[*node] = Seen::Done;
                way.pop();
                continue;
            };
            *next = edge + 1;
            let to = edges[edge].1;
            match seen[to] {
                Seen::OnTheWay => back[edge] = true,
                Seen::No => {
                    seen[to] = Seen::OnTheWay;
                    way.push((to, 0));
                }
                Seen::Done => {}
            }
        }
    }
    back
}

/// The layer of each node: below every node with an edge to it.
fn layers(count: usize, edges: &[(usize, usize)], back: &[bool]) -> Vec<usize> {
    let mut layers = vec![0; count];
    let forward = || edges.iter().zip(back).filter(|(_, back)| !**back);
    // Without back edges no path is longer than the number of nodes.
    for _ in 0..count {
        for ((from, to), _) in forward() {
            layers[*to] = layers[*to].max(layers[*from] + 1);
        }
    }
    layers
}

/// The nodes and the bends of long edges, in layers.
struct Board {
    /// The width of each: first the nodes, then the bends.
    widths: Vec<i32>,
    layer_of: Vec<usize>,
    /// In each layer, from left to right.
    layers: Vec<Vec<usize>>,
    above: Vec<Vec<usize>>,
    below: Vec<Vec<usize>>,
    /// The middles.
    x: Vec<i32>,
    nodes: usize,
}

impl Board {
    fn new(widths: &[i32], layer_of: &[usize]) -> Self {
        let count = layer_of.iter().max().map_or(0, |last| last + 1);
        let mut layers = vec![Vec::new(); count];
        for (node, layer) in layer_of.iter().enumerate() {
            layers[*layer].push(node);
        }
        Self {
            widths: widths.to_vec(),
            layer_of: layer_of.to_vec(),
            layers,
            above: vec![Vec::new(); widths.len()],
            below: vec![Vec::new(); widths.len()],
            x: vec![0; widths.len()],
            nodes: widths.len(),
        }
    }

    /// The nodes and bends of each edge from source to target; empty for a back edge.
    fn chains(
        &mut self,
        edges: &[(usize, usize)],
        back: &[bool],
        layer_of: &[usize],
    ) -> Vec<Vec<usize>> {
        let mut chains = Vec::new();
        for (&(from, to), &back) in edges.iter().zip(back) {
            if back {
                chains.push(Vec::new());
                continue;
            }
            let mut chain = vec![from];
            chain.extend((layer_of[from] + 1..layer_of[to]).map(|layer| self.bend(layer)));
            chain.push(to);
            for pair in chain.windows(2) {
                self.below[pair[0]].push(pair[1]);
                self.above[pair[1]].push(pair[0]);
            }
            chains.push(chain);
        }
        chains
    }

    fn bend(&mut self, layer: usize) -> usize {
        let bend = self.widths.len();
        self.widths.push(BEND_WIDTH);
        self.layer_of.push(layer);
        self.layers[layer].push(bend);
        self.above.push(Vec::new());
        self.below.push(Vec::new());
        self.x.push(0);
        bend
    }

    /// Orders each layer by the mean position of the neighbours above, then below, in turns.
    fn order(&mut self) {
        for sweep in 0..SWEEPS {
            let mut position: BTreeMap<usize, usize> = BTreeMap::new();
            for layer in &self.layers {
                position.extend(layer.iter().enumerate().map(|(at, item)| (*item, at)));
            }
            let downward = sweep % 2 == 0;
            let neighbours = if downward { &self.above } else { &self.below };
            let count = self.layers.len();
            for step in 0..count {
                let index = if downward { step } else { count - 1 - step };
                let layer = &mut self.layers[index];
                // Positions in thousandths, because their mean is an integer division.
                let weight = |item: &usize| {
                    let near = &neighbours[*item];
                    match near.len() {
                        0 => position[item] * 1000,
                        some => near.iter().map(|near| position[near] * 1000).sum::<usize>() / some,
                    }
                };
                layer.sort_by_cached_key(weight);
                position.extend(layer.iter().enumerate().map(|(at, item)| (*item, at)));
            }
        }
    }

    /// Moves each item towards the mean of its neighbours, as far as there is room.
    fn place(&mut self) {
        for sweep in 0..SWEEPS {
            let count = self.layers.len();
            for step in 0..count {
                let downward = sweep % 2 == 0;
                let index = if downward { step } else { count - 1 - step };
                let neighbours = if downward { &self.above } else { &self.below };
                let wanted: Vec<i32> = self.layers[index]
                    .iter()
                    .map(|item| {
                        mean(neighbours[*item].iter().map(|near| self.x[*near]))
                            .unwrap_or(self.x[*item])
                    })
                    .collect();
                self.spread(index, &wanted);
            }
        }
    }

    /// Places a layer as near to the wanted positions as possible without an overlap.
    fn spread(&mut self, layer: usize, wanted: &[i32]) {
        let items = &self.layers[layer];
        let mut placed: Vec<i32> = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let least = at.checked_sub(1).map(|before| {
                placed[before] + (self.widths[items[before]] + self.widths[*item]) / 2 + NODE_GAP
            });
            placed.push(least.map_or(wanted[at], |least| wanted[at].max(least)));
        }
        // Pushing to the right alone would shift the layer, so it moves back to its mean as a
        // whole.
        let lean = mean(placed.iter().zip(wanted).map(|(is, wanted)| is - wanted)).unwrap_or(0);
        for (item, x) in items.iter().zip(placed) {
            self.x[*item] = x - lean;
        }
    }

    fn finish(self, edges: &[(usize, usize)], chains: &[Vec<usize>]) -> Layout {
        let left = |item: usize| self.x[item] - self.widths[item] / 2;
        let all = 0..self.widths.len();
        let shift = MARGIN - all.clone().map(left).min().unwrap_or(0);
        let top = |item: usize| MARGIN + self.layer_of[item] as i32 * (NODE_HEIGHT + LAYER_GAP);
        let nodes: Vec<NodePosition> = (0..self.nodes)
            .map(|node| NodePosition {
                x: left(node) + shift,
                y: top(node),
                width: self.widths[node],
            })
            .collect();
        let right = all.map(|item| left(item) + shift + self.widths[item]).max();
        let mut width = right.unwrap_or(0);
        let edges = edges.iter().zip(chains).map(|(&(from, to), chain)| {
            if chain.is_empty() {
                width += CHANNEL_GAP;
                return Route::Back(around(nodes[from], nodes[to], width));
            }
            Route::Down(self.down(chain, shift, top))
        });
        let edges = edges.collect();
        let layers = self.layers.len() as i32;
        Layout {
            nodes,
            edges,
            width: width + MARGIN,
            height: 2 * MARGIN + layers * NODE_HEIGHT + (layers - 1).max(0) * LAYER_GAP,
        }
    }

    fn down(&self, chain: &[usize], shift: i32, top: impl Fn(usize) -> i32) -> Vec<(i32, i32)> {
        let mut points = Vec::new();
        for (at, &item) in chain.iter().enumerate() {
            let x = self.x[item] + shift;
            if at > 0 {
                points.push((x, top(item)));
            }
            if at + 1 < chain.len() {
                points.push((x, top(item) + NODE_HEIGHT));
            }
        }
        points
    }
}

/// From the right of a node through the channel to the right of another, or of the same.
fn around(from: NodePosition, to: NodePosition, channel: i32) -> Vec<(i32, i32)> {
    let (start, end) = (from.y + NODE_HEIGHT * 2 / 3, to.y + NODE_HEIGHT / 3);
    vec![
        (from.x + from.width, start),
        (channel, start),
        (channel, end),
        (to.x + to.width, end),
    ]
}

fn mean(numbers: impl Iterator<Item = i32>) -> Option<i32> {
    let (mut sum, mut count) = (0, 0);
    for number in numbers {
        (sum, count) = (sum + number, count + 1);
    }
    (count > 0).then(|| sum / count)
}
