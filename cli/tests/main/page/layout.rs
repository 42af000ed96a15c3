//! The layered layout of graphs.

use crashpoint_cli::page::graph::layout::{Layout, NODE_HEIGHT, Route, layout};
use expect_test::{Expect, expect};
use proptest::prelude::*;

fn check(widths: &[i32], edges: &[(usize, usize)], expected: &Expect) {
    let Layout {
        nodes,
        edges,
        width,
        height,
    } = layout(widths, edges);
    let mut lines = vec![format!("{width} x {height}")];
    lines.extend(
        nodes
            .iter()
            .map(|node| format!("node at {}, {}", node.x, node.y)),
    );
    lines.extend(edges.iter().map(|route| match route {
        Route::Down(points) => format!("down {points:?}"),
        Route::Back(points) => format!("back {points:?}"),
    }));
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn a_row_of_states_goes_straight_down() {
    check(
        &[80, 80, 80],
        &[(0, 1), (1, 2)],
        &expect![[r#"
            100 x 232
            node at 10, 10
            node at 10, 94
            node at 10, 178
            down [(50, 54), (50, 94)]
            down [(50, 138), (50, 178)]"#]],
    );
}

#[test]
fn a_loop_goes_back_in_a_channel_on_the_right() {
    check(
        &[80, 80],
        &[(0, 1), (1, 0), (1, 1)],
        &expect![[r#"
            128 x 148
            node at 10, 10
            node at 10, 94
            down [(50, 54), (50, 94)]
            back [(90, 123), (104, 123), (104, 24), (90, 24)]
            back [(90, 123), (118, 123), (118, 108), (90, 108)]"#]],
    );
}

#[test]
fn nothing_is_laid_out_as_nothing() {
    check(&[], &[], &expect!["10 x 20"]);
}

fn graphs() -> impl Strategy<Value = (Vec<i32>, Vec<(usize, usize)>)> {
    prop::collection::vec(20..300_i32, 1..12).prop_flat_map(|widths| {
        let count = widths.len();
        let edges = prop::collection::vec((0..count, 0..count), 0..24);
        (Just(widths), edges)
    })
}

proptest! {
    #[test]
    fn nodes_never_overlap_and_everything_is_inside((widths, edges) in graphs()) {
        let laid = layout(&widths, &edges);
        prop_assert_eq!(laid.nodes.len(), widths.len());
        prop_assert_eq!(laid.edges.len(), edges.len());
        for (index, node) in laid.nodes.iter().enumerate() {
            prop_assert!(node.x >= 0 && node.x + node.width <= laid.width);
            prop_assert!(node.y >= 0 && node.y + NODE_HEIGHT <= laid.height);
            for other in &laid.nodes[index + 1..] {
                let beside = node.x + node.width <= other.x || other.x + other.width <= node.x;
                prop_assert!(node.y != other.y || beside, "{node:?} and {other:?}");
            }
        }
        for (route, (from, to)) in laid.edges.iter().zip(&edges) {
            let (Route::Down(points) | Route::Back(points)) = route;
            let inside = |(x, y): &(i32, i32)| (0..=laid.width).contains(x) && (0..=laid.height).contains(y);
            prop_assert!(points.iter().all(inside), "{points:?}");
            let down = matches!(route, Route::Down(_));
            prop_assert_eq!(down, laid.nodes[*from].y < laid.nodes[*to].y);
            prop_assert!(!down || points.windows(2).all(|pair| pair[0].1 < pair[1].1));
        }
    }
}
