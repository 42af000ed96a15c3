//! The target `store_ops`: the embedded store answers like a map of maps, whatever the ids, the
//! sequences and the rows are, however often it is closed, killed, or loses its power.
//!
//! An input is a tape of operations. The model is the two maps and shares no code with any store.

use std::collections::BTreeMap;
use std::future::Future;

use crashpoint::{
    CheckpointRow, CheckpointStore, Error, RedbCheckpointStore, RowKind, StoreError, StoreErrorKind,
};
use crashpoint_simulator::Choices;
use crashpoint_simulator::choices::Bytes;
use crashpoint_simulator::disk::{Lie, SimDisk};
use futures_util::FutureExt as _;

use crate::Seed;
use crate::inline::Inline;

/// The most operations of an input.
const OPS_MAX: usize = 40;

/// Ids that a key could confuse, and one that is longer than most pages leave room for.
const RUNS: [&str; 7] = ["run-1", "run-10", "run-1\0", "", "RUN-1", "é/1", "long"];

const NAMES: [&str; 4] = ["Ship", "", "\0", "Übergabe\n\u{10ffff}"];

const BLOBS: [Option<usize>; 6] = [None, Some(0), Some(1), Some(100), Some(5_000), Some(20_000)];

type Rows = BTreeMap<u64, CheckpointRow>;
type Model = BTreeMap<String, Rows>;

/// Opens a store on a disk.
pub type OpenStore<'a> = &'a dyn Fn(&SimDisk) -> Result<Box<dyn CheckpointStore>, Error>;

/// Performs the operations that `input` is on the embedded store; how many there were.
///
/// # Panics
///
/// Where it answers otherwise than the model.
pub fn store_ops(input: &[u8]) -> usize {
    check_store_ops(input, &embedded)
}

/// The embedded store on a simulated disk, without a simulation around it.
///
/// # Errors
///
/// As [`RedbCheckpointStore::new`] says.
pub fn embedded(disk: &SimDisk) -> Result<Box<dyn CheckpointStore>, Error> {
    Ok(Box::new(RedbCheckpointStore::on_disk(disk, Inline)?))
}

/// The same of another store.
///
/// # Panics
///
/// Where it answers otherwise than the model.
pub fn check_store_ops(input: &[u8], open: OpenStore<'_>) -> usize {
    let mut choices = Bytes::new(input);
    let mut bench = Bench::new(open);
    for count in 0..OPS_MAX {
        match choices.choose("op", 9) {
            0 => {
                bench.check_everything();
                return count;
            }
            1..=3 => bench.append(&mut choices),
            4 => bench.load(&run(&mut choices)),
            5 => bench.clear(&run(&mut choices)),
            6 => bench.list(&mut choices),
            7 => bench.reopen(Ending::Close),
            _ => bench.reopen(match choices.choose("ending", 2) {
                0 => Ending::Kill,
                _ => Ending::PowerLoss,
            }),
        }
    }
    bench.check_everything();
    OPS_MAX
}

/// How a process that has the store open ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Close,
    Kill,
    /// Every operation was answered, so all of it is durable.
    PowerLoss,
}

/// The store beside its model.
struct Bench<'a> {
    open: OpenStore<'a>,
    disk: SimDisk,
    /// None only while it is opened again.
    store: Option<Box<dyn CheckpointStore>>,
    model: Model,
}

impl<'a> Bench<'a> {
    fn new(open: OpenStore<'a>) -> Self {
        let disk = SimDisk::new(Lie::None);
        let store = open(&disk).expect("an empty disk takes a store");
        Self {
            open,
            disk,
            store: Some(store),
            model: Model::new(),
        }
    }

    fn store(&self) -> &dyn CheckpointStore {
        &**self.store.as_ref().expect("the store is open")
    }

