//! Rows in one file, to which each operation appends a record.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use crashpoint::{CheckpointRow, Error, StoreError, StoreErrorKind};

use crate::Rows;
use crate::bytes::{decode, encode, put, take, text};
use crate::map::Map;

/// An open log. What it holds is also in memory.
#[derive(Debug)]
pub struct Log {
    file: File,
    rows: Map,
    /// Whether a write or a sync has failed, so that the state of the disk is unknown.
    failed: bool,
    /// The lock, held while this file is open.
    _lock: File,
}

impl Log {
    /// Opens the log in a directory, or creates it there. One log may be open in a directory.
    ///
    /// # Errors
    ///
    /// If the directory can't be read or written, if a log is open in it, or if a record is damaged.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let unavailable = |error: io::Error| Error::unavailable(format!("the log: {error}"));
        let lock = File::create(directory.join("lock")).map_err(unavailable)?;
        lock.try_lock().map_err(|error| unavailable(error.into()))?;
        let path = directory.join("log");
        let written = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            written => written.map_err(unavailable)?,
        };
        let (rows, whole) = replay(&written)?;
        let mut options = File::options();
        let file = options.create(true).append(true).open(&path);
        let file = file.map_err(unavailable)?;
        if whole < written.len() {
            // A record that a crash has cut off was not acknowledged.
            file.set_len(whole as u64).map_err(unavailable)?;
            file.sync_all().map_err(unavailable)?;
        }
        let synced = File::open(directory).and_then(|directory| directory.sync_all());
        synced.map_err(unavailable)?;
        Ok(Self {
            file,
            rows,
            failed: false,
            _lock: lock,
        })
    }

    fn write(&mut self, record: &[u8]) -> Result<(), Error> {
        let mut sealed = Vec::new();
        put(&mut sealed, record);
        sealed.extend(checksum(record).to_be_bytes());
        let written = self
            .file
            .write_all(&sealed)
            .and_then(|()| self.file.sync_data());
        self.failed = written.is_err();
        written.map_err(|error| Error::unknown_outcome(format!("the log: {error}")))
    }

    fn refuse_after_failure(&self) -> Result<(), Error> {
        if self.failed {
            return Err(Error::unavailable("a write has failed; open the log again"));
        }
        Ok(())
    }
}

/// FNV-1a of 64 bits.
fn checksum(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

const APPEND: u8 = b'a';
const CLEAR: u8 = b'c';

/// The rows after every whole record, and the length of these records.
fn replay(written: &[u8]) -> Result<(Map, usize), Error> {
    let mut rows = Map::default();
    let mut rest = written;
    loop {
        let at = written.len() - rest.len();
        let Some(record) = take(&mut rest) else {
            return Ok((rows, at));
        };
        let Some((sum, after)) = rest.split_first_chunk() else {
            return Ok((rows, at));
        };
        rest = after;
        let damaged = || StoreError::new(StoreErrorKind::Damaged, format!("a record at byte {at}"));
        if u64::from_be_bytes(*sum) != checksum(record) {
            return Err(damaged().into());
        }
        perform(&mut rows, record).ok_or_else(damaged)?;
    }
}

fn perform(rows: &mut Map, record: &[u8]) -> Option<()> {
    let (what, mut rest) = record.split_first()?;
    let id = text(&mut rest)?;
    match *what {
        CLEAR => rows.clear(&id).ok(),
        APPEND => {
            let (sequence, row) = rest.split_first_chunk()?;
            let row = decode(u64::from_be_bytes(*sequence), row)?;
            rows.append(&id, row).ok()
        }
        _ => None,
    }
}

fn record(what: u8, id: &str) -> Vec<u8> {
    let mut record = vec![what];
    put(&mut record, id.as_bytes());
    record
}

impl Rows for Log {
    fn append(&mut self, id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.refuse_after_failure()?;
        if self.rows.has(id, row.sequence) {
            return Err(Error::conflict(id, row.sequence));
        }
        let mut record = record(APPEND, id);
        record.extend(row.sequence.to_be_bytes());
        record.extend(encode(&row));
        self.write(&record)?;
        self.rows.append(id, row)
    }

    fn load(&mut self, id: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.refuse_after_failure()?;
        self.rows.load(id)
    }

    fn clear(&mut self, id: &str) -> Result<(), Error> {
        self.refuse_after_failure()?;
        self.write(&record(CLEAR, id))?;
        self.rows.clear(id)
    }
}
