//! The embedded store under load whose process is killed, again and again.
//!
//! A child appends, reads and clears, and says what was acknowledged. It is killed at a random
//! instant; then the file is opened and held against what was said. Every row that was acknowledged
//! is there, none is there that was not sent, a cleared run is gone, and a second row at a taken
//! sequence is refused.

mod child;
mod told;
mod verdict;

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crashpoint_engine::{Runtime as _, TokioRuntime};

use crate::arguments::{SoakChild, Soaking};
use crate::measure::now;
use crate::place::Place;
use crate::soak::told::Told;

/// How much more memory a process may have than after its first ten seconds, in KiB.
const GROWTH_KIB_MAX: u64 = 32 << 10;

/// The longest that the file may get, in bytes: a hundred times what is in it at a time.
const FILE_BYTES_MAX: u64 = 128 << 20;

/// The time after which a process should not need more memory.
const SETTLED: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
struct Tally {
    kills: u64,
    acknowledged: u64,
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
    let mut tally = Tally::default();
    // Half of the time one process lives, so that what it piles up is seen.
    if soaking.kills.is_none() && soaking.duration > 3 * SETTLED {
        life(&file, soaking.duration / 2, &mut tally)?;
    }
    while soaking
        .kills
        .map_or(begin.elapsed() < soaking.duration, |most| {
            tally.kills < most
        })
    {
        life(&file, Duration::from_millis(random_below(1500)), &mut tally)?;
    }
    tell(&tally, begin.elapsed())
}

/// One process, from its start to its end by SIGKILL, and what is there after that.
fn life(file: &Path, length: Duration, tally: &mut Tally) -> Result<(), String> {
    let epoch = tally.kills;
    let (mut child, said) = start(file, epoch).map_err(|error| error.to_string())?;
    let mut told = Told::default();
    let begin = now();
    let mut sampled = begin;
    let heard = |told: &mut Told, until: Instant| loop {
        match said.recv_timeout(until.saturating_duration_since(now())) {
            Ok(line) => told.hear(&line)?,
            Err(RecvTimeoutError::Timeout) => return Ok::<bool, String>(true),
            Err(RecvTimeoutError::Disconnected) => return Ok(false),
        }
    };
    while begin.elapsed() < length {
        let next = (sampled + Duration::from_millis(500)).min(begin + length);
        if !heard(&mut told, next)? {
            let status = child.wait().map_err(|error| error.to_string())?;
            return Err(format!("the process ended by itself, with {status}"));
        }
        sampled = now();
        sample(&child, file, begin.elapsed(), tally);
    }
    child.kill().map_err(|error| error.to_string())?;
    child.wait().map_err(|error| error.to_string())?;
    // What it had said before is still on the way.
    heard(&mut told, now() + Duration::from_secs(60))?;
    tally.kills += 1;
    tally.acknowledged += told.rows();
    verdict::check(file, epoch, &told)
}

fn start(file: &Path, epoch: u64) -> io::Result<(Child, Receiver<String>)> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("soak-child")
        .arg("--file")
        .arg(file)
        .args(["--epoch", &epoch.to_string()])
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

fn random_below(bound: u64) -> u64 {
    let entropy = TokioRuntime::new().entropy();
    let (first, _) = entropy
        .split_first_chunk()
        .expect("there are sixteen bytes");
    u64::from_le_bytes(*first) % bound
}

fn tell(tally: &Tally, took: Duration) -> Result<ExitCode, String> {
    let memory = match tally.resident_kib {
        None => "memory was not looked at, which takes longer".to_owned(),
        Some((settled, most)) => format!(
            "resident memory {settled} KiB after {} s and at most {most} KiB after that",
            SETTLED.as_secs()
        ),
    };
    let Tally {
        kills,
        acknowledged,
        file_bytes_max,
        ..
    } = tally;
    let said = writeln!(
        io::stdout(),
        "{kills} kills in {} s, {acknowledged} rows acknowledged, none lost and none twice; the file \
         had at most {file_bytes_max} bytes; {memory}",
        took.as_secs()
    );
    said.map_err(|error| error.to_string())?;
    let (settled, most) = tally.resident_kib.unwrap_or_default();
    if most > settled + GROWTH_KIB_MAX {
        return Err(format!("memory grew by more than {GROWTH_KIB_MAX} KiB"));
    }
    if tally.file_bytes_max > FILE_BYTES_MAX {
        return Err(format!("the file grew beyond {FILE_BYTES_MAX} bytes"));
    }
    Ok(ExitCode::SUCCESS)
}
