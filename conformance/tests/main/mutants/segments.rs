//! A store of log segments, which begins a new one and compacts when it is told to, and faults in that.

use std::fs::{self, File};
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crashpoint::{CheckpointRow, CheckpointStore, Error, ScopeId, checkpoint_store};
use crashpoint_conformance::{BoxError, Harness, Hook, Options, Place};

use super::disk::{hex, line_of, perform, sealed};
use super::{Runs, quick};

/// How the store maintains itself. The defaults have no fault: a new segment begins, the rows of the older ones
/// are written to a draft that is synced and renamed, and then these are removed. A segment of a MiB is full.
pub(crate) trait Upkeep: Send + Sync + 'static {
    /// Whether the directory is synced when a new segment is in it.
    const SYNCS_NEW_NAME: bool = true;
    /// Whether the draft is synced before it has its name.
    const SYNCS_DRAFT: bool = true;
    /// Whether old segments are removed before the draft has its name.
    const REMOVES_FIRST: bool = false;
    /// Whether the compacted segment takes the place of the newest, in which rows may have come meanwhile.
    const REPLACES_NEWEST: bool = false;
}

/// No fault: the control.
pub(crate) struct Whole;

impl Upkeep for Whole {}

/// The name of a new segment is not synced.
pub(crate) struct ForgetsNewName;

impl Upkeep for ForgetsNewName {
    const SYNCS_NEW_NAME: bool = false;
}

/// The data of a compacted segment is not synced.
pub(crate) struct ForgetsDraft;

impl Upkeep for ForgetsDraft {
    const SYNCS_DRAFT: bool = false;
}

/// There is a moment without a log.
pub(crate) struct RemovesFirst;

impl Upkeep for RemovesFirst {
    const REMOVES_FIRST: bool = true;
}

/// What comes while the store compacts is lost.
pub(crate) struct ReplacesNewest;

impl Upkeep for ReplacesNewest {
    const REPLACES_NEWEST: bool = true;
}

/// The store.
pub(crate) struct Segments<U> {
    inner: Arc<Mutex<Inner>>,
    scope: ScopeId,
    upkeep: PhantomData<fn() -> U>,
}

struct Inner {
    folder: PathBuf,
    runs: Runs,
    newest: u64,
    file: File,
    /// Records that were written.
    written: u64,
    failed: bool,
}

/// The first record of a compacted segment: what is in older segments does not count.
const FORGET: &str = "forget";
const DRAFT: &str = "draft";
const SEGMENT_BYTES: u64 = 1 << 20;

/// A record: a line, the blob with its length, and a line with the checksum of both.
fn record(line: &str, blob: &[u8]) -> Vec<u8> {
    let mut record = format!("{line} {}\n", blob.len()).into_bytes();
    record.extend_from_slice(blob);
    let sum = checksum(&record);
    record.extend_from_slice(sealed(&format!("{sum:x}")).as_bytes());
    record
}

