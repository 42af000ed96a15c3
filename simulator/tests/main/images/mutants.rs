//! Stores and disks that are broken on purpose: the images catch each, and say what is wrong.

use std::io;
use std::sync::Mutex;

use async_trait::async_trait;
use crashpoint_engine::disk::Disk;
use crashpoint_engine::{CheckpointRow, CheckpointStore, Error, RedbCheckpointStore};
use crashpoint_simulator::SimRuntime;
use crashpoint_simulator::disk::{Lie, SimDisk, SimFile, Which};
use crashpoint_simulator::images::{Embedded, Exploration, Modes, Op, Open, Report, Script};
use expect_test::{Expect, expect};
use redb::{Builder, Database, ReadableDatabase as _, TableDefinition};

/// The first violation, which replays, and no more of it than what does not depend on the database.
#[track_caller]
fn check<S: Open>(exploration: &Exploration<'_, S>, expected: &Expect) {
    let report = exploration.explore();
    assert_caught(exploration, &report, expected);
}

#[track_caller]
fn assert_caught<S: Open>(exploration: &Exploration<'_, S>, report: &Report, expected: &Expect) {
    let first = report.violations.first().expect("the mutant is caught");
    expected.assert_eq(&first.to_string());
    let again = exploration.replay(&first.token).expect("the token is one");
    assert_eq!(again.as_ref(), Some(&first.message));
}

/// Answers before it has done it: what is held back is done by the next operation.
struct Hasty<T> {
    inner: RedbCheckpointStore,
    held: Mutex<Option<T>>,
}

impl<T> Hasty<T> {
    fn open(disk: &SimDisk, runtime: SimRuntime) -> Result<Self, Error> {
        Ok(Self {
            inner: RedbCheckpointStore::on_disk(disk, runtime)?,
            held: Mutex::new(None),
        })
    }

    fn swap(&self, next: Option<T>) -> Option<T> {
        std::mem::replace(&mut *self.held.lock().expect("nobody panics with it"), next)
    }
}

/// Acknowledges an append before its commit.
struct HastyAppend(Hasty<(String, CheckpointRow)>);

impl HastyAppend {
    async fn settle(&self) -> Result<(), Error> {
        match self.0.swap(None) {
            Some((run, row)) => self.0.inner.append(&run, row).await,
            None => Ok(()),
        }
    }
}

#[async_trait]
impl CheckpointStore for HastyAppend {
    async fn append(&self, run: &str, row: CheckpointRow) -> Result<(), Error> {
        self.settle().await?;
        let rows = self.0.inner.load_run(run).await?;
        if rows.iter().any(|other| other.sequence == row.sequence) {
            return Err(Error::conflict(run, row.sequence));
        }
        self.0.swap(Some((run.to_owned(), row)));
        Ok(())
    }

    async fn load_run(&self, run: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.settle().await?;
        self.0.inner.load_run(run).await
    }

    async fn clear(&self, run: &str) -> Result<(), Error> {
        self.settle().await?;
        self.0.inner.clear(run).await
    }
}

/// Acknowledges a clear before its commit.
struct HastyClear(Hasty<String>);

impl HastyClear {
    async fn settle(&self) -> Result<(), Error> {
        match self.0.swap(None) {
            Some(run) => self.0.inner.clear(&run).await,
            None => Ok(()),
        }
    }
}

#[async_trait]
impl CheckpointStore for HastyClear {
    async fn append(&self, run: &str, row: CheckpointRow) -> Result<(), Error> {
        self.settle().await?;
        self.0.inner.append(run, row).await
    }

    async fn load_run(&self, run: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.settle().await?;
        self.0.inner.load_run(run).await
    }

    async fn clear(&self, run: &str) -> Result<(), Error> {
        self.settle().await?;
        self.0.swap(Some(run.to_owned()));
        Ok(())
    }
}

