//! Choices from a recording.

use crate::choices::{Choices, Tape};

/// Draws the choices of a tape, and detects draws that do not match it.
#[derive(Debug, Clone)]
pub struct Recorded {
    script: Script,
    position: usize,
    mismatch: Option<DrawMismatch>,
}

#[derive(Debug, Clone)]
enum Script {
    Whole(Tape),
    /// Index and choice of each draw, ascending; every other draw is `0`.
    Sparse(Vec<(usize, usize)>),
}

/// A draw of a replay that does not match the recording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the replay diverges at draw {draw}: expected {recorded}, got {asked}")]
pub struct DrawMismatch {
    /// The index of the draw, from 0.
    pub draw: usize,
    /// The draw in the recording.
    pub recorded: String,
    /// The draw that the simulation made.
    pub asked: String,
}

impl Recorded {
    /// Replays a whole tape. Each draw must have the recorded label and number of alternatives.
    pub fn new(tape: Tape) -> Self {
        Self {
            script: Script::Whole(tape),
            position: 0,
            mismatch: None,
        }
    }

    /// Replays a tape from its interesting draws, given as index and choice in ascending order.
    pub fn sparse(interesting: Vec<(usize, usize)>) -> Self {
        Self {
            script: Script::Sparse(interesting),
            position: 0,
            mismatch: None,
        }
    }

    /// The first draw that did not match, if any. Later draws were `0`.
    pub fn mismatch(&self) -> Option<&DrawMismatch> {
        self.mismatch.as_ref()
    }

    /// Checks that the simulation made every recorded draw, and no other.
    ///
    /// # Errors
    ///
    /// The first mismatch, or the first recorded draw that the simulation did not make.
    pub fn finish(&self) -> Result<(), DrawMismatch> {
        if let Some(mismatch) = &self.mismatch {
            return Err(mismatch.clone());
        }
        let left = match &self.script {
            Script::Whole(tape) => {
                let draw = tape.0.get(self.position);
                draw.map(|draw| (self.position, format!("{} of {}", draw.label, draw.n)))
            }
            Script::Sparse(interesting) => {
                let left = interesting
                    .iter()
                    .find(|(index, _)| *index >= self.position);
                left.map(|(index, chosen)| (*index, format!("choice {chosen}")))
            }
        };
        let asked = "no further draw".to_owned();
        left.map_or(Ok(()), |(draw, recorded)| {
            Err(DrawMismatch {
                draw,
                recorded,
                asked,
            })
        })
    }

    fn note_mismatch(&mut self, recorded: String, label: &str, n: usize) -> usize {
        let (draw, asked) = (self.position, format!("{label} of {n}"));
        self.mismatch.get_or_insert(DrawMismatch {
            draw,
            recorded,
            asked,
        });
        0
    }
}

impl Choices for Recorded {
    fn choose(&mut self, label: &str, n: usize) -> usize {
        if self.mismatch.is_some() {
            return 0;
        }
        let recorded = match &self.script {
            Script::Whole(tape) => match tape.0.get(self.position) {
                Some(draw) if draw.label == label && draw.n == n => Ok(draw.chosen),
                Some(draw) => Err(format!("{} of {}", draw.label, draw.n)),
                None => Err("the end of the tape".to_owned()),
            },
            Script::Sparse(interesting) => {
                let found = interesting
                    .iter()
                    .find(|(index, _)| *index == self.position);
                match found.map_or(0, |(_, chosen)| *chosen) {
                    chosen if chosen < n => Ok(chosen),
                    chosen => Err(format!("choice {chosen}")),
                }
            }
        };
        let chosen = match recorded {
            Ok(chosen) => chosen,
            Err(recorded) => self.note_mismatch(recorded, label, n),
        };
        self.position += 1;
        chosen
    }
}
