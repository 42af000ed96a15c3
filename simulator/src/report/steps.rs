//! A simulation event by event: the log, the effects, the user's world, the clock, and what each life knows
//! after each event. The terminal and the pages show the same.

use std::collections::BTreeMap;
use std::time::Duration;

use crashpoint::CheckpointRow;

use crate::history::{History, What};
use crate::operations::{self, Simulation};
use crate::report::render;
use crate::sim::{Run, Snapshot, StoreKind};

/// Something that holds after some events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The first event after which it holds.
    pub from: usize,
    /// The first event after which it holds no more. `None` if it holds to the end.
    pub to: Option<usize>,
    /// What holds, in words, escaped. A world may have several lines.
    pub words: String,
}

/// Things of one kind, such as the rows of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its title.
    pub title: String,
    /// Whether it is left out where nothing of it holds, such as a life that has not begun.
    pub is_optional: bool,
    /// The things, in the order in which they began to hold.
    pub spans: Vec<Span>,
}

/// The events of a simulation, and what holds after each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps {
    /// The events, in words, escaped.
    pub events: Vec<String>,
    /// What holds after them.
    pub sections: Vec<Section>,
}

impl Span {
    /// Whether it holds after an event.
    pub fn holds_after(&self, event: usize) -> bool {
        self.from <= event && self.to.is_none_or(|to| event < to)
    }
}

impl Section {
    fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            is_optional: false,
            spans: Vec::new(),
        }
    }

    fn optional(title: &str) -> Self {
        Self {
            is_optional: true,
            ..Self::new(title)
        }
    }

    fn begin(&mut self, from: usize, words: String) {
        let to = None;
        self.spans.push(Span { from, to, words });
    }

    /// Everything that holds ends to do so with this event.
    fn end(&mut self, at: usize) {
        for span in self.spans.iter_mut().filter(|span| span.to.is_none()) {
            span.to = Some(at);
        }
    }

    /// From this event on these words hold alone, unless they do already.
    fn replace(&mut self, at: usize, words: String) {
        if self.spans.last().is_some_and(|span| span.words == words) {
            return;
        }
        self.end(at);
        self.spans.retain(|span| span.to != Some(span.from));
        self.begin(at, words);
    }
}

impl Steps {
    /// The steps of a run over such a store. The snapshots have the clock and the user's world.
    pub fn of(run: &Run, store: StoreKind, snapshots: &[Snapshot]) -> Self {
        let history = &run.history;
        let mut sections = vec![clock(snapshots)];
        sections.extend(logs(run));
        sections.push(effects(history));
        sections.extend(world(run, snapshots));
        sections.extend(lives(run, store));
        Self {
            events: history.0.iter().map(render::event_line).collect(),
            sections,
        }
    }

    /// The steps of a simulation of operations. The logs have what the operations changed.
    pub fn of_operations(simulation: &Simulation) -> Self {
        let (mut changes, mut callers) = (Section::new("changes of the logs"), BTreeMap::new());
        let mut effects = Section::new("effects");
        let entries = simulation.history.0.iter();
        for (at, entry) in entries.clone().enumerate() {
            let caller = entry.caller;
            let mut says = |words: String| {
                let title = format!("caller {caller}");
                let section = callers
                    .entry(caller)
                    .or_insert_with(|| Section::optional(&title));
                section.replace(at, render::escaped_line(&words));
            };
            match &entry.what {
                operations::What::Landed { .. }
                | operations::What::Cleared(_)
                | operations::What::Found { .. } => {
                    changes.begin(at, render::escaped_line(&entry.to_string()));
                }
                operations::What::Effect { .. } => {
                    effects.begin(at, render::escaped_line(&entry.to_string()));
                }
                operations::What::Began(operation) => says(format!("performs {operation}")),
                operations::What::Answered(answer) => says(format!("has answered: {answer}")),
                operations::What::Panicked(_) => says("has panicked".to_owned()),
                operations::What::Hung => says("hangs".to_owned()),
                operations::What::Fault { fired, .. } if fired.fault.is_crash() => {
                    says("is dead, with its process".to_owned());
                }
                operations::What::Fault { .. }
                | operations::What::Listed(_)
                | operations::What::NotOpened(_) => {}
            }
        }
        let mut sections = vec![changes, effects];
        sections.extend(callers.into_values());
        let words = entries.map(|entry| render::escaped_line(&entry.to_string()));
        Self {
            events: words.collect(),
            sections,
        }
    }

