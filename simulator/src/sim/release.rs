//! Two releases of a workflow over one log, and the release that each life runs.

use std::fmt;
use std::str::FromStr;

use crashpoint::protocol::Definition;

use crate::history::{History, LifeEnd, What};
use crate::sim::PermittedRefusals;

/// A release of a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Release {
    /// The release that runs already.
    Old,
    /// The release that replaces it.
    New,
}

/// The new release of a workload, and the lives that run it.
#[derive(Debug, Clone)]
pub struct Upgrade {
    /// The definition of the new release.
    pub definition: Definition,
    /// The lives of each release.
    pub rollout: Rollout,
    /// The refusals that an oracle permits. `None` if somebody judges the refusals of all schedules
    /// together, as an upgrade test does.
    pub permitted: Option<PermittedRefusals>,
}

/// The release of each life, by the order of the lives.
///
/// A life that follows a refused life runs the other release: an operator hands a run that one
/// release refuses to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rollout {
    /// The first life runs the old release, every later life the new release.
    OldNew,
    /// The first two lives run the old release, every later life the new release.
    OldOldNew,
    /// A rolling deployment: the second life alone runs the new release.
    OldNewOld,
}

impl Release {
    /// The other release.
    pub fn other(self) -> Self {
        match self {
            Self::Old => Self::New,
            Self::New => Self::Old,
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Old => "old",
            Self::New => "new",
        })
    }
}

impl Rollout {
    /// Every rollout.
    pub const ALL: [Self; 3] = [Self::OldNew, Self::OldOldNew, Self::OldNewOld];

    /// Its name: the releases of the first lives.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OldNew => "old-new",
            Self::OldOldNew => "old-old-new",
            Self::OldNewOld => "old-new-old",
        }
    }

    /// The release of a life, from 1, if no life was refused before.
    fn planned(self, life: u32) -> Release {
        assert!(life > 0, "lives are numbered from 1");
        let old_lives: &[u32] = match self {
            Self::OldNew => &[1],
            Self::OldOldNew => &[1, 2],
            Self::OldNewOld => {
                return if life == 2 {
                    Release::New
                } else {
                    Release::Old
                };
            }
        };
        match old_lives.contains(&life) {
            true => Release::Old,
            false => Release::New,
        }
    }

    /// The release of a life that has begun.
    pub(crate) fn release(self, life: u32, history: &History) -> Release {
        let Some(earlier) = life.checked_sub(1).filter(|earlier| *earlier > 0) else {
            return self.planned(life);
        };
        let entries = history.0.iter();
        let before = entries
            .take_while(|entry| !(entry.life == life && matches!(entry.what, What::Began(_))));
        let refused = |what: &What| matches!(what, What::Returned(LifeEnd::Refused(_)));
        let mut before = before.filter(|entry| entry.life == earlier);
        match before.any(|entry| refused(&entry.what)) {
            true => self.release(earlier, history).other(),
            false => self.planned(life),
        }
    }
}

impl fmt::Display for Rollout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The error for a word that names no [`Rollout`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a rollout: expected old-new, old-old-new or old-new-old")]
pub struct UnknownRollout(String);

impl FromStr for Rollout {
    type Err = UnknownRollout;

    fn from_str(name: &str) -> Result<Self, UnknownRollout> {
        let mut rollouts = Self::ALL.into_iter();
        let found = rollouts.find(|rollout| rollout.name() == name);
        found.ok_or_else(|| UnknownRollout(name.to_owned()))
    }
}
