//! The place of a crash and what survives it, as a token and in words.

use std::fmt;
use std::str::FromStr;

use crate::disk::{Change, Image, Kept, Loss, Others, SUBSETS_MAX, Sectors, Step, Synced, Which};

/// A crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Crash {
    /// The number of steps of the disk before it.
    pub(crate) position: usize,
    pub(crate) end: End,
}

/// The kind of crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Process,
    Power(Loss),
}

/// What survives of the unsynced changes, as a report counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Only the process crashed: everything survives.
    Process,
    /// The power failed, and the name was lost with its file.
    Nameless,
    /// The power failed, and no unsynced change survives.
    Nothing,
    /// The power failed, and every unsynced change survives.
    Everything,
    /// The changes up to one of them survive.
    Prefix,
    /// Another subset survives.
    Subset,
    /// A drawn subset survives.
    Sampled,
    /// One write survives in part.
    Torn,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 8] = [
        Self::Process,
        Self::Nameless,
        Self::Nothing,
        Self::Everything,
        Self::Prefix,
        Self::Subset,
        Self::Sampled,
        Self::Torn,
    ];

    fn of(loss: &Loss, changes: usize) -> Self {
        if !loss.keeps_name {
            return Self::Nameless;
        }
        match loss.kept {
            Kept::None | Kept::Subset(0) => Self::Nothing,
            Kept::All => Self::Everything,
            Kept::Subset(mask) if mask.count_ones() as usize == changes => Self::Everything,
            Kept::Prefix(_) => Self::Prefix,
            Kept::Subset(mask) if mask & (mask + 1) == 0 => Self::Prefix,
            Kept::Without(_) | Kept::Only(_) | Kept::Subset(_) => Self::Subset,
            Kept::Sampled(_) => Self::Sampled,
            Kept::Torn { .. } => Self::Torn,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Process => "process crash",
            Self::Nameless => "name lost",
            Self::Nothing => "none kept",
            Self::Everything => "all kept",
            Self::Prefix => "prefix kept",
            Self::Subset => "subset kept",
            Self::Sampled => "sampled",
            Self::Torn => "torn",
        })
    }
}

/// The crashes to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modes {
    /// Every crash.
    Every,
    /// Crashes of the process, and power losses that only durable content survives.
    Plain,
}

/// Every image that a crash at this instant may leave.
pub(crate) fn crashes(disk: &Image, modes: Modes, each: &mut dyn FnMut(End, Mode, Image)) {
    each(End::Process, Mode::Process, disk.without_process());
    let mut lose = |loss: Loss| {
        let mode = Mode::of(&loss, disk.unsynced().len());
        each(End::Power(loss), mode, disk.without_power(&loss));
    };
    let with_name = |kept| Loss {
        keeps_name: true,
        kept,
    };
    if !disk.has_name() || disk.may_lose_name() {
        lose(Loss {
            keeps_name: false,
            kept: Kept::None,
        });
    }
    if !disk.has_name() {
        return;
    }
    let changes = disk.unsynced();
    if modes == Modes::Plain {
        lose(with_name(Kept::None));
        return;
    }
    for kept in Kept::beyond_subsets(changes) {
        lose(with_name(kept));
    }
    if changes.len() <= SUBSETS_MAX {
        disk.of_every_subset(&mut |mask, image| {
            let loss = with_name(Kept::Subset(mask));
            each(End::Power(loss), Mode::of(&loss, changes.len()), image);
        });
    }
}

impl End {
    /// The image that this crash leaves.
    pub(crate) fn of(&self, disk: &Image) -> Image {
        match self {
            Self::Process => disk.without_process(),
            Self::Power(loss) => disk.without_power(loss),
        }
    }
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.position)?;
        match &self.end {
            End::Process => f.write_str("process"),
            End::Power(loss) => loss.fmt(f),
        }
    }
}

/// A text that is not the token of a crash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a crash: expected STEP:WHAT, such as 57:process or 57:subset-5")]
pub struct BadCrash(pub(crate) String);

