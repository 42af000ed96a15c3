//! The guide to the laws of runtimes.

use super::guide;

guide! {
    about "The engine polls a store's futures on whatever runtime its user has. A store must not hold the \
           thread that polls it, nor depend on a certain one."
    sql "an async driver, or a blocking one on `spawn_blocking` or on a thread of its own"
    kv "embedded databases block: their calls go to `spawn_blocking`, a sync of the disk takes milliseconds"
    files "`std::fs` inside of `spawn_blocking`; tokio's `fs` does that for each call, which is slower and no \
           more atomic"

    RUN_01 Concurrent
        "Small services and tests run on one thread. A store that waits there for a task of the same \
         thread waits for ever."
        "No `block_on`, no `block_in_place` (it panics there), no blocking receive; await instead.";
    RUN_02 Concurrent
        "With other numbers of workers, other interleavings: a deadlock that needs two workers, a race \
         that needs eight."
        "As RUN-01; a std mutex is held for a moment, and never across an await.";
    RUN_03 Concurrent
        (reading "an operation that may run beside others does not keep them from running")
        "While a store blocks the executor, timers, heartbeats and every other workflow stand still."
        "Move file and database calls to `spawn_blocking`, sleep with the runtime's timer. What is allowed \
         is `Options::poll_max`, 5 ms for one poll.";
    RUN_04 Claim
        "Tests and tools open a store in one runtime and use it in the next. Tasks and connections of the \
         first are gone by then."
        "Keep no `Handle`, and no background task that operations need; take the runtime that polls, or a \
         thread of your own. Or drop the claim.";
    RUN_05 Shared
        "A runtime moves tasks between threads, so a future's parts must not be bound to one."
        "No thread-locals between two awaits; register the waker anew at each poll.";
    RUN_06 Shared
        "The last `Arc` of a store is often dropped inside of async code. Blocking on a runtime there \
         panics."
        "No `block_on` in `Drop`: tell a thread to end, or let what is queued be finished by its own task.";
    RUN_07 Claim
        "Without tokio there is no `Handle::current()`, no timer and no pool."
        "Use threads and channels of std or of async-neutral crates, or drop the claim.";
}
