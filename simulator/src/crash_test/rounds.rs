//! The rounds of exploration of a crash test, and the panic for their findings. The panic has the
//! caller's location, so it names the line of the test.

use std::panic::Location;

use crashpoint::State;

use crate::choices::swarm::Possible;
use crate::crash_test::failure::{self, Failed, Found};
use crate::crash_test::progress::Progress;
use crate::crash_test::{CrashTest, page};
use crate::explore::{
    Findings, Shard, Violation, explore, explore_each_seed, explore_seed, explore_shard_on,
};
use crate::fault::Budget;
use crate::record::Source;
use crate::sim::{Repeat, Settings};
use crate::workload::{Workload, default_crashes};

/// Where findings come from.
#[derive(Debug, Clone, Copy)]
struct Origin {
    /// The number of the crash test among those of its test function.
    number: usize,
    /// The number of schedules before.
    schedules: u64,
    /// The number of sampled schedules, if these are samples.
    sampled: Option<u64>,
}

impl<S: State, W: Send + Sync + 'static> CrashTest<S, W> {
    /// Runs every schedule of the campaigns, and samples beyond them. A limit of schedules is
    /// divided among these rounds.
    #[track_caller]
    pub(super) fn rounds(&self, workload: &Workload, shard: Shard, number: usize) -> Findings {
        let mut all = Findings::leaving_out((*workload.left_out).clone());
        let mut progress = Progress::begin(self.settings.at);
        let from = |all: &Findings, sampled| Origin {
            number,
            schedules: all.schedules,
            sampled,
        };
        // A violation without faults is reported first, and without faults.
        let calm = explore(workload, &self.within(Budget::default(), u64::MAX));
        let calm = self.judged(workload, calm, from(&all, None));
        let campaigns = self.campaigns(workload, &calm);
        let samples = self.samples_beyond(workload, &calm);
        let mut rounds = campaigns.len() + samples.len();
        for budget in campaigns {
            let settings = self.within(budget, self.share(&all, rounds));
            rounds -= 1;
            let mut seen = |round: &Findings| progress.tell(budget, round);
            let found = explore_shard_on(self.settings.pool, workload, &settings, shard, &mut seen);
            progress.end_round(&found);
            let origin = from(&all, None);
            all.merge(self.judged(workload, found, origin));
        }
        let is_whole = shard.is_whole() && self.schedules_max == u64::MAX;
        if is_whole && all.recorder.covered() != all.recorder.total() {
            // Every instant of a deterministic workflow is reached again by the schedule that crashes
            // there.
            let unsteady = failure::unreachable(&all.recorder, self.settings.at);
            panic!("{unsteady}");
        }
        for (budget, possible, seeds) in samples {
            let limit = self.share(&all, rounds);
            rounds -= 1;
            let own: Vec<u64> = (0..seeds).filter(|seed| shard.has(*seed)).collect();
            let seeds = &own[..own.len().min(usize::try_from(limit).unwrap_or(usize::MAX))];
            all.cut_short |= seeds.len() < own.len();
            let (source, settings) = (Source::Fixed(workload), self.within(budget, limit));
            let work = |seed: &u64| explore_seed(&source, &settings, possible, *seed);
            let mut seen = |round: &Findings| progress.tell(budget, round);
            let found = explore_each_seed(self.settings.pool, seeds, work, &mut seen);
            progress.end_round(&found);
            let origin = from(&all, Some(self.samples));
            all.merge(self.judged(workload, found, origin));
        }
        if all.cut_short {
            progress.tell_limit(&all);
        }
        all
    }

    /// The campaigns of the workload, and the faults of services if it calls some when nothing goes
    /// wrong.
    fn campaigns(&self, workload: &Workload, calm: &Findings) -> Vec<Budget> {
        let mut campaigns = workload.campaigns(self.store, self.crashes_max());
        let services = Budget {
            crashes: 1,
            services: 1,
            ..Budget::default()
        };
        let services = workload.possible(self.store, services);
        if self.crashes_max() > 0 && services.services > 0 && !calm.services.is_empty() {
            campaigns.push(services);
        }
        campaigns
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
    fn samples_beyond(&self, workload: &Workload, calm: &Findings) -> Vec<(Budget, Possible, u64)> {
        if self.crashes_max() == 0 {
            return Vec::new();
        }
        let crashes = self.crashes_max() + 1;
        let deeper = Budget {
            crashes,
            ..Budget::default()
        };
        let everything = Budget {
            crashes,
            services: if calm.services.is_empty() { 0 } else { 2 },
            ..workload.beyond(self.store)
        };
        let possible = |budget| workload.possible(self.store, budget);
        let deep = self.samples / 2;
        vec![
            (possible(deeper), Possible::All, deep),
            (possible(everything), Possible::Swarm, self.samples - deep),
        ]
    }

    /// The most crashes of a schedule.
    fn crashes_max(&self) -> u32 {
        self.crashes.unwrap_or_else(|| default_crashes(self.store))
    }

    /// The settings of a round, with at most this many schedules.
    fn within(&self, budget: Budget, schedules_max: u64) -> Settings {
        Settings {
            schedules_max,
            store: self.store,
            repeat: Repeat::OneIn(Repeat::ONE_IN),
            ..Settings::within(budget)
        }
    }

    /// Returns the findings if nothing is wrong. Otherwise panics with the story of the smallest
    /// violation.
    #[track_caller]
    fn judged(&self, workload: &Workload, findings: Findings, from: Origin) -> Findings {
        if let Some(found) = findings.nondeterminism.first() {
            let unsteady = failure::nondeterminism(found, self.settings.at);
            panic!("{unsteady}");
        }
        let schedule_length = |found: &&Violation| found.schedule.0.len();
        if let Some(violation) = findings.violations.iter().min_by_key(schedule_length) {
            let found = Found {
                violation,
                schedules: from.schedules + findings.schedules,
                sampled: from.sampled,
                number: Some(from.number),
                at: self.settings.at,
                run: Location::caller(),
                function: "crash_test",
                replay: &|schedule| format!("replay({schedule:?})"),
            };
            // Formatted before the panic, because shrinking and replaying may panic as well.
            let failed = Failed::new(workload, &found);
            let (message, shown) = (failed.to_string(), || failed.shown());
            let page = page::written(&message, shown);
            panic!("{message}{page}");
        }
        findings
    }
}
