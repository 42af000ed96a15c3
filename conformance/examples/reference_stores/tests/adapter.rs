//! The adapters add nothing: rows come back as appended, and the behaviour of the store shows.

use std::error::Error as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crashpoint::{CheckpointRow, CheckpointStore, RowKind, StoreErrorKind};

fn wait<T>(asked: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.build().expect("a runtime starts");
    runtime.block_on(asked)
}

/// A row for each special value of a field, with a kind of the reference crate.
fn rows() -> Vec<CheckpointRow> {
    let kinds = [
        RowKind::StateEntry,
        RowKind::CompensationCompletion,
        RowKind::StepCursor,
    ];
    let every_byte: Vec<u8> = (0..=255).collect();
    let blobs = [None, Some(Vec::new()), Some(every_byte)];
    let texts = ["", "plain", "nul \0, newline \n, e\u{301}, \u{1f980}"];
    let mut rows = Vec::new();
    for kind in kinds {
        for blob in &blobs {
            for (text, sequence) in texts.iter().zip([0, u64::MAX, 1 << 63]) {
                let mut row = CheckpointRow::new(sequence, *text, text.to_uppercase());
                row.kind = kind;
                row.output_blob = blob.clone();
                rows.push(row);
            }
        }
    }
    rows
}

/// The tests of one release.
macro_rules! release {
    ($release:ident, $cano:ident) => {
        mod $release {
            use crashpoint_conformance::cano::$release::Adapted;
            use $cano::CanoError;
            use $cano::recovery as theirs;

            use super::*;

            type Answer<'a, T> =
                std::pin::Pin<Box<dyn Future<Output = Result<T, CanoError>> + Send + 'a>>;

            /// Keeps rows in the order of arrival, and counts calls before a poll.
            #[derive(Default)]
            struct Plain {
                rows: Mutex<Vec<theirs::CheckpointRow>>,
                calls: AtomicUsize,
                fails_with: Option<CanoError>,
                panics: bool,
            }

            impl Plain {
                fn answer<T: Send + 'static>(&self, good: T) -> Answer<'static, T> {
                    self.calls.fetch_add(1, Ordering::Relaxed);
                    let answer = self.fails_with.clone().map_or(Ok(good), Err);
                    let panics = self.panics;
                    Box::pin(async move {
                        assert!(!panics, "the store's own words");
                        answer
                    })
                }
            }

            impl theirs::CheckpointStore for Plain {
                fn append<'life0, 'life1, 'async_trait>(
                    &'life0 self,
                    _: &'life1 str,
                    row: theirs::CheckpointRow,
                ) -> Answer<'async_trait, ()>
                where
                    'life0: 'async_trait,
                    'life1: 'async_trait,
                    Self: 'async_trait,
                {
                    self.rows.lock().expect("nobody panics").push(row);
                    self.answer(())
                }

                fn load_run<'life0, 'life1, 'async_trait>(
                    &'life0 self,
                    _: &'life1 str,
                ) -> Answer<'async_trait, Vec<theirs::CheckpointRow>>
                where
                    'life0: 'async_trait,
                    'life1: 'async_trait,
                    Self: 'async_trait,
                {
                    self.answer(self.rows.lock().expect("nobody panics").clone())
                }

                fn clear<'life0, 'life1, 'async_trait>(
                    &'life0 self,
                    _: &'life1 str,
                ) -> Answer<'async_trait, ()>
                where
                    'life0: 'async_trait,
                    'life1: 'async_trait,
                    Self: 'async_trait,
                {
                    self.answer(())
                }
            }

            #[test]
            fn rows_come_back_field_by_field_in_the_stores_order() {
                let store = Adapted(Plain::default());
                for row in rows() {
                    wait(store.append("run", row)).expect("it is kept");
                }
                assert_eq!(wait(store.load_run("run")).expect("it loads"), rows());
                let kept = store.0.rows.lock().expect("nobody panics");
                for (kept, row) in kept.iter().zip(rows()) {
                    assert_eq!(kept.sequence, row.sequence);
                    assert_eq!(kept.state, row.state);
                    assert_eq!(kept.task_id, row.task_id);
                    assert_eq!(kept.output_blob, row.output_blob);
                    let words = format!("{:?}", row.kind);
                    assert_eq!(format!("{:?}", kept.kind), words);
                }
            }

            #[test]
            fn a_kind_that_they_do_not_have_is_refused_before_the_store_is_asked() {
                let store = Adapted(Plain::default());
                for &kind in &RowKind::ALL[3..] {
                    let mut row = CheckpointRow::new(0, "state", "task");
                    row.kind = kind;
                    let refused =
                        wait(store.append("run", row)).expect_err("there is no such kind");
                    let refused = refused.store_error().expect("it is a store's");
                    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
                    let words = format!("the reference crate has no kind of rows for {kind}");
                    assert_eq!(refused.to_string(), words);
                }
                assert_eq!(store.0.calls.load(Ordering::Relaxed), 0);
            }

            #[test]
            fn an_error_keeps_its_words_and_is_never_made_a_conflict() {
                let theirs = CanoError::checkpoint_store("run already has a row");
                let words = theirs.to_string();
                let store = Adapted(Plain {
                    fails_with: Some(theirs),
                    ..Plain::default()
                });
                let row = CheckpointRow::new(0, "state", "task");
                let load = wait(store.load_run("run")).expect_err("it fails");
                let append = wait(store.append("run", row)).expect_err("it fails");
                let clear = wait(store.clear("run")).expect_err("it fails");
                for error in [load, append, clear] {
                    let error = error.store_error().expect("it is a store's");
                    assert_eq!(error.kind(), StoreErrorKind::Other);
                    assert_eq!(error.to_string(), words);
                    assert_eq!(error.source().expect("theirs").to_string(), words);
                }
            }

            #[test]
            fn what_a_store_does_before_it_is_polled_shows() {
                let store = Adapted(Plain::default());
                drop(store.append("run", CheckpointRow::new(0, "state", "task")));
                drop(store.load_run("run"));
                drop(store.clear("run"));
                assert_eq!(store.0.calls.load(Ordering::Relaxed), 3);
                assert_eq!(store.0.rows.lock().expect("nobody panics").len(), 1);
            }

            #[test]
            fn a_panic_is_passed_on() {
                let store = Adapted(Plain {
                    panics: true,
                    ..Plain::default()
                });
                let panicked = catch_unwind(AssertUnwindSafe(|| wait(store.clear("run"))));
                let payload = panicked.expect_err("the store panics");
                let words = payload.downcast_ref::<&str>();
                assert_eq!(words, Some(&"the store's own words"));
            }
        }
    };
}

