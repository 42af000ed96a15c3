//! The disk as one process sees it: each change is an instant at which it may crash, and from then on
//! nothing that it does has any effect.

use std::io;
use std::sync::Arc;

use crashpoint::disk::Disk;
use redb::StorageBackend;

use crate::disk::{Call, DiskFault, Lasting, SimDisk, Which};
use crate::fault::Fault;
use crate::sim::host::Host;
use crate::sim::{Instant, Sim};

/// A disk, and the process that uses it.
#[derive(Clone)]
pub(crate) struct HostDisk {
    pub(crate) disk: SimDisk,
    pub(crate) host: Arc<Host>,
    pub(crate) sim: Arc<Sim>,
}

/// A file that a process has open.
pub(crate) struct HostFile {
    on: HostDisk,
    which: Which,
}

/// What can go wrong with a write, or with a change of the length.
const WRITE_FAULTS: &[Fault] = &[Fault::WriteFails, Fault::WritesFail, Fault::DiskFull];

/// What can go wrong with a sync.
const SYNC_FAULTS: &[Fault] = &[Fault::SyncFails, Fault::SyncsFail];

impl HostDisk {
    /// An instant before a change that can fail in these ways. A power loss keeps the same bytes
    /// wherever between two syncs it comes, so it is offered before a sync alone.
    fn before(
        &self,
        when: &'static str,
        is_sync: bool,
        faults: &[Fault],
    ) -> io::Result<Option<Fault>> {
        self.alive()?;
        let (life, what) = self.host.operation();
        let instant = Instant::within(&what, when, is_sync, faults);
        let fault = self.sim.decide(&self.host, life, &instant);
        self.alive()?;
        Ok(fault)
    }

    /// An instant before a change of content, from this byte on; the fault is armed if there is one,
    /// and meets the change.
    fn before_write(&self, when: &'static str, from: u64) -> io::Result<()> {
        let fault = self.before(when, false, WRITE_FAULTS)?;
        let broken = |lasting| DiskFault::Broken {
            call: Call::Write,
            at: 0,
            lasting,
        };
        match fault {
            Some(Fault::WriteFails) => self.disk.arm(broken(Lasting::Once)),
            Some(Fault::WritesFail) => self.disk.arm(broken(Lasting::ForGood)),
            Some(Fault::DiskFull) => self.disk.arm(DiskFault::Full { bytes: from }),
            _ => {}
        }
        Ok(())
    }

    /// The same before a sync. Says whether a fault was armed.
    fn before_sync(&self, when: &'static str) -> io::Result<Option<Lasting>> {
        let lasting = match self.before(when, true, SYNC_FAULTS)? {
            Some(Fault::SyncFails) => Lasting::Once,
            Some(Fault::SyncsFail) => Lasting::ForGood,
            _ => return Ok(None),
        };
        self.disk.arm(DiskFault::Broken {
            call: Call::Sync,
            at: 0,
            lasting,
        });
        Ok(Some(lasting))
    }

    /// A call was answered; where it failed by a fault of the disk, the process has met one.
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

    /// A fault has met its call: one that is not for good is over.
    fn over(&self, armed: DiskFault) {
        if let DiskFault::Broken {
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
        self.before("before-create", false, &[])?;
        self.disk.begin_draft();
        Ok(())
    }

    fn open_draft(&self, (): &()) -> io::Result<HostFile> {
        self.alive()?;
        Ok(self.file(Which::Draft))
    }

    fn publish(&self, (): ()) -> io::Result<()> {
        self.file(Which::Draft).sync_data()?;
        self.before("before-rename", false, &[])?;
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
