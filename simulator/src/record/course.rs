//! The course of a simulation: every event of it, each hashed onto those before. The canary of
//! determinism.
//!
//! The same choices have to give the same course, twice in a process, after other simulations, and in
//! another process. Where two courses differ, the first link that differs is the first event that
//! does, and it is named. In a course are the draws and the history in the order in which they
//! happened (what lives did and heard, operations of the store, effects, faults), then the log in the
//! end, the invariants of the subject's that are broken, the crash points, and the verdicts.
//!
//! Not seen is what leaves no trace in these: a task may read a clock and do nothing about it.

use std::fmt;
use std::hash::{Hash, Hasher as _};

use crate::choices::Draw;
use crate::fnv::Fnv;
use crate::record::Trial;
use crate::report::trace;
use crate::sim::Run;

/// Every event of a simulation in its order. Its hashes are the same in every process that runs the
/// same build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course(Vec<Event>);

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Event {
    /// What happened, as in a [`trace`].
    words: String,
    /// A hash of this event and all before it.
    link: u64,
}

/// The first event in which two courses differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parting {
    /// How many events are the same before it.
    pub place: usize,
    /// What it was in the first one; nothing where that had ended.
    pub first: Option<String>,
    /// What it was in the other one.
    pub then: Option<String>,
}

impl Course {
    /// The course of a trial, from the draws of its workflow to its verdicts.
    pub fn of(trial: &Trial) -> Self {
        let mut course = Writer::new();
        let planned = trial.tape.0.len() - trial.run.tape.0.len();
        let plan = trial.tape.0[..planned].iter().enumerate();
        plan.for_each(|(place, draw)| course.draw(place, draw));
        course.run(&trial.run, planned);
        for point in trial.run.recorder.points() {
            course.event(&point, || format!("point {point}"));
        }
        for point in trial.run.recorder.missed() {
            course.event(&point, || format!("missed {point}"));
        }
        for verdict in &trial.verdicts {
            let parts = (verdict.oracle, &verdict.message);
            course.event(&parts, || trace::violation(verdict));
        }
        course.finish()
    }

    /// Where two trials of the same choices part.
    pub fn parting_of_trials(one: &Trial, other: &Trial) -> Option<Parting> {
        // What is the same need not be put into words.
        if one == other {
            return None;
        }
        Self::of(one).parting(&Self::of(other))
    }

    /// Where two runs of the same choices part. The crash points are left out: a run that goes on from
    /// a copy does not know those before.
    pub(crate) fn parting_of_runs(one: &Run, other: &Run) -> Option<Parting> {
        let of = |run: &Run| {
            let mut course = Writer::new();
            course.run(run, 0);
            course.finish()
        };
        // What is the same need not be put into words.
        let same = one.history == other.history
            && (&one.tape, &one.drawn) == (&other.tape, &other.drawn)
            && (&one.log, &one.broken) == (&other.log, &other.broken);
        if same {
            None
        } else {
            of(one).parting(&of(other))
        }
    }

    /// How many events there are.
    pub fn events(&self) -> usize {
        self.0.len()
    }

    /// A hash of them all.
    pub fn hash(&self) -> u64 {
        let last = self.0.last();
        last.map_or_else(|| Fnv::new().finish(), |event| event.link)
    }

    /// Each event in words, with the hash of it and all before it.
    pub fn lines(&self) -> impl Iterator<Item = (u64, &str)> {
        let events = self.0.iter();
        events.map(|event| (event.link, event.words.as_str()))
    }

    /// Where another course parts from this one.
    pub fn parting(&self, other: &Self) -> Option<Parting> {
        Parting::of(
            self.lines(),
            other.lines().map(|(link, words)| (link, words.to_owned())),
        )
    }
}

impl Parting {
    /// The first event whose link is another one; the courses as they were told by two processes.
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

impl fmt::Display for Parting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |words: &Option<String>| words.clone().unwrap_or_else(|| "nothing".to_owned());
        let (first, then) = (of(&self.first), of(&self.then));
        writeln!(f, "event {} is not the same:", self.place)?;
        writeln!(f, "  first  {first}")?;
        write!(f, "  then   {then}")?;
        if first == then {
            write!(f, "\n  in something that these words do not tell")?;
        }
        Ok(())
    }
}

/// Puts down events.
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

    /// The draws of a run, which are `planned` draws after the first, each before the entry that
    /// came next.
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
        for row in &run.log {
            self.event(row, || trace::row(row));
        }
        for broken in &run.broken {
            self.event(broken, || {
                format!("broken {}", trace::quoted(&broken.to_string()))
            });
        }
    }

    fn finish(self) -> Course {
        Course(self.events)
    }
}
