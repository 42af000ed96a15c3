//! The embedded store under load whose process is killed, again and again, on one file.
//!
//! A child process opens the file that the last kill left, appends, reads and clears, and reports what
//! the store acknowledged. It is killed at a random instant, sometimes while it opens the store. Then
//! the file is read, but not written, and compared with the reports of all children so far: every
//! acknowledged row is present, no other row is, and cleared runs are gone. The children themselves
//! check that the store refuses a second row at a taken sequence.

mod child;
mod inspect;

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crashpoint::{Runtime as _, TokioRuntime};
use crashpoint_benches::{SoakModel, Stage};

use crate::arguments::{SoakChild, Soaking};
use crate::clock::now;
use crate::folder::BenchFolder;

/// How much the memory of a process may grow after its first ten seconds, in KiB.
const GROWTH_KIB_MAX: u64 = 32 << 10;

/// The age after which a process should need no more memory.
const SETTLED: Duration = Duration::from_secs(10);

/// How long the parent waits for the first and for the last report of a child.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
struct Tally {
    /// How many processes were killed before the store was open.
    killed_opening: u64,
    /// How long the last complete opening took.
    opening: Duration,
    file_bytes_max: u64,
    /// The memory of the longest process after ten seconds, and its maximum after that.
    resident_kib: Option<(u64, u64)>,
}

pub(crate) fn child(arguments: &SoakChild) -> Result<ExitCode, String> {
    child::run(arguments)
}

pub(crate) fn run(soaking: &Soaking) -> Result<ExitCode, String> {
    let bench_folder = BenchFolder::open(&soaking.common)?;
    let folder = bench_folder.subfolder();
    let file = folder.path().join("soak.redb");
    let begin = now();
    let (mut model, mut tally) = (SoakModel::default(), Tally::default());
    // One process runs for half of the time, to show whether its memory grows.
    if soaking.kills.is_none() && soaking.duration > 3 * SETTLED {
        let half = soaking.duration / 2;
        run_until_killed(&file, Stage::Open, half, &mut model, &mut tally)?;
    }
    while soaking
        .kills
        .map_or(begin.elapsed() < soaking.duration, |most| {
            model.process() < most
        })
    {
        // Two of four processes in a row die while they open the store: the second one recovers what
        // an interrupted recovery left.
        let (stage, below) = match model.process() % 4 {
            0 | 1 => (Stage::Open, Duration::from_millis(1500)),
            _ => (Stage::Opening, tally.opening),
        };
        run_until_killed(&file, stage, random_below(below), &mut model, &mut tally)?;
    }
    report(soaking, &model, &tally, begin.elapsed())
}

/// Starts a process, kills it `length` after it has come to `stage`, and checks the file.
fn run_until_killed(
    file: &Path,
    stage: Stage,
    length: Duration,
    model: &mut SoakModel,
    tally: &mut Tally,
) -> Result<(), String> {
    let started = start(file, model.process());
    let (mut child, reports) = started.map_err(|error| error.to_string())?;
    let mut begin = now();
    for next in [Stage::Opening, Stage::Open] {
        if next > stage {
            break;
        }
        let came = record(&reports, model, now() + PATIENCE, |model| {
            model.stage() >= next
        });
        if !came? || model.stage() < next {
            _ = child.kill();
            return Err(format!(
                "a process has not come to {next:?} in {PATIENCE:?}"
            ));
        }
        if next == Stage::Open {
            tally.opening = begin.elapsed();
        }
        begin = now();
    }
    let mut sampled = begin;
    while begin.elapsed() < length {
        let next = (sampled + Duration::from_millis(500)).min(begin + length);
        if !record(&reports, model, next, |_| false)? {
            let status = child.wait().map_err(|error| error.to_string())?;
            return Err(format!("the process ended by itself, with {status}"));
        }
        sampled = now();
        sample(&child, file, begin.elapsed(), tally);
    }
    child.kill().map_err(|error| error.to_string())?;
    let status = child.wait().map_err(|error| error.to_string())?;
    // On other systems a killed process has an exit code too.
    if cfg!(unix) && status.code().is_some() {
        return Err(format!("the process ended by itself, with {status}"));
    }
    // Its last reports are still in the pipe. A missing report of a clear would look like a loss.
    if record(&reports, model, now() + PATIENCE, |_| false)? {
        return Err("the reports of a killed process have no end".to_owned());
    }
    tally.killed_opening += u64::from(model.stage() < Stage::Open);
    // A process that was killed at once was never sampled.
    tally.file_bytes_max = tally.file_bytes_max.max(bytes_of(file));
    inspect::check(file, model)
}

