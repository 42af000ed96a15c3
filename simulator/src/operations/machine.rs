//! A machine with the embedded store on a simulated disk. One process at a time has the store open.
//!
//! Each sync is an instant: the process may crash, the power may fail, or the sync fails. What a crash
//! between two writes leaves is known from the crash images of the store; an operation can't tell it
//! from a crash before the first of them. An opening compares what the store shows with what it has
//! answered before.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use crashpoint::disk::Disk;
use crashpoint::{CheckpointRow, CheckpointStore as _, Error, ListRuns as _, RedbCheckpointStore};
use futures_util::FutureExt as _;
use redb::StorageBackend;

use crate::disk::{Call, Failure, Image, Lasting, Lie, Loss, SimDisk, SimFile, Which};
use crate::executor::{SimRuntime, lock};
use crate::operations::fleet::RUNS;
use crate::operations::history::{Entry, Rows, What};

/// Who is told of each sync before it, and decides what happens.
pub(super) trait Syncs: Send + Sync {
    /// The store is about to sync a change of this caller. Returns whether the sync fails. The process may
    /// crash in between.
    fn fails(&self, caller: u8, change: &Change, disk: &Image) -> bool;
}

/// When the store answers a change. Only a mutant's answers early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answers {
    /// When it is durable.
    Durable,
    /// At once. It reaches the disk with a later change, or when the store is closed.
    Early,
}

/// A change of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Append(&'static str, Arc<CheckpointRow>),
    Clear(&'static str),
}

pub(super) struct Machine(Arc<Mutex<Inner>>);

struct Inner {
    disk: SimDisk,
    lie: Lie,
    /// The store that the current process has open.
    store: Option<Arc<RedbCheckpointStore>>,
    /// The logs by what the store has answered.
    answered: BTreeMap<&'static str, Rows>,
    /// The change that the store performs, and its caller.
    under_way: Option<(u8, Change)>,
    /// The change that a crash or a failed sync has interrupted.
    in_doubt: Option<(u8, Change)>,
    /// The changes that a mutant has answered, and that are not on the disk.
    early: Vec<Change>,
    /// The row that a mutant shows before its append.
    queued: Option<(&'static str, CheckpointRow)>,
    /// Whether a sync has failed. The store refuses everything until it is opened again.
    has_failed: bool,
}

impl Change {
    /// The id of its run.
    pub(super) fn id(&self) -> &'static str {
        match self {
            Self::Append(id, _) | Self::Clear(id) => id,
        }
    }

    /// The event of the change.
    pub(super) fn what(&self) -> What {
        match self {
            Self::Append(id, row) => What::Landed {
                id: (*id).into(),
                row: Arc::clone(row),
            },
            Self::Clear(id) => What::Cleared((*id).into()),
        }
    }

    /// The log after the change.
    fn applied_to(&self, rows: &Rows) -> Rows {
        match self {
            Self::Clear(_) => Rows::default(),
            Self::Append(_, row) => {
                let rows = rows.iter().cloned().chain([CheckpointRow::clone(row)]);
                Arc::new(rows.collect())
            }
        }
    }

    async fn perform(&self, store: &RedbCheckpointStore) -> Result<(), Error> {
        match self {
            Self::Append(id, row) => store.append(id, CheckpointRow::clone(row)).await,
            Self::Clear(id) => store.clear(id).await,
        }
    }
}

