//! Results for programs. The shape is fixed: version 1.

use serde::Serialize;

use crate::rounds::Results;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    rows: Vec<Row<'a>>,
    ratios: Vec<Ratio<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    subject: &'a str,
    writers: usize,
    rows_per_second: f64,
    p50_us: f64,
    p99_us: f64,
    flushes_per_row: Option<f64>,
    bytes_per_row: Option<f64>,
    timer_stall_ms: f64,
}

#[derive(Serialize)]
struct Ratio<'a> {
    numerator: &'a str,
    denominator: &'a str,
    writers: usize,
    ratio: f64,
}

pub(crate) fn render(results: &Results) -> String {
    let rows = results.rows.iter().map(|row| Row {
        subject: &row.subject,
        writers: row.writers,
        rows_per_second: row.rows_per_second(),
        p50_us: row.median(|turn| turn.p50_us as f64),
        p99_us: row.median(|turn| turn.p99_us as f64),
        flushes_per_row: row.median_of_known(|turn| turn.flushes_per_row),
        bytes_per_row: row.median_of_known(|turn| turn.bytes_per_row),
        timer_stall_ms: row.timer_stall_ms(),
    });
    let ratios = results.ratios();
    let ratios = ratios.iter().map(|ratio| Ratio {
        numerator: &ratio.numerator,
        denominator: &ratio.denominator,
        writers: ratio.writers,
        ratio: ratio.ratio,
    });
    let document = Document {
        version: 1,
        rows: rows.collect(),
        ratios: ratios.collect(),
    };
    serde_json::to_string(&document).expect("numbers and names can be written")
}
