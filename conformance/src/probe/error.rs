//! What a probe found.

use std::collections::BTreeSet;
use std::fmt;

use crate::catalogue::leads::leads;
use crate::contract::LawId;
use crate::finding::expect::Failure;
use crate::finding::verdict::Verdict;
use crate::runner::verdict;

/// The store is not what the contract asks for, or the probe could not find out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeError {
    law: LawId,
    verdict: Verdict,
    also: Vec<LawId>,
    left: Vec<String>,
}

impl ProbeError {
    /// Of the laws that did not pass, the law to look at first decides; laws that were not run say less.
    pub(super) fn new(
        failed: Vec<(LawId, Failure)>,
        passed: &BTreeSet<LawId>,
        left: Vec<String>,
    ) -> Self {
        assert!(!failed.is_empty(), "an error has a law");
        let judged = failed
            .into_iter()
            .map(|(law, failure)| (law, verdict(Err(failure))));
        let mut judged: Vec<(LawId, Verdict)> = judged.collect();
        judged.sort_by_key(|(law, _)| *law);
        let broken = judged
            .iter()
            .filter(|(_, verdict)| matches!(verdict, Verdict::Fail(_)));
        let broken: BTreeSet<LawId> = broken.map(|(law, _)| *law).collect();
        let first = leads(broken, passed, false).first().map(|lead| lead.law);
        let at = judged.iter().position(|(law, _)| Some(*law) == first);
        let (law, verdict) = judged.remove(at.unwrap_or_default());
        Self {
            law,
            verdict,
            also: judged.into_iter().map(|(law, _)| law).collect(),
            left,
        }
    }

    /// The law to look at first.
    pub fn law(&self) -> LawId {
        self.law
    }

    /// The verdict on this law: [`Fail`](Verdict::Fail) if the store breaks it. With any other verdict the
    /// probe says nothing about the store.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// The other laws that did not pass.
    pub fn also(&self) -> &[LawId] {
        &self.also
    }

    /// The ids of the probe that it could not clear. Clear them when the store works again.
    pub fn left(&self) -> &[String] {
        &self.left
    }
}

impl fmt::Display for ProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (law, sentence) = (self.law, self.law.law().sentence);
        match &self.verdict {
            Verdict::Fail(_) => write!(f, "the store breaks {law} ({sentence})")?,
            _ => write!(f, "the probe could not check {law} ({sentence})")?,
        }
        if let Some(reason) = self.verdict.reason() {
            write!(f, ": {reason}")?;
        }
        match self.also.len() {
            0 => {}
            1 => write!(f, "; {} did not pass either", self.also[0])?,
            more => write!(f, "; {more} other laws did not pass either")?,
        }
        match self.left.len() {
            0 => Ok(()),
            1 => write!(
                f,
                "; the run {:?} of the probe is not cleared",
                self.left[0]
            ),
            more => write!(
                f,
                "; {more} runs of the probe are not cleared, the first is {:?}",
                self.left[0]
            ),
        }
    }
}

impl std::error::Error for ProbeError {}
