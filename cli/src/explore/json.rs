//! The findings of an exploration as JSON.

use std::io::{self, Write};

use crashpoint_simulator::Release;
use serde::Serialize;

use crate::explore::report::ExplorationReport;
use crate::replay::rerun;
use crate::text::escape;

/// The version of the JSON.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    workloads: Vec<WorkloadDocument<'a>>,
    schedules_total: u64,
    violations_total: usize,
    elapsed_ms: u128,
    /// False if Ctrl-C ended the exploration early.
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
    /// The number of schedules that ran a second time.
    repeated: u64,
    /// Whether every schedule within the bounds was run. False if exploring stopped early.
    exhaustive: bool,
    violations: Vec<ViolationDocument<'a>>,
    /// What each release of an upgrade made of the logs of the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    logs: Option<LogsDocument>,
    nondeterminism: Vec<NondeterminismDocument<'a>>,
}

/// Equal logs count once.
#[derive(Serialize)]
struct LogsDocument {
    new_release_carries: u64,
    new_release_refuses: u64,
    old_release_carries: u64,
    old_release_refuses: u64,
}

#[derive(Serialize)]
struct NondeterminismDocument<'a> {
    schedule: String,
    /// The number of equal events before the first that differs.
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

pub(crate) fn json(report: &ExplorationReport, out: &mut impl Write) -> io::Result<()> {
    let workloads = report.rows.iter().map(|row| {
        let (crash_points_covered, crash_points_total) = row.points();
        let violations = row.found().map(|violation| ViolationDocument {
            oracle: violation.oracle,
            schedule: violation.schedule.to_string(),
            message: &violation.message,
            replay: rerun::installed_replay_command(&violation.token),
        });
        let nondeterminism = row.findings.nondeterminism.iter();
        let nondeterminism = nondeterminism.map(|found| NondeterminismDocument {
            schedule: found.schedule.to_string(),
            event: found.divergence.place,
            first: found.divergence.first.as_deref(),
            then: found.divergence.then.as_deref(),
            replay: rerun::installed_replay_command(&found.token),
        });
        WorkloadDocument {
            name: row.name(),
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
            logs: row.subject.is_upgrade().then(|| {
                let resumptions = &row.findings.resumptions;
                LogsDocument {
                    new_release_carries: resumptions.carried(Release::New),
                    new_release_refuses: resumptions.refused(Release::New),
                    old_release_carries: resumptions.carried(Release::Old),
                    old_release_refuses: resumptions.refused(Release::Old),
                }
            }),
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
    writeln!(out, "{}", escape::json(&document)?)
}
