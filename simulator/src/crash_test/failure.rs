//! The message of a failed crash test. It has everything that the author needs to correct the
//! workflow.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;

use crashpoint::Direction;

use crate::crash_test::page::Shown;
use crate::explore::{
    CONTINUATIONS, NoReturn, Nondeterminism, SHRINK_RUNS_MAX, Shrunk, Violation, shrink,
};
use crate::history::{Recorder, What};
use crate::oracle::{INVARIANTS, Oracle, Verdict, judge, named};
use crate::record::{Recording, Source, TapeFile, replay_recording, run_schedule};
use crate::report::render::{self, counted};
use crate::report::steps::Steps;
use crate::sim::{Run, Settings, Workload};

use super::{REPLAY, command, keep};

/// The maximal length of a test's name, in characters.
const NAME_LENGTH_MAX: usize = 80;

/// The line about a store of the author's own.
const OWN_STORE: &str = "the store is your own: a store that breaks its contract can break any promise, so certify it \
                         by crashpoint-conformance first";

/// A violation of a crash test, shrunk.
pub(super) struct Failed<'a> {
    workload: &'a Workload,
    shrunk: Result<Shrunk, String>,
    found: &'a Found<'a>,
}

/// A violation, and where it was found.
pub(super) struct Found<'a> {
    pub(super) violation: &'a Violation,
    /// The number of sampled seeds, if the violation was found among them.
    pub(super) sampled: Option<u64>,
    /// The number of schedules that were run until then.
    pub(super) schedules: u64,
    /// The number of the crash test among those that the test function runs, if
    /// [`replay_in`](crate::replay_in) can replay it.
    pub(super) number: Option<usize>,
    /// The place of the crash test, which is also the place of its run.
    pub(super) at: &'a Location<'a>,
    pub(super) run: &'a Location<'a>,
    /// The function of the author's test.
    pub(super) function: &'static str,
    /// The call that replays a schedule in the kept test, such as `replay("...")`.
    pub(super) replay: &'a dyn Fn(&str) -> String,
}

impl<'a> Failed<'a> {
    pub(super) fn new(workload: &'a Workload, found: &'a Found<'a>) -> Self {
        let shrunk = shrink(Source::Fixed(workload), found.violation, SHRINK_RUNS_MAX);
        Self {
            workload,
            shrunk: shrunk.map_err(|error| error.to_string()),
            found,
        }
    }

    fn violation(&self) -> &Violation {
        self.shrunk
            .as_ref()
            .map_or(self.found.violation, |shrunk| &shrunk.violation)
    }

    /// The text of the schedule, if it is enough to break the promise. Unlike a token it survives
    /// changes of the engine and the workflow.
    fn in_words(&self) -> Option<String> {
        let (violation, source) = (self.violation(), Source::Fixed(self.workload));
        let store = violation.token.store;
        let (trial, _) = run_schedule(source, store, &violation.schedule).ok()?;
        let mut verdicts = trial.verdicts.iter();
        let broken = verdicts.any(|verdict| verdict.oracle == violation.oracle);
        broken.then(|| violation.schedule.to_string())
    }

    /// A token, or the file of a tape that is too long for a token.
    fn recording(&self) -> String {
        let token = &self.violation().token;
        let recording = Recording::Token(token.clone());
        match (token.word(), &self.shrunk) {
            (Ok(word), _) => word,
            (Err(_), Ok(shrunk)) => saved(&self.workload.name, &recording.settings(), shrunk),
            (Err(too_long), Err(_)) => too_long.to_string(),
        }
    }
}

