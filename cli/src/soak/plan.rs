//! Which seed is which schedule.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crashpoint_simulator::StoreKind;
use crashpoint_simulator::workload;

use crate::arguments::{ALL, GENERATED, SoakArguments, Store};
use crate::exit::Failure;
use crate::replay::rerun::REPEATED_EVERY;
use crate::soak::seed::{Outcome, examine};
use crate::workloads as selection;
use crate::workloads::origin::Origin;

/// A workload over a store.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) origin: Origin,
    pub(crate) store: StoreKind,
}

/// The cells whose turn it is, seed by seed.
#[derive(Debug)]
pub(crate) struct Plan {
    cells: Vec<Cell>,
}

/// A seed that was run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) seed: u64,
    pub(crate) repeated: bool,
    pub(crate) outcome: Outcome,
}

impl Plan {
    /// The cells that are asked for. Each second seed is one of a drawn workflow where there are those
    /// beside the workloads: they are the ones that nobody has seen before.
    pub(crate) fn of(arguments: &SoakArguments) -> Result<Self, Failure> {
        let (name, mutant) = (&arguments.workload, arguments.mutant.as_deref());
        let fixed = match name.as_str() {
            GENERATED => Vec::new(),
            name => selection::workloads(name, mutant, &[GENERATED])?,
        };
        let generated = [ALL, GENERATED].contains(&name.as_str());
        let stores = arguments.store.iter().copied().map(Store::kind);
        let rule = mutant.and_then(workload::rule_named);
        let drawn = |store| Cell {
            origin: Origin::Generated(rule),
            store,
        };
        let mut cells = Vec::new();
        if fixed.is_empty() {
            cells.extend(stores.clone().map(drawn));
        }
        for workload in fixed {
            let origin = Origin::from(workload);
            for store in stores.clone() {
                cells.extend(generated.then(|| drawn(store)));
                let origin = origin.clone();
                cells.push(Cell { origin, store });
            }
        }
        Ok(Self { cells })
    }

    /// The cell of a seed.
    pub(crate) fn cell(&self, seed: u64) -> &Cell {
        &self.cells[(seed % self.cells.len() as u64) as usize]
    }

    pub(crate) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Runs a seed; twice if it is its turn.
    pub(crate) fn run(&self, seed: u64) -> Ran {
        let cells = self.cells.len() as u64;
        let repeated = (seed / cells + seed % cells).is_multiple_of(REPEATED_EVERY);
        let cell = self.cell(seed);
        let examine = || examine(cell.origin.source(), cell.store, seed, repeated);
        // What panicked is the simulator, whose hook has printed it, and nothing of it is left.
        let outcome = catch_unwind(AssertUnwindSafe(examine)).unwrap_or(Outcome::Panicked);
        Ran {
            seed,
            repeated,
            outcome,
        }
    }
}