release!(v0_12, cano_0_12);
release!(v0_15, cano_0_15);

/// A store whose rows have a version that nobody appended.
struct Versioned;

#[cano_0_15::checkpoint_store]
impl cano_0_15::CheckpointStore for Versioned {
    async fn append(
        &self,
        _: &str,
        _: cano_0_15::CheckpointRow,
    ) -> Result<(), cano_0_15::CanoError> {
        Ok(())
    }

    async fn load_run(
        &self,
        _: &str,
    ) -> Result<Vec<cano_0_15::CheckpointRow>, cano_0_15::CanoError> {
        let mut row = cano_0_15::CheckpointRow::new(3, "state", "task");
        row.workflow_version = 7;
        Ok(vec![row])
    }

    async fn clear(&self, _: &str) -> Result<(), cano_0_15::CanoError> {
        Ok(())
    }
}

#[test]
fn what_a_row_can_not_say_here_is_an_error_of_the_load() {
    let store = crashpoint_conformance::cano::v0_15::Adapted(Versioned);
    let error = wait(store.load_run("run")).expect_err("nobody appended this");
    let error = error.store_error().expect("it is a store's");
    assert_eq!(error.kind(), StoreErrorKind::Damaged);
    assert_eq!(
        error.to_string(),
        "row at sequence 3 came back with the workflow version 7, which was not appended"
    );
}

