//! `crashpoint soak`: one random schedule after the other, until the time is over.
//!
//! A seed is a schedule of the workload and the store whose turn it is. It means the same whatever
//! came before it, on any number of threads; how many seeds are reached depends on the time, and is
//! told.

mod corpus;
mod crew;
mod plan;
mod report;
pub mod seed;
mod tally;

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crashpoint_simulator::{Recording, shrink_recording};

use crate::arguments::SoakArguments;
use crate::exit::{Exit, Failure};
use crate::process;
use crate::process::interrupt::flag_at_ctrl_c;
use crate::process::memory::Resident;
use crate::process::progress::{SoakProgress, Stopwatch};
use crate::soak::corpus::{Corpus, Revisited};
use crate::soak::crew::Shift;
use crate::soak::plan::{Plan, Ran};
use crate::soak::report::Report;
use crate::soak::tally::{Finding, Kind, Tally};

/// How long a soak is where nothing bounds it.
const TIME: Duration = Duration::from_secs(60);

/// When the process has all that it needs: what it grows by after this, it leaks.
const WARM: Duration = Duration::from_secs(10);

/// So many simulations are spent on making one violation smaller; `shrink` goes on from there.
const SHRINK_RUNS_MAX: u64 = 5_000;

/// The memory of the process at three moments.
#[derive(Debug)]
struct Memory {
    start: Resident,
    warm: Option<Resident>,
    end: Resident,
}

pub(crate) fn run(arguments: &SoakArguments, out: &mut impl Write) -> Result<Exit, Failure> {
    let plan = Plan::of(arguments)?;
    let corpus = arguments.corpus.as_deref().map(Corpus::open).transpose()?;
    let interrupted = flag_at_ctrl_c()?;
    let revisited = match &corpus {
        Some(corpus) => corpus.revisit(&interrupted)?,
        None => Vec::new(),
    };
    let shift = Shift {
        first: arguments.seed.map_or_else(random_seed, Ok)?,
        seeds: arguments.seeds,
        jobs: process::jobs(arguments.jobs),
    };
    let start = Resident::now();
    let time = match (arguments.time, shift.seeds) {
        (None, None) => Some(TIME),
        (time, _) => time,
    };
    let watch = Stopwatch::start();
    let (mut tally, warm) = soak(&plan, shift, time, corpus, &interrupted)?;
    let elapsed = watch.elapsed();
    let end = Resident::now();
    // Whoever presses Ctrl-C wants to have the report.
    if !interrupted.load(Ordering::Relaxed) {
        shrink(&plan, &mut tally, shift.jobs, &interrupted)?;
    }
    let report = Report {
        arguments,
        first: shift.first,
        tally,
        revisited,
        elapsed,
        memory: Memory { start, warm, end },
        interrupted: interrupted.load(Ordering::Relaxed),
    };
    report.write(out)?;
    Ok(report.exit())
}

/// Which seeds a soak begins with is told, and `--seed` begins with them again. A number of 32 bits
/// leaves tokens short.
fn random_seed() -> Result<u64, Failure> {
    let seed = getrandom::u32();
    seed.map(u64::from)
        .map_err(|error| Failure::Harness(format!("can't draw a seed: {error}")))
}

/// Runs seeds until they or the time are over, or Ctrl-C is pressed. Also gives the memory after the
/// first while.
fn soak(
    plan: &Plan,
    shift: Shift,
    time: Option<Duration>,
    corpus: Option<Corpus>,
    interrupted: &AtomicBool,
) -> Result<(Tally, Option<Resident>), Failure> {
    let mut tally = Tally::new(plan, corpus);
    let mut progress = SoakProgress::new(shift.first, shift.jobs, time, shift.seeds);
    let (mut warm, mut failure) = (None, None);
    crew::run(plan, shift, |ran: Option<Ran>| {
        let counted = ran.map_or(Ok(()), |ran| tally.add(plan, ran));
        failure = failure.take().or(counted.err());
        let elapsed = progress.update(tally.schedules(), tally.violations());
        if warm.is_none() && elapsed >= WARM {
            warm = Some(Resident::now());
        }
        failure.is_some()
            || interrupted.load(Ordering::Relaxed)
            || time.is_some_and(|time| elapsed >= time)
    });
    progress.finish();
    failure.map_or(Ok((tally, warm)), Err)
}

/// Makes the violations smaller, and so their tapes in the corpus. One that can't be shrunk stays as
/// it is, and what went wrong is told beside it.
fn shrink(
    plan: &Plan,
    tally: &mut Tally,
    jobs: usize,
    interrupted: &AtomicBool,
) -> Result<(), Failure> {
    let findings: Vec<(&Kind, &Finding)> = tally.findings.iter().collect();
    let shrunk = crew::each(&findings, jobs, |((_, _, oracle), finding)| {
        let recording = Recording::Tape(finding.tape.clone());
        let source = plan.cell(finding.seed).origin.source();
        let shrink = || shrink_recording(source, &recording, oracle, SHRINK_RUNS_MAX);
        let due = !interrupted.load(Ordering::Relaxed);
        due.then(|| catch_unwind(AssertUnwindSafe(shrink)))
    });
    let known = findings.iter().map(|(kind, it)| ((*kind).clone(), it.seed));
    let known: Vec<(Kind, u64)> = known.collect();
    for ((kind, seed), shrunk) in known.into_iter().zip(shrunk) {
        match shrunk {
            None => {}
            Some(Ok(Ok(shrunk))) => tally.replace(kind, shrunk)?,
            Some(Ok(Err(error))) => tally.parted.add(seed, error.to_string()),
            Some(Err(_)) => tally.panicked.add(seed, "when it was shrunk".to_owned()),
        }
    }
    Ok(())
}
