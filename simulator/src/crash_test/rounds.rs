//! The rounds of exploration of a crash test, and the panic for their findings. The panic has the
//! caller's location, so it names the line of the test.

use std::panic::Location;

use crashpoint::State;

use crate::choices::swarm::Possible;
use crate::crash_test::CrashTest;
use crate::crash_test::failure::{self, Failed, Found};
use crate::crash_test::progress::Progress;
use crate::explore::{
    Findings, Shard, Violation, explore, explore_each_seed, explore_seed, explore_shard_on,
};
use crate::fault::Budget;
use crate::record::Source;
use crate::report::render::{counted, grouped};
use crate::sim::{Repeat, Settings, StoreKind};
use crate::workload::Workload;

impl<S: State, W: Send + Sync + 'static> CrashTest<S, W> {
    /// Runs every schedule of the campaigns, and samples beyond them. A limit of schedules is
    /// divided among these rounds.
    #[track_caller]
    pub(super) fn rounds(&self, workload: &Workload, shard: Shard) -> Findings {
        let mut all = Findings::default();
        let mut progress = Progress::begin(self.at);
        // A violation without faults is reported first, and without faults.
        let calm = explore(workload, &within(Budget::default(), u64::MAX));
        self.judged(workload, calm, None);
        let campaigns = workload.campaigns(StoreKind::Memory, self.crashes);
        let samples = self.samples_beyond(workload);
        let mut rounds = campaigns.len() + samples.len();
        for budget in campaigns {
            let settings = within(budget, self.share(&all, rounds));
            rounds -= 1;
            let mut seen = |round: &Findings| progress.tell(budget, round);
            let found = explore_shard_on(self.pool, workload, &settings, shard, &mut seen);
            progress.end_round(&found);
            all.merge(self.judged(workload, found, None));
        }
        let is_whole = shard.is_whole() && self.schedules_max == u64::MAX;
        let (covered, total) = (all.recorder.covered(), all.recorder.total());
        assert!(
            !is_whole || (covered == total && !all.cut_short),
            "{} of {} covered by {} of the crash test of {}",
            grouped(covered as u64),
            counted(total as u64, "crash point"),
            counted(all.schedules, "schedule"),
            self.at,
        );
        for (budget, possible, seeds) in samples {
            let limit = self.share(&all, rounds);
            rounds -= 1;
            let own: Vec<u64> = (0..seeds).filter(|seed| shard.has(*seed)).collect();
            let seeds = &own[..own.len().min(usize::try_from(limit).unwrap_or(usize::MAX))];
            all.cut_short |= seeds.len() < own.len();
            let (source, settings) = (Source::Fixed(workload), within(budget, limit));
            let work = |seed: &u64| explore_seed(&source, &settings, possible, *seed);
            let mut seen = |round: &Findings| progress.tell(budget, round);
            let found = explore_each_seed(self.pool, seeds, work, &mut seen);
            progress.end_round(&found);
            all.merge(self.judged(workload, found, Some(self.samples)));
        }
        if all.cut_short {
            progress.tell_limit(&all);
        }
        all
    }

    /// How many schedules the next of this many rounds may have. A round that needs less leaves the
    /// rest to the others.
    fn share(&self, all: &Findings, rounds: usize) -> u64 {
        let left = self.schedules_max.saturating_sub(all.schedules);
        left.div_ceil(rounds as u64)
    }

    /// The rounds of samples beyond the campaigns, each with its number of seeds: first with one
    /// crash more and nothing else, then with everything at once. Among seeds that may have
    /// everything, one crash more would be rare.
    fn samples_beyond(&self, workload: &Workload) -> Vec<(Budget, Possible, u64)> {
        if self.crashes == 0 {
            return Vec::new();
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
        vec![
            (deeper, Possible::All, deep),
            (everything, Possible::Swarm, self.samples - deep),
        ]
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
