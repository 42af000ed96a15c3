//! Faults of the key.

use std::path::PathBuf;

use crashpoint::{CheckpointRow, Error};
use crashpoint_conformance::Place;

use super::{Fault, Loaded, Runs};

/// Faults that map an id to another id.
macro_rules! keyed {
    ($($(#[$doc:meta])* $name:ident = $key:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Default)]
        pub(crate) struct $name;

        impl Fault for $name {
            fn key(id: &str) -> String {
                let key: fn(&str) -> String = $key;
                key(id)
            }
        }
    )*};
}

keyed! {
    /// A collation without case.
    LowerCase = str::to_lowercase;
    /// A type that pads.
    Trim = |id| id.trim_end().to_owned();
    /// Quotes are dropped on their way into a statement.
    StripsQuotes = |id| id.replace(['\'', '"'], "");
    /// Slashes are escaped, but the escape character is not.
    UnescapedPercent = |id| id.replace('/', "%2F");
    /// A C string.
    CutAtNul = |id| id.split('\0').next().unwrap_or_default().to_owned();
    /// A file system that composes characters.
    Composes = |id| id.replace("e\u{301}", "\u{e9}").replace('\u{200b}', "");
    /// An empty id counts as no id.
    EmptyIsDefault = |id| if id.is_empty() { "default".to_owned() } else { id.to_owned() };
    /// A column of 255 bytes.
    TruncateId = |id| id.chars().take(255).collect();
    /// A short index entry with the length beside it.
    LengthAndPrefix = |id| format!("{} {}", id.len(), id.chars().take(150).collect::<String>());
    /// A dynamically typed column.
    ParsesNumbers = |id| id.parse::<f64>().map_or_else(|_| id.to_owned(), |n| n.to_string());
    /// A hash of 16 bits.
    ShortHash = |id| {
        let step = |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619);
        let hash = id.bytes().fold(2_166_136_261, step);
        (hash % (1 << 16)).to_string()
    };
}

/// Faults in which a clear uses an id as a pattern.
macro_rules! clears_matching {
    ($($(#[$doc:meta])* $name:ident $(of $special:expr)? => $matches:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Default)]
        pub(crate) struct $name;

        impl Fault for $name {
            fn clear(&self, runs: &mut Runs, id: &str) -> Result<(), Error> {
                $(
                    // Most ids have no special character, and most clears need no scan.
                    if !id.contains($special) {
                        runs.clear(id);
                        return Ok(());
                    }
                )?
                let matches: fn(&str, &str) -> bool = $matches;
                runs.0.retain(|other, _| !matches(id, other));
                Ok(())
            }
        }
    )*};
}

clears_matching! {
    /// A scan of a prefix.
    PrefixClear => |id, other| other.starts_with(id);
    /// LIKE.
    LikeClear of ['%', '_'] => |id, other| matches_pattern(id, other, '%', '_');
    /// KEYS, SCAN MATCH.
    GlobClear of ['*', '?'] => |id, other| matches_pattern(id, other, '*', '?');
    /// A statement put together from text.
    InjectableClear of ['\''] => |id, other| id == other || id.contains("' OR '1'='1");
}

fn matches_pattern(pattern: &str, text: &str, many: char, one: char) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut begun, mut retry) = (0, 0, None);
    while begun < text.len() {
        match pattern.get(at) {
            Some(&first) if first == many => {
                retry = Some((at, begun));
                at += 1;
            }
            Some(&first) if first == one || first == text[begun] => {
                at += 1;
                begun += 1;
            }
            _ => {
                // The last wildcard takes one more.
                let Some((star, taken)) = retry else {
                    return false;
                };
                retry = Some((star, taken + 1));
                (at, begun) = (star + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|&rest| rest == many)
}

/// Id and sequence are one key with a colon between, and a run is all keys that begin with its id.
#[derive(Default)]
pub(crate) struct ConcatKey;

impl Fault for ConcatKey {
    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        let mut rows = runs.load(id);
        let prefix = format!("{id}:");
        let smuggled = runs.0.range(prefix.clone()..);
        for (_, run) in smuggled.take_while(|(other, _)| other.starts_with(&prefix)) {
            rows.extend(run.rows.values().cloned());
        }
        Ok(rows)
    }
}

/// The id is joined to the path of the directory.
#[derive(Default)]
pub(crate) struct PathJoin(PathBuf);

impl Fault for PathJoin {
    fn opened(&mut self, _runs: &mut Runs, place: &Place) {
        self.0 = place.path().canonicalize().unwrap();
    }

    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let path = self.0.join(id);
        // Only one level up, where the law looks, since this test runs on somebody's machine.
        let directory = path.parent().and_then(|parent| parent.canonicalize().ok());
        if directory.is_some_and(|directory| Some(directory.as_path()) == self.0.parent()) {
            let _ = std::fs::write(&path, "a row");
        }
        runs.append(id, row)
    }
}

/// The store keeps its own bookkeeping under an id.
#[derive(Default)]
pub(crate) struct MetaIsARun;

impl Fault for MetaIsARun {
    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        let mut rows = runs.load(id);
        if id == "meta" {
            rows.insert(0, CheckpointRow::new(0, "version 1", ""));
        }
        Ok(rows)
    }
}

/// A long id is replaced by its hash (FNV-1a of 64 bits).
#[derive(Default)]
pub(crate) struct HashesLongIds;

impl Fault for HashesLongIds {
    fn key(id: &str) -> String {
        const LONG: usize = 200;
        if id.len() < LONG {
            return id.to_owned();
        }
        let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        format!("{:016x}", id.bytes().fold(0xcbf2_9ce4_8422_2325, step))
    }
}

/// Every id is replaced by its hash (CRC-32).
#[derive(Default)]
pub(crate) struct Crc32Key;

impl Fault for Crc32Key {
    fn key(id: &str) -> String {
        let mut crc = u32::MAX;
        for byte in id.bytes() {
            crc ^= u32::from(byte);
            for _ in 0..8 {
                crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
            }
        }
        format!("{:08x}", !crc)
    }
}
