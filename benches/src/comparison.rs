//! Peers measured in turns, so that a busy or warming machine affects them alike.

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

/// The times of peers that did the same work; the others are compared with the first, by their best
/// turns: on a busy machine these turns are disturbed least.
#[derive(Debug, Clone)]
pub struct Comparison {
    unit: &'static str,
    peers: Vec<Peer>,
}

#[derive(Debug, Clone)]
struct Peer {
    name: &'static str,
    best: Duration,
    median: Duration,
}

impl Comparison {
    /// Runs every peer in turns. A turn does `units` of work; times are for one `unit`.
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
        let peers = peers.iter().zip(times).map(|((name, _), mut times)| {
            times.sort_unstable();
            Peer {
                name,
                best: times[0],
                median: times[TURNS / 2],
            }
        });
        let peers = peers.collect();
        Self { unit, peers }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.peers[0].best.as_secs_f64();
        writeln!(f, "one {}, of {TURNS} turns:", self.unit)?;
        writeln!(f, "{:>11} {:>11} {:>8}", "best", "median", "ratio")?;
        for Peer { name, best, median } in &self.peers {
            let ratio = best.as_secs_f64() / first;
            let (best, median) = (best.as_nanos(), median.as_nanos());
            writeln!(f, "{best:>8} ns {median:>8} ns {ratio:>8.2}  {name}")?;
        }
        Ok(())
    }
}
