//! The plan of [`run_all`](crate::run_all): claims, waivers and expected failures.

use std::num::NonZeroUsize;
use std::thread;

use crate::contract::LawId;
use crate::contract::capability::Claim;

/// The claims of a store, the laws that are waived, and the laws that are expected to fail.
///
/// ```
/// use crashpoint_conformance::{LawId, Plan, claim};
///
/// let plan = Plan::new()
///     .claims([claim::reopen])
///     .waive(LawId::ISO_09, "ids are C strings");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Plan {
    claims: Vec<Claim>,
    lacks: Vec<Claim>,
    waived: Vec<(LawId, String)>,
    failing: Vec<(LawId, String)>,
    groups: Option<Vec<String>>,
    laws: Option<Vec<LawId>>,
    again: Option<Vec<String>>,
    jobs: Option<NonZeroUsize>,
}

/// What the plan says about one law.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    Run,
    RunExpectingFailure(&'a str),
    Waive(&'a str),
    LackOf(Claim),
}

impl Plan {
    /// A plan without claims and waivers: the contract alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// Claims capabilities.
    #[must_use]
    pub fn claims(mut self, claims: impl IntoIterator<Item = Claim>) -> Self {
        self.claims.extend(claims);
        self
    }

    /// Takes back claims that are [assumed](Claim::is_assumed) of every store.
    #[must_use]
    pub fn lacks(mut self, claims: impl IntoIterator<Item = Claim>) -> Self {
        self.lacks.extend(claims);
        self
    }

    /// Skips a law, for a reason. Without a reason the law counts as not run.
    #[must_use]
    pub fn waive(mut self, law: LawId, reason: impl Into<String>) -> Self {
        self.waived.push((law, reason.into()));
        self
    }

    /// Expects a law to fail, for a reason. If it passes, the report fails. Without a reason nothing is
    /// expected.
    #[must_use]
    pub fn expect_fail(mut self, law: LawId, reason: impl Into<String>) -> Self {
        self.failing.push((law, reason.into()));
        self
    }

    /// Runs only the laws of these [groups](crate::Group::key), such as `dup`. The report is then
    /// partial.
    #[must_use]
    pub fn only<'a>(mut self, groups: impl IntoIterator<Item = &'a str>) -> Self {
        self.groups = Some(groups.into_iter().map(str::to_owned).collect());
        self
    }

    /// Runs only these laws. The report is then partial.
    #[must_use]
    pub fn only_laws(mut self, laws: impl IntoIterator<Item = LawId>) -> Self {
        self.laws = Some(laws.into_iter().collect());
        self
    }

    /// Sets the arguments with which this program, started again, reaches the same
    /// [`run_all`](crate::run_all) with the same harness and does nothing else before. Laws that kill a
    /// child process need them, and do not run without them. In a test they are its path and `--exact`.
    #[must_use]
    pub fn again<S: Into<String>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.again = Some(arguments.into_iter().map(Into::into).collect());
        self
    }

    /// Sets how many laws run at a time. Default: the number of cores. On a slow disk, laws leave the cores
    /// idle, so more may help. Laws that measure time run alone at the end.
    #[must_use]
    pub fn jobs(mut self, jobs: NonZeroUsize) -> Self {
        self.jobs = Some(jobs);
        self
    }

    pub(crate) fn jobs_at_once(&self) -> Option<NonZeroUsize> {
        self.jobs.or_else(|| thread::available_parallelism().ok())
    }

    pub(crate) fn arguments_again(&self) -> Option<Vec<String>> {
        self.again.clone()
    }

    pub(crate) fn includes(&self, law: LawId) -> bool {
        let key = law.law().group.key;
        let groups = self.groups.as_ref();
        let laws = self.laws.as_ref();
        groups.is_none_or(|groups| groups.iter().any(|group| group == key))
            && laws.is_none_or(|laws| laws.contains(&law))
    }

    pub(crate) fn is_partial(&self) -> bool {
        self.groups.is_some() || self.laws.is_some()
    }

    pub(crate) fn step(&self, law: LawId) -> Step<'_> {
        let reason_in = |list: &'_ [(LawId, String)]| list.iter().position(|(id, _)| *id == law);
        if let Some(index) = reason_in(&self.waived) {
            return Step::Waive(&self.waived[index].1);
        }
        if let Some(index) = reason_in(&self.failing) {
            return Step::RunExpectingFailure(&self.failing[index].1);
        }
        match law.law().claim {
            Some(claim) if !self.has(claim) => Step::LackOf(claim),
            _ => Step::Run,
        }
    }

    /// The claims of the store, including assumed claims.
    pub(crate) fn holds(&self) -> impl Iterator<Item = Claim> + '_ {
        let every = Claim::ALL.iter().copied();
        every.filter(|claim| self.has(*claim))
    }

    pub(crate) fn waived(&self) -> &[(LawId, String)] {
        &self.waived
    }

    pub(crate) fn failing(&self) -> &[(LawId, String)] {
        &self.failing
    }

    fn has(&self, claim: Claim) -> bool {
        let claimed = claim.is_assumed() || self.claims.contains(&claim);
        claimed && !self.lacks.contains(&claim)
    }
}
