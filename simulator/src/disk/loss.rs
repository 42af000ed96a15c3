//! Which unsynced changes survive a loss of power: all, none, a prefix, any subset, and writes torn
//! at a sector.
//!
//! Up to [`SUBSETS_MAX`] changes, every subset is tried. Beyond that: every prefix, every subset
//! without one change, every change alone, and [`SAMPLES`] subsets drawn from fixed seeds. In
//! addition each write of more than one sector is torn, once with every earlier change and no later
//! one, once with every other change. Of a torn write its first sectors survive, its last, or every
//! second one. Up to [`SECTORS_MAX`] sectors the first and last parts have every size; beyond that
//! only one sector, half of them, and all but one.

use std::fmt;
use std::str::FromStr;

use crate::disk::change::Change;
use crate::disk::pages::{Write, mix};

/// The largest number of unsynced changes of which every subset is tried.
pub const SUBSETS_MAX: usize = 8;

/// The number of subsets that are drawn for more changes than that.
pub const SAMPLES: u64 = 32;

/// The largest number of sectors of which a torn write survives in parts of every size.
pub const SECTORS_MAX: u64 = 8;

/// The bytes that a disk writes atomically.
pub(super) const SECTOR_BYTES: u64 = 512;

/// What survives a loss of power. Its text is `nameless` (the name was not synced and is gone),
/// `all`, `none`, `prefix-N` (the first N changes), `without-I` (all but the I-th, from 0),
/// `only-I`, `subset-MASK` (hexadecimal, one bit for each change), `sampled-SEED`, or
/// `torn-I-OTHERS-SECTORS`, where OTHERS is `earlier` or `all`, and SECTORS is `first-N`, `last-N`,
/// `even` or `odd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Loss {
    /// Whether an unsynced name survives.
    pub(crate) keeps_name: bool,
    pub(crate) kept: Kept,
}

/// Which unsynced changes survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kept {
    All,
    None,
    Prefix(usize),
    /// All but the change with this index.
    Without(usize),
    /// Only the change with this index.
    Only(usize),
    /// The changes whose bit is set.
    Subset(u64),
    /// A subset drawn from this seed.
    Sampled(u64),
    /// A part of the change with index `at`.
    Torn {
        at: usize,
        others: Others,
        sectors: Sectors,
    },
}

/// Which other changes survive beside a torn write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Others {
    /// The earlier changes.
    Earlier,
    /// All other changes.
    All,
}

/// Which sectors of a torn write survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Sectors {
    First(u64),
    Last(u64),
    Even,
    Odd,
}

/// How much of one change survives.
pub(super) enum Part {
    Nothing,
    Whole,
    Sectors(Sectors),
}

impl Loss {
    /// Nothing survives that was not durable.
    pub(crate) const OF_ALL: Self = Self {
        keeps_name: false,
        kept: Kept::None,
    };

    /// Everything survives, durable or not.
    pub(crate) const OF_NOTHING: Self = Self {
        keeps_name: true,
        kept: Kept::All,
    };
}

impl Kept {
    /// Every way in which these changes survive, except the subsets of up to [`SUBSETS_MAX`]
    /// changes.
    pub(crate) fn beyond_subsets(changes: &[Change]) -> Vec<Self> {
        let count = changes.len();
        let mut ways = Vec::new();
        if count > SUBSETS_MAX {
            ways.extend([Self::None, Self::All]);
            ways.extend((1..count).map(Self::Prefix));
            ways.extend((0..count - 1).map(Self::Without));
            ways.extend((1..count).map(Self::Only));
            ways.extend((0..SAMPLES).map(Self::Sampled));
        }
        for (at, change) in changes.iter().enumerate() {
            let last = at + 1 == count;
            let others: &[Others] = match last {
                true => &[Others::All],
                false => &[Others::Earlier, Others::All],
            };
            for &others in others {
                let torn = |sectors| Self::Torn {
                    at,
                    others,
                    sectors,
                };
                ways.extend(Sectors::ways(change).into_iter().map(torn));
            }
        }
        ways
    }

    pub(super) fn part(&self, index: usize) -> Part {
        let whole = match *self {
            Self::All => true,
            Self::None => false,
            Self::Prefix(length) => index < length,
            Self::Without(one) => index != one,
            Self::Only(one) => index == one,
            Self::Subset(mask) => mask >> index & 1 == 1,
            Self::Sampled(seed) => mix(mix(seed) ^ index as u64) & 1 == 1,
            Self::Torn { at, sectors, .. } if index == at => return Part::Sectors(sectors),
            Self::Torn { at, others, .. } => index < at || others == Others::All,
        };
        if whole { Part::Whole } else { Part::Nothing }
    }
}