/// Records reports until `until` or until `is_enough`. Returns whether more may come.
fn record(
    reports: &Receiver<String>,
    model: &mut SoakModel,
    until: Instant,
    is_enough: impl Fn(&SoakModel) -> bool,
) -> Result<bool, String> {
    while !is_enough(model) {
        match reports.recv_timeout(until.saturating_duration_since(now())) {
            Ok(line) => model.record(&line)?,
            Err(RecvTimeoutError::Timeout) => return Ok(true),
            Err(RecvTimeoutError::Disconnected) => return Ok(false),
        }
    }
    Ok(true)
}

fn start(file: &Path, process: u64) -> io::Result<(Child, Receiver<String>)> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("soak-child")
        .arg("--file")
        .arg(file)
        .args(["--process", &process.to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    let out = child.stdout.take().expect("it is piped");
    let (sender, reports) = mpsc::sync_channel(1 << 16);
    let reader = move || {
        let mut out = BufReader::new(out);
        let mut line = String::new();
        // The last line of a killed process may be incomplete, and is dropped.
        while out.read_line(&mut line).is_ok() && line.ends_with('\n') {
            let whole = line.trim_end().to_owned();
            if sender.send(whole).is_err() {
                return;
            }
            line.clear();
        }
    };
    thread::Builder::new().spawn(reader)?;
    Ok((child, reports))
}

fn sample(child: &Child, file: &Path, age: Duration, tally: &mut Tally) {
    tally.file_bytes_max = tally.file_bytes_max.max(bytes_of(file));
    if age < SETTLED {
        return;
    }
    if let Some(resident) = resident_kib(child.id()) {
        let (settled, most) = tally.resident_kib.unwrap_or((resident, resident));
        tally.resident_kib = Some((settled, most.max(resident)));
    }
}

/// The length of the file in bytes; 0 where there is none.
fn bytes_of(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |metadata| metadata.len())
}

/// The resident memory of a process in KiB, on systems that report it.
fn resident_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn random_below(bound: Duration) -> Duration {
    let entropy = TokioRuntime::new().entropy();
    let (first, _) = entropy
        .split_first_chunk()
        .expect("there are sixteen bytes");
    bound.mul_f64(f64::from(u32::from_le_bytes(*first)) / (f64::from(u32::MAX) + 1.0))
}

fn report(
    soaking: &Soaking,
    model: &SoakModel,
    tally: &Tally,
    took: Duration,
) -> Result<ExitCode, String> {
    let memory = match tally.resident_kib {
        None => "no process ran long enough to measure its memory".to_owned(),
        Some((settled, most)) => format!(
            "resident memory {settled} KiB after {} s and at most {most} KiB after that",
            SETTLED.as_secs()
        ),
    };
    let printed = writeln!(
        io::stdout(),
        "{} kills in {} s, {} of them while the store was opened; {} rows acknowledged, none lost and \
         none twice; rows of earlier processes were found {} times; the file had at most {} bytes; \
         {memory}",
        model.process(),
        took.as_secs(),
        tally.killed_opening,
        model.acknowledged(),
        model.survived(),
        tally.file_bytes_max,
    );
    printed.map_err(|error| error.to_string())?;
    let (settled, most) = tally.resident_kib.unwrap_or_default();
    if most > settled + GROWTH_KIB_MAX {
        return Err(format!("memory grew by more than {GROWTH_KIB_MAX} KiB"));
    }
    if tally.file_bytes_max > soaking.bytes_max {
        return Err(format!("the file grew beyond {} bytes", soaking.bytes_max));
    }
    Ok(ExitCode::SUCCESS)
}