    fn append(&mut self, choices: &mut Bytes) {
        let id = run(choices);
        let rows = self.model.entry(id.clone()).or_default();
        let last = rows.keys().next_back();
        let sequence = match (choices.choose("sequence", 6), last) {
            (0 | 1, None) => 0,
            (0 | 1, Some(last)) => last.saturating_add(1),
            (2, last) => last.copied().unwrap_or_default(),
            (3, _) => choices.choose("sequence/small", 4) as u64,
            (4, _) => u64::MAX - choices.choose("sequence/large", 2) as u64,
            (_, _) => 1 << choices.choose("sequence/bit", 64),
        };
        let row = row(sequence, choices);
        let taken = rows.contains_key(&sequence);
        if !taken {
            rows.insert(sequence, row.clone());
        }
        let answer = at_once(self.store().append(&id, row));
        let kind = answer.as_ref().err().and_then(Error::store_error);
        match kind.map(StoreError::kind) {
            Some(StoreErrorKind::Conflict) => {
                assert!(taken, "{id:?}: sequence {sequence} is free: {answer:?}");
            }
            _ => {
                answer.expect("a disk that is well takes a row");
                assert!(!taken, "{id:?}: sequence {sequence} is taken");
            }
        }
    }

    fn load(&self, id: &str) {
        let found = at_once(self.store().load_run(id)).expect("a run can be loaded");
        let rows = self.model.get(id).into_iter().flat_map(Rows::values);
        let expected: Vec<CheckpointRow> = rows.cloned().collect();
        assert!(
            found == expected,
            "{id:?} has {found:?}, expected {expected:?}"
        );
    }

    fn clear(&mut self, id: &str) {
        at_once(self.store().clear(id)).expect("a run can be cleared");
        self.model.remove(id);
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
        let runs = self.model.iter().filter(|(_, rows)| !rows.is_empty());
        let ids = runs.map(|(id, _)| id);
        let beyond = ids.filter(|id| after.is_none_or(|after| id.as_str() > after));
        let expected: Vec<String> = beyond.take(limit).cloned().collect();
        assert_eq!(found, expected, "the runs after {after:?}, at most {limit}");
    }

    fn reopen(&mut self, ending: Ending) {
        let image = self.disk.image();
        self.store = None;
        if ending != Ending::Close {
            // What a dead process would still have written is on the disk that is left behind.
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

/// Everything is done where it is awaited.
fn at_once<T>(operation: impl Future<Output = T>) -> T {
    operation.now_or_never().expect("the store answers at once")
}

/// Scripts for each operation; a fuzzer mixes them.
pub(crate) fn seeds() -> Vec<Seed> {
    let seed = |name: &str, ops: &[&[u8]]| Seed {
        name: name.to_owned(),
        input: ops.concat(),
    };
    // An append: run, sequence, two names, kind, blob, and a byte where the blob has one.
    let next: &[u8] = &[1, 0, 0, 0, 0, 0, 0];
    let with_blob: &[u8] = &[1, 0, 0, 0, 0, 2, 4, 0x5a];
    let taken: &[u8] = &[1, 0, 2, 0, 0, 0, 0];
    let largest: &[u8] = &[1, 1, 4, 0, 3, 3, 5, 1, 7];
    let nearly_its_name: &[u8] = &[1, 2, 5, 63, 2, 1, 0, 1];
    let long_id: &[u8] = &[1, 6, 0, 0, 0, 0, 0];
    let (close, kill, power_loss): (&[u8], &[u8], &[u8]) = (&[7], &[8, 0], &[8, 1]);
    let clear: &[u8] = &[5, 0];
    let list: &[u8] = &[6, 1, 0, 2];
    vec![
        seed("nothing", &[]),
        seed("append-and-load", &[next, with_blob, &[4, 0]]),
        seed("taken", &[next, taken]),
        seed("ids-alike", &[next, largest, nearly_its_name, list]),
        seed("cleared", &[next, nearly_its_name, clear, next]),
        seed("closed", &[with_blob, close, next, taken]),
        seed("killed", &[with_blob, long_id, kill, next, list]),
        seed("power-lost", &[with_blob, clear, next, power_loss, next]),
    ]
}
