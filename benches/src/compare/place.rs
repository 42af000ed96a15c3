//! Where files are made: which file system, and how fast it syncs.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crashpoint_benches::{elapsed, file_system_of};
use tempfile::TempDir;

use crate::arguments::Common;
use crate::clock::in_us;
use crate::statistics::percentile;

const SYNCS: usize = 300;

/// A folder that is on a disk, or said not to be.
#[derive(Debug)]
pub(crate) struct Place(PathBuf);

impl Place {
    /// The folder of the arguments. Says on standard error what it is, so that it stands beside the
    /// numbers and not within them.
    ///
    /// # Errors
    ///
    /// Where it is no folder, or in memory and that was not asked for.
    pub(crate) fn of(common: &Common) -> Result<Self, String> {
        let dir = common.dir.canonicalize();
        let dir = dir.map_err(|error| format!("{}: {error}", common.dir.display()))?;
        let kind = file_system_of(&dir);
        let in_memory = ["tmpfs", "ramfs"].contains(&&*kind);
        if in_memory && !common.allow_tmpfs {
            return Err(format!(
                "{} is on {kind}, which is no disk: name another folder with --dir, or say \
                 --allow-tmpfs",
                dir.display()
            ));
        }
        let place = Self(dir);
        let times = place.syncs().map_err(|error| error.to_string())?;
        let (p50, p99) = (percentile(&times, 50), percentile(&times, 99));
        _ = writeln!(
            io::stderr(),
            "{kind}; a sync of 4 KiB takes {p50} us in the median and {p99} us in one of a hundred; \
             {} processors",
            std::thread::available_parallelism().map_or(0, usize::from)
        );
        Ok(place)
    }

    /// A new folder there.
    pub(crate) fn folder(&self) -> TempDir {
        tempfile::tempdir_in(&self.0).expect("a folder can be made where the others are")
    }

    /// Has the file system write down what it still has to, such as files that are gone.
    pub(crate) fn settle(&self) {
        // Elsewhere a folder can't be opened, and nothing is worth failing for.
        _ = File::open(&self.0).and_then(|folder| folder.sync_all());
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// How long syncs of one page take, in microseconds, ascending.
    fn syncs(&self) -> io::Result<Vec<u64>> {
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
