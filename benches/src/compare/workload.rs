//! The work of a writer or a reader.

use std::time::Instant;

use crate::clock::{now, timed};
use crate::peers::Subject;

/// The rows of a run that is appended and cleared, and of a run that is loaded.
const ROWS_OF_A_RUN: u64 = 24;

/// The runs that readers load.
const RUNS_TO_LOAD: u64 = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    Append,
    Lifecycle,
    Load,
}

/// The work that one task has done.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) rows: u64,
    pub(crate) times_us: Vec<u64>,
}

impl Workload {
    /// Fills a new store with the rows of the workload.
    pub(crate) async fn prepare(self, subject: &dyn Subject) {
        if self == Self::Load {
            let runs = (0..RUNS_TO_LOAD).map(|run| async move {
                for sequence in 0..ROWS_OF_A_RUN {
                    subject.append(&format!("run-{run}"), sequence).await;
                }
            });
            futures_util::future::join_all(runs).await;
        }
    }

    /// Goes on until the deadline, and does one thing at least: on a machine that is busy it may have
    /// passed already.
    pub(crate) async fn until(
        self,
        deadline: Instant,
        subject: &dyn Subject,
        writer: usize,
    ) -> Done {
        match self {
            Self::Append => append(deadline, subject, writer).await,
            Self::Lifecycle => lifecycle(deadline, subject, writer).await,
            Self::Load => load(deadline, subject, writer).await,
        }
    }
}

async fn append(deadline: Instant, subject: &dyn Subject, writer: usize) -> Done {
    let mut done = Done::default();
    let id = format!("order-{writer}");
    loop {
        let (took, ()) = timed(subject.append(&id, done.rows)).await;
        done.times_us.push(took);
        done.rows += 1;
        if now() >= deadline {
            return done;
        }
        // Between two rows a run does something else; without this, a store that never waits would
        // have the thread to itself.
        tokio::task::yield_now().await;
    }
}

/// Counts rows; the time of a clear is among the times.
async fn lifecycle(deadline: Instant, subject: &dyn Subject, writer: usize) -> Done {
    let mut done = Done::default();
    for run in 0_u64.. {
        let id = format!("order-{writer}-{run}");
        for sequence in 0..ROWS_OF_A_RUN {
            let (took, ()) = timed(subject.append(&id, sequence)).await;
            done.times_us.push(took);
            done.rows += 1;
            if now() >= deadline {
                return done;
            }
            tokio::task::yield_now().await;
        }
        let (took, ()) = timed(subject.clear(&id)).await;
        done.times_us.push(took);
        tokio::task::yield_now().await;
    }
    done
}

async fn load(deadline: Instant, subject: &dyn Subject, reader: usize) -> Done {
    let mut done = Done::default();
    let mut run = reader as u64;
    loop {
        // A step that is coprime to the number of runs reaches every run.
        run = (run + 37) % RUNS_TO_LOAD;
        let id = format!("run-{run}");
        let (took, rows) = timed(subject.load(&id)).await;
        assert_eq!(rows as u64, ROWS_OF_A_RUN, "the run is there");
        done.times_us.push(took);
        done.rows += rows as u64;
        if now() >= deadline {
            return done;
        }
        tokio::task::yield_now().await;
    }
}