impl Failed<'_> {
    /// The schedule, event by event, from where the promise breaks.
    pub(super) fn shown(&self) -> Option<Shown> {
        let violation = self.violation();
        let recording = Recording::Token(violation.token.clone());
        let source = Source::Fixed(self.workload);
        let steps = Steps::of_recording(source, &recording).ok()?;
        let trial = replay_recording(source, &recording).ok()?;
        let told = |verdict: &Verdict| verdict.oracle == violation.oracle;
        let verdicts: Vec<Verdict> = trial.verdicts.into_iter().filter(told).collect();
        Some(Shown::of(steps, self.workload, &trial.run, &verdicts))
    }

    /// The simulation of the schedule, if it was shrunk.
    fn run(&self) -> Option<&Run> {
        let shrunk = self.shrunk.as_ref().ok()?;
        Some(&shrunk.trial.run)
    }

    /// When the faults happen.
    fn window(&self) -> String {
        let of_schedule = || render::windows(&self.violation().schedule);
        let run = self.run();
        run.map_or_else(of_schedule, |run| render::windows_of(&run.history))
    }

    /// What to change; for an invariant it depends on the schedule. `None` if the line about the author's own
    /// store says it.
    fn advice(&self, oracle: &Oracle) -> Option<String> {
        if self.workload.own_store.is_some() && !oracle.is_for_authors() {
            return None;
        }
        let of_schedule = self.run().filter(|_| oracle.name == INVARIANTS);
        let of_schedule = of_schedule.and_then(advice_of_schedule);
        Some(of_schedule.unwrap_or_else(|| oracle.advice().to_owned()))
    }

    /// The story of the schedule, with the broken promises other than the first.
    fn story(&self) -> String {
        let violation = self.violation();
        let recording = Recording::Token(violation.token.clone());
        let trial = match replay_recording(Source::Fixed(self.workload), &recording) {
            Ok(trial) => trial,
            Err(error) => return format!("{error}\n"),
        };
        let mut story = render::releases(self.workload, &trial.run.history);
        story.push_str(&render::story_without_violations(&trial.run));
        let named = |verdict: &&Verdict| {
            verdict.oracle == violation.oracle && verdict.message == violation.message
        };
        let verdicts = judge(self.workload, &trial.run);
        let mut others = verdicts.iter().filter(|verdict| !named(verdict)).peekable();
        if others.peek().is_some() {
            story.push_str("other violations\n");
        }
        for other in others {
            story.push_str(&format!("  {}\n", render::violation(other)));
        }
        story
    }

    /// From which fault on the promise could hardly be kept. A schedule without faults has no such point.
    fn no_return(&self) -> Option<NoReturn> {
        let violation = self.violation();
        if violation.schedule.0.is_empty() {
            return None;
        }
        let recording = Recording::Token(violation.token.clone());
        let source = Source::Fixed(self.workload);
        NoReturn::of(source, &recording, violation.oracle, CONTINUATIONS).ok()
    }

    /// The name of the broken invariant, if an invariant is broken.
    fn broken_invariant(&self) -> Option<String> {
        let violation = self.violation();
        if violation.oracle != INVARIANTS {
            return None;
        }
        let recording = Recording::Token(violation.token.clone());
        let trial = replay_recording(Source::Fixed(self.workload), &recording).ok()?;
        let mut now = trial.run.history.select(|what| match what {
            What::Broken { name, .. } => Some(name.to_string()),
            _ => None,
        });
        if let Some((.., name)) = now.next() {
            return Some(name);
        }
        drop(now);
        let first = trial.run.broken.into_iter().next();
        first.map(|broken| broken.name)
    }

    /// The regression test.
    fn test(&self, schedule: &str) -> String {
        let name = name_of(self.violation(), self.broken_invariant().as_deref());
        let Found {
            at,
            run,
            number,
            function,
            replay,
            ..
        } = self.found;
        let replay = replay(schedule);
        if let Some(test) = keep::test(&name, run, &replay) {
            return format!("keep it\n\n{test}");
        }
        match (command::name_of_test(), number) {
            (Some(test), Some(number)) => format!(
                "keep it, in the module of the test\n\n    #[test]\n    fn {name}() {{\n        \
                 crashpoint_simulator::replay_in(crate::{test}, {number}, {schedule:?});\n    }}"
            ),
            _ => format!(
                "keep it, with the test of {at} in it\n\n    #[test]\n    fn {name}() {{\n        \
                 let test = {function}(/* as it stands there */);\n        \
                 test.{replay};\n    }}"
            ),
        }
    }
}

