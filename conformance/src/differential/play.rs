//! Performs operations on a store and on the model, and compares the answers.

use std::sync::Arc;

use crashpoint::{CheckpointRow, Error};
use tokio::runtime::Runtime;

use super::found::Counted;
use super::model::Model;
use super::operations::{Operation, Operations, plain};
use crate::case::not_opened;
use crate::finding::expect::{
    Checked, Failure, append_failed, broken, failed, not_rejected, quote, same_rows, task_error,
};
use crate::harness::place::Place;
use crate::harness::{BoxFuture, DynStore, Subject};
use crate::runtime::{Workers, start};

/// The result of performing operations.
pub(super) struct Played {
    /// The answer to each operation, up to the first that differs.
    pub(super) answers: Vec<String>,
    pub(super) counted: Counted,
    pub(super) checked: Checked,
}

/// Performs `operations` at a fresh place.
pub(super) fn play(subject: &Subject, operations: &Operations) -> Played {
    let mut played = Played {
        answers: Vec::new(),
        counted: Counted::default(),
        checked: Ok(()),
    };
    played.checked = in_a_place(
        subject,
        operations,
        &mut played.answers,
        &mut played.counted,
    );
    // An operation is answered once, or its failure ends the list.
    let (answers, asked) = (played.answers.len(), operations.as_slice().len());
    assert!(answers <= asked, "an operation has at most one answer");
    played
}

fn in_a_place(
    subject: &Subject,
    operations: &Operations,
    answers: &mut Vec<String>,
    counted: &mut Counted,
) -> Checked {
    let folder = subject.options.folder.as_deref();
    let place = Place::fresh_for("differential", subject.name, folder);
    let place = place.map_err(|error| Failure::Harness(format!("no fresh place: {error}")))?;
    let runtime = start(Workers::Pool(2))?;
    let checked = runtime.block_on(async {
        let mut player = Player {
            subject,
            place: &place,
            store: open(subject, &place).await?,
            model: Model::default(),
            answers,
            counted,
        };
        player.all(operations).await
    });
    let destroyed = runtime.block_on(subject.destroy(&place));
    // A store that blocks for ever holds one of its threads.
    Runtime::shutdown_background(runtime);
    let destroyed = destroyed.map_err(|error| {
        Failure::Harness(format!("the harness could not destroy the place: {error}"))
    });
    checked.and(destroyed)
}

async fn open(subject: &Subject, place: &Place) -> Result<DynStore, Failure> {
    let opened = tokio::time::timeout(subject.options.operation_max, subject.open(place)).await;
    match opened {
        Ok(Ok(opened)) => Ok(opened.store),
        Ok(Err(error)) => Err(not_opened(&error)),
        Err(_) => {
            let limit = subject.options.operation_max;
            Err(not_opened(&format!("no answer within {limit:?}")))
        }
    }
}

struct Player<'a> {
    subject: &'a Subject,
    place: &'a Place,
    store: DynStore,
    model: Model,
    answers: &'a mut Vec<String>,
    counted: &'a mut Counted,
}