impl Machine {
    /// A machine whose disk has this lie and the file of a store with these logs.
    pub(super) fn new(lie: Lie, file: Image, logs: BTreeMap<&'static str, Rows>) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            disk: SimDisk::of(file, lie),
            lie,
            store: None,
            answered: logs,
            under_way: None,
            in_doubt: None,
            early: Vec::new(),
            queued: None,
            has_failed: false,
        })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        lock(&self.0)
    }

    /// The open store.
    fn opened(&self) -> Result<Arc<RedbCheckpointStore>, Error> {
        let store = self.inner().store.clone();
        store.ok_or_else(|| Error::unavailable("simulated: the store did not open"))
    }

    pub(super) async fn rows(&self, id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let store = self.opened()?;
        if self.inner().early.iter().any(|change| change.id() == id) {
            return Ok(self.inner().answered(id).to_vec());
        }
        store.load_run(id).await
    }

    pub(super) async fn ids(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        self.opened()?.run_ids(after, limit).await
    }

    /// The row that a mutant shows before its append.
    pub(super) fn queued(&self, id: &str) -> Option<CheckpointRow> {
        let queued = self.inner().queued.clone();
        queued.and_then(|(of, row)| (of == id).then_some(row))
    }

    pub(super) fn set_queued(&self, queued: Option<(&'static str, CheckpointRow)>) {
        self.inner().queued = queued;
    }

    /// Performs a change, or lets a mutant answer before.
    pub(super) async fn change(
        &self,
        caller: u8,
        change: Change,
        answers: Answers,
    ) -> Result<(), Error> {
        let store = self.opened()?;
        if answers == Answers::Early {
            let mut inner = self.inner();
            inner.has_answered(&change);
            inner.early.push(change);
            return Ok(());
        }
        let early = std::mem::take(&mut self.inner().early);
        for earlier in early {
            self.perform(caller, earlier, &store).await?;
        }
        self.perform(caller, change.clone(), &store).await?;
        self.inner().has_answered(&change);
        Ok(())
    }

    async fn perform(
        &self,
        caller: u8,
        change: Change,
        store: &RedbCheckpointStore,
    ) -> Result<(), Error> {
        self.inner().under_way = Some((caller, change.clone()));
        let answer = change.perform(store).await;
        let mut inner = self.inner();
        let under_way = inner.under_way.take();
        if answer.is_err() && inner.has_failed && inner.in_doubt.is_none() {
            inner.in_doubt = under_way;
        }
        answer
    }

    /// The process that has the store open ends at once. With the power, the disk loses what `loss`
    /// does not keep.
    pub(super) fn crash(&self, loss: Option<&Loss>) {
        let mut inner = self.inner();
        if let Some(loss) = loss {
            inner.disk.lose_power_but(loss);
        }
        if inner.in_doubt.is_none() {
            inner.in_doubt = inner.under_way.take();
        }
        let dead = inner.end();
        drop(inner);
        // Outside of the lock: its file answers errors, and nothing reaches the disk.
        drop(dead);
    }

    /// The process that has the store open ends by itself.
    async fn close(&self) {
        let (early, store) = {
            let mut inner = self.inner();
            (std::mem::take(&mut inner.early), inner.store.take())
        };
        let Some(store) = store else { return };
        for change in early {
            // Nobody waits for the answer any more.
            _ = change.perform(&store).await;
        }
        if self.inner().has_failed {
            let dead = self.inner().end();
            drop(dead);
        }
    }

    /// The next process opens the store. Returns what it shows and has not answered before, as events.
    pub(super) fn open(
        &self,
        caller: u8,
        runtime: SimRuntime,
        syncs: Weak<dyn Syncs>,
    ) -> Vec<Entry> {
        self.shut_down();
        let disk = MachineDisk {
            disk: self.inner().disk.clone(),
            machine: Arc::downgrade(&self.0),
            syncs,
        };
        let of_caller = |what| Entry { caller, what };
        match RedbCheckpointStore::on_disk(&disk, runtime) {
            Ok(store) => self.inner().store = Some(Arc::new(store)),
            Err(error) => return vec![of_caller(What::NotOpened(error.to_string()))],
        }
        let in_doubt = self.inner().in_doubt.take();
        let mut events = Vec::new();
        for run in RUNS {
            let rows = self.rows(run.id).now_or_never();
            let rows = rows.expect("the store answers at once");
            // Rows that can't be read are lost.
            let rows = Arc::new(rows.unwrap_or_default());
            let answered = self.inner().answered(run.id);
            if rows == answered {
                continue;
            }
            let is_in_doubt =
                |change: &Change| change.id() == run.id && change.applied_to(&answered) == rows;
            events.push(match &in_doubt {
                Some((of, change)) if is_in_doubt(change) => Entry {
                    caller: *of,
                    what: change.what(),
                },
                _ => of_caller(What::Found {
                    id: run.id.into(),
                    rows: Arc::clone(&rows),
                }),
            });
            self.inner().answered.insert(run.id, rows);
        }
        events
    }

    /// Closes the store.
    pub(super) fn shut_down(&self) {
        let closed = self.close().now_or_never();
        closed.expect("the store answers at once");
    }
}