    /// What holds after an event, as lines. A section without anything says so, or is left out if it is
    /// optional.
    ///
    /// # Panics
    ///
    /// If there is no such event.
    pub fn after(&self, event: usize) -> Vec<String> {
        let mut lines = vec![self.events[event].clone()];
        for section in &self.sections {
            let held: Vec<&Span> = section
                .spans
                .iter()
                .filter(|span| span.holds_after(event))
                .collect();
            if held.is_empty() && section.is_optional {
                continue;
            }
            lines.push(section.title.clone());
            if held.is_empty() {
                lines.push("  nothing".to_owned());
            }
            let words = held.iter().flat_map(|span| span.words.lines());
            lines.extend(words.map(|line| format!("  {line}")));
        }
        lines
    }
}

/// The event after which a snapshot was taken.
fn event_of(snapshot: &Snapshot) -> usize {
    snapshot.events.saturating_sub(1)
}

fn clock(snapshots: &[Snapshot]) -> Section {
    let mut section = Section::new("clock");
    section.begin(0, clock_words(Duration::ZERO, 0));
    for snapshot in snapshots {
        let words = clock_words(snapshot.time, snapshot.clock_skew_ms);
        section.replace(event_of(snapshot), words);
    }
    section
}

fn clock_words(time: Duration, skew_ms: i64) -> String {
    let skew = Duration::from_millis(skew_ms.unsigned_abs());
    let time = match time {
        Duration::ZERO => "0s".to_owned(),
        time => format!("{time:?}"),
    };
    match skew_ms {
        0 => format!("{time} since the start"),
        1.. => format!("{time} since the start; the wall clock is {skew:?} ahead"),
        _ => format!("{time} since the start; the wall clock is {skew:?} behind"),
    }
}

/// The log of each run.
fn logs(run: &Run) -> Vec<Section> {
    let logs = run.logs().enumerate().map(|(index, (id, _))| {
        let title = match run.is_of_several() {
            true => format!("log of {id}"),
            false => "log".to_owned(),
        };
        log(run, index, &title)
    });
    logs.collect()
}

fn log(run: &Run, index: usize, title: &str) -> Section {
    let mut section = Section::new(title);
    let entries = run.history.0.iter().enumerate();
    for (at, entry) in entries.filter(|(_, entry)| run.run_of_life.of(entry.life) == index) {
        match &entry.what {
            What::Landed(row) => {
                let words = render::log(std::slice::from_ref(&**row)).join("\n");
                section.begin(at, words);
            }
            What::Cleared => section.end(at),
            _ => {}
        }
    }
    section
}

fn effects(history: &History) -> Section {
    let mut section = Section::new("effects");
    for (at, life, effect) in history.effects() {
        let words = render::escaped(&effect.words());
        let reception = render::reception_words(effect.reception);
        section.begin(at, format!("life {life}: {words}{reception}"));
    }
    section
}

/// The user's world, if the workload has one that can be shown.
fn world(run: &Run, snapshots: &[Snapshot]) -> Option<Section> {
    let last = run.world.as_ref()?;
    let mut section = Section::new("world");
    let in_words = |world: &str| {
        let lines: Vec<String> = world.lines().map(render::escaped_line).collect();
        lines.join("\n")
    };
    for snapshot in snapshots {
        if let Some(world) = &snapshot.world {
            section.replace(event_of(snapshot), in_words(world));
        }
    }
    section.replace(run.history.0.len().saturating_sub(1), in_words(last));
    Some(section)
}

