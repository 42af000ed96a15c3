//! The corpus: a folder of tapes that broke a promise. A soak replays them first and adds to them.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crashpoint_simulator::oracle::Verdict;
use crashpoint_simulator::{Recording, TapeFile};

use crate::exit::Failure;
use crate::replay::tapes;
use crate::soak::ran::Ran;
use crate::text::escape;

/// The folder.
#[derive(Debug)]
pub(crate) struct Corpus {
    folder: PathBuf,
    /// The tapes that this process added, and for how many violations.
    ours: BTreeMap<PathBuf, usize>,
}

/// A tape of the corpus that was run again.
#[derive(Debug)]
pub(crate) struct ReplayedTape {
    pub(crate) file: PathBuf,
    pub(crate) verdicts: Vec<Verdict>,
    /// Whether it ran as recorded. If the workload or the engine has changed, it ran with the recorded
    /// choices under the same labels, which is the nearest schedule.
    pub(crate) same: bool,
}

impl Corpus {
    /// Opens the folder, and creates it if it is missing.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(folder).map_err(|error| Failure::File(folder.to_owned(), error))?;
        Ok(Self {
            folder: folder.to_owned(),
            ours: BTreeMap::new(),
        })
    }

    /// Runs the tapes, shortest first, until interrupted.
    pub(crate) fn replay(&self, interrupted: &AtomicBool) -> Result<Vec<ReplayedTape>, Failure> {
        let tapes = self.tapes()?.into_iter();
        let tapes = tapes.take_while(|_| !interrupted.load(Ordering::Relaxed));
        tapes.map(|(file, tape)| replay(file, tape)).collect()
    }

    /// The tapes, shortest first.
    fn tapes(&self) -> Result<Vec<(PathBuf, TapeFile)>, Failure> {
        let entries = fs::read_dir(&self.folder);
        let files = entries.and_then(|entries| {
            let paths = entries.map(|entry| entry.map(|entry| entry.path()));
            paths.collect::<io::Result<Vec<PathBuf>>>()
        });
        let files = files.map_err(|error| unreadable(&self.folder, &error))?;
        let mut tapes = Vec::new();
        for file in files {
            if file.extension().is_some_and(|it| it == tapes::EXTENSION) {
                let bytes = TapeFile::LIMITS.read(&file);
                let bytes = bytes.map_err(|error| unreadable(&file, &error))?;
                let tape = TapeFile::from_bytes(&bytes);
                let tape = tape.map_err(|error| unreadable(&file, &error))?;
                tapes.push((file, tape));
            }
        }
        tapes.sort_by_cached_key(|(file, tape)| (tape.tape.0.len(), file.clone()));
        Ok(tapes)
    }

    /// Adds the tape of a violation if it is missing. Returns its path.
    pub(crate) fn add(&mut self, tape: &TapeFile) -> Result<PathBuf, Failure> {
        let file = tapes::place(&self.folder, tape);
        if let Some(violations) = self.ours.get_mut(&file) {
            *violations += 1;
        } else if !file.exists() {
            tapes::write(&file, tape)?;
            self.ours.insert(file.clone(), 1);
        }
        Ok(file)
    }

    /// Removes the tape of a violation, if this process added it and no other violation has it.
    pub(crate) fn take_back(&mut self, file: &Path) -> Result<(), Failure> {
        let Some(violations) = self.ours.get_mut(file) else {
            return Ok(());
        };
        assert!(
            *violations > 0,
            "a tape leaves this map together with its last violation"
        );
        *violations -= 1;
        if *violations > 0 {
            return Ok(());
        }
        self.ours.remove(file);
        fs::remove_file(file).map_err(|error| Failure::File(file.to_owned(), error))
    }
}

fn unreadable(path: &Path, error: &dyn Display) -> Failure {
    Failure::Usage(format!("can't read {}: {error}", escape::path(path)))
}

fn replay(file: PathBuf, tape: TapeFile) -> Result<ReplayedTape, Failure> {
    let ran = Ran::of(&Recording::Tape(tape.clone()));
    let ran = ran.map_err(|error| unreadable(&file, &error))?;
    let (verdicts, same) = ran.replay(tape);
    Ok(ReplayedTape {
        file,
        verdicts,
        same,
    })
}
