//! What a harness does to a backend from outside: takes it away, brings it back, damages what it keeps.

use std::io;
use std::path::{Path, PathBuf};

use crashpoint::BoxError;

use crate::finding::expect::{Checked, Failure};

/// What came of a hook of the [`Harness`](crate::Harness).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hook {
    /// It is done.
    Done,
    /// The harness can't do it, for this reason. A law that needs it is reported as not run, never as
    /// passed.
    NotOffered(String),
}

impl Hook {
    /// What the hooks answer unless a harness says otherwise.
    pub fn not_offered(reason: impl Into<String>) -> Self {
        Self::NotOffered(reason.into())
    }
}

/// Goes on where the hook `name` has done its work.
pub(crate) fn offered(name: &str, got: Result<Hook, BoxError>) -> Checked {
    match got {
        Ok(Hook::Done) => Ok(()),
        Ok(Hook::NotOffered(reason)) => Err(Failure::NotRun(format!("not offered: {reason}"))),
        Err(error) => Err(Failure::Harness(format!("`{name}` failed: {error}"))),
    }
}

/// One way to damage a row: a bit of it is turned over, in every copy of it that there is.
///
/// The row's blob is [`needle`](Self::needle), which stands nowhere else: a harness whose store keeps
/// blobs as they are finds the row by it, and [`turn_over`](Self::turn_over) does all of that below a
/// directory. A store that encodes blobs asks for what it makes of the needle with
/// [`turn_over_encoded`](Self::turn_over_encoded); a backend on a server is damaged by its own tools.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Damage<'a> {
    /// The run of the row.
    pub workflow_id: &'a str,
    /// The row's sequence.
    pub sequence: u64,
    /// The row's blob.
    pub needle: &'a [u8],
    /// The number of the damage: each is to be another one.
    pub number: u32,
}

impl Damage<'_> {
    /// Turns one bit of the needle over wherever it stands in the files below `folder`.
    ///
    /// # Errors
    ///
    /// Where a file can't be read or written.
    pub fn turn_over(&self, folder: &Path) -> io::Result<Hook> {
        self.turn_over_encoded(folder, self.needle)
    }

    /// The same for a store whose files hold the needle as `encoded`.
    ///
    /// # Errors
    ///
    /// Where a file can't be read or written.
    pub fn turn_over_encoded(&self, folder: &Path, encoded: &[u8]) -> io::Result<Hook> {
        let mut copies = 0;
        for path in files_below(folder)? {
            let mut content = std::fs::read(&path)?;
            let turned = self.turn_over_in(&mut content, encoded);
            if turned > 0 {
                std::fs::write(&path, content)?;
                copies += turned;
            }
        }
        if copies == 0 {
            let folder = folder.display();
            return Ok(Hook::not_offered(format!(
                "the blob of the row to damage stands in no file below {folder}"
            )));
        }
        Ok(Hook::Done)
    }

    /// Turns the bit over in `content`, and answers how often.
    fn turn_over_in(&self, content: &mut [u8], needle: &[u8]) -> usize {
        if needle.is_empty() {
            return 0;
        }
        let found = content.windows(needle.len()).enumerate();
        let found = found.filter(|(_, window)| *window == needle);
        let found: Vec<usize> = found.map(|(at, _)| at).collect();
        // Steps that have no divisor in common with common lengths, so that bits and bytes vary.
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
