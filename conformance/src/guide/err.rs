//! The guide to the laws of errors.

use super::guide;

guide! {
    about "The engine tells errors of stores from errors of tasks by their category, and conflicts from \
           other errors by their kind. People read the message."
    sql "map the driver's code for a unique violation (SQLSTATE 23505, SQLite 2067 and 1555, MySQL 1062) to \
         `Error::conflict`, a lost connection to `Error::unavailable`, a lost answer to a COMMIT to \
         `Error::unknown_outcome`"
    kv "a failed condition is `Error::conflict`; a timeout after the request was sent is \
        `Error::unknown_outcome`"
    files "`AlreadyExists` from `create_new` is `Error::conflict`; ENOSPC and EIO are \
           `Error::unknown_outcome` unless nothing was written"

    ERR_01 Errors
        (reading "every rejection by a store has the category `checkpoint_store`")
        why "The category tells the engine that the log rejected the row, and not the task: it then gives \
             way instead of retrying."
        cause "The error is built with a task's constructor."
        fix "Build errors with `Error::conflict`, `Error::unavailable`, `Error::unknown_outcome` or \
             `Error::checkpoint_store`.";
    ERR_02 Errors
        why "A panic in a store takes the workflow's task with it, and poisons locks for all others."
        cause "`unwrap`, `expect`, slicing of text, or arithmetic that overflows meets data from callers or \
               from the disk."
        fix "Return an error for whatever callers or the disk can cause.";
    ERR_03 Claim
        (reading "a load may return what the store has in memory; an empty answer says that there was no run")
        why "Networks fail every week. A store that waits for ever stops its workflow silently. A store that \
             answers Ok or \"no rows\" makes the engine believe in a row that is not there, or start the run \
             anew."
        cause "A request has no time limit, retries have no end, or a failed query counts as an empty \
               result."
        fix "Limit connecting and each request. Return `Error::unavailable` if nothing was sent, \
             `Error::unknown_outcome` if it was, and never an empty run for a failed query.";
    ERR_04 Claim
        why "The backend is back in a minute, and the process lives for months. A store that needs a restart \
             turns each network failure into an outage."
        cause "The store keeps a dead connection."
        fix "Use a pool that tests its connections and replaces dead ones, or reconnect with the next \
             operation. If a store must be opened again by design, set `Options::reopens_after_outage`.";
    ERR_05 Errors
        why "\"Duplicate key\" alone sends somebody through all the runs."
        cause "The driver's message is passed on without id and sequence."
        fix "Put the id and the sequence into the message; `Error::conflict` does.";
    ERR_06 Errors
        why "A conflict means that another life owns the run; \"unavailable\" is worth another try. With a \
             typed conflict the engine need not read the log to find out."
        cause "All errors of the store have the same kind."
        fix "Return `Error::conflict(id, sequence)` for a taken sequence, and only for that.";
    ERR_07 Errors
        why "Each error costs a run its life: it is suspended until a recovery resumes it."
        cause "A time limit is shorter than a compaction, a statement is not prepared again, or a cursor is \
               not closed."
        fix "Retry inside the store what has had no effect, such as a load, and raise time limits above its own \
             background work.";
}
