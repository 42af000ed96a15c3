//! A store in one file, a line for each operation, and faults that show when its process is killed or its
//! disk returns errors.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crashpoint::{
    CheckpointRow, CheckpointStore, Error, ListRuns, RowKind, ScopeId, checkpoint_store,
};
use crashpoint_conformance::{BoxError, Damage, Harness, Hook, Options, Place};

use super::{Runs, quick};

/// How operations reach the file. The defaults have no fault: each operation is a line that is written in
/// one call and synced, and after an error all operations fail.
pub(crate) trait Habit: Default + Send + Sync + 'static {
    const SYNCS_DIRECTORY: bool = true;
    const REFUSES_AFTER_AN_ERROR: bool = true;
    const BAD_LINE: BadLine = BadLine::Error;
    const LOCK: Lock = Lock::None;
    /// Whether an error of the disk is told as a taken sequence.
    const ERROR_IS_CONFLICT: bool = false;
    /// Whether opening cuts off a line without an end.
    const CUTS_TAIL: bool = true;

    fn open(folder: &Path) -> io::Result<()> {
        let _ = folder;
        Ok(())
    }

    fn append(&mut self, log: &mut Log, id: &str, row: &CheckpointRow) -> io::Result<()> {
        log.write(&line_of(id, row))
    }

    fn clear(&mut self, log: &mut Log, id: &str, rows: &[CheckpointRow]) -> io::Result<()> {
        let _ = rows;
        log.write(&format!("C {}", hex(id.as_bytes())))
    }

    fn close(&mut self, log: &mut Log) {
        let _ = log;
    }

    fn opened(&mut self, log: &Log) {
        let _ = log;
    }

    /// The ids that are listed, in order.
    fn ids(&self, runs: &Runs) -> Vec<String> {
        runs.0.keys().cloned().collect()
    }
}

/// What happens to a damaged line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadLine {
    Error,
    Skip,
    Panic,
    /// The checksum is ignored.
    Believe,
}

/// What keeps other processes out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    None,
    /// The place is locked while the store is open.
    WhileOpen,
    /// Each append locks the file and reads what others have written.
    WhileAppending,
}

/// The file.
pub(crate) struct Log {
    pub(super) path: PathBuf,
    file: File,
}

impl Log {
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    pub(super) fn write(&mut self, line: &str) -> io::Result<()> {
        self.write_only(line)?;
        self.file.sync_data()
    }

    pub(super) fn write_only(&mut self, line: &str) -> io::Result<()> {
        self.file.write_all(sealed(line).as_bytes())
    }
}

/// A line with its checksum (FNV-1a).
pub(super) fn sealed(line: &str) -> String {
    let step = |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let hash = line.bytes().fold(0x811c_9dc5, step);
    format!("{line} {hash:08x}\n")
}

