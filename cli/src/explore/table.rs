//! The findings of an exploration as a table.

use std::collections::BTreeSet;
use std::io::{self, Write};

use comfy_table::Cell;
use crashpoint_simulator::Release;

use crate::explore::legend::legend;
use crate::explore::report::{ExplorationReport, Row};
use crate::process::progress::rate;
use crate::text::table::{right, table_of, widen};
use crate::text::{fitted, grouped, wrapped};

/// The same for columns that only the table has.
const LEGEND_OF_THE_TABLE: [&str; 2] = [
    "Merged: crashes that left the same state as an earlier one, and were not explored further.",
    "Per s: schedules per second on one core.",
];

/// The column of schedules per second.
const PER_SECOND: usize = 5;
/// Characters of `999,999`: the layout is the same on a slow and on a fast machine.
const RATE_WIDTH: u16 = 7;

pub(crate) fn table(report: &ExplorationReport, out: &mut impl Write) -> io::Result<()> {
    let rows = &report.rows;
    let mut table = table_of(&[
        "workload",
        "store",
        "crash points",
        "merged",
        "schedules",
        "per s",
        "violations",
    ]);
    for row in rows.iter().filter(|row| row.was_started()) {
        table.add_row(vec![
            Cell::new(row.name()),
            Cell::new(row.store.name()),
            right(row.points_in_words()),
            right(grouped(row.findings.merged)),
            right(grouped(row.findings.schedules)),
            right(grouped(rate(row.findings.schedules, row.busy))),
            right(grouped(row.violations() as u64)),
        ]);
    }
    widen(&mut table, PER_SECOND, RATE_WIDTH);
    writeln!(out, "{}", table.trim_fmt())?;
    let width = rows.iter().map(|row| row.name().len()).max().unwrap_or(0);
    let mut seen = BTreeSet::new();
    for row in rows.iter().filter(|row| seen.insert(row.name())) {
        writeln!(out, " {:width$}  {}", row.name(), row.subject.about())?;
    }
    upgrades(report, out)?;
    let left = rows.iter().filter(|row| !row.was_started());
    let left: Vec<String> = left
        .map(|row| format!("{} over {}", row.name(), row.store))
        .collect();
    if !left.is_empty() {
        writeln!(
            out,
            "\n{}",
            wrapped(&format!("Not started: {}", left.join(", ")))
        )?;
    }
    writeln!(out)?;
    let more = LEGEND_OF_THE_TABLE.into_iter().map(str::to_owned);
    for paragraph in legend(report).into_iter().chain(more) {
        writeln!(out, "{}", wrapped(&paragraph))?;
    }
    writeln!(out)?;
    writeln!(out, "{}", wrapped(&report.coverage()))?;
    for caveat in report.caveats() {
        writeln!(out, "{caveat}")?;
    }
    writeln!(out, "{}", report.verdict())?;
    Ok(())
}

/// What each release of an upgrade made of the logs of the other; by the places of the logs, if nothing but
/// upgrades was explored.
fn upgrades(report: &ExplorationReport, out: &mut impl Write) -> io::Result<()> {
    let explored = report.rows.iter().filter(|row| row.was_started());
    let (upgrades, others): (Vec<&Row>, Vec<&Row>) =
        explored.partition(|row| row.subject.is_upgrade());
    if upgrades.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let mut table = table_of(&[
        "logs of the other release",
        "new carries",
        "new refuses",
        "old carries",
        "old refuses",
    ]);
    for row in &upgrades {
        let resumptions = &row.findings.resumptions;
        let mut cells = vec![Cell::new(row.name())];
        for by in [Release::New, Release::Old] {
            let counts = [resumptions.carried(by), resumptions.refused(by)];
            cells.extend(counts.map(|count| right(grouped(count))));
        }
        table.add_row(cells);
    }
    writeln!(out, "{}", table.trim_fmt())?;
    if others.is_empty() {
        for row in upgrades {
            writeln!(out, "\n{} over {}", row.name(), row.store)?;
            let places = row.findings.resumptions.to_string();
            for line in places.lines() {
                writeln!(out, "  {}", fitted(line))?;
            }
        }
    }
    Ok(())
}
