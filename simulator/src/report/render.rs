//! A simulation as text for people: the schedule, a timeline, the log and the ledger.
//!
//! Texts of a workload (names, payloads, blobs) are escaped, so they cannot move the cursor, hide
//! text or forge a line.

mod window;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crashpoint::{CheckpointRow, Direction, Event, Undone};

use crate::fault::{Fault, Schedule};
use crate::history::{Entry, History, Opening, Receiver, Reception, What};
use crate::operations::{Placement, Simulation};
use crate::oracle::Verdict;
use crate::sim::{Run, Workload};

pub use window::{window, windows, windows_of};

/// The most characters of a user's text that [`escaped`] shows.
const SHOWN_MAX: usize = 72;

/// The most lines of a section that are shown in full. Of a longer section the beginning and the
/// end are shown.
const LINES_MAX: usize = 240;

/// Whether a medium must not get `character` as it is: a control, a format character, a mark that
/// changes the characters around it, a blank other than the space, or a code point without a character.
///
/// ```
/// use crashpoint_simulator::render::is_invisible;
///
/// let (esc, override_, filler) = ('\u{1b}', '\u{202e}', '\u{3164}');
/// assert!([esc, override_, filler, '\n'].into_iter().all(is_invisible));
/// assert!(!"a\"'\\ é".chars().any(is_invisible));
/// ```
pub fn is_invisible(character: char) -> bool {
    match character {
        '"' | '\'' | '\\' => false,
        other => is_filler(other) || other.escape_debug().len() > 1,
    }
}

/// Letters and a pattern that look like blanks, which `escape_debug` takes for visible characters.
fn is_filler(character: char) -> bool {
    matches!(
        character,
        '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
    )
}

/// `text` with all invisible characters as escapes, cut if it is long.
///
/// ```
/// use crashpoint_simulator::render::escaped;
///
/// assert_eq!(escaped("charge\u{1b}[2Jcard"), "charge\\u{1b}[2Jcard");
/// assert_eq!(escaped("ab\u{202e}cd\n"), "ab\\u{202e}cd\\n");
/// ```
pub fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for (shown, character) in text.chars().enumerate() {
        if shown == SHOWN_MAX {
            escaped.push_str("...");
            break;
        }
        match character {
            // Quotes are harmless, and JSON is full of them.
            '"' | '\'' => escaped.push(character),
            filler if is_filler(filler) => escaped.extend(filler.escape_unicode()),
            other => escaped.extend(other.escape_debug()),
        }
    }
    escaped
}

/// The most characters of a user's text that [`escaped_full`] shows.
const FULL_MAX: usize = 2000;

/// `text` with all invisible characters as escapes. Only the characters after the first 2,000 are
/// replaced by their number.
///
/// ```
/// use crashpoint_simulator::render::escaped_full;
///
/// assert_eq!(escaped_full("a\u{202e}b\n"), "a\\u{202e}b\\n");
/// assert!(escaped_full(&"x".repeat(2100)).ends_with("x... and 100 more characters"));
/// ```
pub fn escaped_full(text: &str) -> String {
    let mut full = String::new();
    let mut rest = text.chars();
    let mut buffer = [0; 4];
    for character in rest.by_ref().take(FULL_MAX) {
        full.push_str(&escaped(character.encode_utf8(&mut buffer)));
    }
    let left = rest.count();
    if left > 0 {
        _ = write!(full, "... and {left} more characters");
    }
    full
}

/// `1 schedule`, `1,204 schedules`.
pub fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// A number with a comma between thousands.
///
/// ```
/// use crashpoint_simulator::render::grouped;
///
/// assert_eq!(grouped(1_204), "1,204");
/// ```
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Advice for a schedule that ran differently the second time.
pub const NONDETERMINISM: &str = "\
something outside the simulation had an effect. Look for: the clock of the machine (ctx.unix_ms()
and ctx.sleep() are simulated), random numbers (ctx.idempotency_key() is stable), the order of a
HashMap or HashSet, threads, and state that outlives one simulation, such as a static";

