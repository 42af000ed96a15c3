//! A file that is read and never written: changes stay in memory.
//!
//! The database can't be opened without a write, since it marks the file as open, and after a crash
//! repairs it. Here it may, and the file keeps its bytes.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::{BackendError, StorageBackend};

use crate::foreign::bounded;
use crate::store::redb::disk::{Disk, check_regular, opened};
use crate::store::redb::owner::OwnedFile;

const PAGE_BYTES: u64 = 4096;

/// A path whose file is only read, and never created.
pub(super) struct ReadOnly<'a>(pub(super) &'a Path);

/// The file and its changes. While it is open, no process can open the store.
pub(super) struct Overlay {
    file: OwnedFile,
    changed: Mutex<Changed>,
}

struct Changed {
    length: u64,
    /// Up to here, unwritten bytes are those of the file; behind it they are zero.
    unchanged: u64,
    /// Pages that were written, by their number.
    pages: BTreeMap<u64, Vec<u8>>,
}

impl Disk for ReadOnly<'_> {
    type File = Overlay;
    type Draft = ();

    fn name(&self) -> String {
        bounded(self.0.display())
    }

    fn open(&self) -> io::Result<Option<Overlay>> {
        check_regular(&std::fs::metadata(self.0)?)?;
        let file = opened(self.0)?;
        // Again, because the path may lead to another file by now.
        check_regular(&file.metadata()?)?;
        let file = OwnedFile::new(file)?;
        let length = file.len()?;
        let changed = Changed {
            length,
            unchanged: length,
            pages: BTreeMap::new(),
        };
        let changed = Mutex::new(changed);
        Ok(Some(Overlay { file, changed }))
    }

    fn draft(&self) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn open_draft(&self, (): &()) -> io::Result<Overlay> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn publish(&self, (): ()) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}

impl Overlay {
    fn changed(&self) -> MutexGuard<'_, Changed> {
        // A page is replaced as a whole.
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A page as it is now.
    fn page(&self, changed: &Changed, number: u64) -> io::Result<Vec<u8>> {
        if let Some(page) = changed.pages.get(&number) {
            assert_eq!(page.len() as u64, PAGE_BYTES, "pages are kept whole");
            return Ok(page.clone());
        }
        let begin = number * PAGE_BYTES;
        let mut page = vec![0; PAGE_BYTES as usize];
        let there = changed.unchanged.saturating_sub(begin).min(PAGE_BYTES);
        if there > 0 {
            self.file.read(begin, &mut page[..there as usize])?;
        }
        Ok(page)
    }
}

/// The pages that `length` bytes from `offset` touch: the number of the page, the offset within it, and
/// the range of the bytes that lie in it.
fn touched(
    offset: u64,
    length: usize,
) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let end = offset + length as u64;
    (offset / PAGE_BYTES..end.div_ceil(PAGE_BYTES)).map(move |number| {
        let begin = offset.max(number * PAGE_BYTES);
        let stop = end.min((number + 1) * PAGE_BYTES);
        let within = (begin % PAGE_BYTES) as usize;
        assert!(
            begin <= stop && stop - begin <= PAGE_BYTES - within as u64,
            "a part lies within its page"
        );
        (
            number,
            within,
            (begin - offset) as usize..(stop - offset) as usize,
        )
    })
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.changed().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let changed = self.changed();
        let end = offset.checked_add(out.len() as u64);
        if end.is_none_or(|end| end > changed.length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // The same again, page by page, where any was changed.
        let written = offset / PAGE_BYTES..=(offset + out.len() as u64) / PAGE_BYTES;
        let is_unchanged = changed.pages.range(written).next().is_none();
        if is_unchanged && end.is_some_and(|end| end <= changed.unchanged) {
            drop(changed);
            return self.file.read(offset, out);
        }
        for (number, within, part) in touched(offset, out.len()) {
            let page = self.page(&changed, number)?;
            let length = part.len();
            out[part].copy_from_slice(&page[within..within + length]);
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut changed = self.changed();
        changed.length = length;
        changed.unchanged = changed.unchanged.min(length);
        // A truncated part is zero when the file grows again.
        changed.pages.split_off(&length.div_ceil(PAGE_BYTES));
        let kept = (length % PAGE_BYTES) as usize;
        if let Some(last) = changed.pages.get_mut(&(length / PAGE_BYTES)) {
            last[kept..].fill(0);
        }
        assert!(
            changed.unchanged <= changed.length,
            "bytes of the file that are shown are within its length"
        );
        assert!(
            changed
                .pages
                .last_key_value()
                .is_none_or(|(last, _)| *last < length.div_ceil(PAGE_BYTES)),
            "no page is left behind the end"
        );
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut changed = self.changed();
        for (number, within, part) in touched(offset, data.len()) {
            let mut page = self.page(&changed, number)?;
            page[within..within + part.len()].copy_from_slice(&data[part]);
            changed.pages.insert(number, page);
        }
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    // Every lock is shared: that keeps writers out, and a file opened for reading has no other lock.

    fn try_lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(from, to)
    }

    fn try_lock_shared_range(
        &self,
        from: Bound<u64>,
        to: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(from, to)
    }

    fn lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(from, to)
    }

    fn lock_shared_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(from, to)
    }

    fn unlock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(from, to)
    }

    fn query_lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(from, to)
    }
}

impl fmt::Debug for Overlay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overlay").finish_non_exhaustive()
    }
}
