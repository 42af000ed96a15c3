//! Stores and disks that are broken on purpose: the images catch each.

use std::io;
use std::sync::Mutex;

use async_trait::async_trait;
use crashpoint::disk::Disk;
use crashpoint::{CheckpointRow, CheckpointStore, Error, RedbCheckpointStore};
use crashpoint_simulator::SimRuntime;
use crashpoint_simulator::disk::{Lie, SimDisk, SimFile, Which};
use crashpoint_simulator::images::{Embedded, Exploration, ImagesReport, Modes, Op, Open, Script};
use expect_test::{Expect, expect};

/// Checks the first violation, and that it replays. Parts that depend on the database are left out.
#[track_caller]
pub(super) fn check<S: Open>(exploration: &Exploration<'_, S>, expected: &Expect) {
    let report = exploration.explore();
    assert_caught(exploration, &report, expected);
}

#[track_caller]
pub(super) fn assert_caught<S: Open>(
    exploration: &Exploration<'_, S>,
    report: &ImagesReport,
    expected: &Expect,
) {
    let first = report.violations.first().expect("the mutant is caught");
    expected.assert_eq(&first.to_string());
    let again = exploration.replay(&first.token).expect("the token is one");
    assert_eq!(again.as_ref(), Some(&first.message));
}

/// Answers before the operation is done: the next operation performs it.
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

#[test]
fn a_disk_that_lies_about_a_sync_is_caught() {
    let (script, batches) = (Script::appends(6), Script::batches());
    let lies = [Lie::EveryNth(5), Lie::Writes, Lie::Names];
    for (lie, script) in lies
        .into_iter()
        .flat_map(|lie| [(lie, &script), (lie, &batches)])
    {
        let lying = Exploration::of(script, &Embedded)
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
          after step 46 of the disk (write of 320 bytes at 0 of the file), during append of row 0 to run-0 (operation 0): the power failed; of 6 unsynced changes the write of 4096 bytes at 32768 is torn: its last 1 sectors and all others survive
          again: .replay("46:torn-1-all-last-1")"#]],
    );
}

/// How a store is created on a disk.
#[derive(Clone, Copy)]
enum Creation {
    /// In the file that already has the name.
    InPlace,
    /// In another file, without a sync of the folder.
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

/// A crash before redb writes its magic number leaves a file that never opens.
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
