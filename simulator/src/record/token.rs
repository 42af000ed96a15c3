//! A replay token: a schedule as one word.
//!
//! `3.order-fails.memory.c2.7x1,19x1.9f0c61d2` has the version of tokens, the workload, the store,
//! the budget, the interesting draws (index and choice), and a fingerprint of the whole tape,
//! labels included. The fingerprint detects a replay that is no longer the same schedule. A seed
//! may replace the draws: `s42`, or `w42` if a swarm draws the possible faults within the budget.
//!
//! A token is copied from a terminal. A schedule whose token would be longer than
//! [`TOKEN_LENGTH_MAX`] is written to a file instead.

use std::fmt;
use std::str::FromStr;

use crate::choices::Tape;
use crate::choices::swarm::Possible;
use crate::fault::{BadBudget, Budget};
use crate::sim::{Settings, StoreKind, UnknownStore};

const VERSION: &str = "3";

/// Replaces the draws if all of them are `0`.
const CALM: &str = "calm";

/// The maximal length of a token, in characters: a line of a terminal.
pub const TOKEN_LENGTH_MAX: usize = 80;

/// A schedule of a workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The workload's name.
    pub workload: String,
    /// The store under the workload.
    pub store: StoreKind,
    /// The faults that were possible.
    pub budget: Budget,
    /// The draws.
    pub draws: Draws,
    /// [`Tape::fingerprint`] of the whole tape.
    pub fingerprint: u32,
}

/// The draws of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Draws {
    /// The draws that did not choose `0`, as index and choice, ascending.
    Listed(Vec<(usize, usize)>),
    /// The draws of a seed.
    Seed {
        /// The seed.
        seed: u64,
        /// The faults that the seed may have.
        possible: Possible,
    },
}

impl Token {
    /// The token of the simulation that drew `tape`.
    pub fn of(workload: &str, settings: &Settings, tape: &Tape) -> Self {
        Self {
            workload: workload.to_owned(),
            store: settings.store,
            budget: settings.budget,
            draws: Draws::Listed(tape.interesting().collect()),
            fingerprint: tape.fingerprint(),
        }
    }

    /// The token of the seed that drew `tape`.
    pub fn of_seed(
        workload: &str,
        settings: &Settings,
        possible: Possible,
        seed: u64,
        tape: &Tape,
    ) -> Self {
        Self {
            draws: Draws::Seed { seed, possible },
            ..Self::of(workload, settings, tape)
        }
    }

    /// The token as a word, which parses back to the same token.
    ///
    /// # Errors
    ///
    /// If it would be longer than [`TOKEN_LENGTH_MAX`]. Write its tape to a file then, see
    /// [`TapeFile`](crate::TapeFile).
    pub fn word(&self) -> Result<String, TooLong> {
        let draws = match &self.draws {
            Draws::Listed(listed) if listed.is_empty() => CALM.to_owned(),
            Draws::Listed(listed) => {
                let listed = listed.iter();
                let pairs = listed.map(|(index, chosen)| format!("{index}x{chosen}"));
                pairs.collect::<Vec<_>>().join(",")
            }
            Draws::Seed { seed, possible } => match possible {
                Possible::All => format!("s{seed}"),
                Possible::Swarm => format!("w{seed}"),
            },
        };
        let (workload, store, budget) = (&self.workload, self.store, self.budget);
        let fingerprint = self.fingerprint;
        let word = format!("{VERSION}.{workload}.{store}.{budget}.{draws}.{fingerprint:08x}");
        let length = word.chars().count();
        if length > TOKEN_LENGTH_MAX {
            return Err(TooLong {
                length,
                fingerprint,
            });
        }
        Ok(word)
    }
}

impl fmt::Display for Token {
    /// The word, or a text that says that it is too long.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.word() {
            Ok(word) => f.write_str(&word),
            Err(too_long) => write!(f, "({too_long})"),
        }
    }
}

/// The token of this tape would be too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the token of tape {fingerprint:08x} has {length} characters, but at most {TOKEN_LENGTH_MAX} are allowed: write the tape to a file"
)]
pub struct TooLong {
    /// The length of the token, in characters.
    pub length: usize,
    /// [`Tape::fingerprint`] of the tape.
    pub fingerprint: u32,
}

/// Why a text is not a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// It is longer than any token that is printed.
    #[error("a token has at most {TOKEN_LENGTH_MAX} characters, and this text has {0}")]
    Length(usize),
    /// It has an unknown version.
    #[error("the token has version {0:?}, this simulator reads version {VERSION}")]
    Version(String),
    /// It does not have the six parts of a token.
    #[error("{0:?} is not a token: expected VERSION.WORKLOAD.STORE.BUDGET.DRAWS.FINGERPRINT")]
    Shape(String),
    /// The store is unknown.
    #[error(transparent)]
    Store(#[from] UnknownStore),
    /// The budget cannot be parsed.
    #[error(transparent)]
    Budget(#[from] BadBudget),
    /// The draws cannot be parsed.
    #[error(
        "{0:?} is not a list of draws: expected ascending INDEXxCHOICE pairs, as in 7x1,19x2, or a seed, as in s42"
    )]
    Draws(String),
    /// The fingerprint cannot be parsed.
    #[error("{0:?} is not a fingerprint: expected 8 hexadecimal digits")]
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
        let length = text.chars().count();
        if length > TOKEN_LENGTH_MAX {
            return Err(BadToken::Length(length));
        }
        let bad_fingerprint = || BadToken::Fingerprint(fingerprint.to_owned());
        if fingerprint.len() != 8 || !fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(bad_fingerprint());
        }
        Ok(Self {
            workload: workload.to_owned(),
            store: store.parse()?,
            budget: budget.parse()?,
            draws: parse_draws(draws).ok_or_else(|| BadToken::Draws(draws.to_owned()))?,
            fingerprint: u32::from_str_radix(fingerprint, 16).map_err(|_| bad_fingerprint())?,
        })
    }
}

fn parse_draws(text: &str) -> Option<Draws> {
    if text == CALM {
        return Some(Draws::Listed(Vec::new()));
    }
    let seed = |possible| move |seed| Draws::Seed { seed, possible };
    if let Some(digits) = text.strip_prefix('s') {
        return number(digits).map(seed(Possible::All));
    }
    if let Some(digits) = text.strip_prefix('w') {
        return number(digits).map(seed(Possible::Swarm));
    }
    let mut draws: Vec<(usize, usize)> = Vec::new();
    for pair in text.split(',') {
        let (index, chosen) = pair.split_once('x')?;
        let draw = (
            number(index)?,
            number(chosen).filter(|chosen: &usize| *chosen > 0)?,
        );
        if draws.last().is_some_and(|last| last.0 >= draw.0) {
            return None;
        }
        draws.push(draw);
    }
    Some(Draws::Listed(draws))
}

/// A number in plain digits. The standard parser would also accept a sign.
fn number<N: FromStr>(text: &str) -> Option<N> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}
