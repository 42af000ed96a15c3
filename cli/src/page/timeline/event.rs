//! The events of the timeline: entries of a history that belong together are one event.
//!
//! An uninterrupted append is one event: sent, durable, acknowledged. A successful attempt and an
//! applied row are left out, because the next event shows them.

use crashpoint::{CheckpointRow, Direction, Event, RowKind};
use crashpoint_simulator::render::escaped_full;
use crashpoint_simulator::render::opening_words;
use crashpoint_simulator::workload::Workload;
use crashpoint_simulator::{Effect, Entry, Fault, Fired, History, LifeEnd, Reception, What};
use maud::{Markup, html};

use crate::page::row::{row_words, token};
use crate::page::words::{message, shown, undo};
use crate::text::blob;

/// An event of the timeline.
#[derive(Debug)]
pub(in crate::page) struct TimelineEvent {
    /// The place of its first entry in the history.
    pub(in crate::page) place: usize,
    /// The life.
    pub(in crate::page) life: u32,
    pub(in crate::page) glyph: Glyph,
    pub(in crate::page) words: Markup,
    /// Details, as names and values.
    pub(in crate::page) details: Vec<(&'static str, String)>,
    /// Elements of the page with one of these tokens are highlighted together.
    pub(in crate::page) tokens: Vec<String>,
}

/// The drawing of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::page) enum Glyph {
    Begin,
    Append { stages: Stages, claim: bool },
    AppendFailed,
    Load,
    LoadFailed,
    Attempt(Direction),
    AttemptFailed,
    Effect(Direction, Reception),
    Note,
    Clear,
    Crash,
    Takeover,
    Cancel,
    Fault,
    Alarm,
    End { outcome: bool },
}

/// How far an append got within an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::page) struct Stages {
    pub(in crate::page) sent: bool,
    pub(in crate::page) durable: bool,
    pub(in crate::page) acknowledged: bool,
}

/// The events in order.
pub(in crate::page) fn events(workload: &Workload, history: &History) -> Vec<TimelineEvent> {
    let mut events = Vec::new();
    let mut builder = TimelineBuilder {
        workload,
        history,
        logs: 0,
    };
    let mut place = 0;
    while place < history.0.len() {
        let (event, until) = builder.event(place);
        events.extend(event);
        assert!(until > place, "each step consumes an entry of the history");
        place = until;
    }
    assert!(
        events.is_sorted_by(|one, next| one.place < next.place),
        "anchors find an event by its place, so no two events share one"
    );
    events
}

/// The place of the event to which a place of the history belongs. It names the anchor.
pub(in crate::page) fn anchor(events: &[TimelineEvent], place: usize) -> usize {
    let begins = events.iter().map(|event| event.place);
    let before = begins.take_while(|begins| *begins <= place);
    before.last().unwrap_or(place)
}

struct TimelineBuilder<'a> {
    workload: &'a Workload,
    history: &'a History,
    /// The number of logs cleared so far.
    logs: usize,
}

impl TimelineBuilder<'_> {
    /// The event at a place, if it is shown, and the place of the next.
    fn event(&mut self, place: usize) -> (Option<TimelineEvent>, usize) {
        let entry = &self.history.0[place];
        if let Some((stages, until)) = self.append(place) {
            return (Some(self.appended(place, stages)), until);
        }
        let event = describe(&entry.what).map(|(glyph, words)| TimelineEvent {
            place,
            life: entry.life,
            glyph,
            words,
            details: details(&entry.what),
            tokens: self.tokens(&entry.what),
        });
        if entry.what == What::Cleared {
            self.logs += 1;
        }
        (event, place + 1)
    }

    /// How far the append at a place gets without interruption.
    fn append(&self, place: usize) -> Option<(Stages, usize)> {
        let life = self.history.0[place].life;
        let (mut stages, mut sequence) = (Stages::default(), None);
        let mut until = place;
        for entry in &self.history.0[place..] {
            let (this, stage) = match &entry.what {
                What::Sent(row) if until == place => (row.sequence, &mut stages.sent),
                What::Landed(row) => (row.sequence, &mut stages.durable),
                What::Acknowledged { sequence } => (*sequence, &mut stages.acknowledged),
                _ => break,
            };
            if *stage || entry.life != life || sequence.is_some_and(|known| known != this) {
                break;
            }
            (*stage, sequence) = (true, Some(this));
            until += 1;
            if stages.acknowledged {
                break;
            }
        }
        (until > place).then_some((stages, until))
    }

    fn appended(&self, place: usize, stages: Stages) -> TimelineEvent {
        let entry = &self.history.0[place];
        let (sequence, row) = match &entry.what {
            What::Sent(row) | What::Landed(row) => (row.sequence, Some(row)),
            What::Acknowledged { sequence } => (*sequence, None),
            _ => unreachable!("an append begins with one of its stages"),
        };
        let claim = row.is_some_and(|row| row.kind == RowKind::Claim);
        let (before, after) = verbs(stages);
        let words = html! {
            (before) " " b { "#" (sequence) } " " (after)
            @if let Some(row) = row.filter(|_| stages.sent) { (row_words(row)) }
            @if stages.sent && stages.durable && !stages.acknowledged {
                " " span.note { "durable, not acknowledged yet" }
            }
        };
        let mut details = vec![("append", stage_names(stages))];
        details.extend(row.map(|row| row_details(row)).unwrap_or_default());
        let mut tokens = vec![token(self.logs, sequence)];
        tokens.extend(row.and_then(|row| self.state(&row.state)));
        TimelineEvent {
            place,
            life: entry.life,
            glyph: Glyph::Append { stages, claim },
            words,
            details,
            tokens,
        }
    }

    fn state(&self, label: &str) -> Option<String> {
        let index = self.workload.definition.state_of_label(label);
        index.map(|index| format!("s{index}"))
    }

    fn task(&self, name: &str) -> Option<String> {
        let index = self.workload.definition.state_of_task(name);
        index.map(|index| format!("s{index}"))
    }

    fn tokens(&self, what: &What) -> Vec<String> {
        match what {
            What::AppendFailed { sequence } | What::Applied { sequence, .. } => {
                vec![token(self.logs, *sequence)]
            }
            What::Started(attempt) => self.task(&attempt.task).into_iter().collect(),
            What::Finished { task, .. } | What::Waits { task, .. } => {
                self.task(task).into_iter().collect()
            }
            What::Effect(effect) => {
                let mut tokens = vec![format!("k{}", escaped_full(&effect.key))];
                tokens.extend(self.task(&effect.task));
                tokens
            }
            _ => Vec::new(),
        }
    }
}