impl fmt::Display for Failed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let violation = self.violation();
        let (oracle, message) = (violation.oracle, render::escaped_line(&violation.message));
        writeln!(f, "{oracle}: {message}")?;
        // The author has written what an invariant promises, and its name is in the first line.
        let oracle = named(oracle);
        if let Some(oracle) = oracle.filter(|oracle| oracle.name != INVARIANTS) {
            writeln!(f, "the promise: {}", oracle.promise)?;
        }
        writeln!(f, "the window: {}", self.window())?;
        let of_author = oracle.and_then(|oracle| self.advice(oracle));
        let of_store = self.workload.own_store.is_some().then_some(OWN_STORE);
        let advice = of_author.as_deref().into_iter().chain(of_store);
        let advice: Vec<&str> = advice.collect();
        if !advice.is_empty() {
            writeln!(f, "what to change: {}", advice.join("\n"))?;
        }
        f.write_str(&left_out(self.workload))?;
        write!(
            f,
            "found after {}",
            counted(self.found.schedules, "schedule")
        )?;
        if let Some(seeds) = self.found.sampled {
            let seeds = render::grouped(seeds);
            write!(f, ", among {seeds} samples beyond the exhausted budgets")?;
        }
        match &self.shrunk {
            Ok(shrunk) => writeln!(f, "; {}\n", shrunk_in_words(shrunk))?,
            Err(error) => writeln!(f, "; not shrunk: {error}\n")?,
        }
        if let Some(outlook) = self.no_return() {
            writeln!(f, "point of no return")?;
            for line in outlook.to_string().lines() {
                writeln!(f, "{}", render::escaped_line(line))?;
            }
            writeln!(f)?;
        }
        writeln!(f, "{}", self.story())?;
        let test = command::name_of_test().unwrap_or_else(|| "NAME".to_owned());
        let (token, command) = (self.recording(), command::of_test(&test, self.found.run));
        writeln!(f, "replay it")?;
        writeln!(f, "  {REPLAY}={token} {command}\n")?;
        f.write_str(&self.test(&self.in_words().unwrap_or(token)))
    }
}

/// What to change if an invariant is broken: it names what ran again, or else what was undone.
fn advice_of_schedule(run: &Run) -> Option<String> {
    let started = run.history.select(|what| match what {
        What::Started(attempt) => Some(attempt),
        _ => None,
    });
    let mut first_lives = BTreeMap::new();
    let mut undone = Vec::new();
    for (_, life, attempt) in started {
        let task = render::escaped(&attempt.task);
        let is_undo = attempt.direction == Direction::Undo;
        let of_run = run.run_of_life.of(life);
        let action = (of_run, attempt.visit, attempt.step, is_undo, task.clone());
        if let Some(first) = first_lives.get(&action) {
            let (what, how) = match is_undo {
                true => (
                    format!("the undo of {task}"),
                    "let it find that nothing is left to undo: the receiver knows ctx.do_idempotency_key()",
                ),
                false => (
                    task,
                    "send ctx.idempotency_key() with its request and let the receiver honour it, or ask first what was \
                     done",
                ),
            };
            let when = match *first == life {
                true => format!("twice in life {life}"),
                false => format!("in life {first} and again in life {life}"),
            };
            return Some(format!(
                "{what} runs {when}. If that breaks the invariant, {how}"
            ));
        }
        first_lives.insert(action, life);
        if is_undo && !undone.contains(&task) {
            undone.push(task);
        }
    }
    if undone.is_empty() {
        return None;
    }
    let undone = undone.join(", ");
    Some(format!(
        "the rollback undoes {undone}: let an undo take back all that its task may have done. What a task without an \
         undo has done stays"
    ))
}