impl Inner {
    /// Fails the next sync, after which the store refuses everything.
    fn fail_the_sync(&mut self) {
        self.has_failed = true;
        self.disk.arm(Failure::Broken {
            call: Call::Sync,
            at: 0,
            lasting: Lasting::Once,
        });
    }

    /// The log of a run by what the store has answered.
    fn answered(&self, id: &str) -> Rows {
        self.answered.get(id).cloned().unwrap_or_default()
    }

    fn has_answered(&mut self, change: &Change) {
        let rows = change.applied_to(&self.answered(change.id()));
        self.answered.insert(change.id(), rows);
    }

    /// The process is gone. Its file answers errors from now on, and another disk, which is in order, has
    /// the content.
    fn end(&mut self) -> Option<Arc<RedbCheckpointStore>> {
        let next = SimDisk::of(self.disk.image().without_process(), self.lie);
        std::mem::replace(&mut self.disk, next).kill();
        (self.has_failed, self.under_way) = (false, None);
        self.queued = None;
        self.early.clear();
        self.store.take()
    }
}

/// The disk as the process that has the store open sees it.
struct MachineDisk {
    disk: SimDisk,
    /// The store is a part of the machine, so it does not keep it.
    machine: Weak<Mutex<Inner>>,
    syncs: Weak<dyn Syncs>,
}

/// The file that this process has open.
struct MachineFile {
    file: SimFile,
    machine: Weak<Mutex<Inner>>,
    syncs: Weak<dyn Syncs>,
}

impl MachineDisk {
    fn file(&self, which: Which) -> MachineFile {
        MachineFile {
            file: self.disk.file(which),
            machine: Weak::clone(&self.machine),
            syncs: Weak::clone(&self.syncs),
        }
    }
}

impl MachineFile {
    /// Passes the instant before a sync.
    fn before_sync(&self) {
        let (Some(machine), Some(syncs)) = (self.machine.upgrade(), self.syncs.upgrade()) else {
            return;
        };
        let (under_way, disk) = {
            let inner = lock(&machine);
            (inner.under_way.clone(), inner.disk.image())
        };
        if let Some((caller, change)) = under_way
            && syncs.fails(caller, &change, &disk)
        {
            lock(&machine).fail_the_sync();
        }
    }
}

impl Disk for MachineDisk {
    type File = MachineFile;
    type Draft = ();

    fn name(&self) -> String {
        self.disk.name()
    }

    fn open(&self) -> io::Result<Option<MachineFile>> {
        let opened = self.disk.open()?;
        Ok(opened.map(|_| self.file(Which::Named)))
    }

    fn draft(&self) -> io::Result<()> {
        self.disk.draft()
    }

    fn open_draft(&self, (): &()) -> io::Result<MachineFile> {
        Ok(self.file(Which::Draft))
    }

    fn publish(&self, (): ()) -> io::Result<()> {
        self.disk.publish(())
    }
}

impl StorageBackend for MachineFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.before_sync();
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write(offset, data)
    }
}

impl std::fmt::Debug for MachineFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MachineFile").finish_non_exhaustive()
    }
}