fn checksum(bytes: &[u8]) -> u64 {
    let words = bytes.chunks(8);
    words.fold(0xcbf2_9ce4_8422_2325, |hash, word| {
        let mut whole = [0; 8];
        whole[..word.len()].copy_from_slice(word);
        (hash ^ u64::from_le_bytes(whole)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn record_of(id: &str, row: &CheckpointRow) -> Vec<u8> {
    let mut head = row.clone();
    let blob = head.output_blob.take();
    let line = line_of(id, &head);
    match &blob {
        // The line says that there is one.
        Some(blob) => record(&format!("+{line}"), blob),
        None => record(&line, &[]),
    }
}

/// The next record; `None` at the end, or where one was cut off.
fn next(content: &mut &[u8]) -> Option<(String, Vec<u8>)> {
    let whole = *content;
    let mut line = String::new();
    content.read_line(&mut line).ok()?;
    let (line, length) = line.strip_suffix('\n')?.rsplit_once(' ')?;
    let mut blob = vec![0; length.parse().ok()?];
    content.read_exact(&mut blob).ok()?;
    let read = whole.len() - content.len();
    let mut sum = String::new();
    content.read_line(&mut sum).ok()?;
    let expected = sealed(&format!("{:x}", checksum(&whole[..read])));
    (sum == expected).then(|| (line.to_owned(), blob))
}

/// Performs the records of a segment. Returns its length without what was cut off.
fn replay(runs: &mut Runs, written: &[u8]) -> io::Result<u64> {
    let mut rest = written;
    let mut whole = 0;
    while let Some((line, blob)) = next(&mut rest) {
        whole = (written.len() - rest.len()) as u64;
        if line == FORGET {
            *runs = Runs::default();
            continue;
        }
        let mut one = Runs::default();
        let no_row = || io::Error::other("a record is no record");
        let Some(row) = line.strip_prefix('+') else {
            perform(runs, &line).ok_or_else(no_row)?;
            continue;
        };
        perform(&mut one, row).ok_or_else(no_row)?;
        for (id, run) in one.0 {
            for mut row in run.rows.into_values() {
                row.output_blob = Some(blob.clone());
                runs.put(&id, row);
            }
        }
    }
    Ok(whole)
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

impl Inner {
    fn open(folder: &Path) -> io::Result<Self> {
        let draft = folder.join(DRAFT);
        if draft.exists() {
            fs::remove_file(draft)?;
        }
        let mut numbers = Vec::new();
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            let name = name.to_string_lossy();
            let number = name
                .strip_prefix("segment-")
                .and_then(|name| name.parse().ok());
            numbers.push(number.ok_or_else(|| io::Error::other("a file of somebody else"))?);
        }
        numbers.sort_unstable();
        let (mut runs, mut whole) = (Runs::default(), 0);
        for number in &numbers {
            let written = fs::read(segment(folder, *number))?;
            whole = replay(&mut runs, &written)?;
        }
        let newest = numbers.last().copied().unwrap_or(1);
        let path = segment(folder, newest);
        let file = File::options().create(true).append(true).open(path)?;
        if whole < file.metadata()?.len() {
            file.set_len(whole)?;
            file.sync_all()?;
        }
        sync(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            runs,
            newest,
            file,
            written: 0,
            failed: false,
        })
    }

    fn write<U: Upkeep>(&mut self, record: &[u8]) -> Result<(), Error> {
        let begun = match self.file.metadata() {
            Ok(about) if about.len() < SEGMENT_BYTES => Ok(()),
            _ => self.begin_segment::<U>(),
        };
        let written = begun.and_then(|()| self.file.write_all(record));
        let synced = written.and_then(|()| self.file.sync_data());
        self.failed = synced.is_err();
        self.written += 1;
        synced.map_err(|error| Error::unknown_outcome(error.to_string()))
    }

    fn begin_segment<U: Upkeep>(&mut self) -> io::Result<()> {
        self.newest += 1;
        let path = segment(&self.folder, self.newest);
        self.file = File::options().create_new(true).append(true).open(path)?;
        if U::SYNCS_NEW_NAME {
            sync(&self.folder)?;
        }
        Ok(())
    }

    /// All rows, as a compacted segment.
    fn compacted(&self) -> Vec<u8> {
        let mut all = record(FORGET, &[]);
        for (id, run) in &self.runs.0 {
            all.extend(run.rows.values().flat_map(|row| record_of(id, row)));
        }
        all
    }
}

fn segment(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("segment-{number:06}"))
}

/// How long a fault waits for a row that comes meanwhile.
const MEANWHILE_MAX: u32 = 2_000;

fn maintain<U: Upkeep>(store: &Mutex<Inner>) -> io::Result<()> {
    let (folder, newest, older, written) = {
        let mut inner = lock(store);
        let older = inner.compacted();
        inner.begin_segment::<U>()?;
        (inner.folder.clone(), inner.newest, older, inner.written)
    };
    // Others may append to the new segment meanwhile.
    let draft = folder.join(DRAFT);
    let mut file = File::create(&draft)?;
    file.write_all(&older)?;
    if U::SYNCS_DRAFT {
        file.sync_all()?;
    }
    let remove_older = |from: u64| {
        let older = (1..from).map(|number| segment(&folder, number));
        older
            .filter(|path| path.exists())
            .try_for_each(fs::remove_file)
    };
    if U::REPLACES_NEWEST {
        for _ in 0..MEANWHILE_MAX {
            if lock(store).written > written {
                break;
            }
            std::thread::park_timeout(Duration::from_millis(1));
        }
        let mut inner = lock(store);
        let path = segment(&folder, newest);
        fs::rename(draft, &path)?;
        inner.file = File::options().append(true).open(path)?;
        sync(&folder)?;
        return remove_older(newest);
    }
    if U::REMOVES_FIRST {
        remove_older(newest)?;
    }
    fs::rename(draft, segment(&folder, newest - 1))?;
    sync(&folder)?;
    // What is left of them is forgotten when it is read.
    remove_older(newest - 1)
}

fn lock(store: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<U: Upkeep> Segments<U> {
    fn inner(&self) -> Result<MutexGuard<'_, Inner>, Error> {
        let inner = lock(&self.inner);
        if inner.failed {
            return Err(Error::unavailable("a write has failed; open it again"));
        }
        Ok(inner)
    }
}

#[checkpoint_store]
impl<U: Upkeep> CheckpointStore for Segments<U> {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let mut inner = self.inner()?;
        if inner.runs.has(workflow_id, row.sequence) {
            return Err(Error::conflict(workflow_id, row.sequence));
        }
        inner.write::<U>(&record_of(workflow_id, &row))?;
        inner.runs.append(workflow_id, row)
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        Ok(self.inner()?.runs.load(workflow_id))
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        let mut inner = self.inner()?;
        inner.write::<U>(&record(&format!("C {}", hex(workflow_id.as_bytes())), &[]))?;
        inner.runs.clear(workflow_id);
        Ok(())
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        Some(self.scope.clone())
    }
}

/// The harness of the store.
pub(crate) struct InSegments<U>(PhantomData<fn() -> U>);

impl<U: Upkeep> Harness for InSegments<U> {
    type Store = Segments<U>;

    async fn open(place: &Place) -> Result<Segments<U>, BoxError> {
        Ok(Segments {
            inner: Arc::new(Mutex::new(Inner::open(place.path())?)),
            scope: ScopeId::new(),
            upkeep: PhantomData,
        })
    }

    async fn maintain(store: &Segments<U>) -> Result<Hook, BoxError> {
        let inner = Arc::clone(&store.inner);
        tokio::task::spawn_blocking(move || maintain::<U>(&inner)).await??;
        Ok(Hook::Done)
    }

    fn options() -> Options {
        quick()
    }
}
