//! A disk in memory on which a test decides what becomes of each operation.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crashpoint::disk::Disk;
use redb::StorageBackend;

/// The outcome of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Happens,
    /// An error, and nothing happens.
    Fails,
    /// An error, although it happens.
    FailsAfter,
    Panics,
}

type ChooseFate = Box<dyn FnMut(&'static str) -> Fate + Send>;
type Bytes = Arc<Mutex<Vec<u8>>>;

/// A place for one file. Clones are the same place; what fails is said of the place.
#[derive(Clone, Default)]
pub(super) struct MemoryDisk {
    file: Arc<Mutex<Option<Bytes>>>,
    choose_fate: Arc<Mutex<Option<ChooseFate>>>,
}

/// A file of a [`MemoryDisk`].
pub(super) struct MemoryFile {
    bytes: Bytes,
    disk: MemoryDisk,
}

impl MemoryDisk {
    /// A disk whose file has this content.
    pub(super) fn holding(bytes: Vec<u8>) -> Self {
        let disk = Self::default();
        *lock(&disk.file) = Some(Arc::new(Mutex::new(bytes)));
        disk
    }

    /// From now on `choose_fate` decides about every operation, by its name.
    pub(super) fn decide_by(&self, choose_fate: impl FnMut(&'static str) -> Fate + Send + 'static) {
        *lock(&self.choose_fate) = Some(Box::new(choose_fate));
    }

    /// The operation with this number, from 0, has the fate, and so has every later one.
    pub(super) fn fate_from(&self, number: usize, fate: Fate) {
        let mut count = 0;
        self.decide_by(move |_| {
            count += 1;
            if count > number { fate } else { Fate::Happens }
        });
    }

    /// The same place for another user, without the faults of this one.
    pub(super) fn without_faults(&self) -> Self {
        Self {
            file: Arc::clone(&self.file),
            choose_fate: Arc::default(),
        }
    }

    /// Every operation happens again.
    pub(super) fn heal(&self) {
        *lock(&self.choose_fate) = None;
    }

    /// The operations that `act` comes to, in order.
    pub(super) fn operations_of(&self, act: impl FnOnce()) -> Vec<&'static str> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        self.decide_by(move |name| {
            lock(&log).push(name);
            Fate::Happens
        });
        act();
        self.heal();
        std::mem::take(&mut *lock(&seen))
    }

    /// The file, if it has its name.
    pub(super) fn named(&self) -> Option<MemoryFile> {
        let bytes = lock(&self.file).clone()?;
        Some(self.file_of(bytes))
    }

    /// What the file holds.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let bytes = lock(&self.file).clone().expect("there is a file");
        lock(&bytes).clone()
    }

    fn file_of(&self, bytes: Bytes) -> MemoryFile {
        MemoryFile {
            bytes,
            disk: self.clone(),
        }
    }

    fn operation<T>(
        &self,
        name: &'static str,
        act: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        let fate = lock(&self.choose_fate)
            .as_mut()
            .map_or(Fate::Happens, |choose_fate| choose_fate(name));
        let failed = || io::Error::other(format!("{name} failed"));
        match fate {
            Fate::Happens => act(),
            Fate::Fails => Err(failed()),
            Fate::FailsAfter => act().and_then(|_| Err(failed())),
            // Closing is done by destructors, which must not panic.
            Fate::Panics if name == "close" => Err(failed()),
            Fate::Panics => panic!("{name} panicked"),
        }
    }
}

impl Disk for MemoryDisk {
    type File = MemoryFile;
    type Draft = Bytes;

    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn open(&self) -> io::Result<Option<MemoryFile>> {
        self.operation("open", || Ok(self.named()))
    }

    fn draft(&self) -> io::Result<Bytes> {
        self.operation("draft", || Ok(Bytes::default()))
    }

    fn open_draft(&self, draft: &Bytes) -> io::Result<MemoryFile> {
        self.operation("open draft", || Ok(self.file_of(Arc::clone(draft))))
    }

    fn publish(&self, draft: Bytes) -> io::Result<()> {
        self.operation("publish", || {
            let mut file = lock(&self.file);
            if file.is_some() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            *file = Some(draft);
            Ok(())
        })
    }
}

impl StorageBackend for MemoryFile {
    fn len(&self) -> io::Result<u64> {
        self.disk
            .operation("len", || Ok(lock(&self.bytes).len() as u64))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.operation("read", || {
            let bytes = lock(&self.bytes);
            let from = usize::try_from(offset).expect("it fits into memory");
            let found = bytes.get(from..from + out.len());
            out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.operation("set_len", || {
            let len = usize::try_from(len).expect("it fits into memory");
            lock(&self.bytes).resize(len, 0);
            Ok(())
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.operation("sync", || Ok(()))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.operation("write", || {
            let from = usize::try_from(offset).expect("it fits into memory");
            lock(&self.bytes)[from..from + data.len()].copy_from_slice(data);
            Ok(())
        })
    }

    fn close(&self) -> io::Result<()> {
        self.disk.operation("close", || Ok(()))
    }
}

impl fmt::Debug for MemoryFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryFile").finish_non_exhaustive()
    }
}

/// The choice of a fate may panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
