//! A small store that commits in groups, with one mistake at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use crashpoint::disk::Disk as _;
use crashpoint::{CheckpointRow, CheckpointStore, Error, Runtime as _};
use crashpoint_simulator::SimRuntime;
use crashpoint_simulator::disk::{SimDisk, Which};
use crashpoint_simulator::images::{Exploration, Modes, Op, Open, Script};
use expect_test::{Expect, expect};
use futures_channel::oneshot;
use futures_util::FutureExt as _;
use redb::{Builder, Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};

use super::mutants::{assert_caught, check};

/// The mistake of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    Nothing,
    /// Appends are acknowledged when they are in the transaction.
    AppendsBeforeTheCommit,
    /// Clears are acknowledged when they are in the transaction.
    ClearsBeforeTheCommit,
    /// One duplicate is the answer to all, and nothing is committed.
    AllForOne,
    OnePhase,
    /// Duplicates are only found in committed rows, not within the batch.
    DuplicatesOfTheBatch,
    /// Clears come after all appends of their batch.
    ClearsLast,
}

const ROWS: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("rows");

type Answer = Result<(), Error>;

enum Write {
    Append(String, CheckpointRow),
    Clear(String),
}

struct Request {
    write: Write,
    reply: oneshot::Sender<Answer>,
}

struct Grouped {
    runtime: SimRuntime,
    shared: Arc<Shared>,
}

struct Shared {
    database: Database,
    mistake: Mistake,
    waiting: Mutex<Vec<Request>>,
}

impl Grouped {
    fn open(
        disk: &SimDisk,
        runtime: SimRuntime,
        mistake: Mistake,
    ) -> Result<Box<dyn CheckpointStore>, Error> {
        let file = match disk.open().map_err(failed)? {
            Some(file) => file,
            None => {
                disk.draft().map_err(failed)?;
                let draft = disk.open_draft(&()).map_err(failed)?;
                Builder::new().create_with_backend(draft).map_err(failed)?;
                disk.publish(()).map_err(failed)?;
                disk.file(Which::Named)
            }
        };
        let mut builder = Builder::new();
        builder.set_check_integrity_on_open(true);
        let shared = Shared {
            database: builder.create_with_backend(file).map_err(failed)?,
            mistake,
            waiting: Mutex::default(),
        };
        shared.write(&mut Vec::new()).map_err(failed)?;
        let shared = Arc::new(shared);
        Ok(Box::new(Self { runtime, shared }))
    }

    async fn perform(&self, write: Write) -> Answer {
        let (reply, answer) = oneshot::channel();
        let first = {
            let mut waiting = self.shared.waiting();
            waiting.push(Request { write, reply });
            waiting.len() == 1
        };
        if first {
            let shared = Arc::clone(&self.shared);
            let work = move || shared.commit_what_waits();
            // An operation that has begun is finished even if nobody waits for it.
            _ = self.runtime.blocking(Box::new(work)).now_or_never();
        }
        answer
            .await
            .unwrap_or_else(|_| Err(failed("nobody answers")))
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::unknown_outcome(error.to_string())
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Vec<Request>> {
        self.waiting.lock().expect("nobody panics with it")
    }

    fn commit_what_waits(&self) {
        let mut batch = std::mem::take(&mut *self.waiting());
        if self.mistake == Mistake::ClearsLast {
            batch.sort_by_key(|request| matches!(request.write, Write::Clear(_)));
        }
        let answers = self.write(&mut batch);
        reply(batch, answers);
    }

    /// One transaction. The caller answers, except for answers that are given too early.
    fn write(&self, batch: &mut [Request]) -> Result<Vec<Answer>, redb::Error> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_two_phase_commit(self.mistake != Mistake::OnePhase);
        let before = self.database.begin_read()?.open_table(ROWS).ok();
        let mut answers = Vec::new();
        {
            let mut rows = transaction.open_table(ROWS)?;
            for request in batch.iter_mut() {
                let done = match &request.write {
                    Write::Append(run, row) => {
                        let key = (run.as_str(), row.sequence);
                        let taken = match (&before, self.mistake) {
                            (Some(before), Mistake::DuplicatesOfTheBatch) => {
                                before.get(key)?.is_some()
                            }
                            _ => rows.get(key)?.is_some(),
                        };
                        if taken {
                            Err(Error::conflict(run, row.sequence))
                        } else {
                            rows.insert(key, encoded(row).as_slice())?;
                            Ok(())
                        }
                    }
                    Write::Clear(run) => {
                        let range = (run.as_str(), 0)..=(run.as_str(), u64::MAX);
                        rows.retain_in(range, |_, _| false)?;
                        Ok(())
                    }
                };
                if done.is_ok() && self.is_hasty(&request.write) {
                    answer(request, Ok(()));
                }
                answers.push(done);
            }
        }
        let refused = answers.iter().find_map(|answer| answer.as_ref().err());
        if let (Mistake::AllForOne, Some(_)) = (self.mistake, refused) {
            return Ok(batch
                .iter()
                .map(|_| Err(Error::conflict("all", 0)))
                .collect());
        }
        transaction.commit()?;
        Ok(answers)
    }

