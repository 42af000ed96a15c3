//! What an exploration found, as a table for people and as JSON for programs.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use comfy_table::{Cell, CellAlignment, LineStyle, Table, TableStyle};
use crashpoint_simulator::workload::{self, Workload};
use crashpoint_simulator::{Budget, Findings, StoreKind, Violation};
use serde::Serialize;

use crate::exit::Exit;
use crate::explore::SAMPLES;
use crate::progress::rate;
use crate::rerun::{self, REPEATED_EVERY};
use crate::text::{counted, grouped, wrapped};

/// The version of the JSON.
const VERSION: u32 = 1;

/// What was found.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
    pub(crate) elapsed: Duration,
    /// Whether everything was explored that was asked for.
    pub(crate) complete: bool,
}

/// What goes wrong in the schedules of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bounds {
    /// The campaigns with up to so many crashes.
    Crashes(u32),
    /// All that this has room for.
    Within(Budget),
}

/// What was found about one workload.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) workload: Arc<Workload>,
    pub(crate) store: StoreKind,
    pub(crate) bounds: Bounds,
    pub(crate) findings: Findings,
    /// The time that threads spent on it, added up.
    busy: Duration,
}

impl Row {
    pub(crate) fn new(workload: Arc<Workload>, store: StoreKind, bounds: Bounds) -> Self {
        Self {
            workload,
            store,
            bounds,
            findings: Findings::default(),
            busy: Duration::ZERO,
        }
    }

    /// What is exhausted.
    pub(crate) fn campaigns(&self) -> Vec<Budget> {
        match self.bounds {
            Bounds::Crashes(crashes) => self.workload.campaigns(self.store, crashes),
            Bounds::Within(budget) => vec![budget],
        }
    }

    /// What is sampled beyond that.
    pub(crate) fn sampled(&self) -> Option<Budget> {
        match self.bounds {
            Bounds::Crashes(0) | Bounds::Within(_) => None,
            Bounds::Crashes(_) => Some(workload::beyond(self.store)),
        }
    }

    /// How many crashes a schedule that is exhausted may have.
    pub(crate) fn crashes(&self) -> u32 {
        match self.bounds {
            Bounds::Crashes(crashes) => crashes,
            Bounds::Within(budget) => budget.crashes,
        }
    }

    pub(crate) fn add(&mut self, findings: Findings, busy: Duration) {
        self.findings.merge(findings);
        self.busy += busy;
    }

    pub(crate) fn name(&self) -> &str {
        &self.workload.name
    }

    pub(crate) fn violations(&self) -> usize {
        self.findings.violations.len()
    }

    /// Whether every schedule that was run twice was the same then.
    pub(crate) fn is_deterministic(&self) -> bool {
        self.findings.nondeterminism.is_empty()
    }

    pub(crate) fn found(&self) -> impl Iterator<Item = &Violation> + Clone {
        self.findings.violations.iter()
    }

    /// Whether a schedule of it was run.
    pub(crate) fn was_begun(&self) -> bool {
        self.findings.schedules > 0
    }

    /// Whether exploring did not stop early.
    pub(crate) fn is_exhaustive(&self) -> bool {
        !self.findings.cut_short && self.missed() == 0
    }

    /// How many crash points were not covered.
    pub(crate) fn missed(&self) -> usize {
        let (covered, total) = self.points();
        total - covered
    }

    /// How many crash points were covered, and how many there are.
    pub(crate) fn points(&self) -> (usize, usize) {
        let recorder = &self.findings.recorder;
        (recorder.covered(), recorder.total())
    }

    /// The same in words.
    pub(crate) fn points_in_words(&self) -> String {
        match self.points() {
            _ if !self.was_begun() => "not begun".to_owned(),
            // Each workload has some, and no schedule was of the kind in which they are counted.
            (_, 0) => "not counted".to_owned(),
            (covered, total) => format!("{} of {}", grouped(covered as u64), grouped(total as u64)),
        }
    }
}

impl Report {
    pub(crate) fn schedules(&self) -> u64 {
        self.rows.iter().map(|row| row.findings.schedules).sum()
    }

    pub(crate) fn violations(&self) -> usize {
        self.rows.iter().map(Row::violations).sum()
    }

    /// What the findings amount to. A crash point that is left out is a fault of the simulator's,
    /// but where exploring ended early.
    pub(crate) fn exit(&self) -> Exit {
        let violations = self.rows.iter().flat_map(Row::found);
        let found = Exit::of_oracles(violations.map(|violation| violation.oracle));
        let missed: usize = self.rows.iter().map(Row::missed).sum();
        if !self.rows.iter().all(Row::is_deterministic) {
            return Exit::Nondeterminism;
        }
        match found {
            Exit::Clean if !self.complete => Exit::Interrupted,
            Exit::Clean if missed > 0 => Exit::Harness,
            found => found,
        }
    }

