//! Power losses of a child's machine: after each sync, and at each acknowledgement, what is synced by then.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::durable::{Durable, Node, node_of};
use super::syncs::writes_through;
use super::{Action, Call, Does, Watch, follow};
use crate::case::Case;
use crate::child::{Message, Running};
use crate::finding::expect::{Checked, Failure, broken};
use crate::harness::place::Place;

/// The most images of one child. A store that syncs more often is not tried after its later syncs.
const IMAGES_MAX: usize = 200;

/// A place after a power loss.
pub(crate) struct Image {
    pub(crate) place: Arc<Place>,
    /// How many steps were acknowledged.
    pub(crate) steps: u64,
    /// Whether the next step had begun.
    pub(crate) begun: bool,
}

struct Losses<'a> {
    case: &'a Case,
    place: &'a Path,
    durable: Durable,
    /// Whether something was synced since the last image.
    changed: bool,
    /// Files of which each write is a sync.
    through: BTreeMap<Node, PathBuf>,
    steps: u64,
    writes: u64,
    images: Vec<Image>,
    failed: Option<Failure>,
}

impl Losses<'_> {
    fn note(&mut self, call: &Call) -> std::io::Result<()> {
        if matches!(call.name, "msync" | "syncfs") {
            self.changed = true;
            return self.durable.sync_all();
        }
        let Some(path) = call.path().filter(|path| path.starts_with(self.place)) else {
            return Ok(());
        };
        self.writes += u64::from(call.does == Does::Write && path.is_file());
        if call.does == Does::Sync {
            self.changed = true;
            self.durable.sync(&call.link())?;
        } else if writes_through(call) {
            self.changed = true;
            let about = fs::metadata(call.link())?;
            self.through.insert(node_of(&about), call.link());
        }
        Ok(())
    }

    fn keep(&mut self, begun: bool) -> Checked {
        for (_, file) in std::mem::take(&mut self.through) {
            self.durable.sync(&file).map_err(|error| no_image(&error))?;
        }
        if self.images.len() == IMAGES_MAX {
            return Ok(());
        }
        let place = self.case.another_place()?;
        self.durable
            .write_to(place.path())
            .map_err(|error| no_image(&error))?;
        self.changed = false;
        self.images.push(Image {
            place,
            steps: self.steps,
            begun,
        });
        Ok(())
    }

    fn unless_failed(&mut self, work: impl FnOnce(&mut Self) -> Checked) {
        if self.failed.is_none() {
            self.failed = work(self).err();
        }
    }
}

fn no_image(error: &std::io::Error) -> Failure {
    Failure::Harness(format!("no image of a power loss: {error}"))
}

impl Watch for Losses<'_> {
    fn before(&mut self, call: &Call) -> Action {
        self.unless_failed(|losses| {
            if losses.changed {
                losses.keep(true)?;
            }
            if matches!(call.does, Does::Write | Does::Sync) {
                losses.note(call).map_err(|error| no_image(&error))?;
            }
            Ok(())
        });
        Action::GoOn
    }

    fn on_message(&mut self, nth: u64) {
        self.unless_failed(|losses| {
            losses.steps = nth + 1;
            losses.keep(false)
        });
    }
}

/// Lets a ready child continue, and returns the places that power losses would leave.
pub(crate) fn lose_power(
    mut running: Running<'_>,
    place: &Place,
    stash: &Path,
) -> Result<Vec<Image>, Failure> {
    let path = place
        .path()
        .canonicalize()
        .map_err(|error| no_image(&error))?;
    let durable = Durable::names_and_data(&path, stash).map_err(|error| no_image(&error))?;
    let mut losses = Losses {
        case: running.case,
        place: &path,
        durable,
        changed: false,
        through: BTreeMap::new(),
        steps: 0,
        writes: 0,
        images: Vec::new(),
        failed: None,
    };
    follow(&mut running, &mut losses)?;
    let messages = running.last_words();
    if let Some(Message::Refused(message)) = messages.last() {
        return Err(broken(format!("in a child process: {message}")));
    }
    if messages.last() != Some(&Message::Ended) {
        return Err(running.silent());
    }
    if let Some(failure) = losses.failed {
        return Err(failure);
    }
    if losses.writes == 0 {
        let message = "the kit saw no write to a file at the place: the store may use mapped memory, \
                       io_uring or a server";
        return Err(Failure::Inconclusive(message.to_owned()));
    }
    Ok(losses.images)
}