/// The story of a run: schedule, timeline, log, ledger, and violations.
pub fn story(run: &Run, verdicts: &[Verdict]) -> String {
    let mut story = story_without_violations(run);
    let verdicts = verdicts.iter().map(violation).collect();
    section(&mut story, "violations", &lines_or(verdicts, "none"));
    story
}

/// The story of a simulation of operations: the operations, schedule, timeline, and violations.
pub fn operations_story(simulation: &Simulation, verdicts: &[Verdict]) -> String {
    let mut story = String::new();
    section(&mut story, "operations", &operations(simulation));
    let schedule = operations_schedule(&simulation.history.schedule());
    section(&mut story, "schedule", &lines_or(schedule, "no fault"));
    let entries = simulation.history.0.iter();
    let entries = entries.map(|entry| escaped_line(&entry.to_string()));
    section(&mut story, "timeline", &entries.collect::<Vec<_>>());
    let verdicts = verdicts.iter().map(violation).collect();
    section(&mut story, "violations", &lines_or(verdicts, "none"));
    story
}

/// The operations of a simulation, and where they ran, one a line.
pub fn operations(simulation: &Simulation) -> Vec<String> {
    let operations = (1..).zip(&simulation.operations);
    let operations = operations.map(|(caller, operation)| format!("caller {caller}: {operation}"));
    let place = match simulation.placement {
        Placement::OneProcess => "all in one process",
        Placement::Apart => "each in a process of its own",
        Placement::InTurn => "each in a process of its own, one after the other",
    };
    operations.chain([place.to_owned()]).collect()
}

/// The faults and switches of a schedule of operations, one a line.
pub fn operations_schedule(schedule: &Schedule) -> Vec<String> {
    let lines = schedule.0.iter().map(|fired| match fired.fault {
        Fault::Switch(caller) => format!("at {}: caller {caller} goes on", fired.point),
        _ => fired.remarked(),
    });
    lines.collect()
}

/// A broken promise, in one line.
pub(crate) fn violation(verdict: &Verdict) -> String {
    format!("{}: {}", verdict.oracle, escaped_line(&verdict.message))
}

/// The story without the violations.
pub(crate) fn story_without_violations(run: &Run) -> String {
    let mut story = String::new();
    section(&mut story, "schedule", &schedule(&run.history));
    if run.is_of_several() {
        section(&mut story, "runs", &runs(run));
    }
    let timeline = timeline_of(&run.history, |life| run.run_of_life.of(life));
    section(&mut story, "timeline", &timeline);
    for (id, rows) in run.logs() {
        let title = match run.is_of_several() {
            true => format!("log of {id}"),
            false => "log".to_owned(),
        };
        section(&mut story, &title, &log(rows));
    }
    section(&mut story, "ledger", &ledger(&run.history));
    if let Some(world) = &run.world {
        let lines = world.lines().map(escaped_line).collect();
        section(&mut story, "world", &lines_or(lines, "empty"));
    }
    story
}

fn section(story: &mut String, title: &str, lines: &[String]) {
    _ = writeln!(story, "{title}");
    let mut write_lines = |lines: &[String]| {
        for line in lines {
            _ = writeln!(story, "  {line}");
        }
    };
    if lines.len() <= LINES_MAX {
        return write_lines(lines);
    }
    let (first, last) = (LINES_MAX / 2, lines.len() - LINES_MAX / 2);
    write_lines(&lines[..first]);
    write_lines(&[format!("... {} lines more ...", last - first)]);
    write_lines(&lines[last..]);
}

fn lines_or(lines: Vec<String>, none: &str) -> Vec<String> {
    if lines.is_empty() {
        vec![none.to_owned()]
    } else {
        lines
    }
}

