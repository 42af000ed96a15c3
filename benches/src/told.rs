//! What processes said of a store before they were killed, and what that asks of its file.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crashpoint::CheckpointRow;

/// The rows of a run. It is cleared after the last one, or left to a later process.
pub const ROWS_OF_A_RUN: u64 = 24;

/// A run: by which process, by which of its writers, and which one of those.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId {
    /// The processes before that one.
    pub process: u64,
    /// Its writer.
    pub writer: u64,
    /// The runs of this writer before this one.
    pub number: u64,
}

/// How far a process is with the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It has said nothing yet.
    #[default]
    Starting,
    /// It opens the store, and recovers what the one before left.
    Opening,
    /// The store is open.
    Open,
}

/// What is known of a run that may be there.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// So many rows were acknowledged, or seen after a kill.
    least: u64,
    /// More can't be there.
    most: u64,
    /// A clear was begun; it takes all or nothing.
    is_clearing: bool,
}

/// What was said by processes that use one file after the other, each of them killed.
///
/// It goes on from process to process: a row that was acknowledged once, or seen once, has to be there
/// until somebody clears it. What was cleared is forgotten, so this does not grow.
///
/// ```
/// use crashpoint_benches::Told;
///
/// let mut told = Told::default();
/// told.hear("a 0-5-0 0")?;
/// let lost = told.check(&[].into());
/// assert!(lost.is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Default)]
pub struct Told {
    process: u64,
    stage: Stage,
    runs: BTreeMap<RunId, Known>,
    /// Of each writer of this process the newest run with a row that was heard of. Those before it are
    /// cleared, unless they are among `runs`: a writer's lines are in order.
    newest: BTreeMap<u64, u64>,
    acknowledged: u64,
    outlived: u64,
}

/// A row by which its sender can be told.
pub fn row_of(id: &str, sequence: u64) -> CheckpointRow {
    let blob = format!("{id}/{sequence}/").repeat(6).into_bytes();
    CheckpointRow::new(sequence, "Reserve", "charge").with_output(blob)
}

impl Told {
    /// A line: `s` before the store is opened and `o` after that, `a ID SEQUENCE` for a row that was
    /// acknowledged, `b ID` for a clear that is about to begin, `c ID` for one that was acknowledged.
    ///
    /// # Errors
    ///
    /// What a process says that has found something wrong itself, and what it can't say of a run.
    pub fn hear(&mut self, line: &str) -> Result<(), String> {
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
                let known = self.runs.entry(id).or_insert(Known::UNHEARD);
                known.least = known.least.max(sequence + 1);
                self.newest.insert(id.writer, id.number);
                self.acknowledged += 1;
            }
            (Some("b"), Some(id), None) => {
                let id = id.parse()?;
                let known = self.of(id)?;
                // It begins after the last row, of which nothing may be heard yet.
                let least = known.most;
                let is_clearing = true;
                let known = Known {
                    least,
                    is_clearing,
                    ..known
                };
                self.runs.insert(id, known);
            }
            (Some("c"), Some(id), None) => {
                self.runs.remove(&id.parse()?).ok_or_else(wrong)?;
            }
            _ => return Err(wrong()),
        }
        Ok(())
    }

    /// Holds what is in the file after a kill against what was said until then. What is there has to
    /// be there the next time as well; another process goes on with it.
    ///
    /// # Errors
    ///
    /// Which run lost a row, has one that was not sent, or is there after its clear.
    pub fn check(&mut self, found: &BTreeMap<RunId, Vec<CheckpointRow>>) -> Result<(), String> {
        for id in found.keys() {
            let known = self.of(*id)?;
            self.runs.insert(*id, known);
        }
        for (id, known) in &mut self.runs {
            let rows = found.get(id).map_or(&[][..], Vec::as_slice);
            let count = known.judge(*id, rows)?;
            if id.process < self.process {
                self.outlived += count;
            }
            *known = Known {
                least: count,
                most: count,
                is_clearing: false,
            };
        }
        self.runs.retain(|_, known| known.most > 0);
        self.newest.clear();
        self.process += 1;
        self.stage = Stage::Starting;
        Ok(())
    }

    /// The processes before this one.
    pub fn process(&self) -> u64 {
        self.process
    }

    /// How far this one is.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// How many rows were acknowledged in all.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// How often a row was there after a kill that an earlier process had written.
    pub fn outlived(&self) -> u64 {
        self.outlived
    }

    /// What is known of the run; an error for one that can't be there.
    fn of(&self, id: RunId) -> Result<Known, String> {
        if let Some(known) = self.runs.get(&id) {
            return Ok(*known);
        }
        let newest = self.newest.get(&id.writer);
        let is_unheard = newest.is_none_or(|newest| *newest < id.number);
        match id.process == self.process && is_unheard {
            true => Ok(Known::UNHEARD),
            false => Err(format!("{id} is there, which was cleared before")),
        }
    }
}

impl Known {
    const UNHEARD: Self = Self {
        least: 0,
        most: ROWS_OF_A_RUN,
        is_clearing: false,
    };

    /// A run is dense, has what it has to have, and nothing that was not sent. How many rows it has.
    fn judge(&self, id: RunId, rows: &[CheckpointRow]) -> Result<u64, String> {
        let text = id.to_string();
        let another = (0..)
            .zip(rows)
            .find(|(at, row)| **row != row_of(&text, *at));
        if let Some((at, _)) = another {
            return Err(format!("{id} has another row at {at}"));
        }
        let count = rows.len() as u64;
        let is_cleared = self.is_clearing && count == 0;
        match is_cleared || (self.least..=self.most).contains(&count) {
            true => Ok(count),
            false => Err(format!("{id} has {count} rows, and {self:?}")),
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
            _ => Err(format!("{text} is no run that anybody began")),
        }
    }
}
