//! The target `crash_schedule`: no schedule within the budget breaks a promise.
//!
//! An input is a tape, a byte for each draw: first the workload, the store and the budget of each fault
//! group, then every draw of the simulation.

use std::sync::OnceLock;

use crashpoint_simulator::choices::Bytes;
use crashpoint_simulator::workload::{Rule, Workload, all, mutants};
use crashpoint_simulator::{
    Budget, Choices, Possible, Settings, Source, StoreKind, TapeFile, Token, Trial, run_seed, swarm,
};

use crate::Seed;

/// The largest budget of an input.
const BUDGET_MAX: Budget = Budget {
    crashes: 3,
    faults: 2,
    disk: 1,
    errors: 2,
    takeovers: 1,
    preemptions: 3,
    cancels: 1,
    jumps: 2,
    breaches: 0,
    orders: 0,
    services: 0,
};

/// One simulation in 16 uses the embedded store on a disk, which takes a hundred times as long.
const STORES: usize = 16;

/// Runs the schedule of `input`.
///
/// # Panics
///
/// If an oracle objects: with the token of the schedule, or with its tape if a token would be too long.
pub fn crash_schedule(input: &[u8]) -> Trial {
    static WORKLOADS: OnceLock<Vec<Workload>> = OnceLock::new();
    check_schedule(input, WORKLOADS.get_or_init(all), None)
}

/// The same for a mutant, an engine that breaks `rule`.
///
/// # Panics
///
/// If an oracle objects.
pub fn crash_schedule_without(rule: Rule, input: &[u8]) -> Trial {
    check_schedule(input, &mutants(rule), Some(rule))
}

fn check_schedule(input: &[u8], workloads: &[Workload], broken: Option<Rule>) -> Trial {
    let mut choices = Bytes::new(input);
    // 0 draws the workload as well.
    let source = match choices.choose("plan/source", workloads.len() + 1) {
        0 => Source::Generated(broken),
        fixed => Source::Fixed(&workloads[fixed - 1]),
    };
    let store = match choices.choose("plan/store", STORES) {
        last if last == STORES - 1 => StoreKind::Redb,
        _ => StoreKind::Memory,
    };
    let settings = Settings {
        store,
        ..Settings::within(swarm(&mut choices, BUDGET_MAX))
    };
    let (trial, _) = source.run(&settings, choices);
    if let Some(verdict) = trial.verdicts.first() {
        let schedule = trial.schedule().items().join("\n  ");
        panic!(
            "{}: {}\n  {schedule}\n  {}",
            verdict.oracle,
            verdict.message,
            recording(source, &settings, &trial)
        );
    }
    trial
}

/// How a trial is replayed.
fn recording(source: Source<'_>, settings: &Settings, trial: &Trial) -> String {
    let (name, tape) = (source.name(), &trial.tape);
    match Token::of(&name, settings, tape).word() {
        Ok(token) => format!("replay it: crashpoint replay {token}"),
        Err(_) => {
            let file = TapeFile::of(&name, settings, tape);
            format!("replay it: crashpoint replay FILE, with this file:\n{file}")
        }
    }
}

/// Schedules of a few seeds as tapes: each workload without a fault, with crashes, and with every group
/// of faults.
pub(crate) fn seeds() -> Vec<Seed> {
    let workloads = all();
    let mut seeds = Vec::new();
    for source in 0..=workloads.len() {
        let (from, name) = match source.checked_sub(1) {
            None => (Source::Generated(None), "generated"),
            Some(fixed) => (Source::Fixed(&workloads[fixed]), &*workloads[fixed].name),
        };
        let mut add = |what: &str, store: StoreKind, budget: Budget| {
            let input = [
                plan(source, store, budget),
                Bytes::spell(&first_trial(from, store, budget).tape),
            ];
            seeds.push(Seed {
                name: format!("{name}-{what}"),
                input: input.concat(),
            });
        };
        let crashes = |crashes| Budget {
            crashes,
            ..Budget::default()
        };
        let memory = StoreKind::Memory;
        add("calm", memory, Budget::default());
        add("crashes", memory, crashes(2));
        let errors = 2;
        add(
            "errors",
            memory,
            Budget {
                errors,
                ..crashes(1)
            },
        );
        let jumps = 2;
        add(
            "clocks",
            memory,
            Budget {
                jumps,
                ..crashes(1)
            },
        );
        let everything = Budget {
            faults: 1,
            errors: 1,
            takeovers: 1,
            preemptions: 2,
            cancels: 1,
            jumps: 1,
            ..crashes(2)
        };
        add("everything", memory, everything);
        if source < 2 {
            add("on-disk", StoreKind::Redb, crashes(1));
            let disk = 1;
            add(
                "broken-disk",
                StoreKind::Redb,
                Budget { disk, ..crashes(0) },
            );
        }
    }
    seeds
}

/// The first seed with a fault, if the budget allows any.
fn first_trial(from: Source<'_>, store: StoreKind, budget: Budget) -> Trial {
    let settings = Settings {
        store,
        ..Settings::within(budget)
    };
    let mut trials = (1..).map(|seed| run_seed(from, &settings, Possible::All, seed).0);
    let is_calm = budget == Budget::default();
    let trial = trials.find(|trial| trial.schedule().0.is_empty() == is_calm);
    trial.expect("there is no last seed")
}

/// The draws before those of the simulation, a byte each, as [`check_schedule`] draws them.
fn plan(source: usize, store: StoreKind, budget: Budget) -> Vec<u8> {
    let store = match store {
        StoreKind::Redb => STORES - 1,
        _ => 0,
    };
    let groups = |budget: Budget| {
        [
            budget.crashes,
            budget.faults,
            budget.disk,
            budget.errors,
            budget.takeovers,
            budget.preemptions,
            budget.cancels,
            budget.jumps,
        ]
    };
    let bounds = groups(BUDGET_MAX);
    assert!(
        groups(budget)
            .iter()
            .zip(bounds)
            .all(|(group, most)| *group <= most),
        "a seed stays within the budget of the target"
    );
    let draws = [source, store].into_iter();
    let draws = draws.chain(groups(budget).map(|group| group as usize));
    draws
        .map(|draw| u8::try_from(draw).expect("each draw is a byte"))
        .collect()
}
