//! The disk as one process sees it: each change is an instant at which it may crash, and from then on
//! nothing that it does has any effect.

use std::io;
use std::sync::Arc;

use crashpoint_engine::disk::Disk;
use redb::StorageBackend;

use crate::disk::{SimDisk, Which};
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

impl HostDisk {
    /// An instant before a change. A power loss keeps the same bytes wherever between two syncs it
    /// comes, so it is offered before a sync alone.
    fn before(&self, when: &'static str, is_sync: bool) -> io::Result<()> {
        self.alive()?;
        let (life, what) = self.host.operation();
        self.sim
            .decide(&self.host, life, &Instant::within(&what, when, is_sync));
        self.alive()
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
        self.before("before-folder-sync", true)?;
        self.disk.sync_name();
        Ok(())
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
        self.before("before-create", false)?;
        self.disk.begin_draft();
        Ok(())
    }

    fn open_draft(&self, (): &()) -> io::Result<HostFile> {
        self.alive()?;
        Ok(self.file(Which::Draft))
    }

    fn publish(&self, (): ()) -> io::Result<()> {
        self.file(Which::Draft).sync_data()?;
        self.before("before-rename", false)?;
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
        self.on.before("before-set-len", false)?;
        self.on.disk.set_len(self.which, len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.on.before("before-sync", true)?;
        self.on.disk.sync(self.which)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.on.before("before-write", false)?;
        self.on.disk.write(self.which, offset, data)
    }
}

impl std::fmt::Debug for HostFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostFile")
            .field("which", &self.which)
            .finish_non_exhaustive()
    }
}
