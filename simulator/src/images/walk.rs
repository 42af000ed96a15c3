//! A script crashed once, or again within the next opening, as a token or choices say.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::choices::Choices;
use crate::disk::{Image, Step};
use crate::images::crash::{BadCrash, Crash, Modes, crashes, in_words};
use crate::images::explore::open_and_check;
use crate::images::machine::{Complaint, Open};
use crate::images::model::{Log, Possible, contradiction};
use crate::images::recording::Recording;
use crate::images::report::{Faulty, Violation};

/// The progress of a walk.
struct Walk<'a, S> {
    store: &'a S,
    recording: &'a Recording,
    /// The disk after the last crash.
    disk: Image,
    /// The steps of the disk since then.
    steps: Vec<Step>,
    /// The contents that the first crash may leave; `None` before it.
    possible: Option<&'a Arc<Possible>>,
    found: Result<BTreeMap<String, Log>, Complaint>,
    words: Vec<String>,
}

impl<'a, S: Open> Walk<'a, S> {
    fn of(store: &'a S, recording: &'a Recording) -> Self {
        Self {
            store,
            recording,
            disk: Image::default(),
            steps: recording.steps.clone(),
            possible: None,
            found: Ok(BTreeMap::new()),
            words: Vec::new(),
        }
    }

    /// The disk at this position. `None` if it is never reached.
    fn disk_at(&self, position: usize) -> Option<Image> {
        let mut disk = self.disk.clone();
        for step in self.steps.get(..position)? {
            disk.apply(step).ok()?;
        }
        Some(disk)
    }

    fn crash(&mut self, crash: &Crash) -> Result<(), BadCrash> {
        let bad = || BadCrash(crash.to_string());
        let disk = self.disk_at(crash.position).ok_or_else(bad)?;
        let activity = match self.possible {
            None => self.recording.activity(crash.position),
            Some(_) => "during the next opening",
        };
        self.words
            .push(in_words(crash, &self.steps, activity, &disk));
        let first = || self.recording.possible(crash.position);
        self.possible = Some(self.possible.unwrap_or_else(first));
        self.disk = crash.end.of(&disk);
        (self.found, self.steps) = open_and_check(self.store, &self.disk, &self.recording.runs);
        Ok(())
    }

    /// What is wrong with the current content, if anything.
    fn wrong(&self) -> Option<String> {
        match (self.possible, &self.found) {
            (None, _) => self.recording.complaints.first().cloned(),
            (_, Err(complaint)) => Some(complaint.clone()),
            (Some(possible), Ok(found)) => contradiction(possible, found),
        }
    }

    /// Draws a crash among all that are possible from here.
    fn drawn(&self, choices: &mut (impl Choices + ?Sized)) -> Crash {
        let position = match self.steps.len() {
            0 => 0,
            steps => choices.choose("images/position", steps + 1),
        };
        let disk = self.disk_at(position);
        let disk = disk.expect("it was possible when it was recorded");
        let mut ends = Vec::new();
        crashes(&disk, Modes::Every, &mut |end, _, _| ends.push(end));
        // The crash of the process and the power loss that keeps only durable content are always
        // possible.
        let end = ends[choices.choose("images/end", ends.len())];
        Crash { position, end }
    }
}

/// What is wrong after the crashes of a token, if anything.
pub(super) fn replay(
    store: &impl Open,
    recording: &Recording,
    token: &str,
) -> Result<Option<String>, BadCrash> {
    let mut walk = Walk::of(store, recording);
    for part in token.split('/').filter(|part| !part.is_empty()) {
        walk.crash(&part.parse()?)?;
    }
    Ok(walk.wrong())
}

/// What is wrong before any crash, after a drawn crash, or after another crash within the next
/// opening.
pub(super) fn draw(
    store: &impl Open,
    recording: &Recording,
    faulty: Faulty,
    choices: &mut (impl Choices + ?Sized),
) -> Option<Violation> {
    let mut walk = Walk::of(store, recording);
    let mut token: Vec<String> = Vec::new();
    let mut wrong = walk.wrong();
    while wrong.is_none() && token.len() < 2 {
        if !token.is_empty() && choices.choose("images/again", 2) == 0 {
            break;
        }
        let crash = walk.drawn(choices);
        token.push(crash.to_string());
        let possible = walk.crash(&crash);
        possible.expect("it was drawn among those that are possible");
        wrong = walk.wrong();
    }
    wrong.map(|message| Violation {
        message,
        crashes: walk.words,
        faulty,
        token: token.join("/"),
    })
}
