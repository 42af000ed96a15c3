//! The guide to the laws of runtimes.

use super::guide;

guide! {
    about "The engine polls a store's futures on whatever runtime its user has. A store must not block the \
           thread that polls it, and must not depend on a particular thread."
    sql "an async driver, or a blocking one on `spawn_blocking` or on a thread of its own"
    kv "embedded databases block: call them in `spawn_blocking`; a sync of the disk takes milliseconds"
    files "`std::fs` inside `spawn_blocking`; tokio's `fs` does that for each call, which is slower and no \
           more atomic"

    RUN_01 Concurrent
        why "Small services and tests run on one thread. A store that waits there for a task of the same \
             thread waits for ever."
        cause "The store calls `block_on`, `block_in_place` (which panics there) or a blocking receive."
        fix "Await instead, or block on a thread of your own.";
    RUN_02 Concurrent
        why "Other numbers of workers bring other interleavings: a deadlock that needs two workers, a race \
             that needs eight."
        cause "A std mutex is held across an await, or state has a fixed number of slots for threads."
        fix "Hold a std mutex briefly, never across an await, and do not count threads.";
    RUN_03 Concurrent
        (reading "an operation that may run beside others does not stop them from running")
        why "While a store blocks the executor, timers, heartbeats and every other workflow stand still."
        cause "Async code calls files or a database directly, or sleeps on the thread."
        fix "Move these calls to `spawn_blocking`, and sleep with the runtime's timer. One poll may take \
             `Options::poll_max`, 5 ms by default.";
    RUN_04 Claim
        why "Tests and tools open a store in one runtime and use it in the next. Tasks and connections of \
             the first are gone by then."
        cause "The store keeps a `Handle`, or a background task that operations need."
        fix "Use the runtime that polls, or a thread of your own. Or drop the claim.";
    RUN_05 Shared
        why "A runtime moves tasks between threads, so no part of a future may be bound to one thread."
        cause "A thread-local is used on both sides of an await, or a waker is registered only once."
        fix "Keep state in the future, and register the waker anew at each poll.";
    RUN_06 Shared
        why "The last `Arc` of a store is often dropped inside async code, where blocking on a runtime \
             panics."
        cause "`Drop` calls `block_on`, or drops a runtime."
        fix "In `Drop`, tell a thread to end, or let a task finish what is queued.";
    RUN_07 Claim
        why "Without tokio there is no `Handle::current()`, no timer and no pool."
        cause "An operation uses tokio's runtime, timer or file system."
        fix "Use threads and channels of std or of executor-neutral crates, or drop the claim.";
}