/// The runs of a simulation that has several, each with its lives and how it ended.
fn runs(run: &Run) -> Vec<String> {
    let lines = run.outcomes().enumerate().map(|(index, (id, outcome))| {
        let began = run
            .history
            .select(|what| matches!(what, What::Began(_)).then_some(()));
        let own = began.filter(|(_, life, ())| run.run_of_life.of(*life) == index);
        let lives: Vec<String> = own.map(|(_, life, ())| life.to_string()).collect();
        let end = outcome.map_or_else(|| "not ended".to_owned(), ToString::to_string);
        format!("{id}  {}  lives {}", escaped_line(&end), lives.join(", "))
    });
    lines.collect()
}

/// The release that each life ran, if the workload has two; otherwise nothing. It comes before a [`story`].
pub fn releases(workload: &Workload, history: &History) -> String {
    let mut section_of = String::new();
    if workload.upgrade.is_none() {
        return section_of;
    }
    let lives = history.select(|what| matches!(what, What::Began(_)).then_some(()));
    let lines = lives.map(|(_, life, ())| {
        let release = workload.release(life, history);
        let version = workload.definition_of(release).version;
        format!("life {life}  the {release} release, version {version}")
    });
    section(&mut section_of, "releases", &lines.collect::<Vec<_>>());
    section_of
}

/// The faults of a schedule, in words.
pub fn schedule(history: &History) -> Vec<String> {
    let faults = history
        .faults()
        .map(|(_, _, fired)| escaped_line(&fired.remarked()));
    lines_or(faults.collect(), "no fault")
}

/// The events, one per line. A life that only verifies an ended run takes one line.
pub fn timeline(history: &History) -> Vec<String> {
    timeline_of(history, |_| 0)
}

/// The same for a simulation with several runs. `run_of` is the run of a life.
fn timeline_of(history: &History, run_of: impl Fn(u32) -> usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut begun = Begun::default();
    let mut place = 0;
    for part in history.0.chunk_by(|_, next| !is_beginning(next)) {
        if let Some(line) = verification_line(part) {
            lines.push(line);
            place += part.len();
            continue;
        }
        for entry in part {
            let again = begun.again(entry, run_of(entry.life));
            let words = match history.is_late(place) {
                true => entry_words(entry, again)
                    .map(|what| format!("{what}, after its attempt has ended")),
                false => entry_words(entry, again),
            };
            place += 1;
            lines.extend(words.map(|what| match entry.life {
                0 => format!("        {what}"),
                life => format!("life {life}  {what}"),
            }));
        }
    }
    lines_or(lines, "no event")
}

fn is_beginning(entry: &Entry) -> bool {
    matches!(entry.what, What::Began(_))
}

/// The line of a life that only loads and returns, after the last fault.
fn verification_line(part: &[Entry]) -> Option<String> {
    let [first, rest @ ..] = part else {
        return None;
    };
    let mut answer = None;
    for entry in rest {
        match &entry.what {
            What::Returned(end) if entry.life == first.life => answer = Some(end),
            What::Loaded(_) => {}
            _ => return None,
        }
    }
    let (life, end) = (first.life, escaped_line(&answer?.to_string()));
    let words = opening_words(Opening::Verify);
    let verifies = first.what == What::Began(Opening::Verify);
    verifies.then(|| format!("life {life}  begins {words}, and returns: {end}"))
}

/// The attempted work, with the first life that began it.
#[derive(Default)]
struct Begun<'a>(BTreeMap<(usize, &'a str, bool, u64, u64), u32>);

impl<'a> Begun<'a> {
    /// Whether an earlier life has begun the same work.
    fn again(&mut self, entry: &'a Entry, run: usize) -> bool {
        let What::Started(attempt) = &entry.what else {
            return false;
        };
        let undo = attempt.direction == Direction::Undo;
        let work = (run, &*attempt.task, undo, attempt.visit, attempt.step);
        *self.0.entry(work).or_insert(entry.life) != entry.life
    }
}

