//! What a process said before it was killed.

use std::collections::BTreeMap;

/// The rows of a run. It is cleared after the last one.
pub(crate) const ROWS_OF_A_RUN: u64 = 24;

/// What is known of a run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known {
    /// So many rows were acknowledged; that of more may not have been heard.
    pub(crate) rows: u64,
    pub(crate) clear: Clear,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Clear {
    #[default]
    NotBegun,
    Begun,
    Acknowledged,
}

/// Runs of which something was said, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Told {
    runs: BTreeMap<String, Known>,
    rows: u64,
}

impl Told {
    /// A line: `a ID SEQUENCE` for a row that was acknowledged, `b ID` for a clear that is about to
    /// begin, `c ID` for one that was acknowledged.
    ///
    /// # Errors
    ///
    /// What a process says that has found something wrong itself.
    pub(crate) fn hear(&mut self, line: &str) -> Result<(), String> {
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some("a"), Some(id), Some(sequence)) => {
                let sequence: u64 = sequence.parse().map_err(|_| line.to_owned())?;
                let known = self.runs.entry(id.to_owned()).or_default();
                known.rows = known.rows.max(sequence + 1);
                self.rows += 1;
                Ok(())
            }
            (Some(word @ ("b" | "c")), Some(id), None) => {
                let known = self.runs.entry(id.to_owned()).or_default();
                let clear = if word == "b" {
                    Clear::Begun
                } else {
                    Clear::Acknowledged
                };
                // The two come by different ways.
                known.clear = known.clear.max(clear);
                Ok(())
            }
            _ => Err(line.to_owned()),
        }
    }

    pub(crate) fn of(&self, id: &str) -> Known {
        self.runs.get(id).copied().unwrap_or_default()
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn runs(&self) -> impl Iterator<Item = (&String, &Known)> {
        self.runs.iter()
    }
}
