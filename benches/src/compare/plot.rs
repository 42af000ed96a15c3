//! Rows a second against writers, both axes logarithmic, as SVG.

use std::fmt::Write as _;

use crate::rounds::{OURS, Results};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 560.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 370.0;

/// The markers differ as well, for print and for people who see few colours.
const COLOURS: [&str; 8] = [
    "#0072b2", "#d55e00", "#e69f00", "#009e73", "#56b4e9", "#cc79a7", "#999999", "#000000",
];

pub(crate) fn render(results: &Results) -> String {
    let mut subjects: Vec<&str> = Vec::new();
    let mut writers: Vec<usize> = Vec::new();
    for row in &results.rows {
        if !subjects.contains(&&*row.subject) {
            subjects.push(&row.subject);
        }
        if !writers.contains(&row.writers) {
            writers.push(row.writers);
        }
    }
    let most = writers.iter().copied().max().unwrap_or(1).max(2) as f64;
    let rates = results.rows.iter().map(super::rounds::Row::rows_per_second);
    let (low, high) = rates.fold((f64::INFINITY, 1.0_f64), |(low, high), rate| {
        (low.min(rate), high.max(rate))
    });
    let (low, high) = (low.max(1.0).log10().floor(), high.log10().ceil());
    let x = |writers: usize| LEFT + (RIGHT - LEFT) * (writers as f64).log2() / most.log2();
    let y = |rate: f64| BOTTOM - (BOTTOM - TOP) * (rate.log10() - low) / (high - low).max(1.0);

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<title>{}</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"20\" font-size=\"14\">{}, rows a second</text>\n",
        results.title, results.title
    );
    for power in low as i32..=high as i32 {
        let rate = 10_f64.powi(power);
        let at = y(rate);
        _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{RIGHT}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            at + 4.0,
            rate as u64
        );
    }
    for count in &writers {
        let at = x(*count);
        _ = writeln!(
            svg,
            "<line x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{BOTTOM}\" stroke=\"#eee\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{count}</text>",
            BOTTOM + 18.0
        );
    }
    _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">writers at the same time</text>",
        (LEFT + RIGHT) / 2.0,
        BOTTOM + 38.0
    );
    // Names stand beside the ends of their lines, moved apart where they would meet.
    let mut ends: Vec<(f64, usize)> = Vec::new();
    for (index, subject) in subjects.iter().enumerate() {
        let points: Vec<(f64, f64)> = results
            .rows
            .iter()
            .filter(|row| row.subject == *subject)
            .map(|row| (x(row.writers), y(row.rows_per_second())))
            .collect();
        let colour = COLOURS[index % COLOURS.len()];
        let width = if *subject == OURS { 3 } else { 1 };
        let line: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"/>",
            line.join(" ")
        );
        for (x, y) in &points {
            _ = writeln!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"
            );
        }
        if let Some((_, y)) = points.last() {
            ends.push((*y, index));
        }
    }
    ends.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut lowest = f64::NEG_INFINITY;
    for (y, index) in ends {
        lowest = y.max(lowest + 15.0);
        let (colour, subject) = (COLOURS[index % COLOURS.len()], subjects[index]);
        let (x, y) = (RIGHT + 10.0, lowest + 4.0);
        _ = writeln!(
            svg,
            "<text x=\"{x}\" y=\"{y:.1}\" fill=\"{colour}\">{subject}</text>"
        );
    }
    svg + "</svg>\n"
}
