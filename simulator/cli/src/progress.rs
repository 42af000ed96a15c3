//! Progress on a terminal, and how long things took.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::text::{counted, grouped};

/// What is shown of an exploration while it is under way, on standard error: a bar on a terminal,
/// one line elsewhere.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    watch: Stopwatch,
    schedules: u64,
    violations: u64,
}

impl Progress {
    pub(crate) fn new(parts: usize, jobs: usize) -> Self {
        let bar = ProgressBar::new(parts as u64);
        let style = "{bar:20.dim} {percent:>3}%  {wide_msg}  {elapsed}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        if bar.is_hidden() {
            let (parts, threads) = (
                counted(parts as u64, "part"),
                counted(jobs as u64, "thread"),
            );
            // Nothing is left to be done where standard error is gone.
            _ = writeln!(io::stderr(), "exploring {parts} on {threads}");
        } else {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
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
        let rate = rate(self.schedules, self.watch.elapsed());
        let mut message = format!("{} schedules, {}/s", grouped(self.schedules), grouped(rate));
        if self.violations > 0 {
            message.push_str(&format!(", {}", counted(self.violations, "violation")));
        }
        self.bar.set_message(format!("{message}, {workload}"));
        self.bar.inc(1);
    }

    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}

/// How many in a second.
pub(crate) fn rate(number: u64, time: Duration) -> u64 {
    let seconds = time.as_secs_f64();
    if seconds > 0.0 {
        (number as f64 / seconds) as u64
    } else {
        0
    }
}

/// Measures elapsed time, for people alone: no result depends on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "what people are told about the time it took"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
