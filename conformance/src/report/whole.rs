//! All laws in this process, several at a time.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::mpsc;
use std::thread;

use crate::catalogue::{Law, catalogue};
use crate::child::run_role_if_child;
use crate::finding::verdict::Verdict;
use crate::harness::environment::environment;
use crate::harness::{Harness, Subject};
use crate::report::suite::Name;
use crate::report::{LawReport, Report};
use crate::runner::judge;
use crate::runner::plan::{Plan, Step};
use crate::runtime::clock::{Stopwatch, unix_ms};

/// Runs every law on stores of `H`, [several at a time](Plan::jobs).
///
/// Use it for a certificate to keep or to publish, and [`certify!`](crate::certify) for tests.
pub fn run_all<H: Harness>(plan: &Plan) -> Report {
    run_while::<H>(plan, |_| ControlFlow::Continue(()))
}

/// Runs laws like [`run_all`], and calls `before` before each. If it breaks, no further law begins: the
/// laws that are left are [not run](Verdict::NotRun), for the reason that it gives.
pub fn run_while<H: Harness>(
    plan: &Plan,
    before: impl FnMut(&'static Law) -> ControlFlow<String>,
) -> Report {
    let mut subject = Subject::of::<H>();
    subject.again = plan.arguments_again();
    subject.claims = plan.holds().collect();
    run_role_if_child(&subject);
    let watch = Stopwatch::start();
    Report {
        laws: run_laws(&subject, plan, before),
        millis: u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX),
        name: Name {
            package: None,
            version: None,
            module: None,
            harness: subject.name.to_owned(),
        },
        plan: plan.clone(),
        environment: environment(&subject.options),
        at_ms: unix_ms(),
    }
}

/// The report of every law of the plan, in the order of the catalogue. Laws begin in that order, but laws
/// that must run alone come last.
fn run_laws(
    subject: &Subject,
    plan: &Plan,
    mut before: impl FnMut(&'static Law) -> ControlFlow<String>,
) -> Vec<LawReport> {
    let laws: Vec<&Law> = catalogue()
        .iter()
        .filter(|law| plan.includes(law.id))
        .collect();
    let (alone, beside): (Vec<_>, Vec<_>) = laws.into_iter().partition(|law| law.runs_alone());
    let planned = beside.len() + alone.len();
    let most = [plan.jobs_at_once(), subject.options.laws_at_once];
    let jobs = most.into_iter().flatten().min();
    let jobs = jobs.map_or(1, NonZeroUsize::get);
    assert!(jobs >= 1, "without a job nothing would run");
    let mut reports = Vec::new();
    let mut stopped = None;
    for (laws, jobs) in [(beside, jobs), (alone, 1)] {
        thread::scope(|scope| {
            let (ended, end) = mpsc::channel();
            let mut at_work = 0;
            for law in laws {
                if at_work == jobs {
                    reports.extend(end.recv());
                    at_work -= 1;
                }
                if stopped.is_none() {
                    stopped = before(law).break_value();
                }
                if let Some(reason) = &stopped {
                    reports.push(left_out(plan, law, reason));
                    continue;
                }
                let ended = ended.clone();
                // The receiver lives until the end of the scope.
                scope.spawn(move || drop(ended.send(run_law(subject, plan, law))));
                at_work += 1;
                assert!(
                    at_work <= jobs,
                    "no more laws are at work than there are jobs"
                );
            }
            drop(ended);
            reports.extend(end);
        });
    }
    reports.sort_by_key(|report| report.law.id);
    // Each law runs or is left out, and has one report either way.
    assert_eq!(reports.len(), planned, "each law of the plan has a report");
    let ascending = reports.is_sorted_by(|report, next| report.law.id < next.law.id);
    assert!(ascending, "no law has two reports");
    reports
}

fn run_law(subject: &Subject, plan: &Plan, law: &'static Law) -> LawReport {
    let step = plan.step(law.id);
    if let Some(verdict) = step.without_a_run() {
        return LawReport::new(law, verdict, 0);
    }
    let judgement = judge(subject, law);
    let (millis, late) = (judgement.millis(), judgement.late);
    LawReport::new(law, step.read(judgement.verdict), millis).with_late(late)
}

fn left_out(plan: &Plan, law: &'static Law, reason: &str) -> LawReport {
    let verdict = plan.step(law.id).without_a_run();
    let verdict = verdict.unwrap_or_else(|| Verdict::NotRun(reason.to_owned()));
    LawReport::new(law, verdict, 0)
}

impl Step<'_> {
    /// The verdict on a law that does not run.
    pub(super) fn without_a_run(&self) -> Option<Verdict> {
        match self {
            // Else every law could be left out for nothing.
            Self::Waive(reason) if reason.trim().is_empty() => {
                Some(Verdict::NotRun("waived without a reason".to_owned()))
            }
            Self::Waive(reason) => Some(Verdict::Waived((*reason).to_owned())),
            Self::LackOf(claim) => Some(Verdict::NotClaimed(claim.word().to_owned())),
            Self::Run | Self::RunExpectingFailure(_) => None,
        }
    }

    /// What the verdict of a check means for this step.
    pub(crate) fn read(&self, verdict: Verdict) -> Verdict {
        match self {
            Self::RunExpectingFailure(reason) if reason.trim().is_empty() => verdict,
            Self::RunExpectingFailure(reason) => verdict.expected_to_fail(reason),
            Self::Run | Self::Waive(_) | Self::LackOf(_) => verdict,
        }
    }
}
