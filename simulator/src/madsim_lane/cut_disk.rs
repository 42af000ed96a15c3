//! A disk whose power is cut at one of its calls.
//!
//! Until then it is the simulated disk. From then on every call fails and changes nothing, so what
//! was not synced is still there for the loss of power to choose from.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crashpoint::disk::Disk;
use redb::StorageBackend;

use crate::disk::{Lie, SimDisk, SimFile, Which};
use crate::executor::lock;

/// The disk of a machine. Clones are handles of the same disk.
#[derive(Debug, Clone)]
pub(super) struct CutDisk {
    disk: Arc<Mutex<SimDisk>>,
    power: Arc<Power>,
}

/// The number of changes that still succeed; [`ON`] for all.
#[derive(Debug)]
struct Power(AtomicU64);

const ON: u64 = u64::MAX;

impl CutDisk {
    pub(super) fn new() -> Self {
        Self {
            disk: Arc::new(Mutex::new(SimDisk::new(Lie::None))),
            power: Arc::new(Power(AtomicU64::new(ON))),
        }
    }

    /// Cuts the power after this many more writes and syncs. A disk without power stays so.
    pub(super) fn cut_after(&self, calls: u64) {
        self.power.0.fetch_min(calls, Ordering::Relaxed);
    }

    pub(super) fn is_off(&self) -> bool {
        self.power.0.load(Ordering::Relaxed) == 0
    }

    /// The process that has the disk open is gone, and the disk is as `survive` leaves it. The power
    /// is on again.
    pub(super) fn restart(&self, survive: impl FnOnce(&SimDisk)) {
        let mut disk = lock(&self.disk);
        disk.kill();
        let survivor = disk.copy();
        survive(&survivor);
        *disk = survivor;
        self.power.0.store(ON, Ordering::Relaxed);
    }

    fn disk(&self) -> SimDisk {
        lock(&self.disk).clone()
    }
}

impl Power {
    fn check(&self) -> io::Result<()> {
        match self.0.load(Ordering::Relaxed) {
            0 => Err(io::Error::other("simulated: the power is cut")),
            _ => Ok(()),
        }
    }

    /// Counts a change.
    fn spend(&self) -> io::Result<()> {
        self.check()?;
        let left = self.0.load(Ordering::Relaxed);
        if left != ON {
            self.0.store(left - 1, Ordering::Relaxed);
        }
        self.check()
    }
}

/// An open file of the disk.
#[derive(Debug)]
pub(super) struct CutFile {
    file: SimFile,
    power: Arc<Power>,
}

impl CutDisk {
    fn file(&self, file: SimFile) -> CutFile {
        let power = Arc::clone(&self.power);
        CutFile { file, power }
    }
}

impl Disk for CutDisk {
    type File = CutFile;
    type Draft = ();

    fn name(&self) -> String {
        self.disk().name()
    }

    fn open(&self) -> io::Result<Option<CutFile>> {
        self.power.check()?;
        Ok(self.disk().open()?.map(|file| self.file(file)))
    }

    fn draft(&self) -> io::Result<()> {
        self.power.check()?;
        self.disk().draft()
    }

    fn open_draft(&self, (): &()) -> io::Result<CutFile> {
        self.power.check()?;
        Ok(self.file(self.disk().file(Which::Draft)))
    }

    fn publish(&self, (): ()) -> io::Result<()> {
        self.power.spend()?;
        self.disk().publish(())
    }
}

impl StorageBackend for CutFile {
    fn len(&self) -> io::Result<u64> {
        self.power.check()?;
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.power.check()?;
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.power.spend()?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.power.spend()?;
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.power.spend()?;
        self.file.write(offset, data)
    }
}
