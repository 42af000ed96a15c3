//! A replay token: a schedule in one word.
//!
//! `2.order-fails.memory.c2.7x1,19x1.9f0c61d2a4b3e857`: the version of tokens, the workload, the
//! store, the budget, the draws that chose something (index and choice), and a fingerprint of the whole tape, labels
//! included, so that a replay which is no longer the same schedule is noticed.

use std::fmt;
use std::str::FromStr;

use crate::choices::Tape;
use crate::fault::{BadBudget, Budget};
use crate::sim::Settings;
use crate::store_kind::{StoreKind, UnknownStore};

const VERSION: &str = "2";

/// Stands for the draws where every one of them was `0`.
const CALM: &str = "calm";

/// A schedule of a workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The workload's name.
    pub workload: String,
    /// The store under it.
    pub store: StoreKind,
    /// What could go wrong.
    pub budget: Budget,
    /// The draws that chose something else than `0`: index and choice, ascending.
    pub interesting: Vec<(usize, usize)>,
    /// [`Tape::fingerprint`] of the whole tape.
    pub fingerprint: u64,
}

impl Token {
    /// The token of the simulation that drew `tape`.
    pub fn of(workload: &str, settings: &Settings, tape: &Tape) -> Self {
        Self {
            workload: workload.to_owned(),
            store: settings.store,
            budget: settings.budget,
            interesting: tape.interesting().collect(),
            fingerprint: tape.fingerprint(),
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let draws = self
            .interesting
            .iter()
            .map(|(index, chosen)| format!("{index}x{chosen}"));
        let draws: Vec<_> = draws.collect();
        let draws = if draws.is_empty() {
            CALM.to_owned()
        } else {
            draws.join(",")
        };
        let (workload, store, budget) = (&self.workload, self.store, self.budget);
        let fingerprint = self.fingerprint;
        write!(
            f,
            "{VERSION}.{workload}.{store}.{budget}.{draws}.{fingerprint:016x}"
        )
    }
}

/// Why a text is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// It is of another version.
    #[error("the token has version {0:?}, this command reads version {VERSION}")]
    Version(String),
    /// It has not the six parts that a token has.
    #[error("{0:?} is no token: expected VERSION.WORKLOAD.STORE.BUDGET.DRAWS.FINGERPRINT")]
    Shape(String),
    /// It names a store that there is not.
    #[error(transparent)]
    Store(#[from] UnknownStore),
    /// Its budget can't be read.
    #[error(transparent)]
    Budget(#[from] BadBudget),
    /// Its draws can't be read.
    #[error("{0:?} is no list of draws: expected ascending INDEXxCHOICE pairs, as in 7x1,19x2")]
    Draws(String),
    /// Its fingerprint can't be read.
    #[error("{0:?} is no fingerprint: expected 16 hexadecimal digits")]
    Fingerprint(String),
}

impl FromStr for Token {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Self, BadToken> {
        let parts: Vec<&str> = text.split('.').collect();
        if let [version, ..] = parts[..]
            && version != VERSION
            && parts.len() > 1
        {
            return Err(BadToken::Version(version.to_owned()));
        }
        let [_, workload, store, budget, draws, fingerprint] = parts[..] else {
            return Err(BadToken::Shape(text.to_owned()));
        };
        let bad_fingerprint = || BadToken::Fingerprint(fingerprint.to_owned());
        if fingerprint.len() != 16 || !fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(bad_fingerprint());
        }
        Ok(Self {
            workload: workload.to_owned(),
            store: store.parse()?,
            budget: budget.parse()?,
            interesting: parse_draws(draws).ok_or_else(|| BadToken::Draws(draws.to_owned()))?,
            fingerprint: u64::from_str_radix(fingerprint, 16).map_err(|_| bad_fingerprint())?,
        })
    }
}

fn parse_draws(text: &str) -> Option<Vec<(usize, usize)>> {
    if text == CALM {
        return Some(Vec::new());
    }
    let mut draws: Vec<(usize, usize)> = Vec::new();
    for pair in text.split(',') {
        // A number's own parser takes a sign as well.
        if pair.contains('+') {
            return None;
        }
        let (index, chosen) = pair.split_once('x')?;
        let draw = (
            index.parse().ok()?,
            chosen.parse().ok().filter(|chosen| *chosen > 0)?,
        );
        if draws.last().is_some_and(|last| last.0 >= draw.0) {
            return None;
        }
        draws.push(draw);
    }
    Some(draws)
}
