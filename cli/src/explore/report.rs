//! The findings of an exploration: a row for each workload and store, one for operations, and the
//! totals.

use std::sync::Arc;
use std::time::Duration;

use crashpoint_simulator::workload::{self, Workload};
use crashpoint_simulator::{Budget, Findings, StoreKind, Violation, operations};

use crate::exit::Exit;
use crate::text::{counted, grouped};
use crate::workloads::Subject;

/// The findings.
#[derive(Debug)]
pub(crate) struct ExplorationReport {
    pub(crate) rows: Vec<Row>,
    pub(crate) elapsed: Duration,
    /// Whether everything requested was explored.
    pub(crate) complete: bool,
}

/// The faults that the schedules of a row may have.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bounds {
    /// The campaigns with up to this many crashes.
    Crashes(u32),
    /// Every schedule within this budget.
    Within(Budget),
}

/// The findings about one workload, or about operations, over one store.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) subject: Subject,
    name: String,
    pub(crate) store: StoreKind,
    pub(crate) bounds: Bounds,
    pub(crate) findings: Findings,
    /// The total time that threads spent on it.
    pub(crate) busy: Duration,
}

impl Row {
    pub(crate) fn new(subject: Subject, store: StoreKind, bounds: Bounds) -> Self {
        Self {
            name: subject.name(),
            subject,
            store,
            bounds,
            findings: Findings::default(),
            busy: Duration::ZERO,
        }
    }

    /// The budgets that are explored exhaustively.
    pub(crate) fn campaigns(&self) -> Vec<Budget> {
        match self.bounds {
            Bounds::Crashes(crashes) => match &self.subject {
                Subject::Workload(workload) => workload.campaigns(self.store, crashes),
                Subject::Operations(_) => operations::campaigns(self.store, crashes),
            },
            Bounds::Within(budget) => vec![budget],
        }
    }

    /// The budget from which random schedules are drawn, if any.
    pub(crate) fn sampled(&self) -> Option<Budget> {
        match self.bounds {
            Bounds::Crashes(0) | Bounds::Within(_) => None,
            Bounds::Crashes(_) => Some(match self.subject {
                Subject::Workload(_) => workload::beyond(self.store),
                Subject::Operations(_) => operations::beyond(self.store),
            }),
        }
    }

    /// The workload; nothing for operations.
    pub(crate) fn workload(&self) -> Option<&Arc<Workload>> {
        match &self.subject {
            Subject::Workload(workload) => Some(workload),
            Subject::Operations(_) => None,
        }
    }

    /// The maximum number of crashes in an exhaustive schedule.
    pub(crate) fn crashes(&self) -> u32 {
        match self.bounds {
            Bounds::Crashes(crashes) => crashes,
            Bounds::Within(budget) => budget.crashes,
        }
    }

    pub(crate) fn add(&mut self, findings: Findings, busy: Duration) {
        assert!(
            findings.repeated <= findings.schedules && findings.sampled <= findings.schedules,
            "a schedule is counted before it is run twice or counted as sampled"
        );
        self.findings.merge(findings);
        self.busy += busy;
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn violations(&self) -> usize {
        self.findings.violations.len()
    }

    /// Whether every schedule that ran twice was the same both times.
    pub(crate) fn is_deterministic(&self) -> bool {
        self.findings.nondeterminism.is_empty()
    }

    pub(crate) fn found(&self) -> impl Iterator<Item = &Violation> + Clone {
        self.findings.violations.iter()
    }

    /// Whether a schedule of it was run.
    pub(crate) fn was_started(&self) -> bool {
        self.findings.schedules > 0
    }

    /// Whether every schedule within the bounds was run.
    pub(crate) fn is_exhaustive(&self) -> bool {
        !self.findings.cut_short && self.missed() == 0
    }

    /// The number of crash points that were not covered.
    pub(crate) fn missed(&self) -> usize {
        let (covered, total) = self.points();
        assert!(
            covered <= total,
            "the recorder covers only crash points that it has seen"
        );
        total - covered
    }

    /// The number of covered crash points, and of all.
    pub(crate) fn points(&self) -> (usize, usize) {
        let recorder = &self.findings.recorder;
        (recorder.covered(), recorder.total())
    }

    /// The same in words.
    pub(crate) fn points_in_words(&self) -> String {
        match self.points() {
            _ if !self.was_started() => "not started".to_owned(),
            // No schedule was of the kind in which crash points are counted.
            (_, 0) => "not counted".to_owned(),
            (covered, total) => format!("{} of {}", grouped(covered as u64), grouped(total as u64)),
        }
    }
}

impl ExplorationReport {
    pub(crate) fn schedules(&self) -> u64 {
        self.rows.iter().map(|row| row.findings.schedules).sum()
    }

    pub(crate) fn violations(&self) -> usize {
        self.rows.iter().map(Row::violations).sum()
    }

    /// The number of crash points that were not covered.
    fn missed(&self) -> usize {
        self.rows.iter().map(Row::missed).sum()
    }

    /// The exit for these findings. A crash point that was missed is a fault of the simulator, unless
    /// exploring ended early.
    pub(crate) fn exit(&self) -> Exit {
        let violations = self.rows.iter().flat_map(Row::found);
        let found = Exit::of_oracles(violations.map(|violation| violation.oracle));
        let missed = self.missed();
        if !self.rows.iter().all(Row::is_deterministic) {
            return Exit::Nondeterminism;
        }
        match found {
            Exit::Clean if !self.complete => Exit::Interrupted,
            Exit::Clean if missed > 0 => Exit::Harness,
            found => found,
        }
    }

    /// One line with the result.
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

    /// One line that says how much was run, and how much of it twice.
    pub(crate) fn coverage(&self) -> String {
        let points = |of: fn((usize, usize)) -> usize| -> usize {
            self.rows.iter().map(|row| of(row.points())).sum()
        };
        let (covered, total) = (points(|points| points.0), points(|points| points.1));
        let repeated = self.rows.iter().map(|row| row.findings.repeated);
        let repeated: u64 = repeated.sum();
        let sampled = self.rows.iter().map(|row| row.findings.sampled);
        let sampled: u64 = sampled.sum();
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
            (false, _) => format!("NOT exhaustive: {covered} of {points} seen so far covered"),
        };
        format!("{counted}{beyond}; {repeated} run twice")
    }

    /// Warnings about the results.
    pub(crate) fn caveats(&self) -> Vec<String> {
        let mut caveats = Vec::new();
        if !self.complete {
            caveats.push("PARTIAL: interrupted before everything was explored".to_owned());
        }
        let missed = self.missed();
        if missed > 0 {
            let points = counted(missed as u64, "crash point");
            caveats.push(format!("{points} not covered"));
        }
        for row in self.rows.iter().filter(|row| !row.is_deterministic()) {
            let (name, store) = (row.name(), row.store);
            caveats.push(format!(
                "{name} over {store} is NOT DETERMINISTIC: its findings prove nothing"
            ));
        }
        let cut_short = |row: &&Row| row.findings.cut_short && row.is_deterministic();
        if self.rows.iter().any(|row| cut_short(&row)) {
            caveats.push("exploration stopped early because of many violations".to_owned());
        }
        caveats
    }
}