impl Sectors {
    /// Every way to tear a change. None if it lies in one sector.
    fn ways(change: &Change) -> Vec<Self> {
        let count = count_of(change);
        let sizes: Vec<u64> = match count {
            0 | 1 => return Vec::new(),
            2..=SECTORS_MAX => (1..count).collect(),
            _ => vec![1, count / 2, count - 1],
        };
        let mut ways: Vec<Self> = sizes.iter().copied().map(Self::First).collect();
        ways.extend(sizes.into_iter().map(Self::Last));
        if count > 2 {
            ways.extend([Self::Even, Self::Odd]);
        }
        ways
    }

    /// The surviving parts of a write, as writes.
    pub(super) fn of(self, change: &Change) -> Vec<Change> {
        let Change::Write(write) = change else {
            return vec![change.clone()];
        };
        let count = count_of(change);
        let kept = (0..count).filter(|&sector| match self {
            Self::First(kept) => sector < kept,
            Self::Last(kept) => sector >= count.saturating_sub(kept),
            Self::Even => sector % 2 == 0,
            Self::Odd => sector % 2 == 1,
        });
        let (offset, first) = (write.offset, write.offset / SECTOR_BYTES);
        kept.map(|sector| {
            let start = ((first + sector) * SECTOR_BYTES).max(offset);
            let stop = ((first + sector + 1) * SECTOR_BYTES).min(write.end());
            assert!(
                offset <= start && start < stop && stop <= write.end(),
                "a sector that a write touches has bytes of it"
            );
            let piece = (start - offset) as usize..(stop - offset) as usize;
            Change::Write(Write::new(start, &write.data[piece]))
        })
        .collect()
    }
}

/// The number of sectors that a change touches; a change of the length counts as one.
fn count_of(change: &Change) -> u64 {
    match change {
        Change::SetLen(_) => 1,
        Change::Write(write) => write.end().div_ceil(SECTOR_BYTES) - write.offset / SECTOR_BYTES,
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.keeps_name {
            self.kept.fmt(f)
        } else {
            f.write_str("nameless")
        }
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::None => f.write_str("none"),
            Self::Prefix(length) => write!(f, "prefix-{length}"),
            Self::Without(one) => write!(f, "without-{one}"),
            Self::Only(one) => write!(f, "only-{one}"),
            Self::Subset(mask) => write!(f, "subset-{mask:x}"),
            Self::Sampled(seed) => write!(f, "sampled-{seed}"),
            Self::Torn {
                at,
                others,
                sectors,
            } => {
                let others = match others {
                    Others::Earlier => "earlier",
                    Others::All => "all",
                };
                write!(f, "torn-{at}-{others}-{sectors}")
            }
        }
    }
}

impl fmt::Display for Sectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First(count) => write!(f, "first-{count}"),
            Self::Last(count) => write!(f, "last-{count}"),
            Self::Even => f.write_str("even"),
            Self::Odd => f.write_str("odd"),
        }
    }
}

/// A text that is not a loss of power.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown loss of power {0:?}")]
pub struct BadLoss(String);

impl FromStr for Loss {
    type Err = BadLoss;

    fn from_str(text: &str) -> Result<Self, BadLoss> {
        let keeps_name = text != "nameless";
        let kept = if keeps_name {
            kept(text)
        } else {
            Some(Kept::None)
        };
        let kept = kept.ok_or_else(|| BadLoss(text.to_owned()))?;
        Ok(Self { keeps_name, kept })
    }
}

fn kept(text: &str) -> Option<Kept> {
    let parts: Vec<&str> = text.split('-').collect();
    Some(match parts[..] {
        ["all"] => Kept::All,
        ["none"] => Kept::None,
        ["prefix", length] => Kept::Prefix(length.parse().ok()?),
        ["without", one] => Kept::Without(one.parse().ok()?),
        ["only", one] => Kept::Only(one.parse().ok()?),
        ["subset", mask] => Kept::Subset(u64::from_str_radix(mask, 16).ok()?),
        ["sampled", seed] => Kept::Sampled(seed.parse().ok()?),
        ["torn", at, others, ref sectors @ ..] => Kept::Torn {
            at: at.parse().ok()?,
            others: match others {
                "earlier" => Others::Earlier,
                "all" => Others::All,
                _ => return None,
            },
            sectors: match *sectors {
                ["first", count] => Sectors::First(count.parse().ok()?),
                ["last", count] => Sectors::Last(count.parse().ok()?),
                ["even"] => Sectors::Even,
                ["odd"] => Sectors::Odd,
                _ => return None,
            },
        },
        _ => return None,
    })
}
