//! The rounds of an upgrade test, and the panic for their findings. The panic has the caller's
//! location, so it names the line of the test.

use std::panic::Location;

use crashpoint::State;

use crate::crash_test::REPLAY;
use crate::crash_test::failure::{Failed, Found, nondeterminism};
use crate::crash_test::settings::Parts;
use crate::crash_test::upgrade::expected::{missing_refusals, unexpected_refusals};
use crate::crash_test::upgrade::{UpgradeReport, UpgradeTest, report};
use crate::explore::{Findings, Violation, explore, explore_on};
use crate::fault::Budget;
use crate::sim::{Repeat, Rollout, Settings, StoreKind, Upgrade};
use crate::workload::releases::Releases;
use crate::workload::{OddEnding, Workload, upgrade_campaigns};

/// The beginning of the name of a workload; the name of its rollout follows.
pub(super) const NAME: &str = "upgrade-";

impl<Old: State, New: State, W: Send + Sync + 'static> UpgradeTest<Old, New, W> {
    /// Runs every schedule of every rollout. If the environment has `CRASHPOINT_REPLAY`, it runs only
    /// the schedule named there by its token or the file of its tape.
    ///
    /// # Panics
    ///
    /// If a promise is broken, or a log is refused that should be carried: with the smallest schedule,
    /// a timeline, the log, the ledger, and a regression test. If no run is refused in a state of
    /// [`refuses`](Self::refuses). If a schedule runs differently the second time.
    #[track_caller]
    pub fn run(self) -> UpgradeReport {
        if let Some(schedule) = std::env::var_os(REPLAY) {
            self.replay_named(&schedule.to_string_lossy());
            return UpgradeReport::default();
        }
        let mut all = Findings::default();
        for rollout in Rollout::ALL {
            let workload = self.workload(rollout);
            if rollout == Rollout::OldNew {
                // A violation without faults is reported first, and without faults.
                let calm = explore(&workload, &within(Budget::default()));
                // Only ended runs are resumed here; a refusal is told with the runs that are open.
                self.judged_promises(&workload, rollout, calm);
            }
            for budget in self.budgets(rollout) {
                let findings = explore_on(self.settings.pool, &workload, &within(budget));
                all.merge(self.judged(&workload, rollout, findings));
            }
        }
        let missing = missing_refusals(&self.expected, &all.resumptions);
        if !missing.is_empty() {
            panic!("{}", report::never_refused(&missing));
        }
        UpgradeReport::new(all)
    }

    /// The budgets that are exhausted in a rollout.
    fn budgets(&self, rollout: Rollout) -> Vec<Budget> {
        let affordable =
            |budget: &Budget| self.crashes > 1 || rollout == Rollout::OldNew || budget.crashes < 2;
        let budgets = upgrade_campaigns(rollout).into_iter();
        budgets.filter(affordable).collect()
    }

    #[track_caller]
    pub(super) fn workload(&self, rollout: Rollout) -> Workload {
        self.settings.lane.assert_runs_here();
        let world = self.settings.detached_world();
        let (old, new) = (self.old.clone(), self.new.clone());
        let broken_rule = self.settings.broken_rule;
        self.settings.workload(Parts {
            name: format!("{NAME}{rollout}"),
            about: "the upgrade of a user's workflow",
            definition: old.definition(&world),
            also: Vec::new(),
            upgrade: Some(Upgrade {
                definition: new.definition(&world),
                rollout,
                permitted: None,
            }),
            // The new release may mean to end a run in another way than the old.
            accepts: OddEnding::ALL.to_vec(),
            running: Box::new(move |world| {
                Box::new(Releases {
                    old: old.in_world(world, None).into(),
                    new: new.in_world(world, broken_rule).into(),
                    rollout,
                })
            }),
        })
    }

    /// Returns the findings if nothing is wrong. Otherwise panics with the story of the smallest
    /// violation.
    #[track_caller]
    fn judged(&self, workload: &Workload, rollout: Rollout, findings: Findings) -> Findings {
        let findings = self.judged_promises(workload, rollout, findings);
        let unexpected = unexpected_refusals(&self.expected, &findings.resumptions);
        if !unexpected.is_empty() {
            let told = report::unexpected_with_story(workload, &unexpected, Location::caller());
            panic!("{told}");
        }
        findings
    }

    /// The same for the promises alone.
    #[track_caller]
    fn judged_promises(
        &self,
        workload: &Workload,
        rollout: Rollout,
        findings: Findings,
    ) -> Findings {
        if let Some(found) = findings.nondeterminism.first() {
            let unsteady = nondeterminism(found, self.settings.at);
            panic!("{unsteady}");
        }
        let replay = |schedule: &str| report::call(rollout, schedule);
        let schedule_length = |found: &&Violation| found.schedule.0.len();
        if let Some(violation) = findings.violations.iter().min_by_key(schedule_length) {
            let found = Found {
                violation,
                sampled: None,
                schedules: findings.schedules,
                number: None,
                at: self.settings.at,
                run: Location::caller(),
                function: "upgrade_test",
                replay: &replay,
            };
            // Formatted before the panic, because shrinking and replaying may panic as well.
            let failed = Failed::new(workload, &found).to_string();
            panic!("in the rollout {rollout}: {failed}");
        }
        findings
    }
}

/// The settings of a round.
fn within(budget: Budget) -> Settings {
    Settings {
        store: StoreKind::Memory,
        repeat: Repeat::OneIn(Repeat::ONE_IN),
        ..Settings::within(budget)
    }
}
