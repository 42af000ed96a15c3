//! Pages: what is on them, that no text of a user's breaks out, and that a browser shows them.

mod browser;
mod certificate;
mod escaping;
mod layout;
mod paper;
mod structure;

use std::sync::{Arc, Mutex};

use crashpoint_cli::page::{ExplainedRun, of_schedule};
use crashpoint_simulator::choices::Exhaustive;
use crashpoint_simulator::oracle::judge;
use crashpoint_simulator::steps::Steps;
use crashpoint_simulator::workload::{self, Workload};
use crashpoint_simulator::{Budget, Choices, Run, Settings, StoreKind, simulate};

/// The schedules of a workload within a budget, each run when it is asked for.
fn runs(workload: &Workload, budget: &str) -> impl Iterator<Item = Run> {
    let budget: Budget = budget.parse().expect("the test's budget is well formed");
    let choices = Arc::new(Mutex::new(Exhaustive::new()));
    let mut more = true;
    std::iter::from_fn(move || {
        let shared = Arc::clone(&choices) as Arc<Mutex<dyn Choices>>;
        let run = more.then(|| simulate(workload, &Settings::within(budget), shared));
        more = choices.lock().expect("nobody panics with it").advance();
        run
    })
}

fn named(name: &str) -> Workload {
    workload::named(name).unwrap_or_else(|| panic!("there is a workload {name}"))
}

/// The first schedule that an oracle objects to.
fn violated(workload: &Workload, budget: &str) -> Run {
    let mut runs = runs(workload, budget).take(400);
    runs.find(|run| !judge(workload, run).is_empty())
        .expect("the mutant is noticed")
}

fn page(workload: &Workload, run: &Run) -> String {
    page_with(workload, run, None)
}

/// The page with the steps of the run, if they are given.
fn page_with(workload: &Workload, run: &Run, steps: Option<&Steps>) -> String {
    let verdicts = judge(workload, run);
    let explained = ExplainedRun {
        workload,
        run,
        verdicts: &verdicts,
        store: StoreKind::Memory,
        command: "crashpoint replay TOKEN",
    };
    of_schedule(&explained, None, steps)
}