    fn is_hasty(&self, write: &Write) -> bool {
        match write {
            Write::Append(..) => self.mistake == Mistake::AppendsBeforeTheCommit,
            Write::Clear(_) => self.mistake == Mistake::ClearsBeforeTheCommit,
        }
    }
}

/// Answers now; later answers are ignored.
fn answer(request: &mut Request, answer: Answer) {
    let (unheard, _) = oneshot::channel();
    let reply = std::mem::replace(&mut request.reply, unheard);
    _ = reply.send(answer);
}

fn reply(batch: Vec<Request>, answers: Result<Vec<Answer>, redb::Error>) {
    match answers {
        Ok(answers) => {
            for (request, answer) in batch.into_iter().zip(answers) {
                _ = request.reply.send(answer);
            }
        }
        Err(error) => {
            for request in batch {
                _ = request.reply.send(Err(failed(&error)));
            }
        }
    }
}

#[async_trait]
impl CheckpointStore for Grouped {
    async fn append(&self, run: &str, row: CheckpointRow) -> Answer {
        self.perform(Write::Append(run.to_owned(), row)).await
    }

    async fn load_run(&self, run: &str) -> Result<Vec<CheckpointRow>, Error> {
        let read = || -> Result<_, redb::Error> {
            let rows = self.shared.database.begin_read()?.open_table(ROWS)?;
            let entries = rows.range((run, 0)..=(run, u64::MAX))?;
            let decoded = entries.map(|entry| {
                let (key, value) = entry?;
                Ok((key.value().1, decoded(key.value().1, value.value())))
            });
            decoded.collect::<Result<BTreeMap<_, _>, redb::Error>>()
        };
        Ok(read().map_err(failed)?.into_values().collect())
    }

    async fn clear(&self, run: &str) -> Answer {
        self.perform(Write::Clear(run.to_owned())).await
    }
}

/// The bytes of a row in the double.
fn encoded(row: &CheckpointRow) -> Vec<u8> {
    let blob = row.output_blob.as_deref().unwrap_or_default();
    [
        row.state.as_bytes(),
        b"|",
        row.task_id.as_bytes(),
        b"|",
        blob,
    ]
    .concat()
}

fn decoded(sequence: u64, value: &[u8]) -> CheckpointRow {
    let mut parts = value.splitn(3, |byte| *byte == b'|');
    let mut text = || String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let row = CheckpointRow::new(sequence, text(), text());
    match parts.next() {
        Some(blob) if !blob.is_empty() => row.with_output(blob.to_vec()),
        _ => row,
    }
}

fn with(mistake: Mistake) -> impl Open {
    move |disk: &SimDisk, runtime: SimRuntime| Grouped::open(disk, runtime, mistake)
}

#[track_caller]
fn check_caught(mistake: Mistake, script: &Script, expected: &Expect) {
    let store = with(mistake);
    check(&Exploration::of(script, &store), expected);
}

