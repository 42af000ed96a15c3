//! Crash images of a store. A script of operations is performed once on a recording disk. Every
//! crash is then built from the recording, opened with the store under test, and checked.
//!
//! At every step of the disk the process crashes, or the power fails and leaves all, none, a
//! prefix, or any subset of the unsynced changes, or a torn change; see [`Mode`]. In each image
//! every acknowledged row must be there, an operation under way must be whole or absent, and
//! nothing else may be there. Duplicates must be rejected, an append must work, and opening must
//! neither fail nor panic. Each crash within the opening of an image is checked in the same way.
//!
//! Not checked: two processes at a time, a crash within the recovery from a crash within a
//! recovery, and whether a real disk can lose more than this disk does.
//!
//! ```
//! use crashpoint_simulator::images::{Embedded, Exploration, Op, Script};
//!
//! let script = Script::new(10).then([Op::Append(0), Op::Duplicate(0), Op::Clear(0)]);
//! let report = Exploration::of(&script, &Embedded).explore();
//! assert_eq!(report.violations, []);
//! ```
//!
//! Equal images are opened once. Nothing is drawn: the same script gives the same report. If the
//! script itself is drawn, [`Exploration::draw`] tries one drawn crash.

mod crash;
mod explore;
mod faults;
mod hazard;
mod machine;
mod model;
mod outside;
mod recording;
mod report;
mod script;
mod walk;

pub use self::crash::{BadCrash, Mode, Modes};
pub use self::faults::Rot;
pub use self::hazard::{Armed, Hazard};
pub use self::machine::{Embedded, Open};
pub use self::outside::{BadProgress, Progress, perform, verify};
pub use self::report::{Count, Faulty, ImagesReport, VIOLATIONS_MAX, Violation};
pub use self::script::{Op, Script};

use self::explore::{Explorer, Reach};
use self::recording::Recording;
use crate::choices::Choices;
use crate::disk::{Failure, Lie};

/// A script, a store, a disk, and the crashes to explore.
#[derive(Debug)]
pub struct Exploration<'a, S> {
    script: &'a Script,
    store: &'a S,
    faulty: Faulty,
    modes: Modes,
    recovery: bool,
}

// A derive would demand the same of the store.
impl<S> Clone for Exploration<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Exploration<'_, S> {}

impl<'a, S: Open> Exploration<'a, S> {
    /// Explores every crash, on a correct disk.
    pub fn of(script: &'a Script, store: &'a S) -> Self {
        Self {
            script,
            store,
            faulty: Faulty::default(),
            modes: Modes::Every,
            recovery: false,
        }
    }

    /// On a disk with this lie.
    #[must_use]
    pub fn lying(self, lie: Lie) -> Self {
        let faulty = Faulty { lie, ..self.faulty };
        Self { faulty, ..self }
    }

    /// On a disk with this fault. After an error of the store the store is opened again, and the
    /// script continues. If opening fails, the disk is mended first. The page cache keeps its
    /// content.
    #[must_use]
    pub fn failing(self, fault: Failure) -> Self {
        let faulty = Faulty {
            fault: Some(fault),
            ..self.faulty
        };
        Self { faulty, ..self }
    }

    /// With these crashes only.
    #[must_use]
    pub fn modes(self, modes: Modes) -> Self {
        Self { modes, ..self }
    }

    /// Also with crashes within the opening of an image.
    #[must_use]
    pub fn within_recovery(self) -> Self {
        Self {
            recovery: true,
            ..self
        }
    }

    /// Performs the script once and tries every crash.
    pub fn explore(&self) -> ImagesReport {
        let recording = self.recording();
        let mut explorer = Explorer::new(self.store, recording.runs.clone());
        explorer.explore(&recording, self.reach(), self.faulty);
        explorer.report
    }

    /// Returns what is wrong after the crashes of a [`Violation::token`], if anything. The script,
    /// the store and the disk must be those of the exploration that found it.
    ///
    /// # Errors
    ///
    /// If the token is invalid, or belongs to another script.
    pub fn replay(&self, token: &str) -> Result<Option<String>, BadCrash> {
        walk::replay(self.store, &self.recording(), token)
    }

    /// Performs the script once and tries one drawn crash, and possibly another within the next
    /// opening: for drawn scripts.
    pub fn draw(&self, choices: &mut (impl Choices + ?Sized)) -> Option<Violation> {
        walk::draw(self.store, &self.recording(), self.faulty, choices)
    }

    fn recording(&self) -> Recording {
        Recording::of(self.script, self.store, self.faulty)
    }

    fn reach(&self) -> Reach {
        let Self {
            modes, recovery, ..
        } = *self;
        Reach { modes, recovery }
    }
}
