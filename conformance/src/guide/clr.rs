//! The guide to the laws of clearing.

use super::guide;

guide! {
    about "A clear ends a run for good and frees its id. It is the only operation that destroys, so it must \
           hit exactly its run, completely or not at all."
    sql "one `DELETE ... WHERE id = ?` in one transaction, without a limit, or all batches inside the same \
         transaction; under MVCC at READ COMMITTED (the default of PostgreSQL) lock the run before the \
         statement takes its snapshot, for appends and clears alike, or rows that commit meanwhile stay"
    kv "a range delete over exactly this run's keys, in one batch; or a generation number for each run, \
        raised by the clear and part of every key"
    files "first rename the run's file or directory away (the atomic step), then sync the directory, then \
           delete"

    CLR_01 Clear
        why "A row that remains becomes the beginning of the next run under this id."
        cause "The delete has a limit, a page or a filter on the kind."
        fix "Delete by the id alone, and all rows of it.";
    CLR_02 Clear
        why "After a crash nobody knows whether the clear was done, so repeating it must be safe."
        cause "Nothing to delete is returned as an error."
        fix "Treat zero deleted rows and ENOENT as success.";
    CLR_03 Clear
        why "A resumed life clears again what an earlier life has cleared."
        cause "A \"cleared\" state rejects the second clear."
        fix "Forget a cleared run, and let a clear of nothing succeed.";
    CLR_04 Clear
        why "Clearing a lookalike too destroys the log of a run under way, and its effects are done again."
        cause "The delete uses LIKE, `starts_with`, case folding, or a prefix scan without an upper bound."
        fix "Compare ids exactly, byte for byte.";
    CLR_05 Clear
        why "An id may be used again, and its new run starts from nothing."
        cause "Remnants (a maximum, a tombstone, a cached row) reject or spoil the new run."
        fix "Reset everything that is keyed by the id, including caches and counters.";
    CLR_06 Clear
        why "Once clear has returned, the engine reports the run as gone, and a load must agree."
        cause "Clear answers before the delete is done, or a cache answers the load."
        fix "Await the delete, evict caches before answering, and read from where you deleted.";
    CLR_07 Claim
        why "A run that comes back after a restart is resumed, and all that it did is done again."
        cause "The clear is kept in memory alone, or opening a log brings the old rows back."
        fix "Make the clear as durable as an append. In a log, write a record of the clear and obey it on \
             opening, whatever the order of files.";
    CLR_08 Clear
        (reading "a clear is one step for whoever loads beside it")
        why "A load that sees half a run sees a log without its beginning or its end, and a life would \
             continue from there."
        cause "Rows are deleted one by one, or a load reads in several steps."
        fix "Delete in one transaction or batch, and load from one snapshot; with a file for each row, \
             rename the directory first.";
    CLR_09 Clear
        why "Long runs end too, and must be cleared like short ones."
        cause "The delete exceeds a limit of the transaction, of the batch or of time."
        fix "Use batches inside one transaction, a range delete, or a rename that frees the id at once.";
    CLR_10 Clear
        (reading "`clear_if_begun_with` clears a run whose first row is the given row, in every field, and says \
                  whether it did; a store that one process uses may clear whatever is there, which is the default")
        why "A purge has read the log of an ended run. Before it clears the log, another process may have cleared \
             it too and begun the id again: that run is under way."
        cause "The condition compares a part of the row, or any row of the run; or a store of several handles \
               keeps the default, which does not look."
        fix "Override `clear_if_begun_with`: compare the row with the lowest sequence, all its fields, and delete \
             in the same transaction.";
}
