//! The target `crash_schedule`: whatever goes wrong within a budget, no oracle objects.
//!
//! An input is a tape, a byte for each draw: first the workload, the store under it and how much of
//! each fault is possible, then everything that the simulation draws.

use std::sync::OnceLock;

use crashpoint_simulator::choices::Bytes;
use crashpoint_simulator::workload::{Rule, Workload, all, mutants};
use crashpoint_simulator::{
    Budget, Choices, Possible, Settings, Source, StoreKind, TapeFile, Token, Trial, run_seed, swarm,
};

use crate::Seed;

/// What an input may ask for at most.
const MOST: Budget = Budget {
    crashes: 3,
    faults: 2,
    disk: 1,
    errors: 2,
    takeovers: 1,
    preemptions: 3,
    cancels: 1,
    jumps: 2,
    breaches: 0,
};

/// One in so many simulations has the embedded store on a disk, which takes a hundred times as long.
const STORES: usize = 16;

/// Runs the schedule that `input` is.
///
/// # Panics
///
/// Where an oracle objects, with the token of the schedule, or with its tape where no token is short
/// enough.
pub fn crash_schedule(input: &[u8]) -> Trial {
    static WORKLOADS: OnceLock<Vec<Workload>> = OnceLock::new();
    check_schedule(input, WORKLOADS.get_or_init(all), None)
}

/// The same where an engine that breaks `rule` runs the workloads: a mutant.
///
/// # Panics
///
/// Where an oracle objects.
pub fn crash_schedule_without(rule: Rule, input: &[u8]) -> Trial {
    check_schedule(input, &mutants(rule), Some(rule))
}

fn check_schedule(input: &[u8], workloads: &[Workload], broken: Option<Rule>) -> Trial {
    let mut choices = Bytes::new(input);
    // The first of them is drawn itself: there is the most to find.
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
        ..Settings::within(swarm(&mut choices, MOST))
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

/// What replays a trial.
fn recording(source: Source<'_>, settings: &Settings, trial: &Trial) -> String {
    let (name, tape) = (source.name(), &trial.tape);
    match Token::of(&name, settings, tape).word() {
        Ok(token) => format!("again: crashpoint replay {token}"),
        Err(_) => {
            let file = TapeFile::of(&name, settings, tape);
            format!("again: crashpoint replay FILE, with this file:\n{file}")
        }
    }
}

/// The schedules of a few seeds, spelt out: each workload without a fault, with crashes, and with
/// everything at once.
pub(crate) fn seeds() -> Vec<Seed> {
    let workloads = all();
    let mut seeds = Vec::new();
    for source in 0..=workloads.len() {
        let (from, name) = match source.checked_sub(1) {
            None => (Source::Generated(None), "generated"),
            Some(fixed) => (Source::Fixed(&workloads[fixed]), &*workloads[fixed].name),
        };
        let mut add =
            |what: &str,
             store: u8,
             [crashes, faults, disk, errors, takeovers, cancels, jumps]: [u8; 7]| {
                let store_kind = match store {
                    0 => StoreKind::Memory,
                    _ => StoreKind::Redb,
                };
                let preemptions = 2 * takeovers;
                let budget = Budget {
                    crashes: crashes.into(),
                    faults: faults.into(),
                    disk: disk.into(),
                    errors: errors.into(),
                    takeovers: takeovers.into(),
                    preemptions: preemptions.into(),
                    cancels: cancels.into(),
                    jumps: jumps.into(),
                    ..Budget::default()
                };
                let settings = Settings {
                    store: store_kind,
                    ..Settings::within(budget)
                };
                // The first seed in which something goes wrong, if anything may.
                let mut trials = (1..).map(|seed| run_seed(from, &settings, Possible::All, seed).0);
                let wanted =
                    |trial: &Trial| trial.schedule().0.is_empty() == (budget == Budget::default());
                let trial = trials.find(wanted).expect("there is no last seed");
                let source = u8::try_from(source).expect("there are few");
                let plan = [
                    source,
                    store,
                    crashes,
                    faults,
                    disk,
                    errors,
                    takeovers,
                    preemptions,
                    cancels,
                    jumps,
                ];
                seeds.push(Seed {
                    name: format!("{name}-{what}"),
                    input: [plan.to_vec(), Bytes::spell(&trial.tape)].concat(),
                });
            };
        add("calm", 0, [0; 7]);
        add("crashes", 0, [2, 0, 0, 0, 0, 0, 0]);
        add("errors", 0, [1, 0, 0, 2, 0, 0, 0]);
        add("clocks", 0, [1, 0, 0, 0, 0, 0, 2]);
        add("everything", 0, [2, 1, 0, 1, 1, 1, 1]);
        if source < 2 {
            add("on-disk", STORES as u8 - 1, [1, 0, 0, 0, 0, 0, 0]);
            add("broken-disk", STORES as u8 - 1, [0, 0, 1, 0, 0, 0, 0]);
        }
    }
    seeds
}