impl FromStr for Crash {
    type Err = BadCrash;

    fn from_str(text: &str) -> Result<Self, BadCrash> {
        let crash = || {
            let (position, end) = text.split_once(':')?;
            let end = match end {
                "process" => End::Process,
                loss => End::Power(loss.parse().ok()?),
            };
            let position = position.parse().ok()?;
            Some(Self { position, end })
        };
        crash().ok_or_else(|| BadCrash(text.to_owned()))
    }
}

/// A crash in words.
pub(crate) fn in_words(crash: &Crash, steps: &[Step], activity: &str, disk: &Image) -> String {
    let after = match crash
        .position
        .checked_sub(1)
        .and_then(|last| steps.get(last))
    {
        None => "before the first step of the disk".to_owned(),
        Some(step) => format!(
            "after step {} of the disk ({})",
            crash.position,
            step_words(step)
        ),
    };
    let unsynced = disk.unsynced();
    let left = match &crash.end {
        End::Process => "the process crashed".to_owned(),
        End::Power(loss) if !loss.keeps_name => "the power failed, the name is lost".to_owned(),
        End::Power(_) if unsynced.is_empty() && !disk.may_lose_more() => {
            "the power failed, everything was durable".to_owned()
        }
        End::Power(_) if unsynced.is_empty() => {
            "the power failed, the content of a failed sync is gone".to_owned()
        }
        End::Power(loss) => {
            let kept = kept_words(&loss.kept, unsynced);
            format!(
                "the power failed; of {} unsynced changes {kept}",
                unsynced.len()
            )
        }
    };
    format!("{after}, {activity}: {left}")
}

fn step_words(step: &Step) -> String {
    let file = |which: &Which| match which {
        Which::Draft => "of the draft",
        Which::Named => "of the file",
    };
    match step {
        Step::Draft => "a draft".to_owned(),
        Step::Rename => "the draft gets the name".to_owned(),
        Step::Change(which, change) => format!("{} {}", change_words(change), file(which)),
        Step::Sync(which, synced) => format!("{} {}", sync_words(*synced), file(which)),
        Step::SyncName(synced) => format!("{} of the folder", sync_words(*synced)),
    }
}

fn change_words(change: &Change) -> String {
    match change {
        Change::Write(write) => format!("write of {write:?}"),
        Change::SetLen(length) => format!("length {length}"),
    }
}

fn sync_words(synced: Synced) -> &'static str {
    match synced {
        Synced::Durable => "sync",
        Synced::Lied => "sync that lied",
        Synced::Failed => "sync that failed",
    }
}

fn kept_words(kept: &Kept, changes: &[Change]) -> String {
    let change = |at: usize| changes.get(at).map(change_words).unwrap_or_default();
    match *kept {
        Kept::All => "all survive".to_owned(),
        Kept::None => "none survives".to_owned(),
        Kept::Prefix(length) => format!("the first {length} survive"),
        Kept::Without(one) => format!("all survive but the {}", change(one)),
        Kept::Only(one) => format!("only the {} survives", change(one)),
        Kept::Sampled(seed) => format!("some survive, drawn from seed {seed}"),
        Kept::Subset(mask) => {
            let left = (0..changes.len()).filter(|at| mask >> at & 1 == 1);
            let left: Vec<String> = left.map(change).collect();
            match left.is_empty() {
                true => "none survives".to_owned(),
                false => format!("these survive: {}", left.join(", ")),
            }
        }
        Kept::Torn {
            at,
            others,
            sectors,
        } => {
            let others = match others {
                Others::Earlier => "the earlier changes",
                Others::All => "all others",
            };
            let sectors = match sectors {
                Sectors::First(count) => format!("its first {count} sectors"),
                Sectors::Last(count) => format!("its last {count} sectors"),
                Sectors::Even => "its even sectors".to_owned(),
                Sectors::Odd => "its odd sectors".to_owned(),
            };
            format!("the {} is torn: {sectors} and {others} survive", change(at))
        }
    }
}
