//! The guide to the laws of errors.

use super::guide;

guide! {
    about "The engine tells errors of stores from errors of tasks by their category, and conflicts from the \
           rest by their kind. A person reads the message at night."
    sql "map the driver's code for a unique violation (SQLSTATE 23505, SQLite 2067 and 1555, MySQL 1062) to \
         `Error::conflict`, lost connections to `Error::unavailable`, a lost answer to a COMMIT to \
         `Error::unknown_outcome`"
    kv "a failed condition is `Error::conflict`; a timeout after the request was sent is \
        `Error::unknown_outcome`"
    files "`AlreadyExists` from `create_new` is `Error::conflict`; ENOSPC and EIO are \
           `Error::unknown_outcome` unless nothing was written"

    ERR_01 Errors
        (reading "the category `checkpoint_store` belongs to every refusal of a store")
        "By the category the engine knows that it was the log that refused, and not the task: it then \
         stands back rather than retries."
        "Build errors with `Error::conflict`, `Error::unavailable`, `Error::unknown_outcome` or \
         `Error::checkpoint_store`, not with a task's constructor.";
    ERR_02 Errors
        "A panic in a store takes the workflow's task with it and poisons locks for all others."
        "Errors in place of `unwrap`, `expect`, slicing of texts and arithmetic that overflows, on whatever \
         comes from callers or from the disk.";
    ERR_05 Errors
        "\"Duplicate key\" alone sends somebody through all the runs."
        "Put the id and the sequence into the message; `Error::conflict` does.";
    ERR_06 Errors
        "A conflict means that another life owns the run; \"unavailable\" is worth another try. Told apart, \
         the engine need not read the log to find out."
        "Answer `Error::conflict(id, sequence)` for a taken sequence, and only for that.";
}
