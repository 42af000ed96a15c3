//! Results for people, as a table in Markdown.

use std::fmt::Write as _;

use crate::rounds::Results;

pub(crate) fn render(results: &Results) -> String {
    let mut text = format!("## {}\n\n", results.title);
    text += "| store | writers | rows/s | lowest to highest | p50 us | p99 us | flushes/row | \
             bytes/row | timer late by ms |\n";
    text += "|---|---:|---:|---:|---:|---:|---:|---:|---:|\n";
    for row in &results.rows {
        let (low, high) = row.spread();
        let known = |number: Option<f64>, digits: usize| {
            number.map_or_else(|| "?".to_owned(), |number| format!("{number:.digits$}"))
        };
        let line = format!(
            "| {} | {} | {:.0} | {low:.0} to {high:.0} | {:.0} | {:.0} | {} | {} | {:.1} |",
            row.subject,
            row.writers,
            row.rows_per_second(),
            row.median(|turn| turn.p50_us as f64),
            row.median(|turn| turn.p99_us as f64),
            known(row.median_of_known(|turn| turn.flushes_per_row), 3),
            known(row.median_of_known(|turn| turn.bytes_per_row), 0),
            row.timer_stall_ms(),
        );
        text += &line;
        text.push('\n');
    }
    text += "\n| ratio | writers | rows/s over rows/s |\n|---|---:|---:|\n";
    for ratio in results.ratios() {
        let (ours, theirs) = (&ratio.numerator, &ratio.denominator);
        _ = writeln!(
            text,
            "| {ours} / {theirs} | {} | {:.2} |",
            ratio.writers, ratio.ratio
        );
    }
    text
}
