//! Explores the parts on the library's pool, until all are done or Ctrl-C is pressed.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crashpoint_simulator::workload::Workload;
use crashpoint_simulator::{
    Findings, Operations, OperationsPart, Part, Pool, Settings, Simulated as _,
    explore_operations_part, explore_part,
};

use crate::exit::Failure;
use crate::process::interrupt::on_ctrl_c;
use crate::process::progress::{Progress, Stopwatch};

/// A part of the schedules of a row within a budget.
#[derive(Debug)]
pub(crate) struct Exploration {
    /// The index of its row in the table.
    pub(crate) row: usize,
    pub(crate) settings: Settings,
    pub(crate) part: PartOf,
}

/// A part of the schedules of a workload, or of operations.
#[derive(Debug)]
pub(crate) enum PartOf {
    Workload(Arc<Workload>, Part),
    Operations(Operations, OperationsPart),
}

impl PartOf {
    fn name(&self) -> String {
        match self {
            Self::Workload(workload, _) => workload.name.clone(),
            Self::Operations(operations, _) => operations.name(),
        }
    }

    fn explore(&self, settings: &Settings) -> Findings {
        match self {
            Self::Workload(workload, part) => explore_part(workload, settings, part),
            Self::Operations(operations, part) => {
                explore_operations_part(*operations, settings, part)
            }
        }
    }
}

/// The findings of each exploration in order, and how long it kept its thread busy; `None` if Ctrl-C
/// came before its end.
pub(crate) type Found = Vec<Option<(Findings, Duration)>>;

enum Message {
    /// The result of the exploration with this number.
    Explored(u64, Box<thread::Result<(Findings, Duration)>>),
    Interrupted,
}

/// Explores everything. At Ctrl-C it returns what is done so far and does not wait for the parts under
/// way: half a part says nothing, and their threads end with the process.
pub(crate) fn explore_all(
    explorations: &Arc<Vec<Exploration>>,
    pool: Pool,
) -> Result<Found, Failure> {
    let (sender, receiver) = channel();
    let interrupted = sender.clone();
    on_ctrl_c(move || interrupted.send(Message::Interrupted).is_ok())?;
    let threads = pool.threads().min(explorations.len());
    let progress = Progress::new(explorations.len(), threads);
    let shared = Arc::clone(explorations);
    #[expect(
        clippy::disallowed_methods,
        reason = "each simulation stays on one thread; this thread only waits for the pool"
    )]
    thread::spawn(move || {
        let items = shared.len() as u64;
        let work = |number: u64| explore_one(&shared[number as usize]);
        pool.as_ready(Some(items), None, work, |result| {
            let (number, result) = result.expect("the pool has no tick");
            // The receiver is gone after a Ctrl-C or a panic: begin nothing more.
            match sender.send(Message::Explored(number, Box::new(result))) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        });
    });
    gather(explorations, &receiver, progress)
}

fn explore_one(exploration: &Exploration) -> (Findings, Duration) {
    let Exploration { settings, part, .. } = exploration;
    let watch = Stopwatch::start();
    let findings = part.explore(settings);
    (findings, watch.elapsed())
}

fn gather(
    explorations: &[Exploration],
    receiver: &Receiver<Message>,
    mut progress: Progress,
) -> Result<Found, Failure> {
    let mut found: Found = explorations.iter().map(|_| None).collect();
    let mut left = explorations.len();
    while left > 0 {
        let message = receiver.recv();
        match message.expect("the handler of Ctrl-C keeps a sender while the process lives") {
            Message::Interrupted => break,
            Message::Explored(number, result) => {
                let Ok((findings, busy)) = *result else {
                    // The hook has printed the panic.
                    let message = "exploring panicked, which is a bug of the simulator's";
                    return Err(Failure::Harness(message.to_owned()));
                };
                let index = number as usize;
                let name = explorations[index].part.name();
                progress.explored(&name, findings.schedules, findings.violations.len());
                let twice = found[index].replace((findings, busy));
                assert!(twice.is_none(), "the pool hands on each result once");
                left -= 1;
            }
        }
    }
    progress.finish();
    Ok(found)
}
