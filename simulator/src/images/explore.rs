//! Every crash of a recorded script, opened and checked. Equal images are opened once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::disk::{Image, Lie, SimDisk, Step};
use crate::images::crash::{Crash, Mode, Modes, crashes, in_words};
use crate::images::hazard::Hazard;
use crate::images::machine::{Complaint, Machine, Open, caught};
use crate::images::model::{Log, Possible, contradiction};
use crate::images::recording::Recording;
use crate::images::report::{Faulty, ImagesReport, Violation};

/// The known images, with the content found in each.
pub(crate) struct Explorer<'a, S> {
    store: &'a S,
    /// The runs to read, listed by the store or not.
    runs: Vec<String>,
    nodes: Vec<Node>,
    by_hash: BTreeMap<u64, Vec<usize>>,
    pub(crate) report: ImagesReport,
}

/// An image.
struct Node {
    image: Image,
    found: Result<BTreeMap<String, Log>, Complaint>,
    /// The steps of the disk during its opening; taken when the crashes within were tried.
    recovery: Vec<Step>,
    within: Option<Vec<(Crash, usize)>>,
}

/// Which crashes of a recording to explore.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    pub(crate) modes: Modes,
    /// Whether to try crashes within the opening of an image.
    pub(crate) recovery: bool,
}

impl<'a, S: Open> Explorer<'a, S> {
    pub(crate) fn new(store: &'a S, runs: Vec<String>) -> Self {
        Self {
            store,
            runs,
            nodes: Vec::new(),
            by_hash: BTreeMap::new(),
            report: ImagesReport::default(),
        }
    }

    /// Tries every crash of a recording.
    pub(crate) fn explore(&mut self, recording: &Recording, reach: Reach, faulty: Faulty) {
        self.report.runs += 1;
        self.report.faults += recording.faults;
        if let Some(fault) = faulty.fault {
            let fired = recording.faults > 0;
            self.report.armed(Hazard::of_fault(fault), fired);
        }
        let violations = self.report.violations_total;
        for complaint in &recording.complaints {
            self.report.add(|| Violation {
                message: complaint.clone(),
                crashes: vec!["before any crash".to_owned()],
                faulty,
                token: String::new(),
            });
        }
        // Each image, also one within an opening, is checked once against each expectation.
        let mut held = BTreeSet::new();
        let mut disk = Image::default();
        for position in 0..=recording.steps.len() {
            let possible = recording.possible(position);
            for (crash, node) in self.crashes_of(&disk, position, reach.modes, false) {
                let mut path = vec![(crash, node)];
                self.hold(recording, possible, &mut path, reach, faulty, &mut held);
            }
            if let Some(step) = recording.steps.get(position) {
                disk.apply(step)
                    .expect("it was possible when it was recorded");
            }
        }
        if let Some(lie) = Hazard::of_lie(faulty.lie) {
            let noticed = self.report.violations_total > violations;
            self.report.armed(lie, noticed);
        }
    }

    fn hold(
        &mut self,
        recording: &Recording,
        possible: &Arc<Possible>,
        path: &mut Vec<(Crash, usize)>,
        reach: Reach,
        faulty: Faulty,
        held: &mut BTreeSet<(usize, usize, bool)>,
    ) {
        let (_, node) = *path.last().expect("a crash led here");
        let within = reach.recovery && path.len() == 1;
        if !held.insert((node, Arc::as_ptr(possible) as usize, within)) {
            return;
        }
        let wrong = match &self.nodes[node].found {
            Err(complaint) => Some(complaint.clone()),
            Ok(found) => contradiction(possible, found),
        };
        if let Some(message) = wrong {
            let violation = self.violation(message, recording, path, faulty);
            self.report.add(|| violation);
        }
        if !within {
            return;
        }
        for crash in self.crashes_within(node, reach.modes) {
            path.push(crash);
            self.hold(recording, possible, path, reach, faulty, held);
            path.pop();
        }
    }

    /// The crashes within the opening of an image, tried once.
    fn crashes_within(&mut self, node: usize, modes: Modes) -> Vec<(Crash, usize)> {
        if let Some(within) = &self.nodes[node].within {
            return within.clone();
        }
        let mut disk = self.nodes[node].image.clone();
        let steps = std::mem::take(&mut self.nodes[node].recovery);
        let mut within = Vec::new();
        for position in 0..=steps.len() {
            within.extend(self.crashes_of(&disk, position, modes, true));
            if let Some(step) = steps.get(position) {
                disk.apply(step)
                    .expect("it was possible when it was recorded");
            }
        }
        // Many crashes lead to the same image; the first represents them.
        let mut seen = BTreeSet::new();
        within.retain(|(_, node)| seen.insert(*node));
        assert!(
            self.nodes[node].within.is_none(),
            "the crashes within an opening are tried once"
        );
        self.nodes[node].within = Some(within.clone());
        self.nodes[node].recovery = steps;
        within
    }

    fn crashes_of(
        &mut self,
        disk: &Image,
        position: usize,
        modes: Modes,
        within: bool,
    ) -> Vec<(Crash, usize)> {
        let mut nodes = Vec::new();
        crashes(disk, modes, &mut |end, mode, image| {
            let node = self.node(image, mode, within);
            nodes.push((Crash { position, end }, node));
        });
        nodes
    }

    fn node(&mut self, image: Image, mode: Mode, within: bool) -> usize {
        let hash = image.hash();
        let equals = self.by_hash.entry(hash).or_default();
        let known = equals.iter().find(|node| self.nodes[**node].image == image);
        self.report.count(mode, known.is_some(), within);
        if let Some(node) = known {
            return *node;
        }
        equals.push(self.nodes.len());
        let (found, recovery) = open_and_check(self.store, &image, &self.runs);
        self.nodes.push(Node {
            image,
            found,
            recovery,
            within: None,
        });
        self.nodes.len() - 1
    }

    fn violation(
        &self,
        message: String,
        recording: &Recording,
        path: &[(Crash, usize)],
        faulty: Faulty,
    ) -> Violation {
        let mut words = Vec::new();
        let mut disk = Image::default();
        let (mut steps, mut activity) = (&recording.steps, recording.activity(path[0].0.position));
        for (crash, node) in path {
            for step in &steps[..crash.position] {
                disk.apply(step)
                    .expect("it was possible when it was recorded");
            }
            words.push(in_words(crash, steps, activity, &disk));
            let node = &self.nodes[*node];
            disk = node.image.clone();
            (steps, activity) = (&node.recovery, "during the next opening");
        }
        let token: Vec<String> = path.iter().map(|(crash, _)| crash.to_string()).collect();
        Violation {
            message,
            crashes: words,
            faulty,
            token: token.join("/"),
        }
    }
}

/// Opens an image, reads its content, and checks that the store still works.
pub(crate) fn open_and_check(
    store: &impl Open,
    image: &Image,
    runs: &[String],
) -> (Result<BTreeMap<String, Log>, Complaint>, Vec<Step>) {
    let disk = SimDisk::of(image.clone(), Lie::None);
    disk.record();
    let opened = Machine::open(store, &disk);
    let recovery = disk.take_recording();
    let found = opened.and_then(|machine| {
        let found = machine.read(runs)?;
        machine.probe(&found)?;
        // Closing the file is not part of the opening.
        disk.kill();
        caught(|| drop(machine))?;
        Ok(found)
    });
    (found, recovery)
}
