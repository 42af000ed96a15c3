//! The file of a page.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::exit::Failure;

/// A file to write. It is created before the work, so that a bad path fails early.
#[derive(Debug)]
pub(crate) struct File {
    path: PathBuf,
    file: fs::File,
}

impl File {
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let path = path.to_owned();
        match fs::File::create(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(error) => Err(Failure::File(path, error)),
        }
    }

    pub(crate) fn write(mut self, page: &str) -> Result<(), Failure> {
        let written = self.file.write_all(page.as_bytes());
        written.map_err(|error| Failure::File(self.path, error))
    }
}