/// What a life knows.
#[derive(Debug, Clone, Default)]
struct Knowledge {
    /// The number of rows, and the last of them in words.
    rows: Option<(usize, String)>,
    /// The row that it has sent, without an answer.
    sent: Option<u64>,
    /// The row whose fate it does not know.
    in_doubt: Option<u64>,
    /// The task that it performs.
    task: Option<String>,
    /// How it ended.
    over: Option<String>,
}

impl Knowledge {
    fn words(&self) -> String {
        if let Some(over) = &self.over {
            return over.clone();
        }
        let mut words = match &self.rows {
            None => "knows nothing of the log".to_owned(),
            Some((0, _)) => "knows that the log is empty".to_owned(),
            Some((rows, last)) => {
                format!(
                    "knows {}, the last: {last}",
                    render::counted(*rows as u64, "row")
                )
            }
        };
        if let Some(row) = self.sent {
            words.push_str(&format!("\nhas sent row {row} and waits for the answer"));
        }
        if let Some(row) = self.in_doubt {
            words.push_str(&format!("\ndoes not know whether row {row} is durable"));
        }
        if let Some(task) = &self.task {
            words.push_str(&format!("\nperforms {task}"));
        }
        words
    }

    fn loaded(&mut self, rows: &[CheckpointRow]) {
        let last = rows.last().map(row_words);
        self.rows = Some((rows.len(), last.unwrap_or_default()));
        self.in_doubt = None;
    }

    /// Takes note of an event of the life.
    fn learn(&mut self, what: &What, rows: &BTreeMap<u64, String>) {
        match what {
            What::Loaded(loaded) => self.loaded(loaded),
            What::Sent(row) => self.sent = Some(row.sequence),
            What::Acknowledged { sequence } => {
                let last = rows.get(sequence).cloned().unwrap_or_default();
                self.rows = Some((*sequence as usize + 1, last));
                (self.sent, self.in_doubt) = (None, None);
            }
            What::AppendFailed { sequence } => {
                (self.sent, self.in_doubt) = (None, Some(*sequence));
            }
            What::Started(attempt) => {
                let (undo, task) = (
                    render::undo(attempt.direction),
                    render::escaped(&attempt.task),
                );
                let (visit, number) = (attempt.visit, attempt.attempt);
                self.task = Some(format!("{undo}{task}, visit {visit}, attempt {number}"));
            }
            What::Finished { .. } => self.task = None,
            What::Returned(end) => {
                self.over = Some(format!(
                    "has ended: {}",
                    render::escaped_line(&end.to_string())
                ));
            }
            What::Panicked(_) | What::Stopped(_) | What::Stalled => {
                self.over = Some("is stopped".to_owned());
            }
            _ => {}
        }
    }
}

/// A row in words, without columns.
fn row_words(row: &CheckpointRow) -> String {
    let line = render::log(std::slice::from_ref(row)).join(" ");
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What each life knows.
fn lives(run: &Run, store: StoreKind) -> Vec<Section> {
    let mut lives: BTreeMap<u32, (Knowledge, Section)> = BTreeMap::new();
    // The rows of each run that were sent, in words.
    let mut rows: BTreeMap<usize, BTreeMap<u64, String>> = BTreeMap::new();
    for (at, entry) in run.history.0.iter().enumerate() {
        let rows = rows.entry(run.run_of_life.of(entry.life)).or_default();
        if let What::Sent(row) = &entry.what {
            rows.insert(row.sequence, row_words(row));
        }
        if let What::Began(_) = &entry.what {
            let section = Section::optional(&format!("life {}", entry.life));
            lives.insert(entry.life, (Knowledge::default(), section));
        }
        let crashes = matches!(&entry.what, What::Fault(fired) if fired.fault.is_crash());
        // A store on a disk has one process, with all lives.
        let is_of = |life: u32| life == entry.life || (crashes && store.disk().is_some());
        for (_, (knowledge, section)) in lives.iter_mut().filter(|(life, _)| is_of(**life)) {
            match crashes {
                true if knowledge.over.is_none() => knowledge.over = Some("is dead".to_owned()),
                true => {}
                false => knowledge.learn(&entry.what, rows),
            }
            section.replace(at, knowledge.words());
        }
    }
    lives.into_values().map(|(_, section)| section).collect()
}
