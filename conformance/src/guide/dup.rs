//! The guide to the laws of duplicates.

use super::guide;

guide! {
    about "Rejecting a taken sequence is the fence of the whole engine: when two lives of one run are awake, \
           only this rejection stops the slower one. Check and write must be one atomic step."
    sql "a plain INSERT into a table with the primary key (id, sequence), and the key violation mapped to \
         `Error::conflict`; no UPSERT, no REPLACE; or ON CONFLICT DO NOTHING, after which \
         zero inserted rows mean a conflict"
    kv "put-if-absent, or a transaction that reads the key that it writes; never get, then put"
    files "`create_new` (O_EXCL), link() of a finished temporary file, or one lock around check and write; \
           rename() replaces silently"

    DUP_01 Fence
        why "With an upsert the second life overwrites the first one's row, and both believe they own the \
             run: a task is done twice."
        cause "The store uses UPSERT, REPLACE or the `insert` of a map."
        fix "Use INSERT, or `entry` with `Vacant`. Return `Error::conflict`.";
    DUP_02 Fence
        (reading "a row \"duplicates\" another by its id and sequence, whatever its other fields")
        why "Two lives that do the same work write identical rows. If the second gets Ok, both continue."
        cause "The store compares contents to be \"idempotent\", or takes `ON CONFLICT DO NOTHING` for \
               success."
        fix "Reject by the key alone; after `ON CONFLICT DO NOTHING`, check the number of changed rows. A \
             retry finds its own row by loading.";
    DUP_03 Fence
        why "The rejected life reads the log to see who won. It must find the winner's row, byte for byte."
        cause "The store writes before it checks: it truncates a file, or replaces a blob in a second table."
        fix "Write nothing before the check has passed.";
    DUP_04 Fence
        why "Rejections are common: overlapping lives cause them. A store that does not recover from one is \
             down after the first takeover."
        cause "The error path keeps a transaction or a connection, or panics under a mutex and poisons it."
        fix "Roll the transaction back and return the connection on the error path too.";
    DUP_05 Fence
        why "A late life writes far behind the end of the log. A check of the last row alone lets it \
             through."
        cause "The sequence is compared with the maximum."
        fix "Look up the key (id, sequence) itself.";
    DUP_06 Fence
        why "Every run counts from 0. If runs share their sequences, only the first run can write."
        cause "One counter or one unique column serves all runs."
        fix "Make the pair (id, sequence) the unique key.";
    DUP_07 Fence
        why "When one life takes over from another, both race for exactly one row. Only one may get it."
        cause "Check, then insert: both find the sequence free. Under READ COMMITTED a SELECT before the \
               INSERT is worth nothing."
        fix "Check and write under one lock or in one serializable transaction, or let a unique index \
             decide.";
    DUP_08 Fence
        why "If the loser is rejected but its row is stored, the run continues by the plan of a life that \
             has stopped."
        cause "The store writes before it checks, or the last writer wins."
        fix "Reject before writing; with last-writer-wins storage use a conditional put.";
    DUP_09 Claim
        why "Old and new lives overlap right after a restart, so the fence must be there from the first \
             append."
        cause "The known sequences are kept in memory alone, and start empty."
        fix "Ask the stored rows, or fill the index from them before answering the first append.";
    DUP_10 Clear
        why "A cleared run may be started again under its id, from row 0."
        cause "Tombstones, an index in memory or a cached maximum outlive the clear."
        fix "Clear everything that the check looks at.";
    DUP_11 Fence
        why "`u64::MAX` is a sequence like any other, so the fence must hold there."
        cause "`sequence + 1` overflows at the end of the range, and a range up to it is empty."
        fix "Use inclusive bounds (`..=u64::MAX`), and look up the key instead of computing a neighbour.";
    DUP_12 Fence
        why "If each rejected append keeps a connection, a lock or a file, the store stops after as many \
             rejections as it has of them."
        cause "A rejection returns early and skips the release."
        fix "Tie each resource to a guard that releases it on every path.";
    DUP_13 Claim
        (reading "stores on one place within a process are parts of one store, and the fence belongs to the \
                  place, not to a part")
        why "A service that opens its store twice has two lives on one log, and both could write the same \
             row."
        cause "Each store keeps the fence in its own memory."
        fix "Ask the stored rows, or keep what the stores share in one registry of the process, by canonical \
             path. Do not claim `many_handles` if the second opening is refused.";
    DUP_14 Claim
        (reading "a store that keeps other processes out also has one winner: the process that is in")
        why "A deployment starts the new process before the old one has ended."
        cause "The fence is a lock or an atomic of one process, and nothing stands between two processes."
        fix "Use a unique index of the server, a file lock that the kernel releases with the process \
             (`File::try_lock` when opening, not a file whose existence is the lock), or `create_new` for \
             each row.";
}
