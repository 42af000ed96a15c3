//! Which seed runs which workload over which store.

use std::thread;

use crashpoint_simulator::operations::{self, Broken};
use crashpoint_simulator::{Operations, Repeat, StoreKind, workload};

use crate::arguments::{ALL, GENERATED, SoakArguments, Store};
use crate::exit::Failure;
use crate::soak::ran::Ran;
use crate::soak::seed::SeedOutcome;
use crate::workloads;
use crate::workloads::origin::Origin;

/// A workload over a store.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) ran: Ran,
    pub(crate) store: StoreKind,
}

/// The targets, which seeds take in turn.
#[derive(Debug)]
pub(crate) struct SeedPlan {
    targets: Vec<Target>,
}

/// The result of a seed.
#[derive(Debug)]
pub(crate) struct SeedResult {
    pub(crate) seed: u64,
    pub(crate) repeated: bool,
    pub(crate) outcome: SeedOutcome,
}

impl SeedPlan {
    /// The requested targets. If there are both, every second seed runs a generated workflow: those are
    /// new each time. Operations are among all.
    pub(crate) fn of(arguments: &SoakArguments) -> Result<Self, Failure> {
        let (name, mutant) = (&arguments.workload, arguments.mutant.as_deref());
        let broken = mutant.and_then(Broken::named);
        if broken.is_some() || (name == operations::NAME && mutant.is_none()) {
            if ![ALL, operations::NAME].contains(&name.as_str()) {
                return Err(workloads::no_operation_of(name, mutant.unwrap_or_default()));
            }
            return Ok(Self::of_operations(arguments, Operations(broken)));
        }
        let fixed = match name.as_str() {
            GENERATED => Vec::new(),
            name => workloads::named(name, mutant, &[GENERATED, operations::NAME])?,
        };
        let generated = [ALL, GENERATED].contains(&name.as_str());
        let stores = arguments.store.iter().copied().map(Store::kind);
        let rule = mutant.and_then(workload::rule_named);
        let drawn = |store| Target {
            ran: Ran::Workload(Origin::Generated(rule)),
            store,
        };
        let mut targets = Vec::new();
        if fixed.is_empty() {
            targets.extend(stores.clone().map(drawn));
        }
        for workload in fixed {
            let origin = Origin::from(workload);
            for store in stores.clone() {
                targets.extend(generated.then(|| drawn(store)));
                let ran = Ran::Workload(origin.clone());
                targets.push(Target { ran, store });
            }
        }
        if name == ALL && mutant.is_none() {
            targets.extend(Self::of_operations(arguments, Operations(None)).targets);
        }
        assert!(
            !targets.is_empty(),
            "the arguments name at least one store, and an unknown workload is an error"
        );
        Ok(Self { targets })
    }

    fn of_operations(arguments: &SoakArguments, operations: Operations) -> Self {
        let stores = arguments.store.iter().copied().map(Store::kind);
        let target = |store| Target {
            ran: Ran::Operations(operations),
            store,
        };
        Self {
            targets: stores.map(target).collect(),
        }
    }

    /// The target of a seed.
    pub(crate) fn target(&self, seed: u64) -> &Target {
        &self.targets[(seed % self.targets.len() as u64) as usize]
    }

    pub(crate) fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Runs a seed, twice if it is due for a check of determinism.
    pub(crate) fn run(&self, seed: u64) -> SeedOutcome {
        let target = self.target(seed);
        let repeated = self.is_repeated(seed);
        target.ran.examine(target.store, seed, repeated)
    }

    /// The result of a seed that ran, or that panicked: the hook has printed the panic, and nothing
    /// of the simulation remains.
    pub(crate) fn result(&self, seed: u64, ran: thread::Result<SeedOutcome>) -> SeedResult {
        SeedResult {
            seed,
            repeated: self.is_repeated(seed),
            outcome: ran.unwrap_or(SeedOutcome::Panicked),
        }
    }

    /// Whether a seed runs twice, to check determinism.
    fn is_repeated(&self, seed: u64) -> bool {
        let targets = self.targets.len() as u64;
        (seed / targets + seed % targets).is_multiple_of(Repeat::ONE_IN)
    }
}
