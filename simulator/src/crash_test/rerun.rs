//! Runs one schedule of a crash test again, and tells its story.

use crate::crash_test::page::{self, Shown};
use crate::crash_test::{NAME, failure};
use crate::fault::{BadSchedule, Schedule};
use crate::oracle::judge;
use crate::record::{Recording, Source, Trial, replay_recording, run_schedule};
use crate::report::render;
use crate::report::steps::Steps;
use crate::sim::StoreKind;
use crate::workload::Workload;

/// The story of a schedule that breaks no promise. Panics with it otherwise.
#[track_caller]
pub(super) fn held(workload: &Workload, store: StoreKind, trial: &Trial) -> String {
    let verdicts = judge(workload, &trial.run);
    let story = render::story(&trial.run, &verdicts);
    let story = format!("{}{story}", failure::left_out(workload));
    let shown = || {
        let steps = Steps::of(&trial.run, store, &[]);
        Some(Shown::of(steps, workload, &trial.run, &verdicts))
    };
    let page = page::written(&format!("{}\n\n{story}", workload.name), shown);
    assert!(verdicts.is_empty(), "a promise is broken\n\n{story}{page}");
    story
}

/// Runs the schedule named by a text, a token, or the file of a tape.
pub(super) fn rerun(
    workload: &Workload,
    store: StoreKind,
    schedule: &str,
) -> Result<Trial, String> {
    let source = Source::Fixed(workload);
    if Schedule::is_meant_by(schedule) {
        let parsed: Schedule = schedule
            .parse()
            .map_err(|bad: BadSchedule| bad.to_string())?;
        let mut faults = parsed.0.iter();
        if let Some(fired) = faults.find(|fired| !workload.left_out.permits(fired.fault)) {
            return Err(format!("{fired}: this crash test leaves such faults out"));
        }
        let run = run_schedule(source, store, &parsed);
        return run
            .map(|(trial, _)| trial)
            .map_err(|unfired| unfired.to_string());
    }
    let recording = Recording::read(schedule).map_err(|error| error.to_string())?;
    let of = recording.workload();
    if of != NAME {
        return Err(format!(
            "{schedule:?} belongs to the workload {of:?}, not to a crash test"
        ));
    }
    replay_recording(source, &recording).map_err(|error| error.to_string())
}