/// An event in one line, also those that the timeline leaves out.
pub(super) fn event_line(entry: &Entry) -> String {
    let words = entry_words(entry, false).unwrap_or_else(|| match &entry.what {
        What::Acknowledged { sequence } => format!("learns    #{sequence} is durable"),
        What::Applied { sequence, .. } => format!("applies   #{sequence}"),
        What::Finished {
            task, direction, ..
        } => format!("finishes  {}{}", undo(*direction), escaped(task)),
        _ => "goes on".to_owned(),
    });
    match entry.life {
        0 => words,
        life => format!("life {life}  {words}"),
    }
}

fn entry_words(entry: &Entry, again: bool) -> Option<String> {
    Some(match &entry.what {
        What::Began(opening) => format!("begins {}", opening_words(*opening)),
        What::Sent(row) => format!("sends     {}", row_words(row)),
        What::Landed(row) => format!("durable   #{}", row.sequence),
        What::AppendFailed { sequence } => format!("error     append of #{sequence}"),
        What::StoreFailed(message) => format!("STORE     {}", escaped_line(message)),
        What::LoadFailed => "error     load".to_owned(),
        What::Loaded(rows) if rows.len() == 1 => "loads     1 row".to_owned(),
        What::Loaded(rows) => format!("loads     {} rows", rows.len()),
        What::Started(attempt) => {
            let mut words = String::new();
            if attempt.round > 0 {
                _ = write!(words, ", round {}", attempt.round);
            }
            if attempt.attempt > 1 {
                _ = write!(words, ", attempt {}", attempt.attempt);
            }
            if again {
                words.push_str(", again");
            }
            let (task, visit) = (escaped(&attempt.task), attempt.visit);
            format!(
                "begins    {}{task} (visit {visit}{words})",
                undo(attempt.direction)
            )
        }
        What::Finished {
            task,
            direction,
            succeeded: false,
        } => {
            format!("fails     {}{}", undo(*direction), escaped(task))
        }
        What::Waits { task, visit, .. } => {
            format!("waits     for {} (visit {visit})", escaped(task))
        }
        What::Effect(effect) => format!("effect    {}", escaped(&effect.words())),
        What::Noted(text) => format!("notes     {}", escaped(text)),
        What::Broken { name, message } => {
            format!("BROKEN    {}: {}", escaped(name), escaped(message))
        }
        What::Cleared => "clears    the log".to_owned(),
        What::Fault(fired) => format!("FAULT     {}", escaped_line(&fired.remarked())),
        What::Returned(end) => format!("returns   {}", escaped_line(&end.to_string())),
        What::Panicked(message) => format!("PANICS    {}", escaped(message)),
        What::Unserializable(message) => format!("NO JSON   {}", escaped(message)),
        What::Stopped(why) => format!("STOPPED   {why}"),
        What::Stalled => "HANGS     nothing can happen".to_owned(),
        What::Acknowledged { .. }
        | What::PollTimedOut { .. }
        | What::TimerEnded { .. }
        | What::Applied { mismatch: None, .. }
        | What::Finished {
            succeeded: true, ..
        } => return None,
        What::Applied {
            sequence,
            mismatch: Some(_),
        } => {
            format!("DIFFERS   from the rebuilt state after #{sequence}")
        }
    })
}

/// How a life began.
pub fn opening_words(opening: Opening) -> &'static str {
    match opening {
        Opening::Start => "as a new run",
        Opening::Resume => "by resuming",
        Opening::RetryStuck => "by retrying the stuck run",
        Opening::Rival => "as a rival",
        Opening::Verify => "by resuming, after the last fault",
    }
}

pub(super) fn undo(direction: Direction) -> &'static str {
    match direction {
        Direction::Do => "",
        Direction::Undo => "undo ",
    }
}

/// A log, one line for each row.
pub fn log(rows: &[CheckpointRow]) -> Vec<String> {
    lines_or(rows.iter().map(row_words).collect(), "empty")
}

