//! What a process said before it was killed.

use std::collections::BTreeMap;

/// The rows of a run. It is cleared after the last one.
pub(crate) const ROWS_OF_A_RUN: u64 = 24;

/// What is known of a run: so many rows of it were acknowledged, and perhaps its clear.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known {
    pub(crate) rows: u64,
    pub(crate) cleared: bool,
}

/// Runs of which something was said, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Told {
    runs: BTreeMap<String, Known>,
    rows: u64,
}

impl Told {
    /// A line: `a ID SEQUENCE` for a row that was acknowledged, `c ID` for a clear.
    ///
    /// # Errors
    ///
    /// What a process says that has found something wrong itself.
    pub(crate) fn hear(&mut self, line: &str) -> Result<(), String> {
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some("a"), Some(id), Some(sequence)) => {
                // The last line of a process that was killed may be cut, but then it has no end.
                let sequence: u64 = sequence.parse().map_err(|_| line.to_owned())?;
                let known = self.runs.entry(id.to_owned()).or_default();
                known.rows = known.rows.max(sequence + 1);
                self.rows += 1;
                Ok(())
            }
            (Some("c"), Some(id), None) => {
                self.runs.entry(id.to_owned()).or_default().cleared = true;
                Ok(())
            }
            _ => Err(line.to_owned()),
        }
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn runs(&self) -> impl Iterator<Item = (&String, &Known)> {
        self.runs.iter()
    }
}
