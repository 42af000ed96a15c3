//! Searches the schedules of a workload.

use std::sync::{Arc, Mutex, PoisonError};

use crashpoint_simulator::choices::Exhaustive;
use crashpoint_simulator::oracle::{Verdict, judge};
use crashpoint_simulator::workload::Workload;
use crashpoint_simulator::{Budget, Choices, Run, Settings, simulate};

/// The settings of a budget.
pub(crate) fn within(budget: Budget) -> Settings {
    Settings::within(budget)
}

pub(crate) fn budget(text: &str) -> Budget {
    text.parse().expect("the test's budget is well formed")
}

/// Runs `workload` once with these choices.
pub(crate) fn run(
    workload: &Workload,
    settings: &Settings,
    choices: impl Choices + 'static,
) -> Run {
    simulate(workload, settings, Arc::new(Mutex::new(choices)))
}

/// The run without faults.
pub(crate) fn calm(workload: &Workload) -> Run {
    run(workload, &within(Budget::default()), Exhaustive::new())
}

/// Runs every schedule within the budget, until `seen` breaks with a value. Returns the value, and
/// the number of schedules that were run.
pub(crate) fn each_schedule<T>(
    workload: &Workload,
    budget: Budget,
    seen: impl FnMut(&Run) -> Option<T>,
) -> (Option<T>, u64) {
    each_schedule_of(workload, &within(budget), seen)
}

/// The same with settings.
pub(crate) fn each_schedule_of<T>(
    workload: &Workload,
    settings: &Settings,
    mut seen: impl FnMut(&Run) -> Option<T>,
) -> (Option<T>, u64) {
    let choices = Arc::new(Mutex::new(Exhaustive::new()));
    let mut schedules = 0;
    loop {
        let shared = Arc::clone(&choices) as Arc<Mutex<dyn Choices>>;
        let run = simulate(workload, settings, shared);
        schedules += 1;
        let found = seen(&run);
        let more = choices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .advance();
        if found.is_some() || !more {
            return (found, schedules);
        }
    }
}

/// The first schedule that an oracle rejects, starting with the smallest budget.
#[derive(Debug)]
pub(crate) struct Found {
    /// The number of schedules that were run, those of smaller budgets included.
    pub(crate) schedules: u64,
    /// Its faults, in words. The oracle rejects no schedule of a smaller budget.
    pub(crate) schedule: String,
    pub(crate) verdict: Verdict,
}

/// Searches for a schedule that the oracle of this name rejects: in every budget within the given
/// one, the smallest first, each exhausted before the next.
pub(crate) fn find(workload: &Workload, budget: Budget, oracle: &str) -> Option<Found> {
    let mut schedules = 0;
    for budget in up_to(budget) {
        let (found, count) = each_schedule(workload, budget, |run| {
            let verdicts = judge(workload, run);
            let verdict = verdicts.into_iter().find(|it| it.oracle == oracle)?;
            Some((words(run), verdict))
        });
        schedules += count;
        if let Some((schedule, verdict)) = found {
            return Some(Found {
                schedules,
                schedule,
                verdict,
            });
        }
    }
    None
}

/// The faults of a run, in words.
pub(crate) fn words(run: &Run) -> String {
    let words: Vec<String> = run
        .history
        .faults()
        .map(|(_, _, fired)| fired.to_string())
        .collect();
    if words.is_empty() {
        "no fault".to_owned()
    } else {
        words.join("; ")
    }
}

/// A number of a budget.
type Group = fn(&mut Budget) -> &mut u32;

/// The budgets with at most these numbers, the smallest first.
fn up_to(most: Budget) -> Vec<Budget> {
    let mut budgets = vec![Budget::default()];
    let groups: [(u32, Group); 11] = [
        (most.crashes, |budget| &mut budget.crashes),
        (most.faults, |budget| &mut budget.faults),
        (most.disk, |budget| &mut budget.disk),
        (most.errors, |budget| &mut budget.errors),
        (most.takeovers, |budget| &mut budget.takeovers),
        (most.preemptions, |budget| &mut budget.preemptions),
        (most.cancels, |budget| &mut budget.cancels),
        (most.jumps, |budget| &mut budget.jumps),
        (most.breaches, |budget| &mut budget.breaches),
        (most.orders, |budget| &mut budget.orders),
        (most.services, |budget| &mut budget.services),
    ];
    for (most, group) in groups {
        budgets = budgets
            .into_iter()
            .flat_map(|budget| {
                (0..=most).map(move |count| {
                    let mut budget = budget;
                    *group(&mut budget) = count;
                    budget
                })
            })
            .collect();
    }
    // Switches between two lives need a second one.
    budgets.retain(|budget| budget.preemptions == 0 || budget.takeovers > 0);
    budgets.sort_by_key(|budget| {
        budget.crashes
            + budget.faults
            + budget.errors
            + budget.takeovers
            + budget.preemptions
            + budget.cancels
            + budget.disk
            + budget.jumps
            + budget.breaches
            + budget.orders
            + budget.services
    });
    budgets
}
