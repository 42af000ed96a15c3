//! The guide to the laws of concurrency.

use super::guide;

guide! {
    about "Every operation takes effect at one instant between its call and its answer, and the order of \
           these instants explains all answers. A failure shows a short history that no order explains: read \
           it from the top, one interval for each operation."
    sql "one statement for an append and for a load (or one REPEATABLE READ snapshot over all pages), and a \
         clear that locks its run before its snapshot; or SERIALIZABLE for all, with a retry after \
         serialization failures"
    kv "one write transaction or batch for each operation, one snapshot for each load; never get, then put"
    files "a mutex or an async lock around check and write, held until the result is known; a load reads \
           under it, or reads files that are only ever renamed into place"

    CON_01 Concurrent
        why "Each operation alone can be right while two of them together are not."
        cause "A clear runs between the check and the insert of an append, a load reads two halves, or a clear \
               under READ COMMITTED leaves the row that commits beside it."
        fix "Find in the history the operation that sees another half done, and make both one critical \
             section or one transaction. Under MVCC appends share a lock of the run, and a clear takes it alone \
             in a statement before its DELETE, at READ COMMITTED: with one snapshot for the transaction the \
             DELETE would not see what committed before the lock.";
    CON_02 Load
        (reading "a load shows what was there at one instant, so it shows a prefix of what one caller \
                  appends in order")
        why "The engine takes a hole in a log for damage."
        cause "Two pages of a load are read at two instants."
        fix "Load from one snapshot; do not assemble a run from several reads without one.";
    CON_03 Append
        why "Half a row is another row: a state without its blob, or a blob cut off."
        cause "A row is written in pieces, and a load runs between them."
        fix "Write a row in one piece: one value, one transaction over both tables, or one rename. Readers \
             stop before a record whose checksum does not match yet.";
    CON_04 ShownStays
        why "A life builds on the rows that it has seen. If the next load lacks one, fence and plan are both \
             void."
        cause "Loads read from a replica, or an older read overwrites a cache."
        fix "Read from the primary. Update a cache before answering, and never let an older read overwrite \
             it.";
    CON_05 Concurrent
        why "Two lives may append to one run at once, and no accepted row may be lost."
        cause "An append reads the whole run, adds a row and writes it back, and loses what another caller \
               added in between."
        fix "Make each row a record of its own. If a run is one value, compare and swap its version, and \
             retry.";
    CON_06 Concurrent
        why "Runs are independent: writing one must not lose rows of another."
        cause "A structure that all runs share (one document, one map) is replaced as a whole."
        fix "Lock the structure that all runs share, or compare and swap its version.";
    CON_07 Concurrent
        why "A service has more callers than its store has connections, and must not hang."
        cause "An operation needs a second connection while it holds the first, or blocks the threads on \
               which the first would continue."
        fix "Take one connection for each operation, once. Do not call `block_on` in async code, and hold no \
             std mutex across an await.";
    CON_08 Concurrent
        why "Dashboards and recovery load a lot. While an append waits for all of them, its workflow stands \
             still."
        cause "A lock prefers readers to writers."
        fix "Use a fair lock (tokio's RwLock and Mutex are fair), or let readers use a snapshot that blocks \
             nobody.";
    CON_09 Claim
        why "Two services on one place resume each other's runs. What the one has acknowledged, the other must \
             read before it acts."
        cause "Each handle has a cache or an index of its own, or reads from a replica that lags and shows only \
               its own writes."
        fix "Read from where writes are acknowledged, or check with each load that the cache is current.";
    CON_10 Claim
        why "A row that one service has seen, and another that asks later does not, was never durable for the \
             second: it decides without it."
        cause "Handles read from different replicas or snapshots."
        fix "Read from one place, or wait until every replica that answers loads has the row.";
}
