//! A share of an exploration: several machines divide one among them.

use std::str::FromStr;

/// One of several shares of an exploration, such as `1/4`. Together the shares are the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shard {
    /// From 1 to `count`.
    number: u64,
    count: u64,
}

impl Shard {
    /// Everything.
    pub(crate) const WHOLE: Self = Self {
        number: 1,
        count: 1,
    };

    /// Whether it is everything.
    pub(crate) fn is_whole(self) -> bool {
        self.count == 1
    }

    /// Whether the item of this index belongs to it.
    pub(crate) fn has(self, index: u64) -> bool {
        index % self.count == self.number - 1
    }
}

impl FromStr for Shard {
    type Err = BadShard;

    fn from_str(text: &str) -> Result<Self, BadShard> {
        let bad = || BadShard(text.to_owned());
        let (number, count) = text.split_once('/').ok_or_else(bad)?;
        let number = number.parse().map_err(|_| bad())?;
        let count = count.parse().map_err(|_| bad())?;
        match (1..=count).contains(&number) {
            true => Ok(Self { number, count }),
            false => Err(bad()),
        }
    }
}

/// A text that is not a shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a shard: expected NUMBER/COUNT with a number from 1 to the count, as in 1/4")]
pub(crate) struct BadShard(String);
