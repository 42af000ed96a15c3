//! Crash images of a store: a script of operations is performed once on a recording disk, and every
//! crash is then built from the recording, opened with the store under test and looked at.
//!
//! At every step of the disk the process crashes, or the power fails and leaves all, none, a prefix,
//! any subset of the unsynced changes, or one of them torn; see [`Mode`]. In each image every
//! acknowledged row has to be there, what was under way whole or absent, and nothing that was never
//! sent; duplicates are rejected, an append works, and opening neither fails nor panics. Each crash
//! within the opening of an image is tried in the same way.
//!
//! What is *not* checked: two processes at a time, crashes within a recovery from a crash within a
//! recovery, and whether a real disk can lose more than this one does.
//!
//! ```
//! use crashpoint_simulator::images::{Embedded, Exploration, Op, Script};
//!
//! let script = Script::new(10).then([Op::Append(0), Op::Duplicate(0), Op::Clear(0)]);
//! let report = Exploration::of(&script, &Embedded).explore();
//! assert_eq!(report.violations, []);
//! ```
//!
//! Equal images are opened once. Nothing is drawn: the same script gives the same report. Where the
//! script itself comes from choices, [`Exploration::draw`] tries one crash that they choose.

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
pub use self::outside::{NothingSaid, Said, perform, verify};
pub use self::report::{Count, Faulty, ImagesReport, VIOLATIONS_MAX, Violation};
pub use self::script::{Op, Script};

use self::explore::{Explorer, Reach};
use self::recording::Recording;
use crate::choices::Choices;
use crate::disk::{Failure, Lie};

/// A script, a store, a disk, and how far crashes are followed.
#[derive(Debug)]
pub struct Exploration<'a, S> {
    script: &'a Script,
    store: &'a S,
    faulty: Faulty,
    modes: Modes,
    recovery: bool,
}

// A derive would ask the same of the store.
impl<S> Clone for Exploration<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Exploration<'_, S> {}

impl<'a, S: Open> Exploration<'a, S> {
    /// Every crash, on a disk that is well.
    pub fn of(script: &'a Script, store: &'a S) -> Self {
        Self {
            script,
            store,
            faulty: Faulty::default(),
            modes: Modes::Every,
            recovery: false,
        }
    }

    /// On a disk that lies.
    #[must_use]
    pub fn lying(self, lie: Lie) -> Self {
        let faulty = Faulty { lie, ..self.faulty };
        Self { faulty, ..self }
    }

    /// On a disk that fails. After an error of the store it is opened again, the disk mended where
    /// that fails, and the script goes on; the page cache is what it was.
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

    /// With crashes within the opening of an image as well.
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

    /// What is wrong after the crashes of a [`Violation::token`], if anything. Script, store and
    /// disk have to be those of the exploration that found it.
    ///
    /// # Errors
    ///
    /// Where the token is none, or of another script.
    pub fn replay(&self, token: &str) -> Result<Option<String>, BadCrash> {
        walk::replay(self.store, &self.recording(), token)
    }

    /// Performs the script once and tries one crash that is drawn among all of them, and perhaps
    /// another within the opening after that: for a script that is drawn as well.
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