/// Every whole line, performed in order.
pub(super) fn read(written: &str, bad_line: BadLine) -> io::Result<Runs> {
    let mut runs = Runs::default();
    for line in written.lines() {
        let content = line.rsplit_once(' ').map_or(line, |(content, _)| content);
        let is_sealed = sealed(content).trim_end() == line;
        match bad_line {
            BadLine::Skip if !is_sealed => continue,
            BadLine::Panic => assert!(is_sealed, "a line is no line"),
            BadLine::Error if !is_sealed => return Err(io::Error::other("a line is no line")),
            _ => {}
        }
        perform(&mut runs, content).ok_or_else(|| io::Error::other("a line is no line"))?;
    }
    Ok(runs)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let mut text = String::with_capacity(1 + bytes.len() * 2);
    text.push('x');
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
    text
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_prefix('x')?;
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

pub(super) fn line_of(id: &str, row: &CheckpointRow) -> String {
    let blob = row.output_blob.as_deref().map_or("-".to_owned(), hex);
    let (id, state, task) = (
        hex(id.as_bytes()),
        hex(row.state.as_bytes()),
        hex(row.task_id.as_bytes()),
    );
    let (sequence, kind) = (row.sequence, row.kind);
    format!("A {id} {sequence} {kind} {state} {task} {blob}")
}

/// Performs a line on `runs`; `None` if the line is not complete.
pub(super) fn perform(runs: &mut Runs, line: &str) -> Option<()> {
    let mut words = line.split(' ');
    let what = words.next()?;
    let text = |word: &str| String::from_utf8(bytes(word)?).ok();
    let id = text(words.next()?)?;
    match what {
        "C" => runs.clear(&id),
        "D" => {
            let sequence: u64 = words.next()?.parse().ok()?;
            let run = runs.0.get_mut(&id)?;
            run.rows.remove(&sequence);
        }
        "A" => {
            let sequence = words.next()?.parse().ok()?;
            let kind: RowKind = words.next()?.parse().ok()?;
            let (state, task) = (text(words.next()?)?, text(words.next()?)?);
            let mut row = CheckpointRow::new(sequence, state, task);
            row.kind = kind;
            row.output_blob = match words.next()? {
                "-" => None,
                blob => Some(bytes(blob)?),
            };
            runs.put(&id, row);
        }
        _ => return None,
    }
    Some(())
}

/// A store in a file, with the habit `H`.
pub(crate) struct Filed<H: Habit> {
    inner: Mutex<Inner<H>>,
    scope: ScopeId,
}

struct Inner<H: Habit> {
    runs: Runs,
    log: Log,
    habit: H,
    /// Whether an operation has met an error.
    failed: bool,
    lock: File,
}

impl<H: Habit> Inner<H> {
    fn refuse_after_an_error(&self) -> Result<(), Error> {
        if H::REFUSES_AFTER_AN_ERROR && self.failed {
            return Err(Error::unavailable(
                "an operation has failed; open the store again",
            ));
        }
        Ok(())
    }

    /// Locks others out and reads what they have written.
    fn catch_up(&mut self) -> io::Result<()> {
        if H::LOCK == Lock::WhileAppending {
            self.lock.lock()?;
            let written = fs::read_to_string(&self.log.path)?;
            self.runs = read(&written, H::BAD_LINE)?;
        }
        Ok(())
    }

    fn note(&mut self, done: io::Result<()>) -> Result<(), Error> {
        self.failed |= done.is_err();
        done.map_err(|error| Error::unknown_outcome(error.to_string()))
    }
}

impl<H: Habit> Filed<H> {
    fn open(folder: &Path) -> io::Result<Self> {
        H::open(folder)?;
        let path = folder.join("log");
        let lock = File::create(folder.join("lock"))?;
        if H::LOCK == Lock::WhileOpen {
            lock.try_lock()?;
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        // A line without an end was not acknowledged.
        let whole = written.rfind('\n').map_or(0, |end| end + 1);
        let runs = read(&written[..whole], H::BAD_LINE)?;
        let file = File::options().create(true).append(true).open(&path)?;
        if H::CUTS_TAIL && whole < written.len() {
            file.set_len(whole as u64)?;
        }
        if H::SYNCS_DIRECTORY {
            File::open(folder)?.sync_all()?;
        }
        let log = Log { path, file };
        let mut habit = H::default();
        habit.opened(&log);
        let inner = Inner {
            runs,
            log,
            habit,
            failed: false,
            lock,
        };
        Ok(Self {
            inner: Mutex::new(inner),
            scope: ScopeId::new(),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner<H>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[checkpoint_store]
impl<H: Habit> CheckpointStore for Filed<H> {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let mut inner = self.inner();
        let shared = inner.catch_up();
        inner.note(shared)?;
        inner.refuse_after_an_error()?;
        if inner.runs.has(workflow_id, row.sequence) {
            let _ = inner.lock.unlock();
            return Err(Error::conflict(workflow_id, row.sequence));
        }
        let Inner { log, habit, .. } = &mut *inner;
        let appended = habit.append(log, workflow_id, &row);
        if H::LOCK == Lock::WhileAppending {
            let _ = inner.lock.unlock();
        }
        inner
            .note(appended)
            .map_err(|error| match H::ERROR_IS_CONFLICT {
                true => Error::conflict(workflow_id, row.sequence),
                false => error,
            })?;
        inner.runs.append(workflow_id, row)
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let inner = self.inner();
        inner.refuse_after_an_error()?;
        Ok(inner.runs.load(workflow_id))
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        let mut inner = self.inner();
        inner.refuse_after_an_error()?;
        let Inner {
            log, habit, runs, ..
        } = &mut *inner;
        let cleared = habit.clear(log, workflow_id, &runs.load(workflow_id));
        inner.note(cleared)?;
        inner.runs.clear(workflow_id);
        Ok(())
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        Some(self.scope.clone())
    }

    fn as_listing(&self) -> Option<&dyn ListRuns> {
        Some(self)
    }
}

#[checkpoint_store]
impl<H: Habit> ListRuns for Filed<H> {
    async fn run_ids(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, Error> {
        let inner = self.inner();
        inner.refuse_after_an_error()?;
        let ids = inner.habit.ids(&inner.runs).into_iter();
        let later = ids.filter(|id| after.is_none_or(|after| id.as_str() > after));
        Ok(later.take(limit).collect())
    }
}

impl<H: Habit> Drop for Filed<H> {
    fn drop(&mut self) {
        let Inner { log, habit, .. } = &mut *self.inner();
        habit.close(log);
    }
}

/// The harness of a store in a file.
pub(crate) struct InFile<H>(PhantomData<fn() -> H>);

impl<H: Habit> Harness for InFile<H> {
    type Store = Filed<H>;

    async fn open(place: &Place) -> Result<Filed<H>, BoxError> {
        Ok(Filed::open(place.path())?)
    }

    async fn corrupt(place: &Place, damage: Damage<'_>) -> Result<Hook, BoxError> {
        let encoded = hex(damage.needle).into_bytes();
        Ok(damage.flip_bit_encoded(place.path(), &encoded)?)
    }

    fn options() -> Options {
        quick()
    }
}

/// No fault at all: the control.
#[derive(Default)]
pub(crate) struct Careful;

impl Habit for Careful {}

/// No fault either: the file is cut behind the last line, and nobody waits for that.
#[derive(Default)]
pub(crate) struct CutsAfterTheSync;

impl Habit for CutsAfterTheSync {
    fn append(&mut self, log: &mut Log, id: &str, row: &CheckpointRow) -> io::Result<()> {
        log.write(&line_of(id, row))?;
        let length = log.file.metadata()?.len();
        log.file.set_len(length)
    }
}

/// Lines wait in memory until the store is dropped.
#[derive(Default)]
pub(crate) struct FlushOnDrop(Vec<String>);

impl Habit for FlushOnDrop {
    fn append(&mut self, _log: &mut Log, id: &str, row: &CheckpointRow) -> io::Result<()> {
        self.0.push(line_of(id, row));
        Ok(())
    }

    fn clear(&mut self, _log: &mut Log, id: &str, _rows: &[CheckpointRow]) -> io::Result<()> {
        self.0.push(format!("C {}", hex(id.as_bytes())));
        Ok(())
    }

    fn close(&mut self, log: &mut Log) {
        for line in self.0.drain(..) {
            let _ = log.write(&line);
        }
    }
}

/// The rows that a child writes when the kit kills it. On a busy disk most of an append is its syncs, so a
/// gap that is as short as a signal's way would rarely be hit.
const KILLED_AT: [u64; 6] = [1, 2, 3, 5, 9, 20];

/// A row of several blocks is written without its blob first, and then with it.
#[derive(Default)]
pub(crate) struct HeaderThenBody;

impl Habit for HeaderThenBody {
    fn append(&mut self, log: &mut Log, id: &str, row: &CheckpointRow) -> io::Result<()> {
        const BLOCK: usize = 4096;
        if row
            .output_blob
            .as_ref()
            .is_some_and(|blob| blob.len() > BLOCK)
        {
            let mut header = row.clone();
            header.output_blob = Some(Vec::new());
            log.write(&line_of(id, &header))?;
            if KILLED_AT.contains(&row.sequence) {
                // Longer than a signal takes on a busy machine. DUR-04 kills the child meanwhile.
                std::thread::park_timeout(Duration::from_secs(1));
            }
        }
        log.write(&line_of(id, row))
    }
}

/// A line is written in two halves, and opening leaves the first half where it is. It is no line, but
/// what is appended comes behind it.
#[derive(Default)]
pub(crate) struct AppendsBehindATornTail;

impl Habit for AppendsBehindATornTail {
    const CUTS_TAIL: bool = false;

    fn append(&mut self, log: &mut Log, id: &str, row: &CheckpointRow) -> io::Result<()> {
        let line = sealed(&line_of(id, row));
        let (head, rest) = line.split_at(line.len() / 2);
        log.file.write_all(head.as_bytes())?;
        log.file.write_all(rest.as_bytes())?;
        log.file.sync_data()
    }
}

/// The blob of a large row has a file of its own, which is written first and must be new.
#[derive(Default)]
pub(crate) struct BlobMustBeNew;

impl Habit for BlobMustBeNew {
    fn append(&mut self, log: &mut Log, id: &str, row: &CheckpointRow) -> io::Result<()> {
        const LARGE: usize = 4096;
        let blob = row.output_blob.as_deref().unwrap_or_default();
        if blob.len() >= LARGE && id.len() < LARGE {
            let name = format!("blob-{}-{}", hex(id.as_bytes()), row.sequence);
            let path = log.path.with_file_name(name);
            let mut file = File::create_new(&path)?;
            file.write_all(blob)?;
            file.sync_all()?;
            File::open(path.parent().unwrap())?.sync_all()?;
        }
        // The row has a copy, so that reading is as in the other stores.
        log.write(&line_of(id, row))
    }

    fn clear(&mut self, log: &mut Log, id: &str, _rows: &[CheckpointRow]) -> io::Result<()> {
        log.write(&format!("C {}", hex(id.as_bytes())))?;
        let prefix = format!("blob-{}-", hex(id.as_bytes()));
        for entry in fs::read_dir(log.path.parent().unwrap())? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

/// A clear deletes row by row.
#[derive(Default)]
pub(crate) struct DeletesRowByRow;

impl Habit for DeletesRowByRow {
    fn clear(&mut self, log: &mut Log, id: &str, rows: &[CheckpointRow]) -> io::Result<()> {
        for row in rows {
            log.write(&format!("D {} {}", hex(id.as_bytes()), row.sequence))?;
            if rows.len() < 20 {
                // Longer than a signal takes.
                std::thread::park_timeout(Duration::from_millis(50));
            }
        }
        Ok(())
    }
}

/// A clear of a large run deletes five hundred rows at a time.
#[derive(Default)]
pub(crate) struct DeletesInBatches;

impl Habit for DeletesInBatches {
    fn clear(&mut self, log: &mut Log, id: &str, rows: &[CheckpointRow]) -> io::Result<()> {
        const BATCH: usize = 500;
        let id = hex(id.as_bytes());
        if rows.len() <= BATCH {
            return log.write(&format!("C {id}"));
        }
        for batch in rows.chunks(BATCH) {
            let deletes = batch
                .iter()
                .map(|row| sealed(&format!("D {id} {}", row.sequence)));
            log.file.write_all(deletes.collect::<String>().as_bytes())?;
            log.file.sync_data()?;
            // Longer than a signal takes on a busy machine.
            std::thread::park_timeout(Duration::from_millis(150));
        }
        Ok(())
    }
}

/// A file that exists is the lock, and its owner removes it.
#[derive(Default)]
pub(crate) struct StaleLockFile;

impl Habit for StaleLockFile {
    fn open(folder: &Path) -> io::Result<()> {
        File::create_new(folder.join("open")).map(drop)
    }

    fn close(&mut self, log: &mut Log) {
        fs::remove_file(log.path.with_file_name("open")).unwrap();
    }
}

/// The file is rewritten in place with each row.
#[derive(Default)]
pub(crate) struct RewritesInPlace(Option<String>);

impl Habit for RewritesInPlace {
    fn append(&mut self, log: &mut Log, id: &str, row: &CheckpointRow) -> io::Result<()> {
        self.rewrite(log, &line_of(id, row))
    }

    fn clear(&mut self, log: &mut Log, id: &str, _rows: &[CheckpointRow]) -> io::Result<()> {
        self.rewrite(log, &format!("C {}", hex(id.as_bytes())))
    }
}

impl RewritesInPlace {
    fn rewrite(&mut self, log: &mut Log, line: &str) -> io::Result<()> {
        let written = match &mut self.0 {
            Some(written) => written,
            unread => unread.insert(fs::read_to_string(&log.path)?),
        };
        written.push_str(&sealed(line));
        // With long files the other laws would take too long.
        if written.len() > 100_000 {
            return log.write(line);
        }
        log.file.set_len(0)?;
        log.file.write_all(written.as_bytes())?;
        log.file.sync_data()
    }
}

/// Each run has its own buffer, which is written out with its second row.
#[derive(Default)]
pub(crate) struct BufferForEachRun(BTreeMap<String, Vec<String>>);

impl Habit for BufferForEachRun {
    fn append(&mut self, log: &mut Log, id: &str, row: &CheckpointRow) -> io::Result<()> {
        const PATIENT: &str = "second";
        let buffer = self.0.entry(id.to_owned()).or_default();
        buffer.push(line_of(id, row));
        if id == PATIENT && buffer.len() < 4 {
            return Ok(());
        }
        buffer.drain(..).try_for_each(|line| log.write(&line))
    }

    fn clear(&mut self, log: &mut Log, id: &str, _rows: &[CheckpointRow]) -> io::Result<()> {
        self.0.remove(id);
        log.write(&format!("C {}", hex(id.as_bytes())))
    }

    fn close(&mut self, log: &mut Log) {
        for line in std::mem::take(&mut self.0).into_values().flatten() {
            let _ = log.write(&line);
        }
    }
}

/// Nothing is synced.
#[derive(Default)]
pub(crate) struct NoSync;

impl Habit for NoSync {
    fn append(&mut self, log: &mut Log, id: &str, row: &CheckpointRow) -> io::Result<()> {
        log.write_only(&line_of(id, row))
    }
}

/// A clear is written and not synced.
#[derive(Default)]
pub(crate) struct ClearsWithoutSync;

impl Habit for ClearsWithoutSync {
    fn clear(&mut self, log: &mut Log, id: &str, _rows: &[CheckpointRow]) -> io::Result<()> {
        log.write_only(&format!("C {}", hex(id.as_bytes())))
    }
}

/// The sync comes before the write.
#[derive(Default)]
pub(crate) struct SyncsTooEarly;

impl Habit for SyncsTooEarly {
    fn append(&mut self, log: &mut Log, id: &str, row: &CheckpointRow) -> io::Result<()> {
        log.file.sync_data()?;
        log.write_only(&line_of(id, row))
    }
}

/// The file's data is synced, but not its name.
#[derive(Default)]
pub(crate) struct NoDirectorySync;

impl Habit for NoDirectorySync {
    const SYNCS_DIRECTORY: bool = false;
}

/// Ignores a failed sync.
#[derive(Default)]
pub(crate) struct IgnoresEio;

impl Habit for IgnoresEio {
    fn append(&mut self, log: &mut Log, id: &str, row: &CheckpointRow) -> io::Result<()> {
        log.write_only(&line_of(id, row))?;
        let _ = log.file.sync_data();
        Ok(())
    }
}

/// Tells a failed sync as a conflict.
#[derive(Default)]
pub(crate) struct EioIsAConflict;

impl Habit for EioIsAConflict {
    const ERROR_IS_CONFLICT: bool = true;
}

/// Ignores a failed write.
#[derive(Default)]
pub(crate) struct IgnoresEnospc;

impl Habit for IgnoresEnospc {
    fn append(&mut self, log: &mut Log, id: &str, row: &CheckpointRow) -> io::Result<()> {
        let _ = log.write_only(&line_of(id, row));
        log.file.sync_data()
    }
}

/// Returns the error of a sync once, and goes on as if the next sync repaired it.
#[derive(Default)]
pub(crate) struct GoesOn;

impl Habit for GoesOn {
    const REFUSES_AFTER_AN_ERROR: bool = false;
}

/// A line is handed to the kernel once, however much of it the kernel takes.
#[derive(Default)]
pub(crate) struct WritesOnce;

impl Habit for WritesOnce {
    fn append(&mut self, log: &mut Log, id: &str, row: &CheckpointRow) -> io::Result<()> {
        let line = sealed(&line_of(id, row));
        let _taken = log.file.write(line.as_bytes())?;
        log.file.sync_data()
    }
}