/// The texts before and after a row's number.
fn verbs(stages: Stages) -> (&'static str, &'static str) {
    match stages {
        Stages {
            sent: true,
            durable: true,
            acknowledged: true,
        } => ("appends", ""),
        Stages { sent: true, .. } => ("sends", ""),
        Stages {
            durable: true,
            acknowledged: true,
            ..
        } => ("learns that", "is durable"),
        Stages { durable: true, .. } => ("its", "becomes durable"),
        Stages { .. } => ("learns that", "is durable"),
    }
}

fn stage_names(stages: Stages) -> String {
    let all = [
        (stages.sent, "sent"),
        (stages.durable, "durable"),
        (stages.acknowledged, "acknowledged"),
    ];
    let some = all.iter().filter(|(is, _)| *is).map(|(_, word)| *word);
    some.collect::<Vec<_>>().join(", ")
}

fn describe(what: &What) -> Option<(Glyph, Markup)> {
    Some(match what {
        What::Began(opening) => (Glyph::Begin, html! { "begins " (opening_words(*opening)) }),
        What::AppendFailed { sequence } => (
            Glyph::AppendFailed,
            html! { "learns that the append of " b { "#" (sequence) } " failed" },
        ),
        What::Loaded(rows) => {
            let plural = if rows.len() == 1 { "" } else { "s" };
            (Glyph::Load, html! { "loads " (rows.len()) " row" (plural) })
        }
        What::LoadFailed => (Glyph::LoadFailed, html! { "learns that the load failed" }),
        What::Applied {
            sequence,
            mismatch: Some(_),
        } => (
            Glyph::Alarm,
            html! { "differs from the state that its rows rebuild, after " b { "#" (sequence) } },
        ),
        What::Started(attempt) => (
            Glyph::Attempt(attempt.direction),
            html! {
                "begins " b { (undo(attempt.direction)) (shown(&attempt.task)) }
                " (visit " (attempt.visit)
                @if attempt.step > 0 { ", step " (attempt.step) }
                @if attempt.round > 0 { ", round " (attempt.round) }
                @if attempt.attempt > 1 { ", attempt " (attempt.attempt) }
                ")"
            },
        ),
        What::Finished {
            task,
            direction,
            succeeded: false,
        } => (
            Glyph::AttemptFailed,
            html! { b { (undo(*direction)) (shown(task)) } " fails" },
        ),
        What::Waits { task, visit, .. } => (
            Glyph::Note,
            html! { "waits for " b { (shown(task)) } " (visit " (visit) ")" },
        ),
        What::Effect(effect) => (
            Glyph::Effect(effect.direction, effect.reception),
            effect_words(effect),
        ),
        What::Noted(text) => (Glyph::Note, html! { "notes: " (shown(text)) }),
        What::Broken {
            name,
            message: text,
        } => (
            Glyph::Alarm,
            html! { strong.bad { "no longer holds: " (shown(name)) ": " (message(text)) } },
        ),
        What::Cleared => (Glyph::Clear, html! { "clears the log" }),
        What::StoreFailed(text) => (
            Glyph::Alarm,
            html! { strong.bad { "the store failed without a fault: " (message(text)) } },
        ),
        What::Fault(fired) => (fault_glyph(fired.fault), fault_words(fired)),
        What::Returned(end) => (
            Glyph::End {
                outcome: end.is_outcome(),
            },
            end_words(end),
        ),
        What::Panicked(text) => (
            Glyph::Alarm,
            html! { strong.bad { "panics: " (message(text)) } },
        ),
        What::Unserializable(text) => (
            Glyph::Alarm,
            html! { strong.bad { "a value does not read back: " (message(text)) } },
        ),
        What::Stopped(why) => (
            Glyph::Alarm,
            html! { strong.bad { "is stopped: " (why.to_string()) } },
        ),
        What::Stalled => (
            Glyph::Alarm,
            html! { strong.bad { "hangs: no task can make progress" } },
        ),
        What::Sent(_)
        | What::Landed(_)
        | What::Acknowledged { .. }
        | What::PollTimedOut { .. }
        | What::TimerEnded { .. }
        | What::Applied { mismatch: None, .. }
        | What::Finished {
            succeeded: true, ..
        } => return None,
    })
}

