//! The embedded store under load whose process is killed, again and again, on one file.
//!
//! A child opens the file that the kill before left, appends, reads and clears, and says what was
//! acknowledged. It is killed at a random instant, some while they open the store. Then the file is
//! looked at, and not written, and held against what was said by this child and all before it. Every
//! row that was acknowledged is there, none is there that was not sent, a cleared run is gone, and a
//! second row at a taken sequence is refused.

mod child;
mod verdict;

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crashpoint::{Runtime as _, TokioRuntime};
use crashpoint_benches::{Stage, Told};

use crate::arguments::{SoakChild, Soaking};
use crate::clock::now;
use crate::place::Place;

/// How much more memory a process may have than after its first ten seconds, in KiB.
const GROWTH_KIB_MAX: u64 = 32 << 10;

/// The time after which a process should not need more memory.
const SETTLED: Duration = Duration::from_secs(10);

/// How long a child may take until it says its first word, or its last.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
struct Tally {
    /// How many were killed before they said that the store was open.
    in_openings: u64,
    /// How long the last opening took that was not cut short.
    opening: Duration,
    file_bytes_max: u64,
    /// Of the process that lived longest: its memory after ten seconds and at most after that.
    resident_kib: Option<(u64, u64)>,
}

pub(crate) fn child(arguments: &SoakChild) -> Result<ExitCode, String> {
    child::run(arguments)
}

pub(crate) fn run(soaking: &Soaking) -> Result<ExitCode, String> {
    let place = Place::of(&soaking.common)?;
    let folder = place.folder();
    let file = folder.path().join("soak.redb");
    let begin = now();
    let (mut told, mut tally) = (Told::default(), Tally::default());
    // Half of the time one process lives, so that what it piles up is seen.
    if soaking.kills.is_none() && soaking.duration > 3 * SETTLED {
        let half = soaking.duration / 2;
        life(&file, Stage::Open, half, &mut told, &mut tally)?;
    }
    while soaking
        .kills
        .map_or(begin.elapsed() < soaking.duration, |most| {
            told.process() < most
        })
    {
        // Two of four die while they open the store, one after the other: a recovery is cut short, and
        // then that of what it left.
        let (stage, below) = match told.process() % 4 {
            0 | 1 => (Stage::Open, Duration::from_millis(1500)),
            _ => (Stage::Opening, tally.opening),
        };
        life(&file, stage, random_below(below), &mut told, &mut tally)?;
    }
    tell(soaking, &told, &tally, begin.elapsed())
}

/// One process, from its start to its end by SIGKILL so long after it came to the stage, and what is
/// there after that.
fn life(
    file: &Path,
    stage: Stage,
    length: Duration,
    told: &mut Told,
    tally: &mut Tally,
) -> Result<(), String> {
    let started = start(file, told.process());
    let (mut child, said) = started.map_err(|error| error.to_string())?;
    let mut begin = now();
    for next in [Stage::Opening, Stage::Open] {
        if next > stage {
            break;
        }
        let came = hear(&said, told, now() + PATIENCE, |told| told.stage() >= next);
        if !came? || told.stage() < next {
            _ = child.kill();
            return Err(format!("a process did not come to {next:?}"));
        }
        if next == Stage::Open {
            tally.opening = begin.elapsed();
        }
        begin = now();
    }
    let mut sampled = begin;
    while begin.elapsed() < length {
        let next = (sampled + Duration::from_millis(500)).min(begin + length);
        if !hear(&said, told, next, |_| false)? {
            let status = child.wait().map_err(|error| error.to_string())?;
            return Err(format!("the process ended by itself, with {status}"));
        }
        sampled = now();
        sample(&child, file, begin.elapsed(), tally);
    }
    child.kill().map_err(|error| error.to_string())?;
    let status = child.wait().map_err(|error| error.to_string())?;
    // Elsewhere a kill leaves a code as well.
    if cfg!(unix) && status.code().is_some() {
        return Err(format!("the process ended by itself, with {status}"));
    }
    // What it had said before is still on the way. A clear that was not heard would look like a loss.
    if hear(&said, told, now() + PATIENCE, |_| false)? {
        return Err("what the process said has no end".to_owned());
    }
    tally.in_openings += u64::from(told.stage() < Stage::Open);
    verdict::check(file, told)
}

/// Hears what is said until then or until it is enough. Whether more may come.
fn hear(
    said: &Receiver<String>,
    told: &mut Told,
    until: Instant,
    is_enough: impl Fn(&Told) -> bool,
) -> Result<bool, String> {
    while !is_enough(told) {
        match said.recv_timeout(until.saturating_duration_since(now())) {
            Ok(line) => told.hear(&line)?,
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
    let (sender, said) = mpsc::sync_channel(1 << 16);
    let reader = move || {
        let mut out = BufReader::new(out);
        let mut line = String::new();
        // The last line of a process that was killed may be cut; it says nothing then.
        while out.read_line(&mut line).is_ok() && line.ends_with('\n') {
            let whole = line.trim_end().to_owned();
            if sender.send(whole).is_err() {
                return;
            }
            line.clear();
        }
    };
    thread::Builder::new().spawn(reader)?;
    Ok((child, said))
}

fn sample(child: &Child, file: &Path, age: Duration, tally: &mut Tally) {
    let length = fs::metadata(file).map_or(0, |metadata| metadata.len());
    tally.file_bytes_max = tally.file_bytes_max.max(length);
    if age < SETTLED {
        return;
    }
    if let Some(resident) = resident_kib(child.id()) {
        let (settled, most) = tally.resident_kib.unwrap_or((resident, resident));
        tally.resident_kib = Some((settled, most.max(resident)));
    }
}

/// None where the system does not say.
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

fn tell(soaking: &Soaking, told: &Told, tally: &Tally, took: Duration) -> Result<ExitCode, String> {
    let memory = match tally.resident_kib {
        None => "memory was not looked at, which takes longer".to_owned(),
        Some((settled, most)) => format!(
            "resident memory {settled} KiB after {} s and at most {most} KiB after that",
            SETTLED.as_secs()
        ),
    };
    let said = writeln!(
        io::stdout(),
        "{} kills in {} s, {} of them while the store was opened; {} rows acknowledged, none lost and \
         none twice, {} times one was found after a later kill; the file had at most {} bytes; {memory}",
        told.process(),
        took.as_secs(),
        tally.in_openings,
        told.acknowledged(),
        told.outlived(),
        tally.file_bytes_max,
    );
    said.map_err(|error| error.to_string())?;
    let (settled, most) = tally.resident_kib.unwrap_or_default();
    if most > settled + GROWTH_KIB_MAX {
        return Err(format!("memory grew by more than {GROWTH_KIB_MAX} KiB"));
    }
    if tally.file_bytes_max > soaking.bytes_max {
        return Err(format!("the file grew beyond {} bytes", soaking.bytes_max));
    }
    Ok(ExitCode::SUCCESS)
}
