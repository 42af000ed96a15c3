//! A model of the file of a store after its processes were killed.
//!
//! Each process reports its acknowledged operations. The model keeps bounds for the number of rows of each
//! run, and compares the file with them after each kill.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crashpoint::CheckpointRow;

/// The rows of a run. It is cleared after the last one, or left to a later process.
pub const ROWS_OF_A_RUN: u64 = 24;

/// A run, named by its process, its writer, and its number among the runs of that writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId {
    /// How many processes ran before its own.
    pub process: u64,
    /// The index of its writer.
    pub writer: u64,
    /// How many runs this writer began before it.
    pub number: u64,
}

/// How far a process has come with the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It has reported nothing yet.
    #[default]
    Starting,
    /// It opens the store, and recovers the file of the process before it.
    Opening,
    /// The store is open.
    Open,
}

/// Bounds for the number of rows of a run that may be in the file.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// The rows that were acknowledged, or found after a kill.
    rows_min: u64,
    /// The rows that may have been sent.
    rows_max: u64,
    /// A clear was begun. It removes all rows or none.
    is_clearing: bool,
}

/// The expected content of a file, from the reports of its killed processes.
///
/// A row that was acknowledged once, or found once, must be in the file until a process clears its
/// run. The model forgets cleared runs, so it does not grow.
///
/// ```
/// use crashpoint_benches::SoakModel;
///
/// let mut model = SoakModel::default();
/// model.record("a 0-5-0 0")?;
/// let lost = model.check(&[].into());
/// assert!(lost.is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Default)]
pub struct SoakModel {
    process: u64,
    stage: Stage,
    runs: BTreeMap<RunId, Bounds>,
    /// For each writer of this process, the newest run with an acknowledged row. The earlier runs of
    /// the writer are cleared, unless they are in `runs`: the reports of a writer come in order.
    newest: BTreeMap<u64, u64>,
    acknowledged: u64,
    survived: u64,
}

/// The row that this run has at `sequence`. No two rows of a soak are equal.
pub fn row_of(id: &str, sequence: u64) -> CheckpointRow {
    let blob = format!("{id}/{sequence}/").repeat(6).into_bytes();
    CheckpointRow::new(sequence, "Reserve", "charge").with_output(blob)
}

impl SoakModel {
    /// Records a line that a process reports: `s` before it opens the store and `o` after that,
    /// `a ID SEQUENCE` for an acknowledged row, `b ID` before it begins to clear a run, `c ID` for an
    /// acknowledged clear.
    ///
    /// # Errors
    ///
    /// Any other line, such as one in which a process reports a wrong answer of the store, and a
    /// report that contradicts an earlier one.
    pub fn record(&mut self, line: &str) -> Result<(), String> {
        let mut words = line.split(' ');
        let wrong = || line.to_owned();
        match (words.next(), words.next(), words.next()) {
            (Some("s"), None, None) => self.stage = Stage::Opening,
            (Some("o"), None, None) => self.stage = Stage::Open,
            (Some("a"), Some(id), Some(sequence)) => {
                let id: RunId = id.parse()?;
                let sequence: u64 = sequence.parse().map_err(|_| wrong())?;
                if id.process != self.process || sequence >= ROWS_OF_A_RUN {
                    return Err(wrong());
                }
                let known = self.runs.entry(id).or_insert(Bounds::UNKNOWN);
                known.rows_min = known.rows_min.max(sequence + 1);
                self.newest.insert(id.writer, id.number);
                self.acknowledged += 1;
            }
            (Some("b"), Some(id), None) => {
                let id = id.parse()?;
                let known = self.bounds(id)?;
                // A clear begins after the last row, even if its acknowledgement is not reported yet.
                let clearing = Bounds {
                    rows_min: known.rows_max,
                    is_clearing: true,
                    ..known
                };
                self.runs.insert(id, clearing);
            }
            (Some("c"), Some(id), None) => {
                self.runs.remove(&id.parse()?).ok_or_else(wrong)?;
            }
            _ => return Err(wrong()),
        }
        Ok(())
    }

    /// Compares the runs in the file after a kill with the bounds. From then on each run must keep
    /// exactly the rows that were found, and another process goes on with the file.
    ///
    /// # Errors
    ///
    /// Names a run that lost a row, has a row that was not sent, or is present after its clear.
    pub fn check(&mut self, found: &BTreeMap<RunId, Vec<CheckpointRow>>) -> Result<(), String> {
        for id in found.keys() {
            let known = self.bounds(*id)?;
            self.runs.insert(*id, known);
        }
        for (id, known) in &mut self.runs {
            let rows = found.get(id).map_or(&[][..], Vec::as_slice);
            let count = known.check(*id, rows)?;
            if id.process < self.process {
                self.survived += count;
            }
            *known = Bounds {
                rows_min: count,
                rows_max: count,
                is_clearing: false,
            };
        }
        self.forget_cleared();
        self.newest.clear();
        self.process += 1;
        self.stage = Stage::Starting;
        Ok(())
    }

    /// How many processes were killed so far.
    pub fn process(&self) -> u64 {
        self.process
    }

    /// How far the current process has come.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// How many rows were acknowledged, by all processes.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// How often a row of an earlier process was found after a kill.
    pub fn survived(&self) -> u64 {
        self.survived
    }

    /// Drops the runs without rows, which are those that were cleared.
    fn forget_cleared(&mut self) {
        self.runs.retain(|_, known| known.rows_max > 0);
        assert!(
            self.runs.keys().all(|id| id.process <= self.process),
            "no run is of a process that has not started: `bounds` refuses such a run"
        );
    }

    /// The bounds of the run; an error for a run that can't exist.
    fn bounds(&self, id: RunId) -> Result<Bounds, String> {
        if let Some(known) = self.runs.get(&id) {
            return Ok(*known);
        }
        let newest = self.newest.get(&id.writer);
        let is_new = newest.is_none_or(|newest| *newest < id.number);
        match id.process == self.process && is_new {
            true => Ok(Bounds::UNKNOWN),
            false => Err(format!("run {id} is present after its clear")),
        }
    }
}

impl Bounds {
    /// Those of a run that no process has reported.
    const UNKNOWN: Self = Self {
        rows_min: 0,
        rows_max: ROWS_OF_A_RUN,
        is_clearing: false,
    };

    /// Checks that the rows are dense, are those that were sent, and keep the bounds. Returns their
    /// number.
    fn check(&self, id: RunId, rows: &[CheckpointRow]) -> Result<u64, String> {
        assert!(
            self.rows_min <= self.rows_max && self.rows_max <= ROWS_OF_A_RUN,
            "no more rows are acknowledged than are sent: `record` refuses them"
        );
        let text = id.to_string();
        let unsent = (0..)
            .zip(rows)
            .find(|(at, row)| **row != row_of(&text, *at));
        if let Some((at, _)) = unsent {
            return Err(format!("run {id} has a row at {at} that was not sent"));
        }
        let count = rows.len() as u64;
        let is_cleared = self.is_clearing && count == 0;
        match is_cleared || (self.rows_min..=self.rows_max).contains(&count) {
            true => Ok(count),
            false => Err(format!(
                "run {id} has {count} rows, expected {} to {}",
                self.rows_min, self.rows_max
            )),
        }
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.process, self.writer, self.number)
    }
}

impl FromStr for RunId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Result<Vec<u64>, _> = text.split('-').map(str::parse).collect();
        match numbers.as_deref() {
            Ok(&[process, writer, number]) => Ok(Self {
                process,
                writer,
                number,
            }),
            _ => Err(format!("invalid id of a run: {text:?}")),
        }
    }
}
