//! The disk as the place of an embedded store.

use std::io;

use crashpoint::disk::Disk;
use redb::StorageBackend;

use crate::disk::{SimDisk, Which};

/// An open file of a disk.
#[derive(Debug)]
pub struct SimFile {
    disk: SimDisk,
    which: Which,
}

impl SimDisk {
    /// Opens a file, whether it exists or not.
    pub fn file(&self, which: Which) -> SimFile {
        let disk = self.clone();
        SimFile { disk, which }
    }
}

impl Disk for SimDisk {
    type File = SimFile;
    type Draft = ();

    fn name(&self) -> String {
        "the simulated disk".to_owned()
    }

    fn open(&self) -> io::Result<Option<SimFile>> {
        if !self.has_name() {
            return Ok(None);
        }
        self.sync_name()?;
        Ok(Some(self.file(Which::Named)))
    }

    fn draft(&self) -> io::Result<()> {
        self.begin_draft();
        Ok(())
    }

    fn open_draft(&self, (): &()) -> io::Result<SimFile> {
        Ok(self.file(Which::Draft))
    }

    fn publish(&self, (): ()) -> io::Result<()> {
        self.sync(Which::Draft)?;
        self.name_draft()?;
        self.sync_name()
    }
}

impl StorageBackend for SimFile {
    fn len(&self) -> io::Result<u64> {
        self.disk.len(self.which)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.read(self.which, offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.set_len(self.which, len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.sync(self.which)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.write(self.which, offset, data)
    }
}