impl Player<'_> {
    async fn all(&mut self, operations: &Operations) -> Checked {
        for operation in operations.as_slice() {
            let answer = self.perform(operation).await?;
            self.answers.push(answer);
        }
        let runs = operations.as_slice().iter().filter_map(Operation::run);
        let mut ids: Vec<&str> = runs.collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            self.load(id, "at the end").await?;
        }
        Ok(())
    }

    async fn perform(&mut self, operation: &Operation) -> Result<String, Failure> {
        match operation {
            Operation::Append(id, row) => {
                let accepted = self.append(id, row.clone()).await?;
                Ok(if accepted { "Ok" } else { "refused" }.to_owned())
            }
            Operation::Rows { id, from, count } => {
                let mut accepted = 0;
                for sequence in *from..from + count {
                    accepted += u64::from(self.append(id, plain(sequence)).await?);
                }
                Ok(format!("{accepted} Ok, {} refused", count - accepted))
            }
            Operation::Load(id) => {
                let rows = self.load(id, "").await?;
                *if rows == 0 {
                    &mut self.counted.loads_of_nothing
                } else {
                    &mut self.counted.loads
                } += 1;
                Ok(if rows == 1 {
                    "1 row".to_owned()
                } else {
                    format!("{rows} rows")
                })
            }
            Operation::Clear(id) => {
                let had_rows = self.clear(id).await?;
                *if had_rows {
                    &mut self.counted.clears
                } else {
                    &mut self.counted.clears_of_nothing
                } += 1;
                Ok("Ok".to_owned())
            }
            Operation::Reopen => {
                self.reopen().await?;
                self.counted.reopenings += 1;
                Ok("Ok".to_owned())
            }
        }
    }

    /// Appends to both, and returns whether they accepted the row.
    async fn append(&mut self, id: &str, row: CheckpointRow) -> Result<bool, Failure> {
        let free = self.model.append(id, row.clone());
        let (store, run, sent) = (Arc::clone(&self.store), id.to_owned(), row.clone());
        let appended = self.ask("append", async move { store.append(&run, sent).await });
        match (free, appended.await?) {
            (true, Err(error)) => Err(append_failed(&row, id, &error)),
            (false, Ok(())) => Err(not_rejected(&row, id)),
            (true, Ok(())) => {
                self.counted.appends += 1;
                Ok(true)
            }
            (false, Err(_)) => {
                self.counted.rejections += 1;
                Ok(false)
            }
        }
    }

    /// Loads from both, and returns the number of rows.
    async fn load(&mut self, id: &str, when: &str) -> Result<usize, Failure> {
        let (store, run) = (Arc::clone(&self.store), id.to_owned());
        let loaded = self
            .ask("load", async move { store.load_run(&run).await })
            .await?;
        let loaded =
            loaded.map_err(|error| failed(&format!("load of run {}", quote(id)), &error))?;
        let words = || format!("run {} {when}", quote(id)).trim_end().to_owned();
        same_rows(words, &self.model.load(id), &loaded)?;
        Ok(loaded.len())
    }

    /// Clears both, and returns whether the run had rows.
    async fn clear(&mut self, id: &str) -> Result<bool, Failure> {
        let (store, run) = (Arc::clone(&self.store), id.to_owned());
        let cleared = self
            .ask("clear", async move { store.clear(&run).await })
            .await?;
        cleared.map_err(|error| failed(&format!("clear of run {}", quote(id)), &error))?;
        Ok(self.model.clear(id))
    }

    async fn reopen(&mut self) -> Checked {
        // No task holds it now. It is dropped outside of async code: RUN-06 checks the other case.
        let nothing: DynStore = Arc::new(crashpoint::MemoryCheckpointStore::new());
        let store = std::mem::replace(&mut self.store, nothing);
        let dropped = tokio::task::spawn_blocking(move || drop(store)).await;
        dropped.map_err(|error| broken(format!("dropping the store failed: {error}")))?;
        let opened = open(self.subject, self.place).await;
        self.store = opened.map_err(|failure| match failure {
            Failure::Harness(message) => broken(format!("after dropping the store, {message}")),
            other => other,
        })?;
        Ok(())
    }

    /// Performs an operation in a task of its own, so that a panic or a blocked thread is an answer.
    async fn ask<T: Send + 'static>(
        &self,
        words: &str,
        asked: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<Result<T, Error>, Failure> {
        let asked: BoxFuture<'static, Result<T, Error>> = Box::pin(asked);
        let limit = self.subject.options.operation_max;
        match tokio::time::timeout(limit, tokio::spawn(asked)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                let message = task_error(error);
                Err(broken(format!(
                    "{words}: expected an answer, got a panic: {message}"
                )))
            }
            Err(_) => Err(broken(format!(
                "{words}: expected an answer within {limit:?}, got nothing"
            ))),
        }
    }
}
