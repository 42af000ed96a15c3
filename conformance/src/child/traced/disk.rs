//! The disk of a traced child: which of its writes are durable so far.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::durable::{Durable, Node, node_of};
use super::syncs::writes_through;
use super::{Call, Does};
use crate::case::Case;
use crate::finding::expect::{Checked, Failure};
use crate::harness::place::Place;

/// The durable part of a place while a child works there.
pub(super) struct Disk {
    place: PathBuf,
    durable: Durable,
    /// Files of which each write is a sync.
    through: BTreeMap<Node, PathBuf>,
    writes: u64,
}

impl Disk {
    /// All that is at `place` now is durable. Durable data is kept below `stash`.
    pub(super) fn of(place: &Place, stash: &Path) -> Result<Self, Failure> {
        let place = place.path().canonicalize();
        let place = place.map_err(|error| no_image(&error))?;
        let durable = Durable::names_and_data(&place, stash);
        Ok(Self {
            durable: durable.map_err(|error| no_image(&error))?,
            place,
            through: BTreeMap::new(),
            writes: 0,
        })
    }

    /// A call that the child is about to make. Returns whether it makes anything durable.
    pub(super) fn note(&mut self, call: &Call) -> Result<bool, Failure> {
        match call.does {
            Does::Write | Does::Sync => self.try_note(call).map_err(|error| no_image(&error)),
            Does::Name => Ok(false),
        }
    }

    fn try_note(&mut self, call: &Call) -> io::Result<bool> {
        if matches!(call.name, "msync" | "syncfs") {
            self.durable.sync_all()?;
            return Ok(true);
        }
        let Some(path) = call.path().filter(|path| path.starts_with(&self.place)) else {
            return Ok(false);
        };
        self.writes += u64::from(call.does == Does::Write && path.is_file());
        if call.does == Does::Sync {
            self.durable.sync(&call.link())?;
            return Ok(true);
        }
        if !writes_through(call) {
            return Ok(false);
        }
        let about = fs::metadata(call.link())?;
        self.through.insert(node_of(&about), call.link());
        Ok(true)
    }

    /// Whether the call makes something at the place durable.
    pub(super) fn is_synced_by(&self, call: &Call) -> bool {
        let at_the_place = || {
            let path = call.path();
            path.is_some_and(|path| path.starts_with(&self.place))
        };
        match call.does {
            Does::Sync => matches!(call.name, "msync" | "syncfs") || at_the_place(),
            Does::Write => at_the_place() && writes_through(call),
            Does::Name => false,
        }
    }

    /// The name of the call's file below the place.
    pub(super) fn file_of(&self, call: &Call) -> String {
        let path = call.path().unwrap_or_default();
        match path.strip_prefix(&self.place) {
            Ok(below) if below.as_os_str().is_empty() => "the place".to_owned(),
            Ok(below) => format!("{:?}", below.display().to_string()),
            Err(_) => "every file".to_owned(),
        }
    }

    /// Creates a place as a power loss at this moment would leave it.
    pub(super) fn image(&mut self, case: &Case) -> Result<Arc<Place>, Failure> {
        for file in std::mem::take(&mut self.through).into_values() {
            self.durable.sync(&file).map_err(|error| no_image(&error))?;
        }
        let place = case.another_place()?;
        let written = self.durable.write_to(place.path());
        written.map_err(|error| no_image(&error))?;
        Ok(place)
    }

    /// Fails if the kit has seen no write.
    pub(super) fn was_written(&self) -> Checked {
        if self.writes > 0 {
            return Ok(());
        }
        let message = "the kit saw no write to a file at the place: the store may use mapped memory, \
                       io_uring or a server";
        Err(Failure::Inconclusive(message.to_owned()))
    }
}

fn no_image(error: &io::Error) -> Failure {
    Failure::Harness(format!("no image of a power loss: {error}"))
}
