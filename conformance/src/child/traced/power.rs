//! Power losses of a child's machine: after each sync, and at each acknowledgement, what is synced by then.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::disk::Disk;
use super::{Action, Call, Watch, follow};
use crate::case::Case;
use crate::child::{Message, Running};
use crate::finding::expect::{Checked, Failure, broken};
use crate::harness::place::Place;

/// The moments at which images are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Moments<'a> {
    /// After each sync and at each acknowledgement, up to [`IMAGES_MAX`].
    All,
    /// In these steps only, some of each.
    InSteps(&'a BTreeSet<u64>),
}

/// The most images of one child. A store that syncs more often is not tried after its later syncs.
const IMAGES_MAX: usize = 200;
/// The most images of a step that is named: its first, since a step has few.
const IMAGES_OF_A_STEP_MAX: usize = 6;

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
    disk: Disk,
    moments: Moments<'a>,
    /// Whether something was synced since the last image.
    changed: bool,
    steps: u64,
    images: Vec<Image>,
    failed: Option<Failure>,
}

impl Losses<'_> {
    /// Whether the image of this moment is kept.
    fn keeps(&self) -> bool {
        match self.moments {
            Moments::All => self.images.len() < IMAGES_MAX,
            Moments::InSteps(steps) => {
                let of_step = self.images.iter().filter(|image| image.steps == self.steps);
                steps.contains(&self.steps) && of_step.count() < IMAGES_OF_A_STEP_MAX
            }
        }
    }

    fn keep(&mut self, begun: bool) -> Checked {
        if !self.keeps() {
            return Ok(());
        }
        let place = self.disk.image(self.case)?;
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

impl Watch for Losses<'_> {
    fn before(&mut self, call: &Call) -> Action {
        self.unless_failed(|losses| {
            if losses.changed {
                losses.keep(true)?;
            }
            losses.changed |= losses.disk.note(call)?;
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
    moments: Moments<'_>,
) -> Result<Vec<Image>, Failure> {
    let mut losses = Losses {
        case: running.case,
        disk: Disk::of(place, stash)?,
        moments,
        changed: false,
        steps: 0,
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
    losses.disk.was_written()?;
    Ok(losses.images)
}
