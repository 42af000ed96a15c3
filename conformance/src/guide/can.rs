//! The guide to the laws of cancellation.

use super::guide;

guide! {
    about "A future may be dropped at every await: by a timeout, a `select!` or a runtime that ends. The \
           caller then does not know the outcome and loads to find out. An async function that is dropped \
           stops at its await: nothing after it runs."
    sql "begin and commit within one future whose transaction rolls back on drop and whose connection \
         returns to the pool clean; or hand the whole statement to a task that finishes it"
    kv "all of an operation in one blocking closure (`spawn_blocking`), so that it completes once it has \
        begun; or in one batch without an await inside"
    files "write a temporary file, then rename, without an await in between; a guard removes the temporary \
           file"

    CAN_01 Dropped
        (reading "dropping a future is an error that nobody hears: its row is whole or absent, as after any \
                  error")
        why "Timeouts are common. A header without its body, or a row in one of two tables, can be neither \
             resumed nor cleared."
        cause "A row is written in several steps, with an await between them."
        fix "Have exactly one point at which the row comes into being: a commit, a rename or one insert.";
    CAN_02 Dropped
        why "A caller may create a future and drop it unpolled. It relies on the operation not having begun."
        cause "A hand-written future starts its work when it is created."
        fix "Do the work inside the async block, not in the function that returns it. `#[checkpoint_store]` \
             and async-trait do so.";
    CAN_03 Fence
        why "After a timeout the engine loads and acts on what it sees. A row that was shown must be \
             rejected when sent again, and a row that was accepted must be there."
        cause "Loads and the check for duplicates look at different structures."
        fix "Let one structure answer loads and reject duplicates, and change it in one step.";
    CAN_04 Dropped
        why "If each dropped future keeps a connection, a permit or a lock, the store stops after as many \
             timeouts as it has of them."
        cause "Resources are released by a second call, or a std mutex guard lives across an await."
        fix "Use guards that release in `Drop`, not pairs of calls such as `acquire` and `release`.";
    CAN_05 Dropped
        why "Loads and clears are dropped too: a load must change nothing, and a clear is done or not begun."
        cause "A clear has several steps, or a dropped load keeps a lock."
        fix "Make a clear one step (CLR-08), and let `Drop` release whatever a load takes.";
    CAN_06 ShownStays
        why "A row that is shown and then taken back in the background has misled whoever saw it."
        cause "A rollback runs after the row has become visible."
        fix "Show a row only when it is there for good; roll back before anybody can see it.";
    CAN_07 Claim
        (reading "an append that was given up comes before the clear, since nobody waits for it any more")
        why "A detached append that lands after the clear is the first row of a run that nobody started, and \
             takes its id."
        cause "A clear does not wait for detached appends."
        fix "Let operations on an id wait for earlier ones, detached ones included (a queue does so); or \
             drop the claim.";
    CAN_08 Claim
        why "A life that takes over loads the log and acts on what is not there. A row that lands later is a \
             decision that nobody took into account."
        cause "A load does not wait for detached appends."
        fix "Queue a load behind the writes that have begun; on a server, fence old requests with a session \
             or an epoch. Otherwise drop the claim, and the exclusive scope too.";
}
