//! The contract of a store: every way to write one, and the store in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crashpoint::recovery::{CheckpointRow, CheckpointStore, ListRuns, RowKind, UnknownRowKind};
use crashpoint::{
    Error, MemoryCheckpointStore, ScopeId, StoreError, StoreErrorKind, checkpoint_store,
};

type Rows = Mutex<BTreeMap<String, BTreeMap<u64, CheckpointRow>>>;

fn append(rows: &Rows, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
    let mut rows = rows.lock().expect("no append panics");
    let run = rows.entry(workflow_id.to_owned()).or_default();
    if run.contains_key(&row.sequence) {
        return Err(Error::conflict(workflow_id, row.sequence));
    }
    run.insert(row.sequence, row);
    Ok(())
}

fn load(rows: &Rows, workflow_id: &str) -> Vec<CheckpointRow> {
    let rows = rows.lock().expect("no append panics");
    let run = rows.get(workflow_id).cloned().unwrap_or_default();
    run.into_values().collect()
}

fn clear(rows: &Rows, workflow_id: &str) {
    rows.lock().expect("no append panics").remove(workflow_id);
}

/// The body of a store over [`Rows`], for each form of the attribute.
macro_rules! store {
    ($(#[$attribute:meta])* $type:ident, $($header:tt)*) => {
        #[derive(Default)]
        struct $type(Rows);

        $(#[$attribute])*
        $($header)* {
            async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
                append(&self.0, workflow_id, row)
            }

            async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
                Ok(load(&self.0, workflow_id))
            }

            async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
                clear(&self.0, workflow_id);
                Ok(())
            }
        }
    };
}

/// The engine under another name, as behind somebody's facade.
mod facade {
    pub(crate) use crashpoint as engine;
}

