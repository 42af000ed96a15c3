//! All laws in a row, in this process.

use std::ops::ControlFlow;

use crate::catalogue::{Law, catalogue};
use crate::clock::unix_ms;
use crate::harness::{Harness, Subject};
use crate::plan::{Plan, Step};
use crate::report::suite::Name;
use crate::report::{LawReport, Report};
use crate::run::judge;
use crate::verdict::Verdict;

/// Runs every law on stores of `H`, one after the other.
///
/// For a certificate to keep or to publish; as tests the laws are better off with
/// [`certify!`](crate::certify).
pub fn run_all<H: Harness>(plan: &Plan) -> Report {
    run_while::<H>(plan, |_| ControlFlow::Continue(()))
}

/// The same, with a say before each law that is due: whoever breaks ends the run, and the laws that
/// are left are [not run](Verdict::NotRun), for the reason given.
pub fn run_while<H: Harness>(
    plan: &Plan,
    mut before: impl FnMut(&'static Law) -> ControlFlow<String>,
) -> Report {
    let subject = Subject::of::<H>();
    let mut broken_off = None;
    let laws = catalogue().iter().filter(|law| plan.includes(law.id));
    let laws = laws.map(|law| {
        if broken_off.is_none() {
            broken_off = before(law).break_value();
        }
        match &broken_off {
            None => run_law(&subject, plan, law),
            Some(reason) => left_out(plan, law, reason),
        }
    });
    Report {
        laws: laws.collect(),
        name: Name {
            package: None,
            version: None,
            module: None,
            harness: subject.name.to_owned(),
        },
        plan: plan.clone(),
        at_ms: unix_ms(),
    }
}

fn run_law(subject: &Subject, plan: &Plan, law: &'static Law) -> LawReport {
    let step = plan.step(law.id);
    if let Some(verdict) = step.without_a_run() {
        return LawReport::new(law, verdict, 0);
    }
    let judgement = judge(subject, law);
    let millis = judgement.millis();
    LawReport::new(law, step.read(judgement.verdict), millis)
}

fn left_out(plan: &Plan, law: &'static Law, reason: &str) -> LawReport {
    let verdict = plan.step(law.id).without_a_run();
    let verdict = verdict.unwrap_or_else(|| Verdict::NotRun(reason.to_owned()));
    LawReport::new(law, verdict, 0)
}

impl Step<'_> {
    /// The verdict on a law that is not to be run.
    pub(super) fn without_a_run(&self) -> Option<Verdict> {
        match self {
            Self::Waive(reason) => Some(Verdict::Waived((*reason).to_owned())),
            Self::LackOf(claim) => Some(Verdict::NotClaimed(claim.word().to_owned())),
            Self::Run | Self::RunExpectingFailure(_) => None,
        }
    }

    /// What a verdict means where this was to be done.
    pub(crate) fn read(&self, verdict: Verdict) -> Verdict {
        match self {
            Self::RunExpectingFailure(reason) => verdict.expected_to_fail(reason),
            Self::Run | Self::Waive(_) | Self::LackOf(_) => verdict,
        }
    }
}
