//! The cost of a transition of a plain task, beside the reference crate.
//!
//! One run goes round a state [`TRANSITIONS`] times and ends. The engine always has a store, so it
//! is measured with the memory store and with one that forgets; the reference crate without a store
//! and with a memory store of the same build. The engine clears the log of the run when it is done, as
//! the reference crate does.

use crashpoint::MemoryCheckpointStore;
use crashpoint_benches::transition::{TRANSITIONS, ours, reference};
use crashpoint_benches::{Comparison, ForgetfulStore};
use criterion::{Criterion, Throughput};
use tokio::runtime::{Builder, Runtime};

const FORGETFUL: &str = "crashpoint, store that forgets";
const MEMORY: &str = "crashpoint, memory store";
const REFERENCE: &str = "cano 0.12, no store";
const REFERENCE_MEMORY: &str = "cano 0.12, memory store";

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a tokio runtime");
    let mut criterion = Criterion::default().configure_from_args();
    each(&mut criterion, &runtime);
    criterion.final_summary();
    let elsewhere = ["--test", "--list", "--profile-time"];
    if !std::env::args().any(|argument| elsewhere.contains(&&*argument)) {
        side_by_side(&runtime);
    }
}

fn each(criterion: &mut Criterion, runtime: &Runtime) {
    let mut group = criterion.benchmark_group("transition");
    group.throughput(Throughput::Elements(TRANSITIONS.into()));
    let forgetful = ours::Peer::keeping(ForgetfulStore);
    group.bench_function(FORGETFUL, |b| b.iter(|| runtime.block_on(forgetful.run())));
    let memory = ours::Peer::clearing(MemoryCheckpointStore::new());
    group.bench_function(MEMORY, |b| b.iter(|| runtime.block_on(memory.run())));
    let without = reference::Peer::without_store();
    group.bench_function(REFERENCE, |b| b.iter(|| runtime.block_on(without.run())));
    let with = reference::Peer::with_memory_store();
    group.bench_function(REFERENCE_MEMORY, |b| {
        b.iter(|| runtime.block_on(with.run()));
    });
    group.finish();
}

#[expect(clippy::print_stdout, reason = "the ratio is what this is for")]
fn side_by_side(runtime: &Runtime) {
    const RUNS: u32 = 40;
    let repeatedly = |run: &dyn Fn()| (0..RUNS).for_each(|_| run());
    let ours = [
        ours::Peer::keeping(ForgetfulStore),
        ours::Peer::clearing(MemoryCheckpointStore::new()),
    ];
    let theirs = [
        reference::Peer::without_store(),
        reference::Peer::with_memory_store(),
    ];
    let mut forgetful = || repeatedly(&|| runtime.block_on(ours[0].run()));
    let mut memory = || repeatedly(&|| runtime.block_on(ours[1].run()));
    let mut without = || repeatedly(&|| runtime.block_on(theirs[0].run()));
    let mut with = || repeatedly(&|| runtime.block_on(theirs[1].run()));
    let comparison = Comparison::run(
        "transition",
        RUNS * TRANSITIONS,
        &mut [
            (MEMORY, &mut memory),
            (FORGETFUL, &mut forgetful),
            (REFERENCE, &mut without),
            (REFERENCE_MEMORY, &mut with),
        ],
    );
    println!("{comparison}");
}
