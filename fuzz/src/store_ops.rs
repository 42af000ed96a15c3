//! The target `store_ops`: for any ids, sequences and rows, and over any number of closes, kills and
//! power losses, the embedded store gives the same answers as the store in memory.
//!
//! An input is a tape of operations. The two stores share no code but the row; the conformance kit
//! compares the store in memory with a plain list of rows.

use std::future::Future;

use crashpoint::{
    CheckpointRow, CheckpointStore, Error, MemoryCheckpointStore, RedbCheckpointStore, RowKind,
    StoreError, StoreErrorKind,
};
use crashpoint_simulator::Choices;
use crashpoint_simulator::choices::Bytes;
use crashpoint_simulator::disk::{Lie, SimDisk};
use futures_util::FutureExt as _;

use crate::Seed;
use crate::inline::Inline;

/// The most operations of an input.
const OPS_MAX: usize = 40;

/// Ids that a key could confuse, and an id that is longer than the room of most pages.
const RUNS: [&str; 7] = ["run-1", "run-10", "run-1\0", "", "RUN-1", "é/1", "long"];

const NAMES: [&str; 4] = ["Ship", "", "\0", "Übergabe\n\u{10ffff}"];

const BLOBS: [Option<usize>; 6] = [None, Some(0), Some(1), Some(100), Some(5_000), Some(20_000)];

/// Opens a store on a disk.
pub type OpenStore<'a> = &'a dyn Fn(&SimDisk) -> Result<Box<dyn CheckpointStore>, Error>;

/// Performs the operations of `input` on the embedded store, and returns their number.
///
/// # Panics
///
/// If an answer differs from that of the store in memory.
pub fn store_ops(input: &[u8]) -> usize {
    check_store_ops(input, &embedded)
}

/// The embedded store on a simulated disk, without a simulation.
///
/// # Errors
///
/// As [`RedbCheckpointStore::new`] says.
pub fn embedded(disk: &SimDisk) -> Result<Box<dyn CheckpointStore>, Error> {
    Ok(Box::new(RedbCheckpointStore::on_disk(disk, Inline)?))
}

/// The same for another store.
///
/// # Panics
///
/// If an answer differs from that of the store in memory.
pub fn check_store_ops(input: &[u8], open: OpenStore<'_>) -> usize {
    let mut choices = Bytes::new(input);
    let mut pair = Pair::new(open);
    for count in 0..OPS_MAX {
        match choices.choose("op", 9) {
            0 => {
                pair.check_everything();
                return count;
            }
            1..=3 => pair.append(&mut choices),
            4 => pair.load(&run(&mut choices)),
            5 => pair.clear(&run(&mut choices)),
            6 => pair.list(&mut choices),
            7 => pair.reopen(Ending::Close),
            _ => pair.reopen(match choices.choose("ending", 2) {
                0 => Ending::Kill,
                _ => Ending::PowerLoss,
            }),
        }
    }
    pair.check_everything();
    OPS_MAX
}

/// How a process with an open store ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Close,
    Kill,
    /// Every operation was answered, so all of it is durable.
    PowerLoss,
}

/// The store under test, and the store in memory.
struct Pair<'a> {
    open: OpenStore<'a>,
    disk: SimDisk,
    /// None only during a reopening.
    store: Option<Box<dyn CheckpointStore>>,
    memory: MemoryCheckpointStore,
}

impl<'a> Pair<'a> {
    fn new(open: OpenStore<'a>) -> Self {
        let disk = SimDisk::new(Lie::None);
        let store = open(&disk).expect("an empty disk takes a store");
        Self {
            open,
            disk,
            store: Some(store),
            memory: MemoryCheckpointStore::new(),
        }
    }

    fn store(&self) -> &dyn CheckpointStore {
        &**self.store.as_ref().expect("the store is open")
    }

    fn append(&mut self, choices: &mut Bytes) {
        let id = run(choices);
        let last = self.expected(&id).last().map(|row| row.sequence);
        let sequence = match (choices.choose("sequence", 6), last) {
            (0 | 1, None) => 0,
            (0 | 1, Some(last)) => last.saturating_add(1),
            (2, last) => last.unwrap_or_default(),
            (3, _) => choices.choose("sequence/small", 4) as u64,
            (4, _) => u64::MAX - choices.choose("sequence/large", 2) as u64,
            (_, _) => 1 << choices.choose("sequence/bit", 64),
        };
        let row = row(sequence, choices);
        let expected = at_once(self.memory.append(&id, row.clone()));
        let answer = at_once(self.store().append(&id, row));
        assert_eq!(
            kind_of(&answer),
            kind_of(&expected),
            "append of sequence {sequence} to run {id:?}"
        );
    }

