//! The cost of a transition without a disk: the engine with a store that forgets and with the one in
//! memory, the reference crate without a store.

use std::time::Duration;

use crashpoint::MemoryCheckpointStore;
use crashpoint_benches::{ForgetfulStore, elapsed, transition};

use crate::clock::in_us;
use crate::measure::Turn;
use crate::rounds::{Results, Row};

const ROUNDS: usize = 41;

/// Runs in one turn.
const RUNS: u32 = 40;

pub(crate) fn compare() -> Results {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a tokio runtime");
    let forgetful = transition::ours::Peer::keeping(ForgetfulStore);
    let memory = transition::ours::Peer::clearing(MemoryCheckpointStore::new());
    let without = transition::reference::Peer::without_store();
    let with = transition::reference::Peer::with_memory_store();
    let forgetful = || runtime.block_on(forgetful.run());
    let memory = || runtime.block_on(memory.run());
    let without = || runtime.block_on(without.run());
    let with = || runtime.block_on(with.run());
    let peers: [(&str, &dyn Fn()); 4] = [
        ("crashpoint-forgetful", &forgetful),
        ("crashpoint-memory", &memory),
        ("cano-0.12-no-store", &without),
        ("cano-0.12-memory", &with),
    ];
    let mut rows = peers.map(|(name, _)| Row {
        subject: name.to_owned(),
        writers: 1,
        turns: Vec::new(),
    });
    for _ in 0..ROUNDS {
        for (row, (_, run)) in rows.iter_mut().zip(&peers) {
            let took = elapsed(|| (0..RUNS).for_each(|_| run()));
            let transitions = RUNS * transition::TRANSITIONS;
            row.turns.push(Turn {
                rows_per_second: f64::from(transitions) / took.as_secs_f64(),
                p50_us: in_us(took / RUNS),
                p99_us: in_us(took / RUNS),
                flushes_per_row: None,
                bytes_per_row: None,
                timer_stall: Duration::ZERO,
            });
        }
    }
    Results {
        title: "transition: plain tasks, no disk; the times are those of a run of 256",
        rows: rows.into(),
    }
}
