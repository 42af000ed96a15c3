//! What a harness does to a backend from outside: break it, heal it, damage a row.

use std::io;
use std::path::{Path, PathBuf};

use crashpoint::BoxError;

use crate::finding::expect::{Checked, Failure};

/// The result of a hook of the [`Harness`](crate::Harness).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hook {
    /// The hook did its work.
    Done,
    /// The harness can't do it, for this reason. A law that needs the hook is reported as not run.
    NotOffered(String),
}

impl Hook {
    /// The answer of every hook that a harness does not implement.
    pub fn not_offered(reason: impl Into<String>) -> Self {
        Self::NotOffered(reason.into())
    }
}

/// Fails unless the hook `name` did its work.
pub(crate) fn offered(name: &str, got: Result<Hook, BoxError>) -> Checked {
    match got {
        Ok(Hook::Done) => Ok(()),
        Ok(Hook::NotOffered(reason)) => Err(Failure::NotRun(format!("not offered: {reason}"))),
        Err(error) => Err(Failure::Harness(format!("`{name}` failed: {error}"))),
    }
}

/// One way to damage a row: flip a bit in every copy of it.
///
/// The row's blob is the [`needle`](Self::needle), which occurs nowhere else. If the store keeps blobs
/// unchanged in files, [`flip_bit`](Self::flip_bit) finds and damages the row below a directory. If it
/// encodes blobs, use [`flip_bit_encoded`](Self::flip_bit_encoded) with the encoded needle. Damage a
/// backend on a server with its own tools.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Damage<'a> {
    /// The run of the row.
    pub workflow_id: &'a str,
    /// The row's sequence.
    pub sequence: u64,
    /// The row's blob.
    pub needle: &'a [u8],
    /// The number of the damage, which selects the bit.
    pub number: u32,
}

impl Damage<'_> {
    /// Flips one bit of the needle wherever it occurs in the files below `folder`.
    ///
    /// # Errors
    ///
    /// If a file can't be read or written.
    pub fn flip_bit(&self, folder: &Path) -> io::Result<Hook> {
        self.flip_bit_encoded(folder, self.needle)
    }

    /// Does the same for a store whose files hold the needle as `encoded`.
    ///
    /// # Errors
    ///
    /// If a file can't be read or written.
    pub fn flip_bit_encoded(&self, folder: &Path, encoded: &[u8]) -> io::Result<Hook> {
        let mut copies = 0;
        for path in files_below(folder)? {
            let mut content = std::fs::read(&path)?;
            let flipped = self.flip_bit_in(&mut content, encoded);
            if flipped > 0 {
                std::fs::write(&path, content)?;
                copies += flipped;
            }
        }
        if copies == 0 {
            let folder = folder.display();
            return Ok(Hook::not_offered(format!(
                "no file below {folder} contains the blob of the row to damage"
            )));
        }
        Ok(Hook::Done)
    }

    /// Flips the bit in `content`, and returns how often.
    fn flip_bit_in(&self, content: &mut [u8], needle: &[u8]) -> usize {
        if needle.is_empty() {
            return 0;
        }
        let found = content.windows(needle.len()).enumerate();
        let found = found.filter(|(_, window)| *window == needle);
        let found: Vec<usize> = found.map(|(at, _)| at).collect();
        // 13 shares no divisor with common lengths, so that bits and bytes vary.
        let (byte, bit) = (self.number as usize * 13 % needle.len(), self.number % 8);
        for at in &found {
            content[at + byte] ^= 1 << bit;
        }
        found.len()
    }
}

/// The files below a folder, in the order of their paths.
pub(crate) fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}