fn effect_words(effect: &Effect) -> Markup {
    html! {
        "effect: " b { (shown(&effect.words())) }
        @match effect.reception {
            Reception::Performed => {}
            Reception::Repeated => { " " span.note { "repeated, the key is known" } }
            Reception::Voided => { " " span.note { "refused, the key was undone" } }
        }
    }
}

fn fault_glyph(fault: Fault) -> Glyph {
    match fault {
        fault if fault.is_crash() => Glyph::Crash,
        Fault::Takeover => Glyph::Takeover,
        Fault::Cancel => Glyph::Cancel,
        _ => Glyph::Fault,
    }
}

fn fault_words(fired: &Fired) -> Markup {
    let class = if fired.fault.is_crash() {
        "bad"
    } else {
        "warn"
    };
    html! { strong class=(class) { (message(&fired.fault.prose())) } " " span.note { (message(&fired.to_string())) } }
}

fn end_words(end: &LifeEnd) -> Markup {
    html! { "ends: " b { (message(&end.to_string())) } }
}

fn details(what: &What) -> Vec<(&'static str, String)> {
    match what {
        What::Loaded(rows) => {
            let rows = rows
                .iter()
                .map(|row| format!("#{} {}", row.sequence, row.kind));
            vec![("rows", rows.collect::<Vec<_>>().join(", "))]
        }
        What::Applied {
            mismatch: Some(mismatch),
            ..
        } => vec![("states", escaped_full(mismatch))],
        What::Started(attempt) => vec![
            ("visit", attempt.visit.to_string()),
            ("step", attempt.step.to_string()),
            ("attempt", attempt.attempt.to_string()),
        ],
        What::Effect(effect) => vec![
            ("payload", escaped_full(&effect.payload)),
            ("task", escaped_full(&effect.task)),
            ("visit", effect.visit.to_string()),
            ("step", effect.step.to_string()),
            ("key", escaped_full(&effect.key)),
            ("fencing token", effect.fencing_token.to_string()),
        ],
        What::StoreFailed(text) | What::Panicked(text) | What::Unserializable(text) => {
            vec![("message", escaped_full(text))]
        }
        What::Fault(fired) => vec![("crash point", escaped_full(&fired.point))],
        What::Returned(end) => vec![("returned", escaped_full(&end.to_string()))],
        _ => Vec::new(),
    }
}

fn row_details(row: &CheckpointRow) -> Vec<(&'static str, String)> {
    let mut details = vec![("kind", row.kind.to_string())];
    let texts = [("state", &row.state), ("task", &row.task_id)];
    for (name, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
        details.push((name, escaped_full(text)));
    }
    match Event::from_row(row) {
        Ok(Event::Claimed { claim, .. }) => details.extend([
            ("run", claim.run_id.to_string()),
            ("nonce", claim.nonce.to_string()),
            ("version", claim.version.to_string()),
            (
                "input",
                escaped_full(&blob(claim.input.as_deref().unwrap_or_default())),
            ),
        ]),
        Ok(Event::Produced { output, .. } | Event::Completed { output, .. }) => {
            details.push(("output", escaped_full(&blob(&output))));
        }
        Ok(Event::StepAdvanced { cursor, .. }) => {
            details.push(("cursor", escaped_full(&blob(&cursor))));
        }
        Ok(Event::TimerStarted {
            deadline_unix_ms, ..
        }) => {
            details.push(("deadline", format!("{deadline_unix_ms} ms")));
        }
        Ok(Event::Polled { polled, .. }) => {
            details.push(("rounds", polled.rounds.to_string()));
            let deadline = polled.deadline_unix_ms;
            details.extend(deadline.map(|at| ("deadline", format!("{at} ms"))));
        }
        Ok(Event::RollbackStarted { cause, .. }) => {
            details.push(("cause", escaped_full(&cause.message)));
        }
        Ok(Event::CompensationFailed { error, .. }) => {
            details.push(("error", escaped_full(&error)));
        }
        Ok(
            Event::Entered { .. }
            | Event::Routed { .. }
            | Event::Compensated { .. }
            | Event::RolledBack,
        )
        | Err(_) => {}
    }
    details
}

/// Whether an entry is the last of its life, except for a late row.
pub(in crate::page) fn ends(entry: &Entry) -> bool {
    match &entry.what {
        What::Returned(_) | What::Panicked(_) | What::Stopped(_) => true,
        What::Fault(fired) => fired.fault.is_crash(),
        _ => false,
    }
}