/// Stores whose faults the kit must find behind the adapter.
mod mutants {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};

    use cano_0_15::recovery::{CheckpointRow, CheckpointStore};
    use cano_0_15::{CanoError, checkpoint_store};
    use crashpoint_conformance::cano::v0_15::Adapted;
    use crashpoint_conformance::{BoxError, Harness, LawId, Place, Plan, Verdict, run_all};

    type Rows = Mutex<BTreeMap<(String, u64), CheckpointRow>>;

    /// Refuses a taken sequence with an error of another category.
    #[derive(Default)]
    struct OtherCategory(Rows);

    #[checkpoint_store]
    impl CheckpointStore for OtherCategory {
        async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), CanoError> {
            let mut rows = self.0.lock().expect("nobody panics");
            let key = (workflow_id.to_owned(), row.sequence);
            if rows.contains_key(&key) {
                return Err(CanoError::store("taken"));
            }
            rows.insert(key, row);
            Ok(())
        }

        async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, CanoError> {
            let rows = self.0.lock().expect("nobody panics");
            let of_run = rows.iter().filter(|((id, _), _)| id == workflow_id);
            Ok(of_run.map(|(_, row)| row.clone()).collect())
        }

        async fn clear(&self, workflow_id: &str) -> Result<(), CanoError> {
            let mut rows = self.0.lock().expect("nobody panics");
            rows.retain(|(id, _), _| id != workflow_id);
            Ok(())
        }
    }

    /// Writes when it is called, and not when it is polled.
    #[derive(Default)]
    struct Eager(Arc<OtherCategory>);

    impl CheckpointStore for Eager {
        fn append<'life0, 'life1, 'async_trait>(
            &'life0 self,
            workflow_id: &'life1 str,
            row: CheckpointRow,
        ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), CanoError>> + Send + 'async_trait>>
        where
            'life0: 'async_trait,
            'life1: 'async_trait,
            Self: 'async_trait,
        {
            let written = super::wait_here(self.0.append(workflow_id, row));
            Box::pin(std::future::ready(written))
        }

        fn load_run<'life0, 'life1, 'async_trait>(
            &'life0 self,
            workflow_id: &'life1 str,
        ) -> std::pin::Pin<
            Box<dyn Future<Output = Result<Vec<CheckpointRow>, CanoError>> + Send + 'async_trait>,
        >
        where
            'life0: 'async_trait,
            'life1: 'async_trait,
            Self: 'async_trait,
        {
            self.0.load_run(workflow_id)
        }

        fn clear<'life0, 'life1, 'async_trait>(
            &'life0 self,
            workflow_id: &'life1 str,
        ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), CanoError>> + Send + 'async_trait>>
        where
            'life0: 'async_trait,
            'life1: 'async_trait,
            Self: 'async_trait,
        {
            self.0.clear(workflow_id)
        }
    }

    macro_rules! opened_empty {
        ($($store:ty),*) => {$(
            impl Harness for $store {
                type Store = Adapted<Self>;

                async fn open(_: &Place) -> Result<Self::Store, BoxError> {
                    Ok(Adapted(Self::default()))
                }
            }
        )*};
    }

    opened_empty!(OtherCategory, Eager);

    fn fails<H: Harness>(law: LawId, words: &str) {
        let report = run_all::<H>(&Plan::new().only_laws([law]));
        let Verdict::Fail(message) = &report.laws()[0].verdict else {
            panic!("{report}");
        };
        assert!(message.contains(words), "{message}");
    }

    #[test]
    fn an_error_keeps_its_category() {
        let words =
            "expected \"checkpoint_store\", got \"store\" (checkpoint store: Store error: taken)";
        fails::<OtherCategory>(LawId::ERR_01, words);
    }

    #[test]
    fn work_that_does_not_wait_for_a_poll_is_found() {
        fails::<Eager>(LawId::CAN_02, "never polled");
    }
}

/// Ends a future that never waits.
fn wait_here<T>(asked: impl Future<Output = T>) -> T {
    let mut asked = std::pin::pin!(asked);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match asked.as_mut().poll(&mut context) {
        std::task::Poll::Ready(answer) => answer,
        std::task::Poll::Pending => panic!("it does not wait"),
    }
}
