//! How long the file gets.

use crashpoint::CheckpointStore as _;

use super::disk::MemoryDisk;
use super::{append, ids, now, open, row};

/// Pages of what was cleared are used again. A million runs are cleared by the program `compare`.
#[test]
fn the_file_does_not_grow_with_the_runs_that_were_cleared() {
    let disk = MemoryDisk::default();
    let store = open(&disk).expect("an empty place");
    let mut longest = [0; 2];
    for run in 0..1000 {
        let id = format!("order-{run}");
        for sequence in 0..3 {
            append(&store, &id, row(sequence)).expect("it is free");
        }
        now(store.clear(&id)).expect("memory takes it");
        let half = &mut longest[run / 500];
        *half = disk.bytes().len().max(*half);
    }
    assert_eq!(ids(&store).expect("it lists"), Vec::<String>::new());
    let [first, second] = longest;
    assert!(second <= first, "{first} bytes, and then {second}");
    assert!(first < 1 << 20, "{first} bytes");
}
