//! The state that is left after a crash of every process. A simulation continues from a copy as it
//! would have continued itself.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crashpoint::{CheckpointRow, CheckpointStore as _, MemoryCheckpointStore};
use futures_util::FutureExt as _;
use smol_str::SmolStr;

use crate::disk::SimDisk;
use crate::fault::{Crash, Fault};
use crate::history::{Crashes, What};
use crate::sim::{Lasting, Sim, Storage, Subject};

/// The state of a simulation between two lives.
#[derive(Clone)]
pub(crate) struct Survivor {
    pub(super) kept: Kept,
    pub(super) now: Duration,
    pub(super) nonces: u64,
    pub(super) lasting: Lasting,
    /// The subject with its own world as the crash left it. It is only copied, never run.
    pub(super) subject: Option<Arc<dyn Subject>>,
}

/// The surviving storage.
#[derive(Debug)]
pub(crate) enum Kept {
    /// The rows of each run.
    Memory(Vec<(SmolStr, Vec<CheckpointRow>)>),
    Disk(SimDisk),
}

/// A hash of everything that the rest of a simulation can depend on and that its oracles remember.
/// Survivors with equal keys lead to the same verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(u64, u64);

impl Survivor {
    /// The survivor of `sim` if every process died now.
    pub(super) fn of(sim: &Sim, lasting: &Lasting) -> Self {
        Self {
            kept: Kept::of(sim),
            now: sim.executor.now(),
            nonces: sim.nonces.load(Ordering::Relaxed),
            lasting: lasting.clone(),
            subject: sim.subject.as_ref().and_then(|subject| subject.survivor()),
        }
    }

    /// A subject to continue with, whose world is a copy of the surviving world.
    pub(super) fn subject(&self) -> Option<Arc<dyn Subject>> {
        self.subject.as_ref()?.survivor()
    }

    /// Records the crash, which was choice `chosen` among `n`.
    pub(super) fn record_crash(
        &mut self,
        life: u32,
        point: &SmolStr,
        crash: Crash,
        (n, chosen): (usize, usize),
    ) {
        if let (Kept::Disk(disk), Crash::PowerLoss) = (&self.kept, crash) {
            disk.lose_power();
        }
        assert!(
            (1..n).contains(&chosen),
            "a crash is one of the choices, and 0 is none"
        );
        self.lasting.draw(point.clone(), n, chosen);
        self.lasting
            .record_fault(life, point.clone(), Fault::Crash(crash));
        self.lasting.fault_at(self.now);
    }

    /// The crashes so far.
    pub(crate) fn crashes(&self) -> &Crashes {
        &self.lasting.crashes
    }

    pub(crate) fn key(&self) -> Key {
        let half = |seed: u64| {
            let mut hasher = DefaultHasher::new();
            seed.hash(&mut hasher);
            self.hash_into(&mut hasher);
            hasher.finish()
        };
        Key(half(0), half(1))
    }

    fn hash_into(&self, hasher: &mut impl Hasher) {
        match &self.kept {
            Kept::Memory(rows) => rows.hash(hasher),
            Kept::Disk(disk) => (disk.image().hash(), disk.armed()).hash(hasher),
        }
        (self.now, self.nonces).hash(hasher);
        let world = self.subject.as_ref().map(|subject| subject.fingerprint());
        world.hash(hasher);
        let Lasting {
            tape: _,
            drawn: _,
            budget,
            crashes: _,
            history,
            world,
            late,
            operations,
            under_way,
            lives,
            run_of_life,
            broken_since,
            clock_skew_ms,
            stuck_retries,
            last_fault,
            took: _,
        } = &self.lasting;
        (budget, world, under_way, lives, stuck_retries).hash(hasher);
        run_of_life.hash(hasher);
        (broken_since, clock_skew_ms).hash(hasher);
        // Equal states have been reached at the same time, so this is the time since the last fault.
        last_fault.hash(hasher);
        for late in late {
            (
                late.due.saturating_sub(*operations),
                late.life,
                &late.change,
            )
                .hash(hasher);
        }
        for entry in &history.0 {
            match &entry.what {
                // A switch or another order shows in its consequences.
                What::Fault(fired) if matches!(fired.fault, Fault::Switch(_) | Fault::Order(_)) => {
                }
                // The place of a fault shows in its consequences; its name is for people.
                What::Fault(fired) => (entry.life, fired.fault).hash(hasher),
                what if is_remembered(what) => (entry.life, what).hash(hasher),
                _ => {}
            }
        }
    }
}

impl std::fmt::Debug for Survivor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Survivor")
            .field("now", &self.now)
            .field("lasting", &self.lasting)
            .finish_non_exhaustive()
    }
}

impl Kept {
    fn of(sim: &Sim) -> Self {
        match &sim.storage {
            Storage::Disk(disk) => Self::Disk(disk.copy()),
            // A workload over such a store acts on a world that is not copied.
            Storage::Own(_) => panic!("the content of a user's own store can't be copied"),
            Storage::Memory(store) => {
                let rows = |id: &SmolStr| {
                    let rows = store.load_run(id).now_or_never();
                    let rows = rows.expect("the store in memory answers at once");
                    (id.clone(), rows.expect("the store in memory does not fail"))
                };
                Self::Memory(sim.ids.iter().map(rows).collect())
            }
        }
    }

    pub(super) fn into_storage(self) -> Storage {
        match self {
            Self::Disk(disk) => Storage::Disk(disk),
            Self::Memory(rows) => {
                let store = MemoryCheckpointStore::new();
                for (id, row) in rows
                    .iter()
                    .flat_map(|(id, rows)| rows.iter().map(move |row| (id, row)))
                {
                    let appended = store.append(id, row.clone()).now_or_never();
                    let appended = appended.expect("the store in memory answers at once");
                    appended.expect("each row has a sequence of its own");
                }
                Storage::Memory(Arc::new(store))
            }
        }
    }
}

impl Clone for Kept {
    /// An independent disk, not another handle of the same disk.
    fn clone(&self) -> Self {
        match self {
            Self::Memory(rows) => Self::Memory(rows.clone()),
            Self::Disk(disk) => Self::Disk(disk.copy()),
        }
    }
}

/// Whether an oracle can hold the event against later lives. The other events concern dead lives:
/// their invocations and responses, and the attempts that they began. If such an event is wrong, it
/// is wrong without the crash too, in the schedule that continues.
fn is_remembered(what: &What) -> bool {
    match what {
        What::Sent(_)
        | What::AppendFailed { .. }
        | What::Acknowledged { .. }
        | What::Loaded(_)
        | What::LoadFailed
        | What::Applied { .. }
        | What::Noted(_)
        | What::Started(_)
        | What::Finished { .. }
        | What::Waits { .. }
        | What::PollTimedOut { .. }
        | What::TimerEnded { .. } => false,
        What::Began(_)
        | What::Landed(_)
        | What::Effect(_)
        | What::Cleared
        | What::Broken { .. }
        | What::StoreFailed(_)
        | What::Fault(_)
        | What::Returned(_)
        | What::Panicked(_)
        | What::Unserializable(_)
        | What::Stopped(_)
        | What::Stalled => true,
    }
}