    /// One line that says what came of it all.
    pub(crate) fn verdict(&self) -> String {
        let schedules = counted(self.schedules(), "schedule");
        let seconds = self.elapsed.as_secs_f64();
        let verdict = match self.violations() {
            0 => "no violation".to_owned(),
            some => counted(some as u64, "violation"),
        };
        let partial = if self.complete {
            ""
        } else {
            " until it was interrupted"
        };
        format!("{schedules} in {seconds:.1} s: {verdict}{partial}")
    }

    /// Whether every schedule within the bounds was run.
    pub(crate) fn is_exhaustive(&self) -> bool {
        self.complete && self.rows.iter().all(Row::is_exhaustive)
    }

    /// One line that says how much of what there is was run, and how much of that twice.
    pub(crate) fn coverage(&self) -> String {
        let points = |of: fn((usize, usize)) -> usize| -> usize {
            self.rows.iter().map(|row| of(row.points())).sum()
        };
        let (covered, total) = (points(|points| points.0), points(|points| points.1));
        let repeated: u64 = self.rows.iter().map(|row| row.findings.repeated).sum();
        let sampled: u64 = self.rows.iter().map(|row| row.findings.sampled).sum();
        let beyond = match sampled {
            0 => String::new(),
            some => format!("; {} sampled beyond", grouped(some)),
        };
        let (covered, repeated) = (grouped(covered as u64), grouped(repeated));
        let points = counted(total as u64, "crash point");
        let counted = match (self.is_exhaustive(), total) {
            (true, 0) => "exhaustive: every schedule within these bounds".to_owned(),
            (true, _) => format!(
                "exhaustive: every schedule within these bounds, {covered} of {points} covered"
            ),
            (false, 0) => "NOT exhaustive: some schedules within these bounds".to_owned(),
            (false, _) => format!("NOT exhaustive: of {points} seen {covered} covered"),
        };
        format!("{counted}{beyond}; {repeated} run twice")
    }

    /// What the reader must not overlook.
    pub(crate) fn caveats(&self) -> Vec<String> {
        let mut caveats = Vec::new();
        if !self.complete {
            caveats.push("PARTIAL: interrupted before everything was explored".to_owned());
        }
        let missed: usize = self.rows.iter().map(Row::missed).sum();
        if missed > 0 {
            let points = counted(missed as u64, "crash point");
            caveats.push(format!("{points} not covered"));
        }
        for row in self.rows.iter().filter(|row| !row.is_deterministic()) {
            let (name, store) = (row.name(), row.store);
            caveats.push(format!(
                "{name} over {store} is NOT DETERMINISTIC: what was found of it says nothing"
            ));
        }
        let cut_short = |row: &&Row| row.findings.cut_short && row.is_deterministic();
        if self.rows.iter().any(|row| cut_short(&row)) {
            caveats.push("where violations piled up, exploring stopped early".to_owned());
        }
        caveats
    }
}

