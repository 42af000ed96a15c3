//! A report as plain text.

use std::fmt;

use crate::report::{LawReport, Report};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} against contract {}", self.name(), self.contract())?;
        let facts = self.environment().iter();
        let facts: Vec<String> = facts
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        if !facts.is_empty() {
            writeln!(f, "{}", facts.join(", "))?;
        }
        for law in self.laws() {
            write_law(f, law)?;
        }
        for lead in self.leads().iter().filter(|lead| !lead.follow.is_empty()) {
            writeln!(f, "{lead}")?;
        }
        match self.level() {
            Some(level) => write!(f, "level {level} ({})", level.title())?,
            None => f.write_str("no level")?,
        }
        let next = self
            .ladder()
            .into_iter()
            .find(|rung| !rung.held_back.is_empty());
        if let Some(next) = next {
            let (level, by) = (next.level, &next.held_back[0].law);
            match next.held_back.len() {
                1 => write!(f, "; {by} holds {level} back")?,
                more => write!(f, "; {by} and {} more hold {level} back", more - 1)?,
            }
        }
        let part = if self.is_partial() {
            " (a part of the catalogue)"
        } else {
            ""
        };
        let result = self.outcome().headline();
        write!(f, "\n{result}{part}: {} laws", self.laws().len())?;
        let counts = self.counts();
        if counts.is_empty() {
            Ok(())
        } else {
            write!(f, ", {counts}")
        }
    }
}

fn write_law(f: &mut fmt::Formatter<'_>, report: &LawReport) -> fmt::Result {
    let LawReport {
        law,
        verdict,
        millis,
        unsteady,
        late: _,
    } = report;
    let (word, id, sentence) = (verdict.word(), law.id, law.sentence);
    writeln!(f, "{word:<13} {id:<6} {sentence} ({millis} ms)")?;
    if let Some(reason) = verdict.reason() {
        writeln!(f, "{:<13} {reason}", "")?;
    }
    if let Some(before) = unsteady {
        writeln!(f, "{:<13} failed before, in the same build: {before}", "")?;
    }
    Ok(())
}
