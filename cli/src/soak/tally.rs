//! Counts and violations over all seeds. They do not depend on the order of results, and their size
//! does not depend on the number of seeds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crashpoint_simulator::oracle::Verdict;
use crashpoint_simulator::{TapeFile, Token};

use crate::exit::{Exit, Failure};
use crate::soak::corpus::Corpus;
use crate::soak::plan::{SeedPlan, SeedResult, Target};
use crate::soak::ran::ShrunkViolation;
use crate::soak::seed::{Failing, SeedOutcome};

/// The number of kinds of violations kept for shrinking, those of the lowest seeds. All are counted.
pub(crate) const KINDS_MAX: usize = 16;

/// The number of other failing seeds that are listed, the lowest.
const NAMED_MAX: usize = 4;

/// The workload, the store and the oracle that failed.
pub(crate) type Kind = (String, &'static str, &'static str);

/// Counts for a workload over a store.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Count {
    pub(crate) schedules: u64,
    pub(crate) repeated: u64,
    pub(crate) violations: u64,
}

/// The first violation of its kind.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) seed: u64,
    pub(crate) message: String,
    /// What ran, and the faults, in words.
    pub(crate) story: String,
    pub(crate) token: Token,
    pub(crate) tape: TapeFile,
    /// The path of the tape in the corpus.
    pub(crate) file: Option<PathBuf>,
    pub(crate) shrunk: Option<ShrunkViolation>,
}

/// Seeds that failed without a violation.
#[derive(Debug, Default)]
pub(crate) struct SeedNotes {
    pub(crate) count: u64,
    /// The lowest, each with a message.
    pub(crate) lowest: BTreeMap<u64, String>,
}

/// The counts, and the violations kept.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) counts: BTreeMap<(String, &'static str), Count>,
    pub(crate) findings: BTreeMap<Kind, Finding>,
    /// Every oracle that failed, even if none of its violations is kept.
    oracles: BTreeSet<&'static str>,
    pub(crate) nondeterministic: SeedNotes,
    pub(crate) panicked: SeedNotes,
    /// The folder of the tapes.
    corpus: Option<Corpus>,
}

impl Tally {
    /// Zero for every target.
    pub(crate) fn new(plan: &SeedPlan, corpus: Option<Corpus>) -> Self {
        let targets = plan.targets().iter();
        let counts = targets.map(|target| (key(target), Count::default()));
        Self {
            counts: counts.collect(),
            corpus,
            ..Self::default()
        }
    }

    /// Counts a seed. The tape of a kept violation goes to the corpus at once, so that it survives the
    /// process.
    pub(crate) fn add(&mut self, plan: &SeedPlan, ran: SeedResult) -> Result<(), Failure> {
        let SeedResult {
            seed,
            repeated,
            outcome,
        } = ran;
        let key = key(plan.target(seed));
        let count = self.counts.entry(key.clone()).or_default();
        count.schedules += 1;
        let failed = matches!(outcome, SeedOutcome::Broken(_));
        count.repeated += u64::from(repeated || failed);
        match outcome {
            SeedOutcome::Kept => {}
            SeedOutcome::Broken(failing) => {
                assert!(
                    !failing.verdicts.is_empty(),
                    "a seed counts as broken only if an oracle failed"
                );
                count.violations += failing.verdicts.len() as u64;
                for verdict in &failing.verdicts {
                    self.oracles.insert(verdict.oracle);
                    let kind = (key.0.clone(), key.1, verdict.oracle);
                    self.keep(kind, seed, verdict, &failing)?;
                }
            }
            SeedOutcome::Nondeterministic(how) => self.nondeterministic.add(seed, how),
            SeedOutcome::Panicked => {
                let (name, store) = key;
                self.panicked.add(seed, format!("{name} over {store}"));
            }
        }
        Ok(())
    }

    fn keep(
        &mut self,
        kind: Kind,
        seed: u64,
        verdict: &Verdict,
        failing: &Failing,
    ) -> Result<(), Failure> {
        let known = self.findings.get(&kind);
        if known.is_some_and(|known| known.seed <= seed) {
            return Ok(());
        }
        let last = self.findings.iter().max_by_key(|(_, other)| other.seed);
        let last = last.map(|(kind, other)| (kind.clone(), other.seed));
        if known.is_none() && self.findings.len() >= KINDS_MAX {
            match last {
                Some((last, its_seed)) if its_seed > seed => {
                    let dropped = self.findings.remove(&last);
                    self.take_back(dropped)?;
                }
                _ => return Ok(()),
            }
        }
        let file = self.corpus.as_mut().map(|corpus| corpus.add(&failing.tape));
        let finding = Finding {
            seed,
            message: verdict.message.clone(),
            story: failing.story.clone(),
            token: failing.token.clone(),
            tape: failing.tape.clone(),
            file: file.transpose()?,
            shrunk: None,
        };
        let replaced = self.findings.insert(kind, finding);
        assert!(
            self.findings.len() <= KINDS_MAX,
            "a new kind beyond the limit replaces the kind of the highest seed"
        );
        self.take_back(replaced)
    }

    fn take_back(&mut self, finding: Option<Finding>) -> Result<(), Failure> {
        match (&mut self.corpus, finding.and_then(|finding| finding.file)) {
            (Some(corpus), Some(file)) => corpus.take_back(&file),
            _ => Ok(()),
        }
    }

    /// Replaces a violation, and its tape in the corpus, by the shrunk one.
    pub(crate) fn replace(&mut self, kind: Kind, shrunk: ShrunkViolation) -> Result<(), Failure> {
        let finding = self.findings.remove(&kind);
        let mut finding = finding.expect("only findings that are kept are shrunk");
        assert_eq!(
            shrunk.oracle, kind.2,
            "the shrinker goes on only from what the same oracle rejects"
        );
        finding.tape = shrunk.tape.clone();
        finding.shrunk = Some(shrunk);
        if let Some(corpus) = &mut self.corpus {
            let smaller = corpus.add(&finding.tape)?;
            let larger = finding.file.replace(smaller);
            larger.map_or(Ok(()), |larger| corpus.take_back(&larger))?;
        }
        self.findings.insert(kind, finding);
        Ok(())
    }

    pub(crate) fn schedules(&self) -> u64 {
        self.counts.values().map(|count| count.schedules).sum()
    }

    pub(crate) fn violations(&self) -> u64 {
        self.counts.values().map(|count| count.violations).sum()
    }

    /// The exit for these findings.
    pub(crate) fn exit(&self) -> Exit {
        let mut exit = Exit::of_oracles(self.oracles.iter().copied());
        if self.nondeterministic.count > 0 {
            exit = exit.max(Exit::Nondeterminism);
        }
        if self.panicked.count > 0 {
            exit = exit.max(Exit::Harness);
        }
        exit
    }
}

impl SeedNotes {
    pub(crate) fn add(&mut self, seed: u64, what: String) {
        self.count += 1;
        self.lowest.insert(seed, what);
        if self.lowest.len() > NAMED_MAX {
            self.lowest.pop_last();
        }
        assert!(
            self.lowest.len() as u64 <= self.count,
            "each seed runs once, so no more seeds have a note than failed"
        );
    }
}

fn key(target: &Target) -> (String, &'static str) {
    (target.ran.name(), target.store.name())
}
