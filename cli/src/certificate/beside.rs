//! `crashpoint report --beside`: what differs between certificates, in one table with a column for each. For two
//! settings of one backend it says what each setting costs.

use std::collections::BTreeSet;
use std::io::{self, Write};

use crashpoint_conformance::{Claim, Report};
use crashpoint_simulator::render::escaped_full;

use crate::text::escape;
use crate::text::table::table_of;

/// A line of the table: its name, and what each certificate says.
struct Row {
    name: String,
    values: Vec<String>,
}

impl Row {
    fn differs(&self) -> bool {
        self.values.windows(2).any(|pair| pair[0] != pair[1])
    }
}

fn row(name: &str, reports: &[Report], value: impl Fn(&Report) -> String) -> Row {
    Row {
        name: name.to_owned(),
        values: reports.iter().map(value).collect(),
    }
}

/// The level and the result first, then claims, facts of the environment and laws; of these only what differs.
fn rows(reports: &[Report]) -> Vec<Row> {
    let level = |report: &Report| {
        let level = report.level();
        level.map_or("none".to_owned(), |level| level.to_string())
    };
    let mut rows = vec![
        row("level", reports, level),
        row("result", reports, |report| {
            report.outcome().word().to_owned()
        }),
    ];
    let mut differing = Vec::new();
    for claim in Claim::ALL {
        let is_made = |report: &Report| match report.claims().any(|made| made == *claim) {
            true => "claimed".to_owned(),
            false => "-".to_owned(),
        };
        differing.push(row(claim.word(), reports, is_made));
    }
    let facts = reports
        .iter()
        .flat_map(|report| report.environment().keys());
    for name in facts.collect::<BTreeSet<_>>() {
        let fact = |report: &Report| {
            let fact = report.environment().get(name);
            fact.map_or("-".to_owned(), Clone::clone)
        };
        differing.push(row(name, reports, fact));
    }
    let laws = reports.iter().flat_map(Report::laws);
    for law in laws.map(|law| law.law.id).collect::<BTreeSet<_>>() {
        let verdict = |report: &Report| {
            let mut laws = report.laws().iter();
            let law = laws.find(|of| of.law.id == law);
            law.map_or("-".to_owned(), |law| law.verdict.word().replace('_', " "))
        };
        differing.push(row(&law.to_string(), reports, verdict));
    }
    rows.extend(differing.into_iter().filter(Row::differs));
    rows
}

/// The letter of a column, and the store that it is about.
fn columns(reports: &[Report]) -> Vec<(String, String)> {
    let letters = ('A'..='Z').map(String::from);
    let letters = letters.chain((27..).map(|number| number.to_string()));
    let named = letters.zip(reports);
    named
        .map(|(letter, report)| (letter, report.name().to_string()))
        .collect()
}

/// Prints the table as text.
pub(super) fn print(reports: &[Report], out: &mut impl Write) -> io::Result<()> {
    let columns = columns(reports);
    writeln!(out, "side by side:")?;
    for (letter, store) in &columns {
        writeln!(out, "  {letter}: {}", escaped_full(store))?;
    }
    let mut header = vec![""];
    header.extend(columns.iter().map(|(letter, _)| letter.as_str()));
    let mut table = table_of(&header);
    for Row { name, values } in rows(reports) {
        let cells = std::iter::once(name).chain(values);
        table.add_row(cells.map(|cell| escaped_full(&cell)));
    }
    writeln!(out, "{table}")
}

/// The table as Markdown.
pub(super) fn markdown(reports: &[Report], out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "## Side by side\n")?;
    let columns = columns(reports);
    let stores = columns.iter().map(|(_, store)| escape::markdown(store));
    writeln!(
        out,
        "| | {} |\n|{}",
        stores.collect::<Vec<_>>().join(" | "),
        "---|".repeat(columns.len() + 1)
    )?;
    for Row { name, values } in rows(reports) {
        let values = values.iter().map(|value| escape::markdown(value));
        let values = values.collect::<Vec<_>>().join(" | ");
        writeln!(out, "| {} | {values} |", escape::markdown(&name))?;
    }
    Ok(())
}
