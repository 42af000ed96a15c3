//! A script performed once: every step of the disk, and what may be there between any two.

use std::sync::Arc;

use crate::disk::{Call, Image, SimDisk, Step};
use crate::images::machine::{Complaint, Machine, Open};
use crate::images::model::{Answer, Model, Possible};
use crate::images::report::Faulty;
use crate::images::script::{Request, Requests, Script};

/// What happened.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) steps: Vec<Step>,
    marks: Vec<Mark>,
    /// The runs of the script.
    pub(crate) runs: Vec<String>,
    /// What was wrong already before any crash.
    pub(crate) complaints: Vec<Complaint>,
    /// The disk after the store was closed.
    pub(crate) closed: Image,
    /// How many calls of the disk failed.
    pub(crate) faults: u64,
    /// How many calls of each kind there were, where nothing failed.
    pub(crate) calls: [u64; Call::ALL.len()],
}

/// An operation begins or is answered, when the disk has come so far.
#[derive(Debug)]
struct Mark {
    position: usize,
    begins: bool,
    /// What a crash from here on may leave.
    possible: Arc<Possible>,
    doing: String,
}

struct Recorder<'a, S> {
    store: &'a S,
    disk: SimDisk,
    model: Model,
    marks: Vec<Mark>,
    complaints: Vec<Complaint>,
    faults: u64,
}

impl Recording {
    /// Performs a script on a new disk that lies like this and has this fault from the beginning.
    /// After an error of the store it is opened again, with the fault mended where it can't be, and
    /// the script goes on.
    pub(crate) fn of<S: Open>(script: &Script, store: &S, faulty: Faulty) -> Self {
        let disk = SimDisk::new(faulty.lie);
        disk.record();
        if let Some(fault) = faulty.fault {
            disk.arm(fault);
        }
        let mut recorder = Recorder {
            store,
            disk,
            model: Model::default(),
            marks: Vec::new(),
            complaints: Vec::new(),
            faults: 0,
        };
        recorder.mark(false, "during the first opening");
        recorder.run(script);
        let Recorder {
            disk,
            mut marks,
            complaints,
            faults,
            ..
        } = recorder;
        marks.push(Mark {
            position: disk.recorded(),
            begins: false,
            possible: Arc::clone(&marks.last().expect("it has the first one").possible),
            doing: "at the end".to_owned(),
        });
        let groups = script.requests();
        let requests = groups.iter().flat_map(|group| match group {
            Requests::Together(requests) => requests.as_slice(),
            Requests::Reopen => &[],
        });
        let mut runs: Vec<String> = requests.map(|request| request.run.clone()).collect();
        runs.sort();
        runs.dedup();
        let closed = disk.image();
        let calls = Call::ALL.map(|call| disk.calls(call));
        let faults = faults + disk.mend();
        Self {
            steps: disk.take_recording(),
            marks,
            runs,
            complaints,
            closed,
            faults,
            calls,
        }
    }

    /// What a crash after so many steps may leave.
    pub(crate) fn possible(&self, position: usize) -> &Arc<Possible> {
        &self.mark(position).possible
    }

    /// What was going on after so many steps.
    pub(crate) fn doing(&self, position: usize) -> &str {
        &self.mark(position).doing
    }

    fn mark(&self, position: usize) -> &Mark {
        // What begins here has not written anything yet.
        let is_over =
            |mark: &Mark| mark.position < position || mark.position == position && !mark.begins;
        let last = self.marks.iter().rev().find(|mark| is_over(mark));
        last.expect("the first mark is before the first step")
    }

    /// The disk after so many steps.
    pub(crate) fn disk_at(&self, position: usize) -> Image {
        let mut disk = Image::default();
        for step in &self.steps[..position] {
            disk.apply(step)
                .expect("it was possible when it was recorded");
        }
        disk
    }
}

impl<S: Open> Recorder<'_, S> {
    fn run(&mut self, script: &Script) {
        let mut machine = self.open();
        for group in script.requests() {
            let Requests::Together(requests) = group else {
                self.mark(false, "while it is closed and opened again");
                drop(machine.take());
                machine = self.open();
                continue;
            };
            let Some(open) = &machine else { return };
            if self.perform(open, &requests) {
                self.mark(false, "while it is opened again after an error");
                drop(machine.take());
                machine = self.open();
            }
        }
        self.mark(false, "while it is closed");
    }

    /// Performs a group; true where an answer was an error.
    fn perform(&mut self, machine: &Machine, requests: &[Request]) -> bool {
        for request in requests {
            self.model.begin(request);
            self.mark(true, &format!("during {request}"));
        }
        let mut failed = false;
        let done = machine.perform(requests, |request, answer| {
            failed |= answer == Answer::Unknown && !request.is_dropped();
            if let Err(complaint) = self.model.end(request, &answer) {
                self.complaints.push(complaint);
            }
            self.mark(false, &format!("after {request}"));
        });
        self.complaints.extend(done.err());
        failed
    }

    fn open(&mut self) -> Option<Machine> {
        let opened = Machine::open(self.store, &self.disk);
        let Err(complaint) = opened else {
            return opened.ok();
        };
        // Only a disk that fails is an excuse, and once it is mended there is none.
        let fired = self.disk.mend();
        self.faults += fired;
        if fired == 0 {
            self.complaints.push(complaint);
            return None;
        }
        let opened = Machine::open(self.store, &self.disk);
        opened
            .map_err(|complaint| self.complaints.push(complaint))
            .ok()
    }

    fn mark(&mut self, begins: bool, doing: &str) {
        self.marks.push(Mark {
            position: self.disk.recorded(),
            begins,
            possible: self.model.possible(),
            doing: doing.to_owned(),
        });
    }
}
