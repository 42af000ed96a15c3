//! The guide to the laws of clearing.

use super::guide;

guide! {
    about "A clear ends a run for good and frees its id. It is the one operation that destroys, so what it \
           touches has to be exact, and it happens at once or not at all."
    sql "one `DELETE ... WHERE id = ?`, in one transaction; without a limit, or with all its batches inside \
         of the same transaction"
    kv "a range delete over exactly this run's keys, in one batch; or a generation number for each run, \
        raised by the clear and part of every key"
    files "rename the run's file or directory away first (that is the atomic step), sync the directory, then \
           remove at leisure"

    CLR_01 Clear
        "A row that is left is taken for the beginning of the next run under this id."
        "Delete by the id alone; a limit, a page or a filter on the kind leaves rows behind.";
    CLR_02 Clear
        "After a crash nobody knows whether the clear was done; asking again has to be safe."
        "Zero rows deleted is success; ENOENT is success.";
    CLR_03 Clear
        "The same: a resumed life clears again what an earlier one has cleared."
        "Do not keep a \"cleared\" state that refuses a second time.";
    CLR_04 Clear
        "A clear that takes a lookalike along destroys the log of a run that is under way. Its effects are \
         then done again."
        "Exact comparison: no LIKE, no prefix scan without an upper bound, no `starts_with`, no case \
         folding.";
    CLR_05 Clear
        "An id may be used again. Remnants (a maximum, a tombstone, a cached row) refuse or spoil the new \
         run."
        "Reset all that is keyed by the id, caches and counters included.";
    CLR_06 Clear
        "The engine reports a run as gone once clear has returned; a load after it must agree."
        "Await the delete; evict caches before answering; read from where you deleted.";
    CLR_07 Claim
        "A run that comes back after a restart is resumed, and all that it did is done again."
        "Make the clear durable like an append. In a log write a record that the run was cleared, and obey \
         it on opening, whatever the order of files.";
    CLR_08 Clear
        (reading "a clear is one step to whoever loads beside it")
        "A load that sees half a run sees a log without its beginning, or without its end, and a life would \
         go on from there."
        "Delete in one transaction or one batch and load from one snapshot; with a file for each row rename \
         the directory first.";
    CLR_09 Clear
        "Long runs meet limits of transactions, of batches and of time."
        "Batches inside of one transaction, a range delete, or a rename that frees the id at once.";
}
