//! A process's view of the disk. Each change is an instant for a crash; after it, nothing that the
//! process does has any effect.

use std::io;
use std::sync::Arc;

use crashpoint::disk::Disk;
use redb::StorageBackend;

use crate::disk::{Call, Failure, Lasting, SimDisk, Which};
use crate::fault::DiskFault;
use crate::sim::host::Host;
use crate::sim::{Instant, Offer, Sim};

/// A disk, and the process that uses it.
#[derive(Clone)]
pub(crate) struct HostDisk {
    pub(crate) disk: SimDisk,
    pub(crate) host: Arc<Host>,
    pub(crate) sim: Arc<Sim>,
}

/// A file that a process has opened.
pub(crate) struct HostFile {
    on: HostDisk,
    which: Which,
}

/// The faults of a write, or of a change of the length.
const WRITE_FAULTS: &[DiskFault] = &[
    DiskFault::WriteError,
    DiskFault::WriteErrorLasting,
    DiskFault::Full,
];

/// The faults of a sync.
const SYNC_FAULTS: &[DiskFault] = &[DiskFault::SyncError, DiskFault::SyncErrorLasting];

impl HostDisk {
    /// Passes the instant before a change that can fail in these ways. A chosen fault is armed and
    /// hits the change. A power loss has the same result anywhere between two syncs, so it is
    /// offered only before a sync. `from` is the first byte of the change.
    fn before(
        &self,
        when: &'static str,
        is_sync: bool,
        faults: &[DiskFault],
        from: u64,
    ) -> io::Result<()> {
        self.alive()?;
        let (life, what) = self.host.operation();
        let instant = Instant::within(&what, when, is_sync, faults);
        if let Some(Offer::Operation(fault)) = self.sim.decide(&self.host, life, &instant) {
            self.arm(fault, from);
        }
        self.alive()
    }

    fn arm(&self, fault: DiskFault, from: u64) {
        let broken = |call, lasting| Failure::Broken {
            call,
            at: 0,
            lasting,
        };
        self.disk.arm(match fault {
            DiskFault::WriteError => broken(Call::Write, Lasting::Once),
            DiskFault::WriteErrorLasting => broken(Call::Write, Lasting::ForGood),
            DiskFault::SyncError => broken(Call::Sync, Lasting::Once),
            DiskFault::SyncErrorLasting => broken(Call::Sync, Lasting::ForGood),
            DiskFault::Full => Failure::Full { bytes: from },
            DiskFault::PowerLoss(_) => unreachable!("a power loss is not a fault of a call"),
        });
    }

    fn before_write(&self, when: &'static str, from: u64) -> io::Result<()> {
        self.before(when, false, WRITE_FAULTS, from)
    }

    fn before_sync(&self, when: &'static str) -> io::Result<()> {
        self.before(when, true, SYNC_FAULTS, 0)
    }

    /// Notes the result of a call: if a disk fault failed it, the disk has failed this process.
    fn answered<T>(&self, answer: io::Result<T>) -> io::Result<T> {
        match self.disk.armed() {
            Some(armed) if answer.is_err() => {
                self.host.set_failing_disk();
                self.over(armed);
            }
            _ => {}
        }
        answer
    }

    /// A fault has hit its call: a fault that fires once is over.
    fn over(&self, armed: Failure) {
        if let Failure::Broken {
            lasting: Lasting::Once,
            ..
        } = armed
        {
            self.disk.mend();
        }
    }

    fn alive(&self) -> io::Result<()> {
        if self.host.is_dead() {
            Err(io::Error::other("simulated: the process has died"))
        } else {
            Ok(())
        }
    }

    fn file(&self, which: Which) -> HostFile {
        let on = self.clone();
        HostFile { on, which }
    }

    fn sync_name(&self) -> io::Result<()> {
        self.before_sync("before-folder-sync")?;
        self.answered(self.disk.sync_name())
    }
}

impl Disk for HostDisk {
    type File = HostFile;
    type Draft = ();

    fn name(&self) -> String {
        "the simulated disk".to_owned()
    }

    fn open(&self) -> io::Result<Option<HostFile>> {
        self.alive()?;
        if !self.disk.has_name() {
            return Ok(None);
        }
        self.sync_name()?;
        Ok(Some(self.file(Which::Named)))
    }

    fn draft(&self) -> io::Result<()> {
        self.before("before-create", false, &[], 0)?;
        self.disk.begin_draft();
        Ok(())
    }

    fn open_draft(&self, (): &()) -> io::Result<HostFile> {
        self.alive()?;
        Ok(self.file(Which::Draft))
    }

    fn publish(&self, (): ()) -> io::Result<()> {
        self.file(Which::Draft).sync_data()?;
        self.before("before-rename", false, &[], 0)?;
        self.disk.name_draft()?;
        self.sync_name()
    }
}

impl StorageBackend for HostFile {
    fn len(&self) -> io::Result<u64> {
        self.on.alive()?;
        self.on.disk.len(self.which)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.on.alive()?;
        self.on.disk.read(self.which, offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let now = self.on.disk.len(self.which)?;
        self.on.before_write("before-set-len", now)?;
        self.on.answered(self.on.disk.set_len(self.which, len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.on.before_sync("before-sync")?;
        if self.on.sim.without_barriers && self.on.host.syncs_first() {
            return Ok(());
        }
        self.on.answered(self.on.disk.sync(self.which))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.on.before_write("before-write", offset)?;
        self.on
            .answered(self.on.disk.write(self.which, offset, data))
    }
}

impl std::fmt::Debug for HostFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostFile")
            .field("which", &self.which)
            .finish_non_exhaustive()
    }
}
