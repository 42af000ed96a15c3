//! The guide to the laws of cancellation.

use super::guide;

guide! {
    about "A future may be dropped at every await: by a timeout, a `select!`, a runtime that ends. The \
           caller then does not know what came of the operation and finds out by loading. An async \
           function that is dropped simply stops at its await: nothing after it is run."
    sql "begin and commit within one future whose transaction rolls back when it is dropped, and whose \
         connection goes back to the pool clean; or hand the whole statement to a task that finishes it"
    kv "all of an operation in one blocking closure (`spawn_blocking`), so that it happens whole once it has \
        begun; or in one batch without an await inside"
    files "write a temporary file, then rename, without an await between the two; a guard removes the \
           temporary file"

    CAN_01 Dropped
        (reading "dropping a future is an error nobody hears: its row is whole or absent, like after any error")
        "Timeouts are everyday business. A header without its body, or a row in one of two tables, can \
         neither be resumed nor cleared."
        "Have exactly one point at which the row comes to be: a commit, a rename, one insert.";
    CAN_02 Dropped
        "A future that nobody has polled has not begun. Who makes and drops one counts on that."
        "Do the work inside of the async block, not in the function that returns it. `#[checkpoint_store]` \
         and async-trait do it right; hand-written futures are the suspects.";
    CAN_03 Fence
        "After a timeout the engine loads, and goes by what it sees. If the row is shown and is accepted a \
         second time, there is no fence; if it was said to be accepted, it has to be there."
        "Let the same structure answer loads and refuse duplicates, and change it in one step.";
    CAN_04 Dropped
        "A connection, a permit or a lock that is lost with a dropped future ends the store after as many \
         timeouts as there are of them."
        "Guards rather than pairs of calls (`acquire` and `release`); give back in `Drop`. A std mutex \
         guard must not live across an await.";
    CAN_05 Dropped
        "Loads and clears are dropped as well: a load must not have changed anything, a clear is done or \
         not begun."
        "A clear is one step (CLR-08); a load takes no lock that its drop does not give back.";
    CAN_06 ShownStays
        "A row that is shown and then taken back by an undo in the background has misled whoever saw it."
        "Show a row only when it is there for good; a roll-back happens before anybody can see.";
    CAN_07 Claim
        (reading "an append that was given up belongs before the clear, since nobody waits for it any more")
        "An append that is detached and lands after the clear is the first row of a run that nobody \
         started: the id is taken."
        "Let operations on an id wait for those before them, detached ones included (a queue does it); or \
         drop the claim.";
    CAN_08 Claim
        "Whoever takes a run over loads its log and goes on from what is not there. A row that lands later \
         is a decision that nobody took into account."
        "A load is queued behind the writes that were begun; on a server fence old requests with a session \
         or an epoch. Without it drop the claim, and the exclusive scope as well.";
}