/// Whether the schedule can be smaller.
fn shrunk_in_words(shrunk: &Shrunk) -> String {
    let runs = counted(shrunk.runs, "simulation");
    let faults = shrunk.violation.schedule.0.len();
    match (shrunk.minimal, faults) {
        (true, 0) => "no fault is needed".to_owned(),
        (true, _) => format!("no fault can be left out ({runs})"),
        (false, _) => format!("a fault may be superfluous: the search stopped after {runs}"),
    }
}

/// The line about the faults that no schedule had, if some are left out.
pub(super) fn left_out(workload: &Workload) -> String {
    match workload.left_out.is_empty() {
        true => String::new(),
        false => {
            let left_out = render::escaped_line(&workload.left_out.to_string());
            format!("left out of every schedule: {left_out}\n")
        }
    }
}

/// The message about a schedule that ran differently the second time.
pub(super) fn nondeterminism(found: &Nondeterminism, at: &Location<'_>) -> String {
    let faults = found.schedule.remarked();
    let schedule = match faults.is_empty() {
        true => "no fault".to_owned(),
        false => {
            let faults: Vec<String> = faults.iter().map(|it| render::escaped_line(it)).collect();
            faults.join("\n  ")
        }
    };
    format!(
        "the workflow is not deterministic: a schedule of the crash test of {at}, run twice, was not the \
         same\n\nschedule\n  {schedule}\n{}\n\n{}",
        found.divergence,
        render::NONDETERMINISM
    )
}

/// The most crash points that a message lists.
const POINTS_SHOWN_MAX: usize = 8;

/// The message if some instants were passed, and were not there when a schedule was to crash at them.
pub(super) fn unreachable(recorder: &Recorder, at: &Location<'_>) -> String {
    let missed: Vec<&str> = recorder.missed().collect();
    let shown = missed.iter().take(POINTS_SHOWN_MAX);
    let shown: Vec<String> = shown.map(|point| render::escaped_line(point)).collect();
    let more = match missed.len() - shown.len() {
        0 => String::new(),
        more => format!("\n  and {more} more"),
    };
    format!(
        "the workflow is not deterministic: one schedule of the crash test of {at} passed these instants, \
         and the schedule that was to crash there did not\n\ninstants\n  {}{more}\n\n{}",
        shown.join("\n  "),
        render::NONDETERMINISM
    )
}

/// The message if the schedule that the environment names belongs to another crash test than the
/// one at `at`.
pub(super) fn of_another_test(schedule: &str, at: &Location<'_>) -> String {
    format!(
        "{REPLAY} is for every crash test that the #[test] runs, and the one of {at} has no \
         such schedule. Where it is another one's, write .replay({schedule:?}) in place of the .run() of \
         that one, and leave {REPLAY} out"
    )
}

/// Writes the tape of a violation to a file, and returns its name.
fn saved(workload: &str, settings: &Settings, shrunk: &Shrunk) -> String {
    let file = TapeFile::of(workload, settings, &shrunk.trial.tape);
    let name = format!("crashpoint-{:08x}.tape", shrunk.trial.tape.fingerprint());
    let path = std::env::temp_dir().join(name);
    match file.write(&path) {
        Ok(()) => path.display().to_string(),
        Err(error) => format!("(the tape could not be written: {error})"),
    }
}

/// A test name that states the claim: `all_or_nothing_at_life1_append_2_before_crash`.
fn name_of(violation: &Violation, invariant: Option<&str>) -> String {
    let mut words = invariant.unwrap_or(violation.oracle).to_owned();
    for fault in violation.schedule.items() {
        words.push(' ');
        words.push_str(&fault);
    }
    let mut name = String::new();
    for character in words.chars() {
        if character.is_ascii_alphanumeric() {
            name.push(character.to_ascii_lowercase());
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    if name.len() > NAME_LENGTH_MAX {
        name.truncate(NAME_LENGTH_MAX);
        name.truncate(name.rfind('_').unwrap_or(NAME_LENGTH_MAX));
    }
    name.trim_end_matches('_').to_owned()
}
