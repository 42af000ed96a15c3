//! The hashed trace of a simulation: all its events in order, each hashed together with those before.
//! The check of determinism.
//!
//! The same choices must give the same trace: twice in a process, after other simulations, and in
//! another process. If two traces differ, the first hash that differs names the first event that
//! differs. A trace contains the draws and the history in the order in which they happened (invocations
//! and responses of lives, operations of the store, effects, faults), then the final log, the world of the
//! subject if it shows it, its broken invariants, the crash points, and the verdicts.
//!
//! A trace does not show what leaves no event: a task may read a clock and ignore the result.

use std::fmt;
use std::hash::{Hash, Hasher as _};

use crate::choices::Draw;
use crate::choices::fnv::Fnv;
use crate::operations::Simulation;
use crate::oracle::Verdict;
use crate::record::Trial;
use crate::report::trace;
use crate::sim::Run;

/// Every event of a simulation in order, each with a hash. The hashes are the same in every process
/// that runs the same build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedTrace(Vec<Event>);

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Event {
    /// The event in words, as in a [`trace`].
    words: String,
    /// A hash of this event and all before it.
    link: u64,
}

/// The first event in which two traces differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Divergence {
    /// The index of the event, from 0: the number of equal events before it.
    pub place: usize,
    /// The event in the first trace; `None` if that trace had ended.
    pub first: Option<String>,
    /// The event in the second trace; `None` if that trace had ended.
    pub then: Option<String>,
}

impl HashedTrace {
    /// The trace of a trial, from the draws of its workflow to its verdicts.
    pub fn of(trial: &Trial) -> Self {
        let mut writer = Writer::new();
        let planned = trial.tape.0.len() - trial.run.tape.0.len();
        let plan = trial.tape.0[..planned].iter().enumerate();
        plan.for_each(|(place, draw)| writer.draw(place, draw));
        writer.run(&trial.run, planned);
        for point in trial.run.recorder.points() {
            writer.event(&point, || format!("point {point}"));
        }
        for point in trial.run.recorder.missed() {
            writer.event(&point, || format!("missed {point}"));
        }
        writer.verdicts(&trial.verdicts);
        writer.finish()
    }

    /// The trace of a simulation of operations.
    pub(super) fn of_operations(simulation: &Simulation, verdicts: &[Verdict]) -> Self {
        let mut writer = Writer::new();
        let Simulation { history, tape, .. } = simulation;
        for (place, draw) in tape.0.iter().enumerate() {
            writer.draw(place, draw);
        }
        for (place, entry) in history.0.iter().enumerate() {
            writer.event(entry, || trace::operations_line(place, entry));
        }
        writer.verdicts(verdicts);
        writer.finish()
    }

    /// The divergence of two runs of the same choices, if they differ. It leaves out the crash points:
    /// a run that continues from a copy does not know the earlier ones.
    pub(crate) fn divergence_of_runs(first: &Run, then: &Run) -> Option<Divergence> {
        let of = |run: &Run| {
            let mut writer = Writer::new();
            writer.run(run, 0);
            writer.finish()
        };
        // Equal runs need no words.
        let same = first.history == then.history
            && (&first.tape, &first.drawn) == (&then.tape, &then.drawn)
            && (&first.log, &first.other_logs) == (&then.log, &then.other_logs)
            && (&first.run_of_life, &first.broken) == (&then.run_of_life, &then.broken)
            && first.world == then.world;
        if same {
            None
        } else {
            of(first).divergence(&of(then))
        }
    }

    /// The number of events.
    pub fn events(&self) -> usize {
        self.0.len()
    }

    /// The hash of all events.
    pub fn hash(&self) -> u64 {
        let last = self.0.last();
        last.map_or_else(|| Fnv::new().finish(), |event| event.link)
    }

    /// Each event in words, with the hash of that event and all events before it.
    pub fn lines(&self) -> impl Iterator<Item = (u64, &str)> {
        let events = self.0.iter();
        events.map(|event| (event.link, event.words.as_str()))
    }

    /// The first event in which another trace differs from this one, if any.
    pub fn divergence(&self, other: &Self) -> Option<Divergence> {
        Divergence::of(
            self.lines(),
            other.lines().map(|(link, words)| (link, words.to_owned())),
        )
    }
}

impl Divergence {
    /// The first event with a different hash, of two traces given as [`HashedTrace::lines`]: they may
    /// come from two processes.
    pub fn of<'a>(
        first: impl Iterator<Item = (u64, &'a str)>,
        then: impl Iterator<Item = (u64, String)>,
    ) -> Option<Self> {
        let (mut first, mut then) = (first, then);
        let mut place = 0;
        loop {
            match (first.next(), then.next()) {
                (None, None) => return None,
                (Some(one), Some(other)) if one.0 == other.0 => place += 1,
                (one, other) => {
                    return Some(Self {
                        place,
                        first: one.map(|one| one.1.to_owned()),
                        then: other.map(|other| other.1),
                    });
                }
            }
        }
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |words: &Option<String>| words.clone().unwrap_or_else(|| "nothing".to_owned());
        let (first, then) = (of(&self.first), of(&self.then));
        writeln!(f, "event {} differs:", self.place)?;
        writeln!(f, "  first  {first}")?;
        write!(f, "  then   {then}")?;
        if first == then {
            write!(f, "\n  in something that these words do not show")?;
        }
        Ok(())
    }
}

/// Collects events.
struct Writer {
    events: Vec<Event>,
    chain: Fnv,
}

impl Writer {
    fn new() -> Self {
        Self {
            events: Vec::new(),
            chain: Fnv::new(),
        }
    }

    fn event(&mut self, what: &impl Hash, words: impl FnOnce() -> String) {
        what.hash(&mut self.chain);
        self.events.push(Event {
            words: words(),
            link: self.chain.finish(),
        });
    }

    fn draw(&mut self, place: usize, draw: &Draw) {
        self.event(draw, || trace::draw(place, draw));
    }

    fn verdicts(&mut self, verdicts: &[Verdict]) {
        for verdict in verdicts {
            let parts = (verdict.oracle, &verdict.message);
            self.event(&parts, || trace::violation(verdict));
        }
    }

    /// The draws and entries of a run, each draw before the entry that followed it. The first draw has
    /// the index `planned`.
    fn run(&mut self, run: &Run, planned: usize) {
        let draws = run.tape.0.iter().zip(&run.drawn).enumerate();
        let mut draws = draws.peekable();
        for (place, entry) in run.history.0.iter().enumerate() {
            while let Some((index, (draw, _))) = draws.next_if(|(_, (_, drawn))| **drawn <= place) {
                self.draw(planned + index, draw);
            }
            self.event(&(entry.life, &entry.what), || trace::line(place, entry));
        }
        for (index, (draw, _)) in draws {
            self.draw(planned + index, draw);
        }
        for row in run.logs().flat_map(|(_, rows)| rows) {
            self.event(row, || trace::row(row));
        }
        // A line is an event, so that the first line that differs is named.
        for line in run.world.iter().flat_map(|world| world.lines()) {
            self.event(&line, || format!("world {}", trace::quoted(line)));
        }
        for broken in &run.broken {
            self.event(broken, || {
                format!("broken {}", trace::quoted(&broken.to_string()))
            });
        }
    }

    fn finish(self) -> HashedTrace {
        HashedTrace(self.events)
    }
}
