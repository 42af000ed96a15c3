//! What holds the rows: memory, which survives every crash, or the embedded store on a machine.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::disk::Loss;
use crate::operations::history::Rows;
use crate::operations::machine::Machine;

pub(super) enum Storage {
    Memory(Mutex<BTreeMap<&'static str, Rows>>),
    Embedded(Machine),
}

impl Storage {
    pub(super) fn memory(runs: BTreeMap<&'static str, Rows>) -> Self {
        Self::Memory(Mutex::new(runs))
    }

    /// The process that uses it ends at once, perhaps with the power.
    pub(super) fn crash(&self, loss: Option<&Loss>) {
        if let Self::Embedded(machine) = self {
            machine.crash(loss);
        }
    }

    /// The machine, if the store is embedded.
    pub(super) fn machine(&self) -> Option<&Machine> {
        match self {
            Self::Memory(_) => None,
            Self::Embedded(machine) => Some(machine),
        }
    }
}
