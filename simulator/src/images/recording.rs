//! A script performed once: every step of the disk, and the possible contents between two steps.

use std::sync::Arc;

use crate::disk::{Call, Image, SimDisk, Step};
use crate::images::machine::{Complaint, Machine, Open, Position};
use crate::images::model::{Answer, Model, Possible};
use crate::images::report::Faulty;
use crate::images::script::{Request, Requests, Script};

/// The recording.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) steps: Vec<Step>,
    marks: Vec<Mark>,
    /// The runs of the script.
    pub(crate) runs: Vec<String>,
    /// Complaints before any crash.
    pub(crate) complaints: Vec<Complaint>,
    /// The disk after the store was closed.
    pub(crate) closed: Image,
    /// The number of failed calls of the disk.
    pub(crate) faults: u64,
    /// The number of calls of each kind, if none failed.
    pub(crate) calls: [u64; Call::ALL.len()],
}

/// An operation begins or is answered at this position of the disk.
#[derive(Debug)]
struct Mark {
    position: usize,
    begins: bool,
    /// The contents that a crash from here on may leave.
    possible: Arc<Possible>,
    activity: String,
}

struct Recorder<'a, S> {
    store: &'a S,
    disk: SimDisk,
    position: Position,
    model: Model,
    marks: Vec<Mark>,
    complaints: Vec<Complaint>,
    faults: u64,
    /// Whether no call of the disk fails, so that the store has no reason for an error.
    correct: bool,
}

impl Recording {
    /// Performs a script on a new disk with this lie and this fault from the start. After an error
    /// of the store the store is opened again, and the script continues. If opening fails, the disk
    /// is mended first.
    pub(crate) fn of<S: Open>(script: &Script, store: &S, faulty: Faulty) -> Self {
        let disk = SimDisk::new(faulty.lie);
        disk.record();
        if let Some(fault) = faulty.fault {
            disk.arm(fault);
        }
        let recorded = disk.clone();
        let mut recorder = Recorder {
            store,
            disk,
            position: Arc::new(move || recorded.recorded()),
            model: Model::default(),
            marks: Vec::new(),
            complaints: Vec::new(),
            faults: 0,
            correct: faulty.fault.is_none(),
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
            activity: "at the end".to_owned(),
        });
        let groups = script.requests();
        let requests = groups.iter().flat_map(|group| match group {
            Requests::Together(requests) => requests.as_slice(),
            Requests::Reopen => &[],
        });
        let mut runs: Vec<String> = requests.map(|request| request.run.clone()).collect();
        runs.sort();
        runs.dedup();
        assert!(
            marks.is_sorted_by_key(|mark| mark.position),
            "marks are in the order of the steps, so the newest mark is found from the end"
        );
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

    /// The contents that a crash at this position may leave.
    pub(crate) fn possible(&self, position: usize) -> &Arc<Possible> {
        &self.mark(position).possible
    }

    /// What was under way at this position.
    pub(crate) fn activity(&self, position: usize) -> &str {
        &self.mark(position).activity
    }

    fn mark(&self, position: usize) -> &Mark {
        // An operation that begins here has not written anything yet.
        let is_over =
            |mark: &Mark| mark.position < position || mark.position == position && !mark.begins;
        let last = self.marks.iter().rev().find(|mark| is_over(mark));
        last.expect("the first mark is before the first step")
    }

    /// The disk at this position.
    pub(crate) fn disk_at(&self, position: usize) -> Image {
        assert!(
            position <= self.steps.len(),
            "a position is a number of recorded steps"
        );
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

    /// Performs a group. Returns true if an answer was an error.
    fn perform(&mut self, machine: &Machine, requests: &[Request]) -> bool {
        for request in requests {
            self.model.begin(request);
            self.mark(true, &format!("during {request}"));
        }
        let mut failed = false;
        let position = Arc::clone(&self.position);
        let done = machine.perform(requests, &position, |request, answer, at| {
            let in_error = answer == Answer::Unknown && !request.was_dropped();
            failed |= in_error;
            if in_error && self.correct {
                self.complaints
                    .push(format!("{request} failed although the disk is correct"));
            }
            if let Err(complaint) = self.model.end(request, &answer) {
                self.complaints.push(complaint);
            }
            self.mark_at(at, false, &format!("after {request}"));
        });
        self.complaints.extend(done.err());
        failed
    }

    fn open(&mut self) -> Option<Machine> {
        let opened = self.machine();
        let Err(complaint) = opened else {
            return opened.ok();
        };
        // Only a failing disk excuses an error, and a mended disk does not.
        let fired = self.disk.mend();
        self.faults += fired;
        if fired == 0 {
            self.complaints.push(complaint);
            return None;
        }
        let opened = self.machine();
        opened
            .map_err(|complaint| self.complaints.push(complaint))
            .ok()
    }

    fn machine(&self) -> Result<Machine, Complaint> {
        Machine::concurrent(|runtime| self.store.open(&self.disk, runtime))
    }

    fn mark(&mut self, begins: bool, activity: &str) {
        self.mark_at(self.disk.recorded(), begins, activity);
    }

    fn mark_at(&mut self, position: usize, begins: bool, activity: &str) {
        // In the order of the answers. A later answer does not revoke an earlier one.
        let position = self
            .marks
            .last()
            .map_or(position, |last| position.max(last.position));
        self.marks.push(Mark {
            position,
            begins,
            possible: self.model.possible(),
            activity: activity.to_owned(),
        });
    }
}
