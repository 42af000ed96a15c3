//! Rows, run states and logs by number, with the facts that the invariants need.

use crashpoint::{CheckpointRow, Event, RunState, rebuild};

use crate::intern::{Interner, Memory};
use crate::world::{Entry, LogId, RowId};

/// The facts of a log.
#[derive(Debug)]
pub(super) struct LogFacts {
    /// The rebuilt state of every prefix of the log, by its number of rows, as far as it rebuilds.
    pub(super) beginnings: Vec<u32>,
    /// The first byte of the nonce of the run that it belongs to.
    pub(super) run: Option<u8>,
}

/// The relation of a life to the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The last claim is its own.
    Owner,
    /// Another claim follows its own, or its log was cleared.
    Overtaken,
    /// It has no claim.
    Stranger,
}

/// Every row, run state and log of the exploration.
#[derive(Debug)]
pub(super) struct Logs {
    rows: Interner<CheckpointRow>,
    events: Vec<Event>,
    states: Interner<RunState>,
    logs: Interner<Box<[Entry]>>,
    facts: Vec<LogFacts>,
    extended: Memory<(LogId, Entry), LogId>,
}

impl Logs {
    pub(super) fn new() -> Self {
        let mut logs = Self {
            rows: Interner::new(),
            events: Vec::new(),
            states: Interner::new(),
            logs: Interner::new(),
            facts: Vec::new(),
            extended: Memory::new(),
        };
        assert_eq!(logs.number(Box::default()), 0, "the empty log is number 0");
        logs
    }

    pub(super) fn len(&self) -> usize {
        self.logs.len()
    }

    /// # Panics
    ///
    /// If the row is not a row of the engine: the machine itself sends it.
    pub(super) fn row(&mut self, row: &CheckpointRow) -> RowId {
        let (number, new) = self.rows.intern(row.clone());
        if new {
            self.events
                .push(Event::from_row(row).expect("the machine sends rows that can be read"));
        }
        RowId::try_from(number).expect("a scope has under 2^16 rows")
    }

    pub(super) fn run_state(&mut self, state: &RunState) -> u32 {
        self.states.intern(state.clone()).0
    }

    pub(super) fn sequence(&self, row: RowId) -> u64 {
        self.rows.get(row.into()).sequence
    }

    pub(super) fn event(&self, row: RowId) -> &Event {
        &self.events[usize::from(row)]
    }

    /// The entries of a log, by ascending sequence.
    pub(super) fn entries(&self, log: LogId) -> &[Entry] {
        self.logs.get(log.into())
    }

    pub(super) fn facts(&self, log: LogId) -> &LogFacts {
        &self.facts[usize::from(log)]
    }

    pub(super) fn is_legal(&self, log: LogId) -> bool {
        self.facts(log).beginnings.len() == self.entries(log).len() + 1
    }

    /// The state that the log, or its longest legal prefix, rebuilds to.
    pub(super) fn rebuilt(&self, log: LogId) -> &RunState {
        let beginnings = &self.facts(log).beginnings;
        self.states
            .get(*beginnings.last().expect("no rows are legal"))
    }

    pub(super) fn rows_of(&self, log: LogId) -> Vec<CheckpointRow> {
        let rows = self.entries(log).iter();
        rows.map(|entry| self.rows.get(entry.row.into()).clone())
            .collect()
    }

    /// The relation of `life` to the run, by the rows of the log.
    pub(super) fn standing(&self, log: LogId, life: u8) -> Standing {
        let (mut own, mut last) = (false, None);
        for entry in self.entries(log) {
            if matches!(self.event(entry.row), Event::Claimed { .. }) {
                own |= entry.author == life;
                last = Some(entry.author);
            }
        }
        match (own, last == Some(life)) {
            (_, true) => Standing::Owner,
            (true, false) => Standing::Overtaken,
            (false, false) => Standing::Stranger,
        }
    }

    /// Whether the log has no row at this sequence.
    pub(super) fn is_free(&self, log: LogId, sequence: u64) -> bool {
        let mut entries = self.entries(log).iter();
        entries.all(|entry| self.sequence(entry.row) != sequence)
    }

    /// The log with one more row, whose sequence is free.
    pub(super) fn with(&mut self, log: LogId, entry: Entry) -> LogId {
        if let Some(extended) = self.extended.get(&(log, entry)) {
            return extended;
        }
        let sequence = self.sequence(entry.row);
        let mut entries = self.entries(log).to_vec();
        let place = entries.partition_point(|entry| self.sequence(entry.row) < sequence);
        entries.insert(place, entry);
        let extended = self.number(entries.into());
        self.extended.insert((log, entry), extended);
        extended
    }

    fn number(&mut self, entries: Box<[Entry]>) -> LogId {
        let (number, new) = self.logs.intern(entries);
        let log = LogId::try_from(number).expect("a scope has under 2^16 logs");
        if new {
            let rows = self.rows_of(log);
            let states = (0..=rows.len()).map_while(|end| rebuild(&rows[..end]).ok());
            let states: Vec<RunState> = states.collect();
            let header = states.last().and_then(RunState::header);
            let run = header.map(|header| header.run_id.0[0]);
            let beginnings = states.iter().map(|state| self.run_state(state)).collect();
            self.facts.push(LogFacts { beginnings, run });
        }
        log
    }
}
