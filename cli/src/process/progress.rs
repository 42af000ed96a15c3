//! Progress on a terminal, and elapsed time.

use std::io::{self, Write as _};
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use crashpoint_conformance::Law;
use indicatif::{ProgressBar, ProgressStyle};

use crate::text::{counted, grouped};

/// Progress of an exploration on standard error: a bar on a terminal, one line elsewhere.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    watch: Stopwatch,
    schedules: u64,
    violations: u64,
}

impl Progress {
    pub(crate) fn new(parts: usize, jobs: usize) -> Self {
        let (number, threads) = (
            counted(parts as u64, "part"),
            counted(jobs as u64, "thread"),
        );
        let bar = bar(parts as u64, &format!("exploring {number} on {threads}"));
        Self {
            bar,
            watch: Stopwatch::start(),
            schedules: 0,
            violations: 0,
        }
    }

    /// A part was explored.
    pub(crate) fn explored(&mut self, workload: &str, schedules: u64, violations: usize) {
        self.schedules += schedules;
        self.violations += violations as u64;
        let line = progress_line(self.schedules, self.violations, self.watch.elapsed());
        self.bar.set_message(format!("{line}, {workload}"));
        self.bar.inc(1);
    }

    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}

/// Progress of a soak, shown in the same way.
#[derive(Debug)]
pub(crate) struct SoakProgress {
    bar: ProgressBar,
    watch: Stopwatch,
    /// The time limit, if there is one: then the bar counts milliseconds, otherwise seeds.
    time: Option<Duration>,
    /// When the bar was last updated.
    updated: Duration,
}

impl SoakProgress {
    pub(crate) fn new(
        first: u64,
        jobs: usize,
        time: Option<Duration>,
        seeds: Option<NonZeroU64>,
    ) -> Self {
        let seeds = seeds.map(NonZeroU64::get);
        let length = time.map(|time| time.as_millis() as u64).or(seeds);
        let bound = match (time, seeds) {
            (Some(time), _) => humantime::format_duration(time).to_string(),
            (None, Some(seeds)) => counted(seeds, "schedule"),
            (None, None) => "an unlimited time".to_owned(),
        };
        let threads = counted(jobs as u64, "thread");
        let opening = format!("soaking for {bound} from seed {first} on, on {threads}");
        Self {
            bar: bar(length.unwrap_or_default(), &opening),
            watch: Stopwatch::start(),
            time,
            updated: Duration::ZERO,
        }
    }

    /// Updates the bar and returns the elapsed time.
    pub(crate) fn update(&mut self, schedules: u64, violations: u64) -> Duration {
        const PAUSE: Duration = Duration::from_millis(100);
        let elapsed = self.watch.elapsed();
        if elapsed - self.updated >= PAUSE {
            self.updated = elapsed;
            self.bar
                .set_message(progress_line(schedules, violations, elapsed));
            self.bar.set_position(match self.time {
                Some(_) => elapsed.as_millis() as u64,
                None => schedules,
            });
        }
        elapsed
    }

    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}

/// Progress of a certification, shown in the same way.
#[derive(Debug)]
pub(crate) struct CertifyProgress {
    bar: ProgressBar,
    laws: usize,
}

impl CertifyProgress {
    pub(crate) fn new(store: &str, laws: usize) -> Self {
        let opening = format!("testing {store} against {}", counted(laws as u64, "law"));
        Self {
            bar: bar(laws as u64, &opening),
            laws: 0,
        }
    }

    /// A law begins; the laws before it are done.
    pub(crate) fn begin(&mut self, law: &Law) {
        self.bar.set_position(self.laws as u64);
        self.laws += 1;
        self.bar
            .set_message(format!("{}: {}", law.id, law.sentence));
    }

    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}

/// A bar on a terminal; elsewhere it prints the opening line only.
fn bar(length: u64, opening: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    let style = "{bar:20.dim} {percent:>3}%  {wide_msg}  {elapsed}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    if bar.is_hidden() {
        // Nothing is left to be done where standard error is gone.
        _ = writeln!(io::stderr(), "{opening}");
    } else {
        bar.enable_steady_tick(Duration::from_millis(200));
    }
    bar
}

/// `1,204 schedules, 602/s, 1 violation`
fn progress_line(schedules: u64, violations: u64, time: Duration) -> String {
    let rate = rate(schedules, time);
    let mut line = format!("{} schedules, {}/s", grouped(schedules), grouped(rate));
    if violations > 0 {
        line.push_str(&format!(", {}", counted(violations, "violation")));
    }
    line
}

/// The number per second.
pub(crate) fn rate(number: u64, time: Duration) -> u64 {
    let seconds = time.as_secs_f64();
    if seconds > 0.0 {
        (number as f64 / seconds) as u64
    } else {
        0
    }
}

/// Measures elapsed time for display. No result depends on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "elapsed time is only displayed")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
