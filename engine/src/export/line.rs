//! The lines of an export, and their text.

use std::fmt;
use std::io::{self, Write};

use serde::de::{Deserializer, Error as _, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::ser::Formatter;

use crate::core::{CheckpointRow, RowKind};

/// A line. The first is a header and the last an end; each run has a line, and then its rows.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Line {
    Export(Header),
    Run(RunLine),
    Row(RowLine),
    End(End),
}

/// The header.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) version: u32,
    pub(super) redacted: bool,
}

/// The beginning of a run.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunLine {
    pub(super) id: String,
}

/// A row of the run that began last.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RowLine {
    pub(super) sequence: u64,
    pub(super) kind: Kind,
    pub(super) state: String,
    pub(super) task: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) blob: Option<Hex>,
}

/// The end. Without it the text was cut.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    pub(super) runs: u64,
    pub(super) rows: u64,
}

/// A kind of row, as its word.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind(pub(super) RowKind);

/// Bytes as hexadecimal digits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hex(pub(super) Vec<u8>);

impl From<CheckpointRow> for RowLine {
    fn from(row: CheckpointRow) -> Self {
        Self {
            sequence: row.sequence,
            kind: Kind(row.kind),
            state: row.state,
            task: row.task_id,
            blob: row.output_blob.map(Hex),
        }
    }
}

impl From<RowLine> for CheckpointRow {
    fn from(line: RowLine) -> Self {
        Self {
            sequence: line.sequence,
            state: line.state,
            task_id: line.task,
            output_blob: line.blob.map(|Hex(bytes)| bytes),
            kind: line.kind.0,
        }
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KindVisitor)
    }
}

struct KindVisitor;

impl Visitor<'_> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the word of a row kind")
    }

    fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Kind, E> {
        word.parse().map(Kind).map_err(E::custom)
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        let text: String = digits
            .map(|digit| char::from(DIGITS[usize::from(digit)]))
            .collect();
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = bytes_of(text.as_bytes());
        bytes
            .map(Self)
            .ok_or_else(|| D::Error::custom("a blob is not pairs of hexadecimal digits"))
    }
}

/// Lower-case digits alone, so that an export is read as it was written.
fn bytes_of(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |character: u8| match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    rest.is_empty()
        .then(|| pairs.iter().map(byte).collect())
        .flatten()
}

impl Line {
    /// Writes the line and its end. Every character outside of ASCII is an escape, so that no id and
    /// no label can do anything to a terminal.
    pub(super) fn write(&self, writer: &mut impl Write) -> io::Result<()> {
        let mut serializer = serde_json::Serializer::with_formatter(&mut *writer, Ascii);
        self.serialize(&mut serializer)?;
        writer.write_all(b"\n")
    }
}

/// JSON in printable ASCII.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let is_escaped = |character: char| !character.is_ascii() || character == '\u{7f}';
        for part in fragment.split_inclusive(is_escaped) {
            let last = part.chars().next_back().filter(|last| is_escaped(*last));
            let plain = part.len() - last.map_or(0, char::len_utf8);
            writer.write_all(&part.as_bytes()[..plain])?;
            let mut units = [0; 2];
            for unit in last
                .iter()
                .flat_map(|last| last.encode_utf16(&mut units).to_vec())
            {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}
