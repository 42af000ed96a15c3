//! `crashpoint soak`: runs random schedules, one per seed, until time runs out.
//!
//! A seed determines a workload, a store and a schedule. It means the same whatever ran before it, on
//! any number of threads. How many seeds are reached depends on the time, and is printed.

mod corpus;
mod plan;
mod ran;
mod report;
pub mod seed;
mod tally;

use std::io::Write;
use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crashpoint_simulator::{Pool, Recording};

use crate::arguments::SoakArguments;
use crate::exit::{Exit, Failure};
use crate::process;
use crate::process::interrupt::interrupt_flag;
use crate::process::memory::Resident;
use crate::process::progress::{SoakProgress, Stopwatch};
use crate::soak::corpus::{Corpus, ReplayedTape};
use crate::soak::plan::SeedPlan;
use crate::soak::report::SoakReport;
use crate::soak::tally::{Finding, Kind, Tally};

/// By this time the process has allocated what it needs: growth after it is a leak.
const WARM: Duration = Duration::from_secs(10);

/// How often the soak looks at the clock and for Ctrl-C while no seed is done.
const TICK: Duration = Duration::from_millis(50);

/// The maximum number of simulations to shrink one violation; `shrink` can go on from there.
const SHRINK_RUNS_MAX: u64 = 5_000;

/// Which seeds are run, and on how many threads.
#[derive(Debug, Clone, Copy)]
struct Seeds {
    first: u64,
    number: Option<NonZeroU64>,
    pool: Pool,
}

/// The memory of the process at three moments.
#[derive(Debug)]
struct Memory {
    start: Resident,
    warm: Option<Resident>,
    end: Resident,
}

pub(crate) fn run(arguments: &SoakArguments, out: &mut impl Write) -> Result<Exit, Failure> {
    let SoakArguments {
        seed,
        seeds,
        jobs,
        corpus,
        // The limit of time and the plan of seeds are made of these.
        time: _,
        workload: _,
        store: _,
        mutant: _,
    } = arguments;
    let plan = SeedPlan::of(arguments)?;
    let corpus = corpus.as_deref().map(Corpus::open).transpose()?;
    let interrupted = interrupt_flag()?;
    let replayed = match &corpus {
        Some(corpus) => corpus.replay(&interrupted)?,
        None => Vec::new(),
    };
    let seeds = Seeds {
        first: seed.map_or_else(random_seed, Ok)?,
        number: *seeds,
        pool: process::pool(*jobs),
    };
    let start = Resident::now();
    let time = arguments.time_limit();
    let watch = Stopwatch::start();
    let (mut tally, warm) = soak(&plan, seeds, time, corpus, &interrupted)?;
    let elapsed = watch.elapsed();
    let end = Resident::now();
    // After Ctrl-C the report is due at once.
    if !interrupted.load(Ordering::Relaxed) {
        shrink(&plan, &mut tally, seeds.pool, &interrupted)?;
    }
    let report = SoakReport {
        arguments,
        first: seeds.first,
        tally,
        replayed,
        elapsed,
        memory: Memory { start, warm, end },
        interrupted: interrupted.load(Ordering::Relaxed),
    };
    report.write(out)?;
    Ok(report.exit())
}

/// A random first seed. The report prints it, and `--seed` starts there again. 32 bits keep tokens
/// short.
fn random_seed() -> Result<u64, Failure> {
    let seed = getrandom::u32();
    seed.map(u64::from)
        .map_err(|error| Failure::Harness(format!("can't draw a seed: {error}")))
}

/// Runs seeds until they are done, time runs out, or Ctrl-C. Also returns the memory once the process
/// is warm.
fn soak(
    plan: &SeedPlan,
    seeds: Seeds,
    time: Option<Duration>,
    corpus: Option<Corpus>,
    interrupted: &AtomicBool,
) -> Result<(Tally, Option<Resident>), Failure> {
    let mut tally = Tally::new(plan, corpus);
    let mut progress = SoakProgress::new(seeds.first, seeds.pool.threads(), time, seeds.number);
    let (mut warm, mut failure) = (None, None);
    let number = seeds.number.map(NonZeroU64::get);
    let work = |index: u64| plan.run(seeds.first + index);
    seeds.pool.as_ready(number, Some(TICK), work, |ran| {
        let counted = ran.map_or(Ok(()), |(index, ran)| {
            tally.add(plan, plan.result(seeds.first + index, ran))
        });
        failure = failure.take().or(counted.err());
        let elapsed = progress.update(tally.schedules(), tally.violations());
        if warm.is_none() && elapsed >= WARM {
            warm = Some(Resident::now());
        }
        let enough = failure.is_some()
            || interrupted.load(Ordering::Relaxed)
            || time.is_some_and(|time| elapsed >= time);
        if enough {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    progress.finish();
    failure.map_or(Ok((tally, warm)), Err)
}

/// Shrinks the violations and their tapes in the corpus. A violation that can't be shrunk stays as it
/// is, and the report says why.
fn shrink(
    plan: &SeedPlan,
    tally: &mut Tally,
    pool: Pool,
    interrupted: &AtomicBool,
) -> Result<(), Failure> {
    let findings: Vec<(&Kind, &Finding)> = tally.findings.iter().collect();
    let shrunk = pool.map(&findings, |((_, _, oracle), finding)| {
        let recording = Recording::Tape(finding.tape.clone());
        let ran = &plan.target(finding.seed).ran;
        let shrink = || ran.shrink(&recording, oracle, SHRINK_RUNS_MAX);
        let due = !interrupted.load(Ordering::Relaxed);
        due.then(|| catch_unwind(AssertUnwindSafe(shrink)))
    });
    let known = findings.iter().map(|(kind, it)| ((*kind).clone(), it.seed));
    let known: Vec<(Kind, u64)> = known.collect();
    for ((kind, seed), shrunk) in known.into_iter().zip(shrunk) {
        match shrunk {
            None => {}
            Some(Ok(Ok(shrunk))) => tally.replace(kind, shrunk)?,
            Some(Ok(Err(error))) => tally.nondeterministic.add(seed, error.to_string()),
            Some(Err(_)) => tally.panicked.add(seed, "while it was shrunk".to_owned()),
        }
    }
    Ok(())
}
