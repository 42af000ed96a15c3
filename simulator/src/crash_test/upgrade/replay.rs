//! Runs one schedule of an upgrade test again.

use crashpoint::State;

use crate::crash_test::upgrade::expected::unexpected_refusals;
use crate::crash_test::upgrade::rounds::NAME;
use crate::crash_test::upgrade::{UpgradeTest, report};
use crate::explore::Resumptions;
use crate::fault::Schedule;
use crate::oracle::judge;
use crate::record::{Recording, Source, Trial, replay_recording, run_schedule};
use crate::report::render;
use crate::sim::{Rollout, Settings, StoreKind, Workload};

impl<Old: State, New: State, W: Send + Sync + 'static> UpgradeTest<Old, New, W> {
    /// Runs one schedule of one rollout and returns its story. The schedule is named by a token or the
    /// file of a tape, or is a [`Schedule`] in words. The regression test of a failure calls this.
    ///
    /// # Panics
    ///
    /// If a promise is broken, or a log is refused that should be carried, with the story. If
    /// `rollout` names no [`Rollout`]. If the text names no schedule, the replay differs from the
    /// recorded schedule, or a fault of the text does not fire.
    #[track_caller]
    pub fn replay(self, rollout: &str, schedule: &str) -> String {
        let rollout = match rollout.parse::<Rollout>() {
            Ok(rollout) => rollout,
            Err(unknown) => panic!("{unknown}"),
        };
        let workload = self.workload(rollout);
        match rerun(&workload, schedule) {
            Ok(trial) => self.held(&workload, &trial),
            Err(error) => panic!("{error}"),
        }
    }

    /// Runs the schedule of a token or of the file of a tape, which name their rollout.
    #[track_caller]
    pub(super) fn replay_named(&self, token_or_file: &str) {
        let recording = match Recording::read(token_or_file) {
            Ok(recording) => recording,
            Err(error) => panic!("{error}"),
        };
        let name = recording.workload();
        let rollout = name.strip_prefix(NAME).map(str::parse::<Rollout>);
        let Some(Ok(rollout)) = rollout else {
            panic!("{token_or_file:?} belongs to the workload {name:?}, not to an upgrade test");
        };
        let workload = self.workload(rollout);
        match replay_recording(Source::Fixed(&workload), &recording) {
            Ok(trial) => _ = self.held(&workload, &trial),
            Err(error) => panic!("{error}"),
        }
    }

    /// The story of a schedule in which nothing is wrong. Panics with it otherwise.
    #[track_caller]
    fn held(&self, workload: &Workload, trial: &Trial) -> String {
        let verdicts = judge(workload, &trial.run);
        let story = render::story(&trial.run, &verdicts);
        assert!(verdicts.is_empty(), "a promise is broken\n\n{story}");
        let resumptions = Resumptions::of(workload, &Settings::default(), &trial.run);
        let unexpected = unexpected_refusals(&self.expected, &resumptions);
        if !unexpected.is_empty() {
            panic!("{}\n\n{story}", report::unexpected(&unexpected));
        }
        story
    }
}

/// Runs the schedule named by a text, a token, or the file of a tape.
fn rerun(workload: &Workload, schedule: &str) -> Result<Trial, String> {
    let source = Source::Fixed(workload);
    if !Schedule::is_meant_by(schedule) {
        let recording = Recording::read(schedule).map_err(|error| error.to_string())?;
        let replayed = replay_recording(source, &recording);
        return replayed.map_err(|error| error.to_string());
    }
    let parsed = schedule
        .parse::<Schedule>()
        .map_err(|bad| bad.to_string())?;
    let run = run_schedule(source, StoreKind::Memory, &parsed);
    let run = run.map_err(|unfired| unfired.to_string())?;
    Ok(run.0)
}
