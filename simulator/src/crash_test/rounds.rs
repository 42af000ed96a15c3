//! The rounds of exploration of a crash test, and the panic for their findings. The panic has the
//! caller's location, so it names the line of the test.

use std::panic::Location;

use crashpoint::State;

use crate::choices::swarm::Possible;
use crate::crash_test::CrashTest;
use crate::crash_test::failure::{self, Failed, Found};
use crate::explore::{Findings, Violation, explore, explore_on, explore_seeds_on};
use crate::fault::Budget;
use crate::record::Source;
use crate::report::render::{counted, grouped};
use crate::sim::{Repeat, Settings, StoreKind};
use crate::workload::Workload;

impl<S: State, W: Send + Sync + 'static> CrashTest<S, W> {
    /// Runs every schedule of the campaigns.
    #[track_caller]
    pub(super) fn exhaust(&self, workload: &Workload) -> Findings {
        let mut all = Findings::default();
        // A violation without faults is reported first, and without faults.
        let calm = explore(workload, &within(Budget::default(), u64::MAX));
        self.judged(workload, calm, None);
        for budget in workload.campaigns(StoreKind::Memory, self.crashes) {
            let left = self.schedules_max.saturating_sub(all.schedules);
            let findings = explore_on(self.pool, workload, &within(budget, left));
            all.merge(self.judged(workload, findings, None));
            let (covered, total) = (all.recorder.covered(), all.recorder.total());
            assert!(
                covered == total && !all.cut_short,
                "{} of {} covered: the crash test of {} was stopped after {}",
                grouped(covered as u64),
                grouped(total as u64),
                self.at,
                counted(all.schedules, "schedule")
            );
        }
        all
    }

    /// Samples schedules beyond the campaigns: first with one crash more and nothing else, then
    /// with everything at once. Among seeds that may have everything, one crash more would be rare.
    #[track_caller]
    pub(super) fn sample(&self, workload: &Workload, all: &mut Findings) {
        if self.crashes == 0 {
            return;
        }
        let crashes = self.crashes + 1;
        let deeper = Budget {
            crashes,
            ..Budget::default()
        };
        let everything = Budget {
            crashes,
            ..workload.beyond(StoreKind::Memory)
        };
        let deep = self.samples / 2;
        let rounds = [
            (deeper, Possible::All, deep),
            (everything, Possible::Swarm, self.samples - deep),
        ];
        for (most, possible, samples) in rounds {
            let left = self.schedules_max.saturating_sub(all.schedules);
            let seeds = samples.min(left);
            let (source, settings) = (Source::Fixed(workload), within(most, seeds));
            let findings = explore_seeds_on(self.pool, source, &settings, possible, 0..seeds);
            all.merge(self.judged(workload, findings, Some(self.samples)));
            assert!(
                seeds == samples,
                "{} of {} sampled: the crash test of {} was stopped after {}",
                grouped(all.sampled),
                grouped(self.samples),
                self.at,
                counted(all.schedules, "schedule")
            );
        }
    }

    /// Returns the findings if nothing is wrong. Otherwise panics with the story of the smallest
    /// violation.
    #[track_caller]
    fn judged(&self, workload: &Workload, findings: Findings, sampled: Option<u64>) -> Findings {
        if let Some(found) = findings.nondeterminism.first() {
            let unsteady = failure::nondeterminism(found, self.at);
            panic!("{unsteady}");
        }
        let schedule_length = |found: &&Violation| found.schedule.0.len();
        if let Some(violation) = findings.violations.iter().min_by_key(schedule_length) {
            let found = Found {
                violation,
                sampled,
                at: self.at,
                run: Location::caller(),
                function: "crash_test",
                replay: &|schedule| format!("replay({schedule:?})"),
            };
            // Formatted before the panic, because shrinking and replaying may panic as well.
            let failed = Failed::new(workload, &found).to_string();
            panic!("{failed}");
        }
        findings
    }
}

/// The settings of a round, with at most this many schedules.
fn within(budget: Budget, schedules_max: u64) -> Settings {
    Settings {
        schedules_max,
        repeat: Repeat::OneIn(Repeat::ONE_IN),
        ..Settings::within(budget)
    }
}
