//! What the seeds have come to. It does not depend on the order in which they come, and its size does
//! not depend on their number.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crashpoint_simulator::oracle::Verdict;
use crashpoint_simulator::workload::generated::Node;
use crashpoint_simulator::{Schedule, Shrunk, TapeFile, Token};

use crate::exit::{Exit, Failure};
use crate::replay::tapes;
use crate::soak::corpus::Corpus;
use crate::soak::plan::{Cell, Plan, Ran};
use crate::soak::seed::{Failing, Outcome};

/// So many kinds of violations are kept to be shrunk, those of the lowest seeds; all are counted.
pub(crate) const KINDS_MAX: usize = 16;

/// So many seeds that went wrong otherwise are named, the lowest.
const NAMED_MAX: usize = 4;

/// Which workload, over which store, and which oracle objected.
pub(crate) type Kind = (String, &'static str, &'static str);

/// How much was run of a workload over a store.
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
    pub(crate) schedule: Schedule,
    pub(crate) nodes: Option<Vec<Node>>,
    pub(crate) token: Token,
    pub(crate) tape: TapeFile,
    /// Where the tape is in the corpus.
    pub(crate) file: Option<PathBuf>,
    pub(crate) shrunk: Option<Shrunk>,
}

/// Seeds that went wrong otherwise.
#[derive(Debug, Default)]
pub(crate) struct Strays {
    pub(crate) count: u64,
    /// The lowest, each with what is to be said of it.
    pub(crate) lowest: BTreeMap<u64, String>,
}

/// Counts, and the violations that are kept.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) counts: BTreeMap<(String, &'static str), Count>,
    pub(crate) findings: BTreeMap<Kind, Finding>,
    /// Every oracle that objected, also where nothing of it is kept.
    oracles: BTreeSet<&'static str>,
    pub(crate) parted: Strays,
    pub(crate) panicked: Strays,
    /// Where the tapes are kept.
    corpus: Option<Corpus>,
}

impl Tally {
    /// Nothing yet, of every cell.
    pub(crate) fn new(plan: &Plan, corpus: Option<Corpus>) -> Self {
        let cells = plan.cells().iter();
        let counts = cells.map(|cell| (key(cell), Count::default()));
        Self {
            counts: counts.collect(),
            corpus,
            ..Self::default()
        }
    }

    /// Counts a seed. The tape of a violation that is kept goes to the corpus at once: whatever ends
    /// the process, it is there.
    pub(crate) fn add(&mut self, plan: &Plan, ran: Ran) -> Result<(), Failure> {
        let Ran {
            seed,
            repeated,
            outcome,
        } = ran;
        let key = key(plan.cell(seed));
        let count = self.counts.entry(key.clone()).or_default();
        count.schedules += 1;
        let failed = matches!(outcome, Outcome::Broken(_));
        count.repeated += u64::from(repeated || failed);
        match outcome {
            Outcome::Kept => {}
            Outcome::Broken(failing) => {
                count.violations += failing.verdicts.len() as u64;
                for verdict in &failing.verdicts {
                    self.oracles.insert(verdict.oracle);
                    let kind = (key.0.clone(), key.1, verdict.oracle);
                    self.keep(kind, seed, verdict, &failing)?;
                }
            }
            Outcome::Parted(how) => self.parted.add(seed, how),
            Outcome::Panicked => {
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
            schedule: failing.schedule.clone(),
            nodes: failing.nodes.clone(),
            token: failing.token.clone(),
            tape: failing.tape.clone(),
            file: file.transpose()?,
            shrunk: None,
        };
        let replaced = self.findings.insert(kind, finding);
        self.take_back(replaced)
    }

    fn take_back(&mut self, finding: Option<Finding>) -> Result<(), Failure> {
        match (&mut self.corpus, finding.and_then(|finding| finding.file)) {
            (Some(corpus), Some(file)) => corpus.take_back(&file),
            _ => Ok(()),
        }
    }

    /// Has a violation made smaller, and so its tape in the corpus.
    pub(crate) fn replace(&mut self, kind: Kind, shrunk: Shrunk) -> Result<(), Failure> {
        let Some(mut finding) = self.findings.remove(&kind) else {
            return Ok(());
        };
        finding.tape = tapes::of_shrunk(&shrunk);
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

    /// What the findings amount to.
    pub(crate) fn exit(&self) -> Exit {
        let mut exit = Exit::of_oracles(self.oracles.iter().copied());
        if self.parted.count > 0 {
            exit = exit.max(Exit::Nondeterminism);
        }
        if self.panicked.count > 0 {
            exit = exit.max(Exit::Harness);
        }
        exit
    }
}

impl Strays {
    pub(crate) fn add(&mut self, seed: u64, what: String) {
        self.count += 1;
        self.lowest.insert(seed, what);
        if self.lowest.len() > NAMED_MAX {
            self.lowest.pop_last();
        }
    }
}

fn key(cell: &Cell) -> (String, &'static str) {
    (cell.origin.source().name(), cell.store.name())
}