pub(crate) fn table(report: &Report, out: &mut impl Write) -> io::Result<()> {
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
    for row in rows.iter().filter(|row| row.was_begun()) {
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
    writeln!(out, "{}", table.trim_fmt())?;
    let width = rows.iter().map(|row| row.name().len()).max().unwrap_or(0);
    let first = rows.first().map(|row| row.store);
    for row in rows.iter().filter(|row| Some(row.store) == first) {
        writeln!(out, " {:width$}  {}", row.name(), row.workload.about)?;
    }
    let left = rows.iter().filter(|row| !row.was_begun());
    let left: Vec<String> = left
        .map(|row| format!("{} over {}", row.name(), row.store))
        .collect();
    if !left.is_empty() {
        writeln!(
            out,
            "\n{}",
            wrapped(&format!("Not begun: {}", left.join(", ")))
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

/// Why a workload may have no crash points.
pub(crate) const WHERE_POINTS_COUNT: &str =
    "Crash points are counted where nothing but crashes goes wrong.";

/// What is counted, in words: a paragraph for each thing.
pub(crate) fn legend(report: &Report) -> Vec<String> {
    let rows = &report.rows[..];
    let twice = format!(
        "Run twice: the schedule without faults, those that break a promise, and one in \
         {REPEATED_EVERY} of the others, by what they draw."
    );
    let Some(first) = rows.first() else {
        return Vec::new();
    };
    if let Bounds::Within(budget) = first.bounds {
        let schedules = match report.is_exhaustive() {
            true => format!("Schedules: all within {budget}, exhausted."),
            false => format!("Schedules: some of those within {budget}."),
        };
        return match rows.iter().all(|row| row.points().1 == 0) {
            true => vec![schedules, WHERE_POINTS_COUNT.to_owned(), twice],
            false => vec![schedules, twice],
        };
    }
    let crashes = first.crashes();
    let depth = match crashes {
        0 => return vec!["Each workload was run once, without a crash.".to_owned()],
        1 => "each instant at which the process was killed and the run resumed",
        2 => {
            "each instant at which the process was killed, alone and with each instant of the \
             recovery from it; after each kill the run was resumed"
        }
        _ => {
            "each instant at which the process was killed, alone and with up to two more in the \
             recoveries from it; after each the run was resumed"
        }
    };
    let over = |kind| rows.iter().any(|row| row.store == kind);
    let disk = match over(StoreKind::Redb) {
        true => {
            " Over redb, whose file is on a simulated disk, that is before each write and sync as \
             well, the file's creation included; before each sync also with the power lost, and with \
             it all that was not synced."
        }
        false => "",
    };
    let short: BTreeSet<&str> = rows
        .iter()
        .filter(|row| row.workload.is_short())
        .map(Row::name)
        .collect();
    let short: Vec<&str> = short.into_iter().collect();
    let short = match short.join(" and ") {
        none if none.is_empty() => none,
        names => {
            let lives = "over memory two rivals also with one more switch among the three lives";
            let disk = "over redb also one fault of the disk";
            let also = [(StoreKind::Memory, lives), (StoreKind::Redb, disk)].into_iter();
            let also: Vec<&str> = also.filter(|it| over(it.0)).map(|it| it.1).collect();
            format!(" {names}: {}.", also.join(", "))
        }
    };
    let budgets: BTreeSet<Budget> = rows.iter().filter_map(Row::sampled).collect();
    let sampled: Vec<String> = budgets.iter().map(Budget::to_string).collect();
    let fewer = rows.last().is_some_and(|row| row.crashes() < crashes);
    let fewer = match fewer {
        true => " There each crash came alone; --crashes 2 has two.",
        false => "",
    };
    let more = match over(StoreKind::Memory) {
        true => {
            "; over memory also each of them with a crash, a rival with a fault of the store, a \
             rival with two more switches between the two lives, two rivals, and one jump of a clock"
        }
        false => "",
    };
    let exhausted = match report.is_exhaustive() {
        true => " All these are exhausted.",
        false => "",
    };
    vec![
        format!("Crash points: {depth}.{disk}{fewer}"),
        format!(
            "Schedules: these, and all with one fault of the store, one attempt of a task that goes \
             wrong, one cancellation, or one rival life{more}.{short}{exhausted}"
        ),
        format!(
            "Sampled: {SAMPLES} schedules more of each row, from seeds, with any of it at once, up to \
             {}.",
            sampled.join(" and ")
        ),
        twice,
    ]
}

/// The same of what only the table has.
const LEGEND_OF_THE_TABLE: [&str; 2] = [
    "Merged: crashes that left the same state as another one, which was gone on from.",
    "Per s: on one core.",
];

/// A table without columns' lines: it has to fit into a narrow terminal.
pub(crate) fn table_of(header: &[&str]) -> Table {
    const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─'));
    let mut table = Table::new();
    table.load_style(STYLE).set_header(header.to_vec());
    table
}

pub(crate) fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    workloads: Vec<WorkloadDocument<'a>>,
    schedules_total: u64,
    violations_total: usize,
    elapsed_ms: u128,
    /// Whether everything was explored; not where Ctrl-C came before.
    complete: bool,
    /// Whether every schedule within the bounds was run.
    exhaustive: bool,
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
    schedules_sampled: u64,
    /// How many of these were run a second time.
    repeated: u64,
    /// Whether every schedule within the bounds was run; not where exploring stopped early.
    exhaustive: bool,
    violations: Vec<ViolationDocument<'a>>,
    nondeterminism: Vec<NondeterminismDocument<'a>>,
}

#[derive(Serialize)]
struct NondeterminismDocument<'a> {
    schedule: String,
    /// How many events are the same before the one that is not.
    event: usize,
    first: Option<&'a str>,
    then: Option<&'a str>,
    replay: String,
}

#[derive(Serialize)]
struct ViolationDocument<'a> {
    oracle: &'a str,
    schedule: String,
    message: &'a str,
    replay: String,
}

pub(crate) fn json(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let workloads = report.rows.iter().map(|row| {
        let (crash_points_covered, crash_points_total) = row.points();
        let violations = row.found().map(|violation| ViolationDocument {
            oracle: violation.oracle,
            schedule: violation.schedule.words().join("; "),
            message: &violation.message,
            replay: rerun::command(&violation.token),
        });
        let nondeterminism = row.findings.nondeterminism.iter();
        let nondeterminism = nondeterminism.map(|found| NondeterminismDocument {
            schedule: found.schedule.to_string(),
            event: found.parting.place,
            first: found.parting.first.as_deref(),
            then: found.parting.then.as_deref(),
            replay: rerun::command(&found.token),
        });
        WorkloadDocument {
            name: &row.workload.name,
            store: row.store.name(),
            crashes: row.crashes(),
            crash_points_total,
            crash_points_covered,
            crashes_merged: row.findings.merged,
            schedules: row.findings.schedules,
            schedules_sampled: row.findings.sampled,
            repeated: row.findings.repeated,
            exhaustive: report.complete && row.is_exhaustive(),
            violations: violations.collect(),
            nondeterminism: nondeterminism.collect(),
        }
    });
    let document = Document {
        version: VERSION,
        workloads: workloads.collect(),
        schedules_total: report.schedules(),
        violations_total: report.violations(),
        elapsed_ms: report.elapsed.as_millis(),
        complete: report.complete,
        exhaustive: report.is_exhaustive(),
    };
    serde_json::to_writer(&mut *out, &document)?;
    writeln!(out)
}