    /// The rows of a run in the store in memory.
    fn expected(&self, id: &str) -> Vec<CheckpointRow> {
        at_once(self.memory.load_run(id)).expect("memory answers")
    }

    fn load(&self, id: &str) {
        let found = at_once(self.store().load_run(id)).expect("a run can be loaded");
        let expected = self.expected(id);
        assert!(
            found == expected,
            "{id:?} has {found:?}, expected {expected:?}"
        );
    }

    fn clear(&mut self, id: &str) {
        at_once(self.store().clear(id)).expect("a run can be cleared");
        at_once(self.memory.clear(id)).expect("memory answers");
    }

    fn list(&self, choices: &mut Bytes) {
        let after = match choices.choose("list/after", 2) {
            0 => None,
            _ => Some(run(choices)),
        };
        self.check_list(after.as_deref(), choices.choose("list/limit", 4));
    }

    fn check_list(&self, after: Option<&str>, limit: usize) {
        let Some(listing) = self.store().as_listing() else {
            return;
        };
        let found = at_once(listing.run_ids(after, limit)).expect("runs can be listed");
        let expected = self.memory.as_listing().expect("memory lists its runs");
        let expected = at_once(expected.run_ids(after, limit)).expect("memory answers");
        assert_eq!(found, expected, "the runs after {after:?}, at most {limit}");
    }

    fn reopen(&mut self, ending: Ending) {
        let image = self.disk.image();
        self.store = None;
        if ending != Ending::Close {
            // The dead process may still write to the old disk, and nobody reads that.
            self.disk = SimDisk::of(image, Lie::None);
        }
        if ending == Ending::PowerLoss {
            self.disk.lose_power();
        }
        self.store = Some((self.open)(&self.disk).expect("the store opens again"));
        self.check_everything();
    }

    fn check_everything(&self) {
        for id in RUNS {
            self.load(&id_of(id));
        }
        self.check_list(None, usize::MAX);
    }
}

fn run(choices: &mut Bytes) -> String {
    id_of(RUNS[choices.choose("run", RUNS.len())])
}

fn id_of(name: &str) -> String {
    match name {
        "long" => name.repeat(1_500),
        short => short.to_owned(),
    }
}

fn row(sequence: u64, choices: &mut Bytes) -> CheckpointRow {
    let mut name = || NAMES[choices.choose("name", NAMES.len())];
    let mut row = CheckpointRow::new(sequence, name(), name());
    row.kind = RowKind::ALL[choices.choose("kind", RowKind::ALL.len())];
    let length = BLOBS[choices.choose("blob", BLOBS.len())];
    row.output_blob = length.map(|length| vec![choices.choose("byte", 256) as u8; length]);
    row
}

/// The kind of the error, if there is one.
fn kind_of(answer: &Result<(), Error>) -> Option<StoreErrorKind> {
    let error = answer.as_ref().err()?;
    let kind = error.store_error().map(StoreError::kind);
    Some(kind.unwrap_or(StoreErrorKind::Other))
}

/// Both stores answer at the first poll.
fn at_once<T>(operation: impl Future<Output = T>) -> T {
    operation.now_or_never().expect("the store answers at once")
}

/// Scripts of each operation, which a fuzzer mixes.
pub(crate) fn seeds() -> Vec<Seed> {
    let seed = |name: &str, ops: &[&[u8]]| Seed {
        name: name.to_owned(),
        input: ops.concat(),
    };
    // An append: run, sequence, two names, kind, blob, and the byte of a blob that is not empty.
    let next: &[u8] = &[1, 0, 0, 0, 0, 0, 0];
    let with_blob: &[u8] = &[1, 0, 0, 0, 0, 2, 4, 0x5a];
    let taken: &[u8] = &[1, 0, 2, 0, 0, 0, 0];
    let largest: &[u8] = &[1, 1, 4, 0, 3, 3, 5, 1, 7];
    let similar_id: &[u8] = &[1, 2, 5, 63, 2, 1, 0, 1];
    let long_id: &[u8] = &[1, 6, 0, 0, 0, 0, 0];
    let (close, kill, power_loss): (&[u8], &[u8], &[u8]) = (&[7], &[8, 0], &[8, 1]);
    let clear: &[u8] = &[5, 0];
    let list: &[u8] = &[6, 1, 0, 2];
    vec![
        seed("nothing", &[]),
        seed("append-and-load", &[next, with_blob, &[4, 0]]),
        seed("taken", &[next, taken]),
        seed("ids-alike", &[next, largest, similar_id, list]),
        seed("cleared", &[next, similar_id, clear, next]),
        seed("closed", &[with_blob, close, next, taken]),
        seed("killed", &[with_blob, long_id, kill, next, list]),
        seed("power-lost", &[with_blob, clear, next, power_loss, next]),
    ]
}
