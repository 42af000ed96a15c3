//! Peers measured in turns, so that a machine that warms up or is busy treats them alike.

use std::fmt;
use std::time::{Duration, Instant};

/// How often each peer has its turn; odd, so that there is a median.
const TURNS: usize = 41;

/// The time that `work` takes.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures the wall clock"
)]
pub fn elapsed(work: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    work();
    begin.elapsed()
}

/// The medians of peers that did the same work; the first is compared with the others.
#[derive(Debug, Clone)]
pub struct Comparison {
    unit: &'static str,
    medians: Vec<(&'static str, Duration)>,
}

impl Comparison {
    /// Runs every peer in turns. A turn does `units` of work; medians are for one `unit`.
    ///
    /// # Panics
    ///
    /// Where there are no peers or no units.
    pub fn run(
        unit: &'static str,
        units: u32,
        peers: &mut [(&'static str, &mut dyn FnMut())],
    ) -> Self {
        assert!(!peers.is_empty(), "a comparison has peers");
        let mut times = vec![Vec::with_capacity(TURNS); peers.len()];
        for _ in 0..TURNS {
            for ((_, work), times) in peers.iter_mut().zip(&mut times) {
                times.push(elapsed(work) / units);
            }
        }
        let medians = peers.iter().zip(times).map(|((name, _), mut times)| {
            times.sort_unstable();
            (*name, times[TURNS / 2])
        });
        let medians = medians.collect();
        Self { unit, medians }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, first) = self.medians[0];
        writeln!(f, "median of {TURNS} turns, for one {}:", self.unit)?;
        for (name, median) in &self.medians {
            let ratio = median.as_secs_f64() / first.as_secs_f64();
            writeln!(f, "{:>8} ns  {ratio:>6.2} x  {name}", median.as_nanos())?;
        }
        Ok(())
    }
}
