//! What an exploration found, as a table for people and as JSON for programs.

use std::io::{self, Write};
use std::time::Duration;

use comfy_table::{Cell, CellAlignment, Table, presets};
use crashpoint_simulator::workload::Workload;
use crashpoint_simulator::{Findings, StoreKind, Violation};
use serde::Serialize;

/// The version of the JSON.
const VERSION: u32 = 1;

/// What was found about one workload.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    workload: &'a Workload,
    store: StoreKind,
    crashes: u32,
    findings: Findings,
    /// The time that threads spent on it, added up.
    busy: Duration,
}

impl<'a> Row<'a> {
    pub(crate) fn new(workload: &'a Workload, store: StoreKind, crashes: u32) -> Self {
        let findings = Findings::default();
        Self {
            workload,
            store,
            crashes,
            findings,
            busy: Duration::ZERO,
        }
    }

    pub(crate) fn add(&mut self, findings: Findings, busy: Duration) {
        self.findings.merge(findings);
        self.busy += busy;
    }

    pub(crate) fn workload(&self) -> &'a Workload {
        self.workload
    }

    pub(crate) fn store(&self) -> StoreKind {
        self.store
    }

    pub(crate) fn crashes(&self) -> u32 {
        self.crashes
    }

    pub(crate) fn name(&self) -> &'a str {
        &self.workload.name
    }

    pub(crate) fn violations(&self) -> usize {
        self.findings.violations.len()
    }

    pub(crate) fn found(&self) -> impl Iterator<Item = &Violation> + Clone {
        self.findings.violations.iter()
    }

    /// How many crash points were not covered.
    pub(crate) fn missed(&self) -> usize {
        let (covered, total) = self.points();
        total - covered
    }

    fn points(&self) -> (usize, usize) {
        let recorder = &self.findings.recorder;
        (recorder.covered(), recorder.total())
    }
}

/// What to type here to see a violation again: through cargo, where cargo runs this.
pub(crate) fn command_at_hand(violation: &Violation) -> String {
    match std::env::var_os("CARGO") {
        Some(_) => format!("cargo run --release -- replay {}", violation.token),
        None => replay_command(violation),
    }
}

/// What to type to see a violation again, where the command is installed.
fn replay_command(violation: &Violation) -> String {
    format!("crashpoint replay {}", violation.token)
}

pub(crate) fn table(rows: &[Row<'_>], elapsed: Duration, out: &mut impl Write) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(vec![
        "workload",
        "store",
        "crash points",
        "merged",
        "schedules",
        "per s",
        "violations",
    ]);
    for row in rows {
        let (covered, total) = row.points();
        let points = format!("{} of {}", grouped(covered as u64), grouped(total as u64));
        table.add_row(vec![
            Cell::new(&row.workload.name),
            Cell::new(row.store.name()),
            right(points),
            right(grouped(row.findings.merged)),
            right(grouped(row.findings.schedules)),
            right(grouped(rate(row.findings.schedules, row.busy))),
            right(grouped(row.violations() as u64)),
        ]);
    }
    let schedules: u64 = rows.iter().map(|row| row.findings.schedules).sum();
    let violations: usize = rows.iter().map(Row::violations).sum();
    writeln!(out, "{table}")?;
    let width = rows.iter().map(|row| row.name().len()).max().unwrap_or(0);
    let first = rows.first().map(Row::store);
    for row in rows.iter().filter(|row| Some(row.store) == first) {
        writeln!(out, "{:width$}  {}", row.name(), row.workload.about)?;
    }
    writeln!(out, "\n{}\n", legend(rows))?;
    let schedules = counted(schedules, "schedule");
    let seconds = elapsed.as_secs_f64();
    let verdict = match violations {
        0 => "no violation".to_owned(),
        some => counted(some as u64, "violation"),
    };
    writeln!(out, "{schedules} in {seconds:.1} s: {verdict}")?;
    let missed: usize = rows.iter().map(Row::missed).sum();
    if missed > 0 {
        writeln!(out, "{} not covered", counted(missed as u64, "crash point"))?;
    }
    if rows.iter().any(|row| row.findings.cut_short) {
        writeln!(out, "where violations piled up, exploring stopped early")?;
    }
    Ok(())
}

fn legend(rows: &[Row<'_>]) -> String {
    let crashes = rows.first().map_or(0, |row| row.crashes);
    let depth = match crashes {
        0 => return "Each workload was run once, without a crash.".to_owned(),
        1 => "each instant at which the process was killed and the run resumed",
        2 => {
            "each instant at which the process was killed, alone and with each\n\
             instant of the recovery from it; after each kill the run was resumed"
        }
        _ => {
            "each instant at which the process was killed, alone and with up\n\
             to two more in the recoveries from it; after each the run was resumed"
        }
    };
    let over = |kind| rows.iter().any(|row| row.store == kind);
    let disk = match over(StoreKind::Redb) {
        true => {
            "\nOver redb, whose file is on a simulated disk, that is before each write and\n\
             sync as well, the file's creation included; before each sync also with the\n\
             power lost, and with it all that was not synced."
        }
        false => "",
    };
    let more = match over(StoreKind::Memory) {
        true => {
            ";\nover memory also each of them with a crash, a rival with a fault of the store,\n\
             and a rival with two more switches between the two"
        }
        false => "",
    };
    format!(
        "Crash points: {depth}.{disk}\n\
         Schedules: these, and all with one fault of the store, with one cancellation,\n\
         or with one rival life{more}. Per s: on one core.\n\
         Merged: crashes that left the same state as another one, which was gone on from."
    )
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

fn rate(schedules: u64, busy: Duration) -> u64 {
    let seconds = busy.as_secs_f64();
    if seconds > 0.0 {
        (schedules as f64 / seconds) as u64
    } else {
        0
    }
}

/// `1 schedule`, `1,204 schedules`.
fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// A number with its thousands apart: `1,204`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    workloads: Vec<WorkloadDocument<'a>>,
    schedules_total: u64,
    violations_total: usize,
    elapsed_ms: u128,
}

#[derive(Serialize)]
struct WorkloadDocument<'a> {
    name: &'a str,
    store: &'a str,
    crashes: u32,
    crash_points_total: usize,
    crash_points_covered: usize,
    crashes_merged: u64,
    schedules: u64,
    violations: Vec<ViolationDocument<'a>>,
}

#[derive(Serialize)]
struct ViolationDocument<'a> {
    oracle: &'a str,
    schedule: String,
    message: &'a str,
    replay: String,
}

pub(crate) fn json(rows: &[Row<'_>], elapsed: Duration, out: &mut impl Write) -> io::Result<()> {
    let workloads = rows.iter().map(|row| {
        let (crash_points_covered, crash_points_total) = row.points();
        let violations = row.found().map(|violation| ViolationDocument {
            oracle: violation.oracle,
            schedule: violation.schedule.join("; "),
            message: &violation.message,
            replay: replay_command(violation),
        });
        WorkloadDocument {
            name: &row.workload.name,
            store: row.store.name(),
            crashes: row.crashes,
            crash_points_total,
            crash_points_covered,
            crashes_merged: row.findings.merged,
            schedules: row.findings.schedules,
            violations: violations.collect(),
        }
    });
    let document = Document {
        version: VERSION,
        workloads: workloads.collect(),
        schedules_total: rows.iter().map(|row| row.findings.schedules).sum(),
        violations_total: rows.iter().map(Row::violations).sum(),
        elapsed_ms: elapsed.as_millis(),
    };
    serde_json::to_writer(&mut *out, &document)?;
    writeln!(out)
}
