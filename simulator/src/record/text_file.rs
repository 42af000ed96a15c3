//! A text file that anybody may have written, read within limits.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

/// The most that is read of a text file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextLimits {
    /// Of the file.
    pub file_bytes: u64,
    /// Of a line, without its end.
    pub line_bytes: usize,
}

/// Why a text file was not read.
#[derive(Debug, thiserror::Error)]
pub enum BadFile {
    /// The system failed, or the path leads to no file.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The path leads to a pipe, a device or a socket.
    #[error("is not a regular file")]
    NotRegular,
    /// The file is too long.
    #[error("is longer than the limit of {0} bytes")]
    Long(u64),
    /// A line is too long.
    #[error("line {line} is longer than the limit of {line_bytes} bytes")]
    LongLine {
        /// The number of the line, from 1.
        line: usize,
        /// The limit.
        line_bytes: usize,
    },
}

impl TextLimits {
    /// Reads a regular file whole. It waits for no pipe.
    ///
    /// # Errors
    ///
    /// If the path leads to something else, if the file or a line of it is too long, or if the system
    /// fails. At most one byte more than the limit was read.
    pub fn read(self, path: &Path) -> Result<Vec<u8>, BadFile> {
        // Before it is opened, since opening a pipe waits for its writer; and again, because the path may
        // lead to another file by now.
        self.check(&std::fs::metadata(path)?)?;
        let file = opened(path)?;
        self.check(&file.metadata()?)?;
        let mut bytes = Vec::new();
        // Files of the system have no length, and others may grow.
        file.take(self.file_bytes + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > self.file_bytes {
            return Err(BadFile::Long(self.file_bytes));
        }
        let line_bytes = self.line_bytes;
        let mut lines = bytes.split(|byte| *byte == b'\n');
        match lines.position(|line| line.len() > line_bytes) {
            Some(index) => Err(BadFile::LongLine {
                line: index + 1,
                line_bytes,
            }),
            None => Ok(bytes),
        }
    }

    fn check(self, metadata: &Metadata) -> Result<(), BadFile> {
        if metadata.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
        }
        if !metadata.is_file() {
            return Err(BadFile::NotRegular);
        }
        if metadata.len() > self.file_bytes {
            return Err(BadFile::Long(self.file_bytes));
        }
        Ok(())
    }
}

/// Opens a file to read. It does not wait, even if the path leads to a pipe by now.
fn opened(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    options.open(path)
}
