//! The ids of a store, in the order of their bytes, a page at a time.

use crashpoint::CheckpointStore as _;

use super::disk::MemoryDisk;
use super::{append, now, open, row};

#[test]
fn ids_are_listed_once_in_the_order_of_their_bytes() {
    let disk = MemoryDisk::default();
    let store = open(&disk).expect("an empty place");
    let sorted = [
        "",
        "\0",
        "A",
        "B",
        "a",
        "a\0",
        "a\0b",
        "ab",
        "b",
        "ü",
        "\u{10ffff}",
    ];
    for id in sorted.iter().rev() {
        for sequence in [7, 0, u64::MAX] {
            append(&store, id, row(sequence)).expect("it is free");
        }
    }
    let listing = store.as_listing().expect("it lists");
    let page = |after, limit| now(listing.run_ids(after, limit)).expect("it is whole");
    assert_eq!(page(None, usize::MAX), sorted);
    assert_eq!(page(None, 0), Vec::<String>::new());
    for (index, id) in sorted.into_iter().enumerate() {
        let rest = &sorted[index + 1..];
        for limit in 0..=sorted.len() {
            assert_eq!(
                page(Some(id), limit),
                rest[..limit.min(rest.len())],
                "{id:?}, {limit}"
            );
        }
    }
    // An id that has no rows is a place in the order all the same.
    assert_eq!(page(Some("a\0a"), 2), ["a\0b", "ab"]);
    now(store.clear("ab")).expect("memory takes it");
    assert_eq!(page(Some("a\0a"), 2), ["a\0b", "b"]);
}
