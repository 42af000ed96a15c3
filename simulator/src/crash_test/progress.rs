//! A line about a crash test that takes long, for the person who waits for it.

use std::io::Write as _;
use std::panic::Location;
use std::time::{Duration, Instant};

use crate::explore::Findings;
use crate::fault::Budget;
use crate::report::render::counted;

/// When the first line is printed. Each further line comes after twice the time of the last.
const FIRST: Duration = Duration::from_secs(5);

/// What makes the simulator several times as fast in a test build.
const FASTER: &str = "to make it several times as fast, add to Cargo.toml:
    [profile.dev.package]
    crashpoint.opt-level = 3
    crashpoint-simulator.opt-level = 3";

/// The progress of a crash test.
pub(super) struct Progress {
    at: &'static Location<'static>,
    begun: Instant,
    next: Duration,
    /// The number of schedules of the rounds that have ended.
    schedules: u64,
}

impl Progress {
    #[expect(
        clippy::disallowed_methods,
        reason = "for a person who waits; no schedule depends on it"
    )]
    pub(super) fn begin(at: &'static Location<'static>) -> Self {
        Self {
            at,
            begun: Instant::now(),
            next: FIRST,
            schedules: 0,
        }
    }

    /// Prints a line if it is time for one.
    pub(super) fn tell(&mut self, budget: Budget, round: &Findings) {
        let elapsed = self.begun.elapsed();
        if elapsed < self.next {
            return;
        }
        let schedules = counted(self.schedules + round.schedules, "schedule");
        let (at, seconds) = (self.at, elapsed.as_secs());
        let faults = budget.prose();
        let mut line =
            format!("crash test of {at}: {schedules} in {seconds} s, now those with {faults}");
        if self.next == FIRST && cfg!(debug_assertions) {
            line = format!("{line}; {FASTER}");
        }
        self.next = elapsed * 2;
        say(&line);
    }

    /// A round has ended.
    pub(super) fn end_round(&mut self, round: &Findings) {
        self.schedules += round.schedules;
    }

    /// Says that the limit of schedules left something out.
    pub(super) fn tell_limit(&self, all: &Findings) {
        say(&format!(
            "crash test of {}: stopped at its limit: {all}",
            self.at
        ));
    }
}

/// Prints a line past the test harness, which keeps what a passing test prints to itself.
fn say(line: &str) {
    // Nobody may be there to read it.
    _ = writeln!(std::io::stderr(), "{line}");
}