fn row_words(row: &CheckpointRow) -> String {
    let words = match Event::from_row(row) {
        Ok(event) => event_words(&event),
        Err(fault) => format!("undecodable: {}", escaped_line(&fault.to_string())),
    };
    let line = format!("#{:<3} {:<23} {words}", row.sequence, row.kind);
    line.trim_end().to_owned()
}

fn event_words(event: &Event) -> String {
    let bytes = |bytes: &[u8]| escaped(&String::from_utf8_lossy(bytes));
    match event {
        Event::Claimed { state, claim } => {
            let life = &claim.nonce.to_string()[..16];
            let input = claim
                .input
                .as_deref()
                .map(|input| format!(", input {}", bytes(input)));
            format!(
                "at {}, life {life}{}",
                escaped(state),
                input.unwrap_or_default()
            )
        }
        Event::Entered { state, task } | Event::Routed { state, task } => {
            format!("{} -> {}", escaped(task), escaped(state))
        }
        Event::Produced {
            state,
            task,
            output,
        }
        | Event::Completed {
            state,
            task,
            output,
        } => {
            format!(
                "{} -> {}, output {}",
                escaped(task),
                escaped(state),
                bytes(output)
            )
        }
        Event::StepAdvanced { task, cursor, .. } => {
            format!("{}, cursor {}", escaped(task), bytes(cursor))
        }
        Event::TimerStarted {
            task,
            deadline_unix_ms,
            ..
        } => format!("{}, until {deadline_unix_ms} ms", escaped(task)),
        Event::Polled { task, polled, .. } => {
            format!("{}, {} rounds", escaped(task), polled.rounds)
        }
        Event::RollbackStarted { task, cause, .. } => {
            format!("{} {}", escaped(task), escaped(&cause.to_string()))
        }
        Event::Compensated { task, undone } => format!("{} {}", escaped(task), of(*undone)),
        Event::CompensationFailed {
            task,
            undone,
            error,
        } => {
            format!("{} {}: {}", escaped(task), of(*undone), escaped(error))
        }
        Event::RolledBack => String::new(),
    }
}

fn of(undone: Undone) -> String {
    match undone {
        Undone::Completion(sequence) => format!("of #{sequence}"),
        Undone::InDoubt(visit) => format!("of visit {visit}, in doubt"),
    }
}

/// The effects that reached the world, one per line.
pub fn ledger(history: &History) -> Vec<String> {
    let effects = history.effects().map(|(_, life, effect)| {
        let reception = reception_words(effect.reception);
        let (name, key) = (
            escaped(&effect.words()),
            escaped(&effect.key[..8.min(effect.key.len())]),
        );
        let payload = match effect.receiver {
            Receiver::World => format!(" [{}]", escaped(&effect.payload)),
            Receiver::Service(_) => String::new(),
            Receiver::WithoutKeys(_) => " (keeps no keys)".to_owned(),
        };
        format!(
            "life {life}  {name}{payload}  visit {}  key {key}{reception}",
            effect.visit
        )
    });
    lines_or(
        effects.collect(),
        "no effect went through Process::effect or a Process::service",
    )
}

/// What a receiver made of an effect, unless it performed it.
pub(super) fn reception_words(reception: Reception) -> &'static str {
    match reception {
        Reception::Performed => "",
        Reception::Repeated => "  (repeated: the key is known)",
        Reception::Voided => "  (refused: the key was undone)",
    }
}

/// Escapes a line of fixed words and a workload's names.
///
/// ```
/// use crashpoint_simulator::render::escaped_line;
///
/// assert_eq!(escaped_line("still holds red\u{1b}[31m@0"), "still holds red\\u{1b}[31m@0");
/// ```
pub fn escaped_line(line: &str) -> String {
    let words: Vec<String> = line.split(' ').map(escaped).collect();
    words.join(" ")
}
