//! The folder in which a benchmark makes its files: its file system, and how fast it syncs.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crashpoint_benches::{elapsed, file_system_of};
use tempfile::TempDir;

use crate::arguments::Common;
use crate::clock::in_us;
use crate::statistics::percentile;

const SYNCS: usize = 300;

/// A folder on a disk, or in memory where the arguments allow it.
#[derive(Debug)]
pub(crate) struct BenchFolder(PathBuf);

impl BenchFolder {
    /// Opens the folder that the arguments name. Prints its file system and sync times on standard
    /// error, beside the results on standard output.
    ///
    /// # Errors
    ///
    /// Where the path is no folder, or is in memory without `--allow-tmpfs`.
    pub(crate) fn open(common: &Common) -> Result<Self, String> {
        let dir = common.dir.canonicalize();
        let dir = dir.map_err(|error| format!("{}: {error}", common.dir.display()))?;
        let kind = file_system_of(&dir);
        let in_memory = ["tmpfs", "ramfs"].contains(&&*kind);
        if in_memory && !common.allow_tmpfs {
            return Err(format!(
                "{} is in memory, on {kind}: name another folder with --dir, or pass \
                 --allow-tmpfs",
                dir.display()
            ));
        }
        let folder = Self(dir);
        let times = folder.sync_times().map_err(|error| error.to_string())?;
        let (p50, p99) = (percentile(&times, 50), percentile(&times, 99));
        _ = writeln!(
            io::stderr(),
            "{kind}; a sync of 4 KiB takes {p50} us in the median and {p99} us in one of a hundred; \
             {} processors",
            std::thread::available_parallelism().map_or(0, usize::from)
        );
        Ok(folder)
    }

    /// A new folder inside, removed when it is dropped.
    pub(crate) fn subfolder(&self) -> TempDir {
        tempfile::tempdir_in(&self.0).expect("a folder can be made where the others are")
    }

    /// Makes the file system write its delayed changes, such as the removal of files.
    pub(crate) fn settle(&self) {
        // Elsewhere a folder can't be opened, and nothing is worth failing for.
        _ = File::open(&self.0).and_then(|folder| folder.sync_all());
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// How long syncs of one page take, in microseconds, ascending.
    fn sync_times(&self) -> io::Result<Vec<u64>> {
        let folder = tempfile::tempdir_in(&self.0)?;
        let mut file = File::create(folder.path().join("syncs"))?;
        let mut times = Vec::with_capacity(SYNCS);
        for _ in 0..SYNCS {
            file.write_all(&[0x5a; 4096])?;
            let mut synced = Ok(());
            let took = elapsed(|| synced = file.sync_data());
            synced?;
            times.push(in_us(took));
        }
        times.sort_unstable();
        Ok(times)
    }
}