#[test]
fn a_store_that_commits_in_groups_without_a_mistake_breaks_no_promise() {
    let store = with(Mistake::Nothing);
    let script = Script::batches();
    let exploration = Exploration::of(&script, &store);
    assert_eq!(exploration.explore().violations, []);
    let report = exploration.modes(Modes::Plain).every_error();
    assert_eq!(report.violations, []);
}

/// The batch has two appends to one run, one to another, and a refusal.
#[test]
fn an_append_that_is_acknowledged_before_the_commit_of_its_batch_is_caught() {
    let script = Script::new(10).together([Op::Append(0), Op::Append(1), Op::Duplicate(0)]);
    check_caught(
        Mistake::AppendsBeforeTheCommit,
        &script,
        &expect![[r#"
        run-0 has no rows, and it should have [0:state-0]
          after step 39 of the disk (sync of the file), after append of row 0 to run-1 (operation 1): the process crashed
          again: .replay("39:process")"#]],
    );
}

#[test]
fn a_clear_that_is_acknowledged_before_the_commit_of_its_batch_is_caught() {
    let script = Script::new(10).then([Op::Append(0)]);
    let script = script.together([Op::Append(1), Op::Clear(0), Op::Append(0)]);
    check_caught(
        Mistake::ClearsBeforeTheCommit,
        &script,
        &expect![[r#"
        run-0 has [0:state-0], and it should have no rows, or [0:state-3]
          after step 47 of the disk (sync of the file), after clear of run-0 (operation 2): the process crashed
          again: .replay("47:process")"#]],
    );
}

#[test]
fn a_batch_that_fails_as_a_whole_for_one_duplicate_is_caught() {
    let script = Script::new(10).together([Op::Append(0), Op::Append(1), Op::Duplicate(0)]);
    check_caught(
        Mistake::AllForOne,
        &script,
        &expect![[r#"
        append of row 0 to run-0 (operation 0) was answered that the sequence is taken, and it should have no rows
          before any crash
          again: .replay("")"#]],
    );
}

#[test]
fn a_duplicate_within_a_batch_that_is_not_refused_is_caught() {
    let script = Script::new(10).together([Op::Append(0), Op::Duplicate(0)]);
    check_caught(
        Mistake::DuplicatesOfTheBatch,
        &script,
        &expect![[r#"
        append of row 0 to run-0 (operation 1) was answered with success, and it should have [0:state-0]
          before any crash
          again: .replay("")"#]],
    );
}

#[test]
fn a_batch_whose_clears_come_last_is_caught() {
    let script = Script::new(10).then([Op::Append(0)]);
    let script = script.together([Op::Clear(0), Op::Append(0)]);
    check_caught(
        Mistake::ClearsLast,
        &script,
        &expect![[r#"
        append of row 0 to run-0 (operation 2) was answered that the sequence is taken, and it should have no rows
          before any crash
          again: .replay("")"#]],
    );
}

/// The pages of a failed sync stay visible to the process that opens the file next and continues
/// from them. The following power loss leaves a header that points to nothing.
#[test]
fn a_commit_in_one_phase_with_a_failed_sync_and_a_warm_opening_is_caught() {
    let script = Script::appends(4);
    let store = with(Mistake::OnePhase);
    let exploration = Exploration::of(&script, &store).modes(Modes::Plain);
    let report = exploration.every_error();
    let first = report.violations.first().expect("one phase is caught");
    let fault = first.faulty.fault.expect("an error of the disk led to it");
    assert_caught(
        &exploration.failing(fault),
        &report,
        &expect![[r#"
            opening failed: checkpoint store: DB corrupted: Failed to repair database. All roots are corrupted
              on a disk that fails: Broken { call: Sync, at: 14, lasting: Once }
              after step 44 of the disk (sync of the file), during the first opening: the power failed, the content of a failed sync is gone
              again: .replay("44:none")"#]],
    );
}

/// The same in batches.
#[test]
fn a_batch_in_one_phase_with_a_failed_sync_and_a_warm_opening_is_caught() {
    let script = Script::batches();
    let store = with(Mistake::OnePhase);
    let exploration = Exploration::of(&script, &store).modes(Modes::Plain);
    let report = exploration.every_error();
    assert!(report.violations_total > 0, "{report}");
}