store!(#[checkpoint_store] Written, impl CheckpointStore for Written);
store!(
    #[checkpoint_store]
    Inherent,
    impl Inherent
);
store!(
    #[checkpoint_store(crate = facade::engine)]
    Renamed,
    impl Renamed
);
store!(
    #[crashpoint::checkpoint_store]
    Qualified,
    impl Qualified
);

/// The whole contract in one round; the conformance kit knows it in detail.
async fn check(store: &dyn CheckpointStore) {
    let row = |sequence, state: &str| CheckpointRow::new(sequence, state, "task");
    assert_eq!(store.load_run("a").await.expect("it loads"), []);
    for sequence in [2, 0, 1] {
        let row = row(sequence, "first").with_output(vec![0, 255]);
        store.append("a", row).await.expect("the sequence is free");
    }
    store
        .append("b", row(0, "other"))
        .await
        .expect("another id");
    let loaded = store.load_run("a").await.expect("it loads");
    let sequences: Vec<u64> = loaded.iter().map(|row| row.sequence).collect();
    assert_eq!(sequences, [0, 1, 2]);

    for taken in [row(1, "second"), loaded[1].clone()] {
        let error = store.append("a", taken).await.expect_err("it is taken");
        assert_eq!(error.category(), "checkpoint_store");
        let kind = error.store_error().map(StoreError::kind);
        assert_eq!(kind, Some(StoreErrorKind::Conflict));
    }
    assert_eq!(store.load_run("a").await.expect("it loads"), loaded);

    store.clear("a").await.expect("it clears");
    store
        .clear("nobody")
        .await
        .expect("there is nothing to clear");
    assert_eq!(store.load_run("a").await.expect("it loads"), []);
    assert_eq!(store.load_run("b").await.expect("it loads").len(), 1);
    store
        .append("a", row(0, "anew"))
        .await
        .expect("it is free again");
}

#[tokio::test]
async fn every_form_of_the_attribute_makes_a_store() {
    check(&Written::default()).await;
    check(&Inherent::default()).await;
    check(&Renamed::default()).await;
    check(&Qualified::default()).await;
    check(&MemoryCheckpointStore::new()).await;
}

#[tokio::test]
async fn a_pointer_to_a_store_is_a_store() {
    let shared: Arc<dyn CheckpointStore> = Arc::new(Inherent::default());
    check(&shared).await;
    let boxed: Box<dyn CheckpointStore> = Box::new(Inherent::default());
    check(&boxed).await;
    check(&Arc::new(MemoryCheckpointStore::new())).await;
}

#[tokio::test]
async fn a_pointer_passes_on_what_its_store_declares() {
    let plain: Arc<dyn CheckpointStore> = Arc::new(Inherent::default());
    assert!(plain.exclusive_scope().is_none());
    assert!(plain.as_listing().is_none());
    let memory = Arc::new(MemoryCheckpointStore::new());
    let scope = memory.exclusive_scope();
    assert!(scope.is_some());
    let erased: Box<dyn CheckpointStore> = Box::new(Arc::clone(&memory));
    assert_eq!(erased.exclusive_scope(), scope);
    assert!(erased.as_listing().is_some());
    let other = MemoryCheckpointStore::new().exclusive_scope();
    assert_ne!(other, scope, "every store is a place of its own");
    assert_ne!(ScopeId::new(), ScopeId::new());
}

#[tokio::test]
async fn a_listing_is_paged_in_byte_order() {
    let store = MemoryCheckpointStore::new();
    for id in ["b", "ä", "a", "", "B", "aa"] {
        let row = CheckpointRow::new(0, "state", "task");
        store.append(id, row).await.expect("it appends");
    }
    let all = store.run_ids(None, 10).await.expect("it lists");
    assert_eq!(all, ["", "B", "a", "aa", "b", "ä"]);
    let page = store.run_ids(Some("B"), 2).await.expect("it lists");
    assert_eq!(page, ["a", "aa"]);
    let between = store.run_ids(Some("a0"), 1).await.expect("it lists");
    assert_eq!(between, ["aa"]);
    let end = store.run_ids(Some("ä"), 2).await.expect("it lists");
    assert_eq!(end, [""; 0]);
    store.clear("aa").await.expect("it clears");
    let left = store.run_ids(Some("a"), 1).await.expect("it lists");
    assert_eq!(left, ["b"]);
}

/// A trait of a user's own, under the same convention.
#[checkpoint_store]
trait Archive: Send + Sync {
    async fn archived(&self, workflow_id: &str) -> usize;
}

#[checkpoint_store]
impl Archive for Inherent {
    async fn archived(&self, workflow_id: &str) -> usize {
        load(&self.0, workflow_id).len()
    }
}

#[tokio::test]
async fn a_trait_of_one_s_own_can_be_made_into_an_object() {
    let archive: Box<dyn Archive> = Box::new(Inherent::default());
    assert_eq!(archive.archived("a").await, 0);
}

#[test]
fn a_row_is_built_like_the_reference_says() {
    let bare = CheckpointRow::new(3, "Pack", "pack");
    assert_eq!((bare.kind, &bare.output_blob), (RowKind::StateEntry, &None));
    let output = bare.clone().with_output(vec![1]);
    assert_eq!(output.kind, RowKind::CompensationCompletion);
    let cursor = output.with_cursor(vec![2]);
    assert_eq!(
        (cursor.kind, cursor.output_blob),
        (RowKind::StepCursor, Some(vec![2]))
    );
    let blob = bare.with_blob(RowKind::Compensated, vec![]);
    assert_eq!(
        (blob.kind, blob.output_blob),
        (RowKind::Compensated, Some(vec![]))
    );
}

/// Stores that keep rows as JSON depend on it.
#[test]
fn the_serialized_form_of_a_row_is_frozen() {
    let row = CheckpointRow::new(7, "Pack", "charge").with_output(vec![1, 2]);
    let json = serde_json::to_string(&row).expect("a row serializes");
    expect_test::expect![[r#"{"sequence":7,"state":"Pack","task_id":"charge","output_blob":[1,2],"kind":"CompensationCompletion"}"#]].assert_eq(&json);
    let back: CheckpointRow = serde_json::from_str(&json).expect("it is a row");
    assert_eq!(back, row);
    let unknown: Result<RowKind, UnknownRowKind> = RowKind::try_from(42);
    assert!(unknown.is_err());
}

#[test]
fn an_error_of_a_store_keeps_its_kind_and_its_words() {
    let cases = [
        (
            Error::checkpoint_store("disk on fire"),
            StoreErrorKind::Other,
        ),
        (Error::conflict("order-1", 3), StoreErrorKind::Conflict),
        (
            Error::unavailable("disk on fire"),
            StoreErrorKind::Unavailable,
        ),
        (
            Error::unknown_outcome("disk on fire"),
            StoreErrorKind::UnknownOutcome,
        ),
    ];
    for (error, kind) in cases {
        assert_eq!(error.store_error().map(StoreError::kind), Some(kind));
        let words = error.to_string();
        let inner = StoreError::from(error);
        assert_eq!(inner.kind(), kind);
        assert_eq!(words, format!("checkpoint store: {inner}"));
    }
    let other = StoreError::from(Error::NoListing);
    assert_eq!(other.kind(), StoreErrorKind::Other);
    assert_eq!(other.to_string(), "the store can't list its runs");
    assert!(Error::NoListing.store_error().is_none());
}
