//! What a commit of one row comes to.

use redb::{Builder, Database};

use super::disk::MemoryDisk;
use super::{ROWS, append, open, row};

/// How many times this writes and syncs.
fn writes_and_syncs(disk: &MemoryDisk, act: impl FnOnce()) -> (usize, usize) {
    let operations = disk.operations_of(act);
    let count = |name| operations.iter().filter(|each| **each == name).count();
    (count("write"), count("sync"))
}

/// A two-phase commit with nothing around it.
fn bare_commit(database: &Database, sequence: u64) {
    let mut transaction = database.begin_write().expect("nobody else has it");
    transaction.set_two_phase_commit(true);
    let mut rows = transaction.open_table(ROWS).expect("it has this type");
    rows.insert(("order-1", sequence), &[0x5a; 40][..])
        .expect("memory takes it");
    drop(rows);
    transaction.commit().expect("memory takes it");
}

/// The file grows now and then, which is a sync more.
#[test]
fn a_row_is_a_page_less_than_a_bare_commit_of_it() {
    let ours = MemoryDisk::default();
    let store = open(&ours).expect("an empty place");
    let bare = MemoryDisk::holding(Vec::new());
    let file = bare.named().expect("there is a file");
    let database = Builder::new().create_with_backend(file);
    let database = database.expect("an empty file");
    let write = |rows: std::ops::Range<u64>| {
        let (from, to) = (rows.start, rows.end);
        let of_ours = writes_and_syncs(&ours, || {
            let mut rows = from..to;
            rows.try_for_each(|sequence| append(&store, "order-1", row(sequence)))
                .expect("they are free");
        });
        let of_bare = writes_and_syncs(&bare, || {
            (from..to).for_each(|sequence| bare_commit(&database, sequence));
        });
        (of_ours, of_bare)
    };
    // Until the pages of commits before are used again.
    _ = write(0..100);
    let ((writes, syncs), (bare_writes, bare_syncs)) = write(100..1100);
    assert!(
        writes + 1000 <= bare_writes,
        "{writes} writes, and {bare_writes} of bare commits"
    );
    assert!(
        syncs <= bare_syncs + 10,
        "{syncs} syncs, and {bare_syncs} of bare commits"
    );
}