#[test]
fn an_append_that_is_acknowledged_before_its_commit_is_caught() {
    let hasty = |disk: &SimDisk, runtime: SimRuntime| {
        let store = HastyAppend(Hasty::open(disk, runtime)?);
        Ok(Box::new(store) as Box<dyn CheckpointStore>)
    };
    check(
        &Exploration::of(&Script::appends(2), &hasty),
        &expect![[r#"
            run-0 has no rows, and it should have [0:state-0]
              after step 39 of the disk (sync of the file), after append of row 0 to run-0 (operation 0): the process crashed
              again: .replay("39:process")"#]],
    );
}

#[test]
fn a_clear_that_is_acknowledged_before_its_commit_is_caught() {
    let hasty = |disk: &SimDisk, runtime: SimRuntime| {
        let store = HastyClear(Hasty::open(disk, runtime)?);
        Ok(Box::new(store) as Box<dyn CheckpointStore>)
    };
    let script = Script::new(10).then([Op::Append(0), Op::Clear(0)]);
    check(
        &Exploration::of(&script, &hasty),
        &expect![[r#"
        run-0 has [0:state-0], and it should have no rows
          after step 47 of the disk (sync of the file), while it is closed: the process crashed
          again: .replay("47:process")"#]],
    );
}

const ROWS: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("rows");

/// A store that commits in one phase or in two; otherwise alike.
struct Phases {
    database: Database,
    two: bool,
}

impl Phases {
    fn open(disk: &SimDisk, two: bool) -> Result<Box<dyn CheckpointStore>, Error> {
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
        let database = builder.create_with_backend(file).map_err(failed)?;
        let store = Self { database, two };
        store.write(|_| Ok(())).map_err(failed)?;
        Ok(Box::new(store))
    }

    fn write(
        &self,
        change: impl FnOnce(
            &mut redb::Table<'_, (&'static str, u64), &'static [u8]>,
        ) -> Result<(), redb::Error>,
    ) -> Result<(), redb::Error> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_two_phase_commit(self.two);
        change(&mut transaction.open_table(ROWS)?)?;
        Ok(transaction.commit()?)
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::unknown_outcome(error.to_string())
}

/// What stands for a row in the double.
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

#[async_trait]
impl CheckpointStore for Phases {
    async fn append(&self, run: &str, row: CheckpointRow) -> Result<(), Error> {
        if self
            .load_run(run)
            .await?
            .iter()
            .any(|other| other.sequence == row.sequence)
        {
            return Err(Error::conflict(run, row.sequence));
        }
        let value = encoded(&row);
        let key = (run, row.sequence);
        self.write(|rows| Ok(rows.insert(key, value.as_slice()).map(drop)?))
            .map_err(failed)
    }

    async fn load_run(&self, run: &str) -> Result<Vec<CheckpointRow>, Error> {
        let read = || -> Result<_, redb::Error> {
            let rows = self.database.begin_read()?.open_table(ROWS)?;
            let entries = rows.range((run, 0)..=(run, u64::MAX))?;
            let decoded = entries.map(|entry| {
                let (key, value) = entry?;
                Ok(decoded(key.value().1, value.value()))
            });
            decoded.collect()
        };
        read().map_err(failed)
    }

    async fn clear(&self, run: &str) -> Result<(), Error> {
        let range = (run, 0)..=(run, u64::MAX);
        self.write(|rows| Ok(rows.retain_in(range, |_, _| false)?))
            .map_err(failed)
    }
}

/// Pages of a commit whose sync failed stay visible to the process that opens the file next, which
/// goes on from them; the power loss after that leaves a header that points to nothing.
#[test]
fn a_commit_in_one_phase_with_a_failed_sync_and_a_warm_opening_is_caught() {
    let script = Script::appends(4);
    let one = |disk: &SimDisk, _: SimRuntime| Phases::open(disk, false);
    let two = |disk: &SimDisk, _: SimRuntime| Phases::open(disk, true);
    let exploration = Exploration::of(&script, &one).modes(Modes::Plain);
    let report = exploration.every_error();
    let first = report.violations.first().expect("one phase is caught");
    let fault = first.faulty.fault.expect("an error of the disk led to it");
    assert_caught(
        &exploration.failing(fault),
        &report,
        &expect![[r#"
        opening failed: checkpoint store: DB corrupted: Failed to repair database. All roots are corrupted
          on a disk that fails: Broken { call: Sync, at: 13, lasting: Once }
          after step 44 of the disk (sync of the file), during the first opening: the power failed, what a failed sync should have written is gone
          again: .replay("44:none")"#]],
    );
    let report = Exploration::of(&script, &two)
        .modes(Modes::Plain)
        .every_error();
    assert_eq!(report.violations, [], "two phases are enough");
}

#[test]
fn a_disk_that_lies_about_a_sync_is_caught() {
    let script = Script::appends(6);
    for lie in [Lie::EveryNth(5), Lie::Writes, Lie::Names] {
        let lying = Exploration::of(&script, &Embedded)
            .modes(Modes::Plain)
            .lying(lie);
        let report = lying.explore();
        let first = report
            .violations
            .first()
            .unwrap_or_else(|| panic!("{lie:?} is caught"));
        let again = lying.replay(&first.token).expect("the token is one");
        assert_eq!(again.as_ref(), Some(&first.message), "{lie:?}");
    }
    let lying = Exploration::of(&script, &Embedded).lying(Lie::EveryNth(5));
    check(
        &lying,
        &expect![[r#"
        opening failed: checkpoint store: the simulated disk: DB corrupted: Primary is corrupted despite 2-phase commit
          on a disk that lies: EveryNth(5)
          after step 46 of the disk (write of 320 bytes at 0 of the file), during append of row 0 to run-0 (operation 0): the power failed; of 6 unsynced changes the write of 4096 bytes at 32768 is torn, with its last 1 sectors and all others left
          again: .replay("46:torn-1-all-last-1")"#]],
    );
}

/// How a store is created on a disk.
#[derive(Clone, Copy)]
enum Creation {
    /// In the file that has the name already.
    InPlace,
    /// Beside, without a sync of the folder.
    WithoutFolderSync,
}

struct Careless<'a>(&'a SimDisk, Creation);

impl Disk for Careless<'_> {
    type File = SimFile;
    type Draft = ();

    fn name(&self) -> String {
        self.0.name()
    }

    fn open(&self) -> io::Result<Option<SimFile>> {
        match self.1 {
            Creation::InPlace => self.0.open(),
            Creation::WithoutFolderSync => Ok(self.0.has_name().then(|| self.0.file(Which::Named))),
        }
    }

    fn draft(&self) -> io::Result<()> {
        self.0.draft()?;
        match self.1 {
            Creation::InPlace => self.0.name_draft(),
            Creation::WithoutFolderSync => Ok(()),
        }
    }

    fn open_draft(&self, (): &()) -> io::Result<SimFile> {
        match self.1 {
            Creation::InPlace => Ok(self.0.file(Which::Named)),
            Creation::WithoutFolderSync => self.0.open_draft(&()),
        }
    }

    fn publish(&self, (): ()) -> io::Result<()> {
        match self.1 {
            Creation::InPlace => Ok(()),
            Creation::WithoutFolderSync => {
                self.0.sync(Which::Draft)?;
                self.0.name_draft()
            }
        }
    }
}

fn careless(creation: Creation) -> impl Open {
    move |disk: &SimDisk, runtime: SimRuntime| {
        let store = RedbCheckpointStore::on_disk(&Careless(disk, creation), runtime)?;
        Ok(Box::new(store) as Box<dyn CheckpointStore>)
    }
}

/// A crash before the number by which redb knows a file leaves one that never opens.
#[test]
fn a_file_that_is_created_in_its_place_is_caught() {
    let store = careless(Creation::InPlace);
    check(
        &Exploration::of(&Script::appends(1), &store),
        &expect![[r#"
            opening failed: checkpoint store: the simulated disk: the file is empty, which a store never is; remove it to begin a new store
              after step 2 of the disk (the draft gets the name), during the first opening: the process crashed
              again: .replay("2:process")"#]],
    );
}

#[test]
fn a_folder_that_is_never_synced_is_caught() {
    let store = careless(Creation::WithoutFolderSync);
    check(
        &Exploration::of(&Script::appends(1), &store),
        &expect![[r#"
            run-0 has no rows, and it should have [0:state-0]
              after step 45 of the disk (sync of the file), while it is closed: the power failed, the name is lost
              again: .replay("45:nameless")"#]],
    );
}
