//! Every store at every number of writers, in rounds; medians and ratios.

use std::io::{self, Write as _};
use std::sync::Arc;

use crashpoint_benches::turn_order;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::arguments::Comparing;
use crate::folder::BenchFolder;
use crate::measure::{Turn, turn};
use crate::peers::{Peer, Subject};
use crate::statistics::median;
use crate::workload::Workload;

/// The store that the others are held against.
pub(crate) const OURS: &str = "crashpoint-redb";

/// The turns of one store at one number of writers.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) subject: String,
    pub(crate) writers: usize,
    pub(crate) turns: Vec<Turn>,
}

/// How many times as many rows a second.
#[derive(Debug)]
pub(crate) struct Ratio {
    pub(crate) numerator: String,
    pub(crate) denominator: String,
    pub(crate) writers: usize,
    pub(crate) ratio: f64,
}

#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) title: &'static str,
    pub(crate) rows: Vec<Row>,
}

pub(crate) fn runtime() -> Runtime {
    let runtime = Builder::new_multi_thread().enable_all().build();
    runtime.expect("a tokio runtime")
}

/// A store in its folder.
type Opened = (TempDir, Arc<dyn Subject>);

/// A new store, prepared for the workload.
fn prepared(peer: Peer, workload: Workload, bench_folder: &BenchFolder) -> Opened {
    let folder = bench_folder.subfolder();
    let subject = peer.open(folder.path());
    runtime().block_on(workload.prepare(&*subject));
    (folder, subject)
}

/// Each has a turn in every round, with a store that is new; one that is only read is made once. What
/// the turn before has left to the disk is done by then, and from round to round another store comes
/// before each.
pub(crate) fn compare(
    comparing: &Comparing,
    workload: Workload,
    bench_folder: &BenchFolder,
) -> Results {
    let mut subjects = comparing.subjects.clone();
    if workload == Workload::Load {
        subjects.retain(Peer::can_load);
    }
    let of_writers = |writers: &usize| {
        let of = |peer: &Peer| Row {
            subject: peer.name().to_owned(),
            writers: *writers,
            turns: Vec::new(),
        };
        subjects.iter().map(of).collect::<Vec<_>>()
    };
    let mut rows: Vec<Row> = comparing.writers.iter().flat_map(of_writers).collect();
    let mut read: Vec<Option<Opened>> = subjects.iter().map(|_| None).collect();
    for round in 1..=comparing.rounds {
        for index in turn_order(round, rows.len(), subjects.len()) {
            let (row, which) = (&mut rows[index], index % subjects.len());
            let kept = read[which].take();
            let opened = kept.unwrap_or_else(|| prepared(subjects[which], workload, bench_folder));
            bench_folder.settle();
            let runtime = runtime();
            let how = (row.writers, comparing.turn);
            let turn = turn(&runtime, &opened.1, workload, how, bench_folder);
            row.turns.push(turn);
            runtime.shutdown_background();
            if workload == Workload::Load {
                read[which] = Some(opened);
            }
        }
        _ = writeln!(io::stderr(), "round {round} of {}", comparing.rounds);
    }
    let title = match workload {
        Workload::Append => "append: durable rows, no clears",
        Workload::Lifecycle => "lifecycle: runs of 24 rows and a clear",
        Workload::Load => "load: runs of 24 rows",
    };
    Results { title, rows }
}

impl Row {
    pub(crate) fn rows_per_second(&self) -> f64 {
        self.median(|turn| turn.rows_per_second)
    }

    /// The lowest and the highest rate.
    pub(crate) fn spread(&self) -> (f64, f64) {
        let rates = self.turns.iter().map(|turn| turn.rows_per_second);
        rates.fold((f64::INFINITY, 0.0), |(low, high), rate| {
            (low.min(rate), high.max(rate))
        })
    }

    pub(crate) fn median(&self, of: impl Fn(&Turn) -> f64) -> f64 {
        median(self.turns.iter().map(of))
    }

    /// The median; none where a turn has none.
    pub(crate) fn median_of_known(&self, of: impl Fn(&Turn) -> Option<f64>) -> Option<f64> {
        let known: Option<Vec<f64>> = self.turns.iter().map(of).collect();
        known.map(median)
    }

    /// The worst of all turns, in milliseconds.
    pub(crate) fn timer_stall_ms(&self) -> f64 {
        let worst = self.turns.iter().map(|turn| turn.timer_stall).max();
        worst.unwrap_or_default().as_secs_f64() * 1000.0
    }
}

impl Results {
    /// Ours over each of the others, at the same number of writers: the median of the ratios of each
    /// round, since a disturbance of a round affects both.
    pub(crate) fn ratios(&self) -> Vec<Ratio> {
        let ours = |writers: usize| {
            let mut rows = self.rows.iter();
            rows.find(|row| row.writers == writers && row.subject.starts_with("crashpoint"))
        };
        let others = self.rows.iter().filter_map(|row| {
            let ours = ours(row.writers)?;
            if ours.subject == row.subject {
                return None;
            }
            let rounds = ours.turns.iter().zip(&row.turns);
            let ratio = rounds.map(|(ours, theirs)| ours.rows_per_second / theirs.rows_per_second);
            Some(Ratio {
                numerator: ours.subject.clone(),
                denominator: row.subject.clone(),
                writers: row.writers,
                ratio: median(ratio),
            })
        });
        others.collect()
    }
}
