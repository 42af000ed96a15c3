//! What a loss of power leaves of the changes that were not synced: all, none, a prefix, any
//! subset, and writes torn at the sector.
//!
//! Up to [`SUBSETS_MAX`] changes every subset is tried. Beyond, there are every prefix, every subset
//! without one change, every change alone, and [`SAMPLES`] subsets drawn from fixed seeds. On top of
//! these each write of more than one sector is torn, once with what came before it and nothing after
//! it, once with everything else: a first part of its sectors survives, a last part, every second
//! one. Up to [`SECTORS_MAX`] sectors these parts have every size, beyond only one, a half, and all
//! but one.

use std::fmt;
use std::str::FromStr;

use crate::disk::change::Change;
use crate::disk::pages::{Write, mix};

/// The unsynced changes up to which every subset is tried.
pub const SUBSETS_MAX: usize = 8;

/// The subsets that are drawn where there are more changes than that.
pub const SAMPLES: u64 = 32;

/// The sectors up to which a torn write survives in parts of every size.
pub const SECTORS_MAX: u64 = 8;

/// Bytes that a disk writes whole or not at all.
pub(super) const SECTOR_BYTES: u64 = 512;

/// What a loss of power leaves of the changes that were not synced. Its text is one of `nameless`
/// (the name was not synced and is gone), `all`, `none`, `prefix-N` (the first N), `without-I` (all
/// but the I-th, from 0), `only-I`, `subset-MASK` (hexadecimal, a bit for each), `sampled-SEED`, or
/// `torn-I-OTHERS-SECTORS`, with `earlier` or `all` others and `first-N`, `last-N`, `even` or `odd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Loss {
    /// Whether a name that was not synced is kept.
    pub(crate) keeps_name: bool,
    pub(crate) kept: Kept,
}

/// Which of the unsynced changes survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kept {
    All,
    None,
    Prefix(usize),
    /// All but this one.
    Without(usize),
    /// This one alone.
    Only(usize),
    /// Those with a bit set.
    Subset(u64),
    /// Each or not, drawn from this seed.
    Sampled(u64),
    /// This one in part.
    Torn {
        at: usize,
        others: Others,
        sectors: Sectors,
    },
}

/// What survives beside a torn write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Others {
    /// What came before it.
    Earlier,
    /// Everything.
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

/// What survives of one change.
pub(super) enum Part {
    Nothing,
    Whole,
    Sectors(Sectors),
}

impl Loss {
    /// Nothing is left that was not durable.
    pub(crate) const OF_ALL: Self = Self {
        keeps_name: false,
        kept: Kept::None,
    };

    /// Everything is left, durable or not.
    pub(crate) const OF_NOTHING: Self = Self {
        keeps_name: true,
        kept: Kept::All,
    };
}

impl Kept {
    /// Every way in which these changes survive, but for the subsets of up to [`SUBSETS_MAX`].
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
    /// Every way in which a change is torn; none where it is in one sector.
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

    /// The writes that are left of a write.
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

/// The sectors that a write touches; a change of the length is one.
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

/// A text that is no loss of power.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no loss of power")]
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
