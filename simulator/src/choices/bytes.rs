//! Choices from the bytes of a fuzzer.
//!
//! Each draw takes the next byte modulo the number of alternatives (two bytes for more than 256
//! alternatives, and so on). So every input is a tape, a changed byte changes its own draw and
//! shifts no other, and a byte below `n` is the choice itself. A person can read an input, and
//! [`Bytes::spell`] writes the input of a known tape.

use crate::choices::{Choices, Tape};

/// Draws the choices that bytes encode, and `0` after their end.
///
/// ```
/// use crashpoint_simulator::Choices as _;
/// use crashpoint_simulator::choices::Bytes;
///
/// let mut choices = Bytes::new(vec![1, 5]);
/// assert_eq!(choices.choose("crash?", 2), 1);
/// assert_eq!(choices.choose("which?", 3), 2);
/// assert_eq!(choices.choose("more?", 9), 0);
/// ```
#[derive(Debug, Clone)]
pub struct Bytes {
    bytes: Vec<u8>,
    position: usize,
}

impl Bytes {
    /// The choices that these bytes encode.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: bytes.into(),
            position: 0,
        }
    }

    /// The shortest bytes that draw `tape`: a seed for a fuzzer's corpus.
    pub fn spell(tape: &Tape) -> Vec<u8> {
        let spelt = tape.0.iter().flat_map(|draw| {
            let bytes = (draw.chosen as u64).to_le_bytes();
            bytes.into_iter().take(width(draw.n))
        });
        let mut bytes: Vec<u8> = spelt.collect();
        let used = bytes.iter().rposition(|byte| *byte != 0);
        bytes.truncate(used.map_or(0, |last| last + 1));
        bytes
    }
}

/// The number of bytes that a draw among `n` takes.
fn width(n: usize) -> usize {
    let bits = (n as u64 - 1).checked_ilog2().map_or(1, |log| log + 1);
    bits.div_ceil(8) as usize
}

impl Choices for Bytes {
    fn choose(&mut self, _label: &str, n: usize) -> usize {
        let mut number = [0; 8];
        let left = self.bytes.get(self.position..).unwrap_or_default();
        let taken = left.iter().take(width(n));
        taken.zip(&mut number).for_each(|(byte, to)| *to = *byte);
        self.position += width(n);
        (u64::from_le_bytes(number) % n as u64) as usize
    }
}
